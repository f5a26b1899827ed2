"""Whether maintenance is on: a file in the data folder, so that a restart changes nothing."""

from __future__ import annotations

from pathlib import Path


class Switch:
    """
    On or off.

    Args:
        file: On while it exists.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._on: bool | None = None

    @property
    def is_on(self) -> bool:
        """Return whether maintenance is on."""
        if self._on is None:
            self._on = self._file.exists()
        return self._on

    def turn(self, on: bool) -> None:  # noqa: FBT001  on or off is all there is to say
        """Switch it; the file is written before anything is answered otherwise."""
        if on:
            self._file.touch()
        else:
            self._file.unlink(missing_ok=True)
        self._on = on
