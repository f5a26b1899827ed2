"""Secrets as those see them who send requests for scripts: what is at the port `SECRETS`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from typing import Any

from aiwebengine.features.secrets.book import SecretBook
from aiwebengine.features.secrets.grants import granted_secrets
from aiwebengine.features.secrets.requests.filling import FilledSecrets, ScriptTerms
from aiwebengine.features.secrets.requests.placeholders import Placeholders, older_literals
from aiwebengine.values import Invocation

_MOST_LITERALS = 1000
_MOST_VERSIONS = 200

Sources = Callable[[str], Awaitable[Mapping[str, bytes]]]
"""Reads the author's files of a version, by its id: bytes by path."""


def literals_in(files: Mapping[str, bytes]) -> frozenset[str]:
    """Return the strings in source files in which older placeholders stand."""
    found = (
        text
        for content in files.values()
        if b"{{secret:" in content
        for text in older_literals(content.decode("utf-8", "replace"))
    )
    return frozenset(text for text, _ in zip(found, range(_MOST_LITERALS), strict=False))


class RequestsWithSecrets:
    """
    See `interfaces.Secrets`.

    Args:
        book: All secrets.
        placeholders: Those of invocations under way.
        sources: Reads the files of versions.
        serving: Returns the version of a script that serves, and its capabilities; None if there is none.
    """

    def __init__(
        self,
        *,
        book: SecretBook,
        placeholders: Placeholders,
        sources: Sources,
        serving: Callable[[str], tuple[str, frozenset[str]] | None],
    ) -> None:
        self._book = book
        self._placeholders = placeholders
        self._sources = sources
        self._serving = serving
        self._literals: dict[str, frozenset[str]] = {}
        """By version."""

    def of_invocation(self, invocation: Invocation, capabilities: frozenset[str]) -> FilledSecrets | None:
        """See `interfaces.Secrets.of_invocation`."""
        granted = granted_secrets(capabilities)
        if not granted:
            return None
        terms = ScriptTerms(
            script=invocation.script, granted=granted, literals=partial(self._literals_of, invocation.version)
        )
        return FilledSecrets(book=self._book, terms=terms, placeholders=self._placeholders.of(invocation.id))

    def of_later(self, script: str, kept: Mapping[str, Any]) -> FilledSecrets:
        """See `interfaces.Secrets.of_later`: what the version that serves now was granted counts."""
        serving = self._serving(script)

        async def literals() -> Collection[str]:
            return frozenset(kept.get("headers", ()))

        terms = ScriptTerms(
            script=script, granted=granted_secrets(serving[1]) if serving is not None else {}, literals=literals
        )
        return FilledSecrets(book=self._book, terms=terms, placeholders=kept.get("placeholders", {}))

    async def _literals_of(self, version: str) -> frozenset[str]:
        known = self._literals.get(version)
        if known is None:
            known = literals_in(await self._sources(version))
            self._literals[version] = known
            if len(self._literals) > _MOST_VERSIONS:
                del self._literals[next(iter(self._literals))]
        return known
