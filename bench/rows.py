"""What was measured: the rows of the table, and the results of the run before to set them beside."""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HEADINGS = ("what", "measured", "wanted", "before", "change", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured figure."""

    what: str
    value: float | None = None
    """None if it could not be measured; `note` says why."""
    unit: str = ""
    """Such as `ms` or `requests/s`; empty for a ratio."""
    wanted: str = ""
    note: str = ""
    """What else there is to say, such as the spread over the rounds."""


def row_of(what: str, values: Sequence[float], *, unit: str = "", wanted: str = "", note: str = "") -> Row:
    """Return the row of a figure that was measured several times: the median, with the least and the most."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    spread = f"{shown(ordered[0])} to {shown(ordered[-1])}" if len(ordered) > 1 else ""
    return Row(what=what, value=median, unit=unit, wanted=wanted, note=", ".join(filter(None, (spread, note))))


class Results:
    """
    The results of the last run, kept as JSON.

    Args:
        path: The file; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before: dict[str, Any] = {}
        if path.exists():
            try:
                self._before = json.loads(path.read_text("utf-8"))
            except ValueError as error:
                raise SystemExit(f"bench: {path} is not JSON ({error}); delete it to begin anew") from None

    def table(self, rows: Sequence[Row]) -> str:
        """Return rows as text, each beside what it was in the run before."""
        cells = [HEADINGS, *(self._cells(row) for row in rows)]
        widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
        return "\n".join(
            "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in cells
        )

    def keep(self, rows: Sequence[Row], *, seconds: int, rounds: int) -> None:
        """Write rows over those of the run before; what was not measured this time stays."""
        figures = dict(self._figures())
        run = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "commit": commit(), "machine": machine()}
        for row in rows:
            if row.value is not None:
                figures[row.what] = {
                    "value": row.value, "unit": row.unit, "note": row.note, "seconds": seconds, "rounds": rounds, **run
                }  # fmt: skip
        self._path.parent.mkdir(parents=True, exist_ok=True)
        whole = self._path.with_suffix(".new")
        whole.write_text(json.dumps({"figures": figures}, indent=1) + "\n", "utf-8")
        whole.replace(self._path)

    def _figures(self) -> Mapping[str, Any]:
        figures = self._before.get("figures")
        return figures if isinstance(figures, dict) else {}

    def _cells(self, row: Row) -> tuple[str, ...]:
        measured = "not measured" if row.value is None else f"{shown(row.value)} {row.unit}".rstrip()
        before = self._figures().get(row.what)
        if row.value is None or not isinstance(before, dict) or before.get("unit") != row.unit or not before["value"]:
            return (row.what, measured, row.wanted, "", "", row.note)
        change = f"{row.value / before['value'] - 1:+.0%}"
        return (row.what, measured, row.wanted, shown(before["value"]), change, row.note)


def shown(value: float) -> str:
    """Return a figure with three digits that count."""
    if not value:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"


def commit() -> str:
    """Return the commit of this checkout; empty if it is none."""
    done = subprocess.run(
        ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()


def machine() -> str:
    """Return what it was measured on."""
    lines = Path("/proc/cpuinfo").read_text("ascii", "replace").splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return f"{os.cpu_count()} x {model or platform.machine()}, {platform.system()} {platform.release()}, Python {platform.python_version()}"  # noqa: E501
