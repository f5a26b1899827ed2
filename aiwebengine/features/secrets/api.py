"""Which secrets there are, for administrators: names, sources, hosts and scripts, and no values."""

from __future__ import annotations

from typing import Any

from aiwebengine.features.secrets.book import SecretBook
from aiwebengine.features.secrets.grants import granted_secrets
from aiwebengine.host.host_patterns import HostPattern, shown_pattern
from aiwebengine.runtime.registry import Current
from aiwebengine.values import Answer
from aiwebengine.web.api.call import ApiCall, as_json
from aiwebengine.web.api.route import ApiRoute


class SecretList:
    """
    See the module.

    Args:
        book: All secrets.
        current: What serves.
    """

    def __init__(self, *, book: SecretBook, current: Current) -> None:
        self._book = book
        self._current = current

    def routes(self) -> list[ApiRoute]:
        """Return what this answers."""
        return [ApiRoute("GET", "/engine/api/secrets", self.read)]

    async def read(self, call: ApiCall) -> Answer:
        """List all secrets, and those that scripts were granted and that are not there."""
        call.only()
        await self._book.look_again()
        granted = {uri: granted_secrets(script.grants) for uri, script in self._current.registry.scripts.items()}
        names = {*self._book.names, *(name for secrets in granted.values() for name in secrets)}
        return as_json({"secrets": [self._row(name, granted) for name in sorted(names)]})

    def _row(self, name: str, granted: dict[str, Any]) -> dict[str, Any]:
        secret = self._book.find(name)
        return {
            "name": name,
            "source": secret.source if secret is not None else None,
            "hosts": _shown(secret.hosts) if secret is not None else [],
            "scripts": [
                {"uri": uri, "hosts": _shown(secrets[name])} for uri, secrets in granted.items() if name in secrets
            ],
        }


def _shown(patterns: tuple[HostPattern, ...]) -> list[str]:
    return [shown_pattern(pattern) for pattern in patterns]
