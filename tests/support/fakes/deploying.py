"""Everything that deploys, over a real database and fakes of what builds and runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock

from aiwebengine.host.registration.kinds import RegistrationKind
from aiwebengine.observe.background import Background
from aiwebengine.runtime.registry import Current
from aiwebengine.scripts.capabilities import Capabilities
from aiwebengine.scripts.deploy import Deployer
from aiwebengine.scripts.loads import Loads
from aiwebengine.scripts.prepare import Preparer
from aiwebengine.scripts.stacks import Stacks
from aiwebengine.scripts.store import ScriptStore
from aiwebengine.services.db.connect import Database
from aiwebengine.settings.schema import DeploySettings, LimitSettings
from aiwebengine.values import Invocation
from tests.support.fakes.building import FakeBook, FakeBuilder, FakeRunner
from tests.support.fakes.database import open_database
from tests.support.fakes.invoking import an_invoker
from tests.support.fakes.threads import ThreadsInTurn
from tests.support.reserved import RESERVED


class Deploying:
    """
    A deployer with its surroundings.

    Args:
        folder: Where the database is; a second one on the same folder is a restart.
        keep_versions: See `DeploySettings`.
        book: Makes the book of a load.
        kinds: What may be registered beside plain routes.
    """

    def __init__(
        self,
        folder: Path,
        *,
        keep_versions: int = 50,
        book: Callable[[Invocation], Any] = FakeBook,
        kinds: Sequence[RegistrationKind] = (),
    ) -> None:
        self.database: Database = open_database(folder)
        self.clock = Clock()
        self.now = 1_700_000_000_000
        self.settings = DeploySettings(keep_versions=keep_versions)
        self.store = ScriptStore(database=self.database, milliseconds=lambda: self.now)
        self.current = Current(kinds={kind.name: kind.index for kind in kinds})
        self.loads: Loads[Any] = Loads(make=book, granted=self.granted)
        self.builder = FakeBuilder()
        self.runner = FakeRunner(self.loads)
        self.background = Background(clock=self.clock)
        self.invoker = an_invoker(self.runner, current=self.current, prefix="load")
        self.preparer = Preparer(
            builder=self.builder,
            invoker=self.invoker,
            forget=self.runner.forget,
            current=self.current,
            loads=self.loads,
            stacks=Stacks(source=self.store, threads=ThreadsInTurn()),
            threads=ThreadsInTurn(),
            settings=self.settings,
            limits=LimitSettings(),
            capabilities=Capabilities(dict.fromkeys(("scripts", "assets", "streams", "logs"))),
            reserved=RESERVED,
            milliseconds=lambda: self.now,
            seconds=self.clock.seconds,
        )
        self.deployer = Deployer(
            preparer=self.preparer,
            store=self.store,
            threads=ThreadsInTurn(),
            expect=self.runner.expect,
            forget=self.runner.forget,
            rest=self.runner.forget,
            current=self.current,
            keep_versions=self.settings.keep_versions,
            background=self.background,
            seconds=self.clock.seconds,
        )

    def granted(self, uri: str) -> frozenset[str]:
        script = self.current.registry.scripts.get(uri)
        return script.grants if script else frozenset()
