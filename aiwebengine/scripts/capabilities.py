"""
The capabilities that there are, as scripts ask for them and administrators grant them.

    scripts                     granted as a whole
    fetch:api.example.com       granted for one host
    fetch:*.example.org         granted for what its scope says that this covers
    fetch                       in a grant only: for everything that the manifest asks for
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from aiwebengine.errors import Invalid, Problem
from aiwebengine.scripts.quoting import nearest, quoted
from aiwebengine.values import CapabilityScope

MOST_CAPABILITIES = 100
"""How many a script may ask for."""

_SHOWN = 100


class Capabilities:
    """
    See the module.

    Args:
        known: By name, what each is granted for; None if it is granted as a whole.
    """

    def __init__(self, known: Mapping[str, CapabilityScope | None]) -> None:
        self._known = dict(known)
        self.scopes = {name: scope for name, scope in known.items() if scope is not None}
        """Those that are granted for something."""
        self.keys = {scope.key or name: name for name, scope in self.scopes.items()}
        """By key of the manifest, the capability that it asks for."""

    def read(self, text: str) -> tuple[str, Problem | None]:
        """Return the normal form of what a manifest asks for, and what is wrong with it."""
        name, colon, value = text.partition(":")
        scope = self._known.get(name)
        if name not in self._known or (colon and scope is None):
            return text, self._unknown(text)
        if scope is None:
            return name, None
        if not value:
            return text, _problem(
                f'The capability "{name}" is granted for each {scope.noun}: write "{name}:{scope.example}" here, or '
                f'"{scope.key or name}": ["{scope.example}"] in the manifest.'
            )
        try:
            return f"{name}:{scope.normal(value)}", None
        except Invalid as error:
            return text, _problem(f"The capability {quoted(text[:_SHOWN])} cannot be granted: {error.public}")

    def granted(self, texts: Collection[str], *, requested: Collection[str]) -> tuple[frozenset[str], list[Problem]]:
        """
        Return the normal forms of what an administrator grants, and what is wrong with it.

        Args:
            requested: What the manifest asks for; a scope that is granted by its name alone means these.
        """
        grants: set[str] = set()
        problems: list[Problem] = []
        for text in sorted(texts):
            if text in self.keys:
                grants |= {name for name in requested if name.startswith(f"{self.keys[text]}:")}
                continue
            name, problem = self.read(text)
            if problem is None:
                grants.add(name)
            else:
                problems.append(problem)
        return frozenset(grants), problems

    def allows(self, grants: Collection[str], name: str) -> bool:
        """Return whether *grants* include a capability; all are in their normal form."""
        if name in grants:
            return True
        capability, _, value = name.partition(":")
        scope = self.scopes.get(capability)
        if scope is None:
            return False
        own = f"{capability}:"
        return any(scope.covers(grant.removeprefix(own), value) for grant in grants if grant.startswith(own))

    def _unknown(self, text: str) -> Problem:
        known = [name if scope is None else f"{name}:{scope.noun.upper()}" for name, scope in self._known.items()]
        return _problem(
            f"There is no capability {quoted(text[:64])}; there are {', '.join(known)}.",
            hint=nearest(text.partition(":")[0], self._known),
        )


def _problem(message: str, *, hint: str | None = None) -> Problem:
    return Problem(code="unknown_capability", message=message, hint=hint)
