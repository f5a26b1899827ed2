"""
A server program to be killed: `python -m tests.support.ledger DATA_FOLDER`.

It is the whole engine with two host calls more, made as any feature is:

    ledgerPut(id)    durable: two rows, and one message that is written to the file `delivered`
    ledgerTell(id)   volatile: a line in the file `told`

While the file `arm` exists it names a point, how often it is to be passed, and a victim; when
that has happened, the file is removed and the victim gets SIGKILL.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from aiwebengine.app import build
from aiwebengine.cli.reactor import install
from aiwebengine.engine import Engine
from aiwebengine.feature import Feature
from aiwebengine.features.all import FEATURES
from aiwebengine.features.fetch.settings import FetchSettings
from aiwebengine.features.storage import store as entry_rows
from aiwebengine.host.declarations import Declarations
from aiwebengine.host.declare import Argument, HostCall
from aiwebengine.host.effects import HeldEffect, Unit
from aiwebengine.host.session import CallSession, Function
from aiwebengine.machinery import Machinery, Parts
from aiwebengine.services.db.units import Transaction, Write
from aiwebengine.services.outbox import OutboxMessage
from aiwebengine.settings.schema import LimitSettings, PoolSettings, ServerSettings, Settings

AREA = "ledger"


def _call(name: str) -> HostCall:
    return HostCall(
        name=name,
        group="Tests",
        arguments=(Argument(name="id", kind="string", doc="What is written.", max_length=200),),
        returns="void",
        effect="held",
        doc="Writes.",
        example="",
    )


CALLS = (_call("ledgerPut"), _call("ledgerTell"))


class Ledger:
    """
    The two calls and what becomes of them.

    Args:
        folder: Where the files are written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def calls(self) -> Sequence[HostCall]:
        """See `dispatch.CallGroup.calls`."""
        return CALLS

    @property
    def functions(self) -> Mapping[str, Function]:
        """See `dispatch.CallGroup.functions`."""
        return {"ledgerPut": self._put, "ledgerTell": self._tell}

    database: Literal["script"] = "script"
    """See `effects.Effects.database`."""

    def write(self, unit: Unit, effects: Sequence[HeldEffect]) -> Write | None:
        """See `effects.Effects.write`."""
        ids = [effect.value for effect in effects if effect.key.startswith("put ")]
        if not ids:
            return None
        place = entry_rows.EntryPlace(script=unit.invocation.script, area=AREA)

        def write(transaction: Transaction) -> None:
            for identity in ids:
                rows = [
                    entry_rows.StoredEntry(name=f"{identity}/{side}", value=identity, version=unit.id)
                    for side in ("a", "b")
                ]
                entry_rows.write(transaction.connection, place, put=rows, remove=(), now=transaction.now)
                transaction.publish("ledger", {"id": identity})

        return write

    def happen(self, _unit: Unit, effects: Sequence[HeldEffect]) -> None:
        """See `effects.Effects.happen`."""
        for effect in effects:
            if effect.key.startswith("tell "):
                self._line("told", effect.value)

    def deliver(self, message: OutboxMessage) -> None:
        """See `outbox.Deliver`."""
        self._line("delivered", f"{message.id} {message.payload['id']}")

    def _put(self, session: CallSession, identity: str) -> None:
        session.hold(HeldEffect(group="ledger", key=f"put {identity}", value=identity))

    def _tell(self, session: CallSession, identity: str) -> None:
        session.hold(HeldEffect(group="ledger", key=f"tell {identity}", value=identity))

    def _line(self, name: str, text: str) -> None:
        # One write, so that a kill leaves a whole line or none.
        descriptor = os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(descriptor, f"{text}\n".encode())
        os.close(descriptor)


def parts(machinery: Machinery) -> Parts:
    """Make what an engine gets of it; the files lie beside the data folder."""
    ledger = Ledger(machinery.base.folder.parent)
    return Parts(groups=[ledger], effects={"ledger": ledger}, deliver={"ledger": ledger.deliver})


FEATURE = Feature(name="ledger", parts="tests.support.ledger:parts", declares=Declarations(calls=CALLS))


class Killer:
    """
    Kills what the file `arm` names.

    Args:
        folder: Where that file is.
    """

    def __init__(self, folder: Path) -> None:
        self._arm = folder / "arm"
        self._passed = 0
        self.engine: Engine | None = None

    def passed(self, point: str) -> None:
        """See `observe.points.Passed`."""
        if not self._arm.exists():
            self._passed = 0
            return
        try:
            wanted = json.loads(self._arm.read_text("ascii"))
        except (OSError, ValueError):
            return
        if wanted["point"] != point:
            return
        self._passed += 1
        if self._passed < wanted["times"]:
            return
        self._passed = 0
        self._arm.unlink(missing_ok=True)
        for pid in self._pids(wanted["victim"]):
            os.kill(pid, signal.SIGKILL)

    def _pids(self, victim: str) -> list[int]:
        assert self.engine is not None
        if victim == "server":
            return [os.getpid()]
        if victim == "sandbox":
            pid = self.engine.zygote.pid
            return [pid] if pid else []
        state: Any = self.engine.runner.state()
        if victim == "template":
            return [version["template"] for version in state["versions"] if version["template"]]
        clones = [clone for version in state["versions"] for clone in version["clones"]]
        return [clone["pid"] for clone in clones if clone["pid"] and clone["busy"]]


def main(folder: Path) -> None:
    """Serve until killed."""
    reactor = install()
    killer = Killer(folder)
    settings = Settings(
        profile="development",
        server=ServerSettings(port=0, data_folder=str(folder / "data"), stop_seconds=2.0),
        pool=PoolSettings(max_running=4),
        limits=LimitSettings(wall_seconds=5),
        features={"fetch": FetchSettings(allow="all", networks=("127.0.0.0/8",))},
    )
    engine = build(settings, reactor=reactor, features=[*FEATURES, FEATURE], passed=killer.passed)
    killer.engine = engine

    def answers(ready: Any) -> None:
        token = (folder / "data" / "administrator-token").read_text("ascii").strip()
        result = folder / "address.new"
        result.write_text(json.dumps({"address": ready.address, "token": token, "pid": os.getpid()}), "ascii")
        result.rename(folder / "address")

    def start() -> None:
        engine.service.privilegedStartService()
        engine.service.startService()

    engine.ready.addCallbacks(answers, lambda failure: (failure.printTraceback(sys.stderr), reactor.stop()))
    reactor.callWhenRunning(start)
    reactor.addSystemEventTrigger("before", "shutdown", engine.service.stopService)
    reactor.run()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
