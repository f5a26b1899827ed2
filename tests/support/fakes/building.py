"""A builder and a runner that need no node and no process."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import Deferred

from aiwebengine.errors import DeploymentRefused, Problem, ScriptFailed, ThrownError
from aiwebengine.values import ROUTE, Bundle, Entry, HandlerRef, Invocation


@dataclass
class FakeBuilt:
    source: str
    source_map: str = ""
    names: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()
    toolchain: str = "fake 1"


class FakeBuilder:
    """Gives the entry's text; refuses what holds `SYNTAX ERROR`."""

    def __init__(self) -> None:
        self.builds = 0
        self.gate: Deferred[None] | None = None
        self.details: tuple[str, ...] = ()
        """What each build tells of itself."""

    async def build(self, *, entry: str, files: Any, manifest: Any, progress: Callable[[str], None]) -> FakeBuilt:
        self.builds += 1
        for detail in self.details:
            progress(detail)
        if self.gate is not None:
            await self.gate
        source = files[entry].decode()
        if "SYNTAX ERROR" in source:
            problem = Problem(code="syntax", message="Unexpected token.", file=entry, line=1)
            raise DeploymentRefused("Unexpected token.", problems=[problem, problem])
        return FakeBuilt(source=source)


class FakeBook:
    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self.patterns: list[str] = []
        self.effects: Any = None
        """Awaited when it is called: what the host does with held effects."""

    @property
    def middleware(self) -> tuple[int, ...]:
        return ()

    def placed(self, place: Any) -> tuple[Entry, ...]:
        return tuple(
            Entry(
                kind=ROUTE,
                key=pattern,
                script=self._invocation.script,
                version=self._invocation.version,
                methods=("GET",),
                handler=HandlerRef(id=number, name="handler"),
                place=place(""),
            )
            for number, pattern in enumerate(self.patterns)
        )

    def replaced(self, place: Any) -> tuple[tuple[Entry, Entry], ...]:
        first, *others = self.placed(place) or [None]
        return tuple((first, other) for other in others if first is not None and other.key == first.key)

    async def carry_out(self) -> None:
        if self.effects is not None:
            await self.effects()


@dataclass
class FakeLoaded:
    version: str
    warnings: tuple[Any, ...] = ()
    replay: str = "[]"
    handlers: int = 0
    middleware: tuple[int, ...] = ()
    names: tuple[str, ...] = ()


@dataclass
class FakeRunner:
    """Takes each word of a bundle that begins with `/` as a route; throws where it says THROW."""

    loads: Any
    forgotten: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    gate: Deferred[None] | None = None
    during: Any = None
    """Called with bundle and invocation while a version loads, awaited if it gives something."""

    async def load(self, bundle: Bundle, invocation: Invocation) -> FakeLoaded:
        self.loaded.append(bundle.version)
        book = self.loads.open(invocation)
        book.patterns = [word for word in bundle.source.split() if word.startswith("/")]
        if self.gate is not None:
            await self.gate
        if self.during is not None:
            await self.during(bundle, invocation, book)
        if "THROW" in bundle.source:
            raise ScriptFailed("It threw.", thrown=ThrownError(name="TypeError", message="x is not a function"))
        warnings = ({"code": "deprecated", "message": "writeLog is deprecated"},) if "OLD" in bundle.source else ()
        return FakeLoaded(version=bundle.version, warnings=warnings, replay=json.dumps(["replay"]))

    def expect(self, version: str, script: str, manifest: Mapping[str, Any]) -> None:
        self.expected.append(version)

    def forget(self, version: str) -> None:
        self.forgotten.append(version)

    def state(self) -> dict[str, Any]:
        return {"children": 0}
