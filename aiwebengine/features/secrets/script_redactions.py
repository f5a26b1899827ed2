"""Which secrets are taken out of what each serving version says: those that it was granted, as they are now."""

from __future__ import annotations

from collections.abc import MutableMapping

from aiwebengine.features.secrets.book import SecretBook
from aiwebengine.features.secrets.grants import granted_secrets
from aiwebengine.features.secrets.redaction import SecretForms
from aiwebengine.interfaces import Redaction
from aiwebengine.runtime.registry import Current, Registry


class ScriptRedactions:
    """
    See the module.

    Args:
        book: All secrets.
        current: What serves.
        redactions: By version: kept up to date; a version that holds no secrets is not there, and pays nothing.
    """

    def __init__(self, *, book: SecretBook, current: Current, redactions: MutableMapping[str, Redaction]) -> None:
        self._book = book
        self._current = current
        self._redactions = redactions
        self._forms: dict[frozenset[str], SecretForms] = {}
        """By capabilities."""
        book.on_change(self._other_secrets)
        current.on_change(self._other_scripts)

    def _other_secrets(self) -> None:
        self._forms.clear()
        self._other_scripts(self._current.registry)

    def _other_scripts(self, registry: Registry) -> None:
        self._redactions.clear()
        for script in registry.scripts.values():
            forms = self._of(script.grants)
            if not forms.empty:
                self._redactions[script.version] = forms

    def _of(self, grants: frozenset[str]) -> SecretForms:
        forms = self._forms.get(grants)
        if forms is None:
            secrets = (self._book.find(name) for name in granted_secrets(grants))
            forms = self._forms[grants] = SecretForms(secret for secret in secrets if secret is not None)
        return forms
