"""
Placeholders: what a script has of a secret.

    aiwebengine-secret.STRIPE_KEY.5f0c...9e21

The end is 128 random bits, made for one invocation and one secret, and forgotten when the invocation is over.  Nobody
outside of it can write one, so what a visitor sends is never replaced.  It consists of characters that no encoding of
addresses, forms, headers or JSON changes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from aiwebengine.features.secrets.names import NAME

BEGINNING = "aiwebengine-secret."
_NONCE_BYTES = 16

OLDER = re.compile(rf"\{{\{{secret:({NAME})\}}\}}")
"""An older placeholder, `{{secret:NAME}}`; it counts only where the script itself wrote it."""

_QUOTES = "\"'`"
_NO_LITERAL = re.compile(r"[\"'`\n\\]")
_MOST_AROUND = 200


class Placeholders:
    """
    Those of all invocations under way.

    Args:
        entropy: Returns so many random bytes.
    """

    def __init__(self, *, entropy: Callable[[int], bytes]) -> None:
        self._entropy = entropy
        self._given: dict[str, dict[str, str]] = {}
        """By invocation: name by placeholder."""

    def of(self, invocation: str) -> Mapping[str, str]:
        """Return the names of the secrets whose placeholders an invocation was given, by placeholder."""
        return self._given.get(invocation, {})

    def give(self, invocation: str, name: str) -> str:
        """Return the placeholder of a secret; `forget` must follow."""
        given = self._given.setdefault(invocation, {})
        for placeholder, known in given.items():
            if known == name:
                return placeholder
        made = f"{BEGINNING}{name}.{self._entropy(_NONCE_BYTES).hex()}"
        given[made] = name
        return made

    def forget(self, invocation: str) -> None:
        """Forget those of an invocation that is over."""
        self._given.pop(invocation, None)

    def __len__(self) -> int:
        """Return how many invocations have some."""
        return len(self._given)


def older_literals(source: str) -> Iterator[str]:
    """Yield the strings in the text of a source file in which older placeholders stand, without their quotes."""
    for match in OLDER.finditer(source):
        start, end = match.span()
        before = [*_NO_LITERAL.finditer(source, max(0, start - _MOST_AROUND), start)]
        after = _NO_LITERAL.search(source, end, end + _MOST_AROUND)
        if before and after and before[-1][0] == after[0] and after[0] in _QUOTES:
            yield source[before[-1].end() : after.start()]
