"""
What serves: a frozen snapshot, swapped whole.

Everything that reads it reads one attribute, so a request sees either all of a deployment
or nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from aiwebengine.errors import Conflict, DeploymentRefused
from aiwebengine.runtime.routes import Routes, conflicts
from aiwebengine.values import Route, SchemaPart

Assemble = Callable[[Sequence[SchemaPart]], Any]


def _nothing(_: Sequence[SchemaPart]) -> None:
    """Make no schema."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveScript:
    """The serving version of one script."""

    uri: str
    version: str
    number: int
    routes: tuple[Route, ...] = ()
    middleware: tuple[int, ...] = ()
    schema: tuple[SchemaPart, ...] = ()
    """What it adds to the GraphQL schema."""
    grants: frozenset[str] = frozenset()
    isolation: str | None = None
    """`shared` or `request`; None: as the server's settings say."""
    limits: Mapping[str, float] = field(default_factory=dict)
    """What the script asks for below the server's limits; see `settings.asked.WORDS`."""
    budgets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What it asks for beside the server's budgets; see `settings.budgets`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """All that serves."""

    generation: int = 0
    """Rises with every change."""
    scripts: Mapping[str, ActiveScript] = field(default_factory=lambda: MappingProxyType({}))
    """By URI."""
    routes: Routes = field(default_factory=Routes)
    assemble: Assemble = _nothing
    """Makes `schema` of the parts of all scripts."""
    schema: Any = None
    """What `assemble` made; None if no script adds to it."""

    def with_scripts(self, actives: Iterable[ActiveScript]) -> Registry:
        """
        Give a registry in which *actives* serve too, each in place of its predecessor.

        Raises:
            DeploymentRefused: Routes of two scripts match the same paths, or their schemas do not fit together.
        """
        replaced = {**self.scripts, **{active.uri: active for active in actives}}
        return self._next(replaced)

    def with_script(self, active: ActiveScript) -> Registry:
        """
        See `with_scripts`.

        Raises:
            DeploymentRefused: Routes of two scripts match the same paths, or their schemas do not fit together.
        """
        # Last, so that the problems are told from the side of what is being deployed.
        others = {uri: script for uri, script in self.scripts.items() if uri != active.uri}
        return self._next({**others, active.uri: active})

    def without(self, uri: str) -> Registry:
        """
        Give a registry in which *uri* does not serve.

        Raises:
            DeploymentRefused: The schema needs what it added.
        """
        return self._next({other: script for other, script in self.scripts.items() if other != uri})

    def _next(self, scripts: Mapping[str, ActiveScript]) -> Registry:
        routes = [route for script in scripts.values() for route in script.routes]
        if problems := conflicts(routes):
            raise DeploymentRefused(problems[0].message, problems=problems)
        return Registry(
            generation=self.generation + 1,
            scripts=MappingProxyType(dict(scripts)),
            routes=Routes.build(routes),
            assemble=self.assemble,
            schema=self.assemble([part for script in scripts.values() for part in script.schema]),
        )


class Current:
    """
    The one reference to what serves.

    Args:
        assemble: Makes a schema of the parts of all scripts; raises DeploymentRefused if they do not fit together.
    """

    def __init__(self, *, assemble: Assemble = _nothing) -> None:
        self.registry = Registry(assemble=assemble)
        self._told: list[Callable[[Registry], None]] = []

    def tell(self, call: Callable[[Registry], None]) -> None:
        """Have *call* called with what serves, after every change; it must not fail."""
        self._told.append(call)

    def swap(self, new: Registry, expected_generation: int) -> None:
        """
        Let *new* serve.

        Raises:
            Conflict: Another change came first.
        """
        if self.registry.generation != expected_generation:
            raise Conflict("Another deployment changed what serves; try again.")
        self.registry = new
        for call in self._told:
            call(new)
