"""Secrets from environment variables: read once, for the environment of a process does not change."""

from __future__ import annotations

from collections.abc import Mapping

from aiwebengine.features.secrets.names import is_name
from aiwebengine.features.secrets.sources.source import SourceUnreadable
from aiwebengine.features.secrets.values import Secret


class EnvironmentSource:
    """
    See `SecretSource`.

    Args:
        environ: Variables.
        prefix: Of those that are secrets.
        most_bytes: Of one.
    """

    name = "environment"
    is_local = True
    seconds = 0.0

    def __init__(self, *, environ: Mapping[str, str], prefix: str, most_bytes: int) -> None:
        self._environ = environ
        self._prefix = prefix
        self._most_bytes = most_bytes

    @property
    def shown(self) -> str:
        """See `SecretSource.shown`."""
        return f"the environment ({self._prefix}...)"

    async def load(self) -> Mapping[str, Secret]:
        """See `SecretSource.load`."""
        secrets: dict[str, Secret] = {}
        for variable, text in self._environ.items():
            name = variable.removeprefix(self._prefix)
            if not variable.startswith(self._prefix) or not text:
                continue
            if not is_name(name):
                raise SourceUnreadable(
                    f"The environment variable {variable[:200]} is no secret: {name[:100]!r} cannot be the name of one."
                )
            # What is no UTF-8 stands in the environment as Python has it.
            value = text.encode("utf-8", "surrogateescape")
            if len(value) > self._most_bytes:
                raise SourceUnreadable(
                    f"The environment variable {variable[:200]} has more than {self._most_bytes} bytes "
                    "(secrets.max_value_bytes)."
                )
            secrets[name] = Secret(name=name, value=value, source=self.shown)
        return secrets
