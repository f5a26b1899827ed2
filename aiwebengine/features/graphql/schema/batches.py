"""
Calls of resolvers, gathered: what one operation asks of one script in one moment is one invocation.

While graphql-core executes, every field that can be resolved asks for its value.  When nothing can
go on without an answer, the gathered requests are sent: one run for each script, and one for each unit.
Objects of which the same field is requested are sent in one call.

What comes back is not trusted: see `aiwebengine/features/graphql/graphql.js` for what it should be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from twisted.python.failure import Failure

from aiwebengine.errors import INTERNAL_ERROR, Cancelled, EngineError, ScriptFailed
from aiwebengine.exact_json import decode
from aiwebengine.features.graphql.execution.failures import FieldFailed, of_script
from aiwebengine.features.graphql.execution.loop import Future, ReactorLoop
from aiwebengine.features.graphql.execution.slots import Slot
from aiwebengine.features.graphql.schema.entries import SchemaPart
from aiwebengine.features.graphql.transports.wire import encode_for_script, run_payload
from aiwebengine.long_json import Checkpoint
from aiwebengine.runtime.runs.run import Run
from aiwebengine.runtime.runs.sink import Sink
from aiwebengine.runtime.wire.failure import broken_protocol
from aiwebengine.values import ANONYMOUS, Answer, Invocation, Principal

_MOST_PARENTS = 1000

Convert = Callable[[Any], Any]


Waiting = Future[Any] | Slot
"""What takes a value."""
W = TypeVar("W", Future[Any], Slot)


class Caller(NamedTuple):
    """The client that sent one operation; a tuple, as `Invocation`."""

    request: str
    """Id of the operation: the first invocation for it has it, the others begin with it."""
    sender: str = ""
    """Members for a script's run, as JSON: `"r":{...}` with the request, `"c":{...}` with connection parameters."""
    principal: Principal = ANONYMOUS
    trace: str = ""
    """See `Request.trace`."""


class Scripts(Protocol):
    """What the batches need to run scripts."""

    def invocation(
        self,
        part: SchemaPart,
        *,
        identity: str,
        kind: str,
        label: str,
        payload: str,
        body: bytes,
        read_only: bool,
        caller: Caller,
    ) -> Invocation:
        """Make an invocation."""

    def run(self, invocation: Invocation, sink: Sink) -> Run:
        """Run it."""

    def cancel(self, run: Run) -> None:
        """Stop it."""

    def explained(self, error: EngineError, invocation: Invocation, then: Callable[[FieldFailed], None]) -> None:
        """Convert an error into what the client gets; *then* is called when that is known."""

    def keep(self, invocation: Invocation, error: ScriptFailed) -> None:
        """Write a failure into the script's log."""


class Call:
    """
    One call of a resolver.

    Args:
        part: Whose.
        kind: `root`, `one`, `many` or `each`.
        handler: Number of the function.
        head: `"a":{...},"i":{...}` of the call, as JSON; empty for none.
        label: For people.
    """

    __slots__ = ("_parents", "_values", "_waiting", "convert", "handler", "head", "kind", "label", "part")

    def __init__(
        self, part: SchemaPart, kind: str, *, handler: int, head: str, label: str, convert: Convert | None = None
    ) -> None:
        self.part = part
        self.kind = kind
        self.handler = handler
        self.head = head
        self.label = label
        self.convert = convert
        self._values: list[Any] = []
        self._waiting: list[Waiting] = []

    @property
    def full(self) -> bool:
        """It takes no more objects."""
        return len(self._values) >= _MOST_PARENTS

    @property
    def waiting(self) -> Sequence[Waiting]:
        """The futures that wait: one for each object, or one."""
        return self._waiting

    def add(self, future: W, value: Any = None) -> W:
        """Have *future* wait, for one object more if it is a call for objects."""
        self._values.append(value)
        self._waiting.append(future)
        return future

    def text(self, checkpoint: Checkpoint) -> str:
        """Return the call as JSON."""
        parents = ""
        if self.kind in {"many", "each"}:
            parents = f',"p":{encode_for_script(self._values, checkpoint)}'
        elif self.kind == "one":
            parents = f',"p":{encode_for_script(self._values[0], checkpoint)}'
        head = f",{self.head}" if self.head else ""
        checkpoint()
        return f'{{"t":"{self.kind}","h":{self.handler}{parents}{head}}}'

    def outcomes(self, reply: Any) -> list[Any] | None:
        """Read what came back: values and errors, one for each who waits; None if it is nonsense."""
        if not isinstance(reply, dict):
            return None
        if "e" in reply:
            error = of_script(reply["e"])
            return [error] * len(self._waiting)
        value = reply.get("d")
        if self.kind in {"root", "one"}:
            return [self._converted(value)]
        if not isinstance(value, list) or len(value) != len(self._waiting):
            return None
        return [
            of_script(item["e"]) if isinstance(item, dict) and "e" in item
            else self._converted(item.get("d")) if isinstance(item, dict)
            else broken_protocol(self.part.script)
            for item in value
        ]  # fmt: skip

    def _converted(self, value: Any) -> Any:
        return value if self.convert is None else self.convert(value)


class Batches:
    """
    The calls of one operation.

    Args:
        loop: Calls back when nothing can continue.
        scripts: Run them.
        caller: Who asks.
    """

    def __init__(self, *, loop: ReactorLoop, scripts: Scripts, caller: Caller) -> None:
        self._loop = loop
        self._scripts = scripts
        self._caller = caller
        self._sender = f",{caller.sender}" if caller.sender else ""
        self._gathered: dict[str, list[Call]] = {}
        self._running: dict[Batch, Run] = {}
        self._due = False
        self.cancelled = False
        self.runs = 0
        """How many there were."""

    def gather(self, call: Call) -> None:
        """Have *call* leave with the others of its script."""
        self._gathered.setdefault(call.part.version, []).append(call)
        if not self._due:
            self._due = True
            self._loop.at_rest(self._close)

    def send(self, calls: Sequence[Call], *, read_only: bool) -> None:
        """Run *calls*, all of one script, now."""
        first = calls[0]
        checkpoint = self._loop.checkpoint
        if len(calls) == 1:
            label, texts = first.label, f"[{first.text(checkpoint)}]"
        else:
            label = ", ".join(dict.fromkeys([call.label for call in calls]))
            texts = f"[{','.join([call.text(checkpoint) for call in calls])}]"
        request = self._caller.request
        payload, body = run_payload(texts, self._sender, checkpoint)
        invocation = self._scripts.invocation(
            first.part,
            identity=f"{request}-{self.runs}" if self.runs else request,
            kind="graphql",
            label=label[:200],
            payload=payload,
            body=body,
            read_only=read_only,
            caller=self._caller,
        )
        batch = Batch(batches=self, calls=calls, invocation=invocation, scripts=self._scripts, loop=self._loop)
        self.runs += 1
        run = self._scripts.run(invocation, batch)
        if not batch.ended:
            self._running[batch] = run

    def cancel(self) -> None:
        """Cancel the runs: the operation was cancelled."""
        self.cancelled = True
        self._gathered.clear()
        for run in list(self._running.values()):
            self._scripts.cancel(run)

    def done(self, batch: Batch) -> None:
        """A run has ended."""
        self._running.pop(batch, None)

    def _close(self) -> None:
        self._due = False
        gathered, self._gathered = self._gathered, {}
        for calls in gathered.values():
            self.send(calls, read_only=True)


class Batch:
    """One run, as the sink of its answer."""

    def __init__(
        self, *, batches: Batches, calls: Sequence[Call], invocation: Invocation, scripts: Scripts, loop: ReactorLoop
    ) -> None:
        self._batches = batches
        self._calls = calls
        self._invocation = invocation
        self._scripts = scripts
        self._loop = loop
        self.ended = False

    def answered(self, answer: Answer) -> None:
        """See `Sink.answered`."""
        self.ended = True
        self._batches.done(self)
        self._loop.start(self._read, answer.body)

    def _read(self, body: bytes) -> None:
        try:
            reply = decode(body, checkpoint=self._loop.checkpoint)
        except (ValueError, RecursionError):
            reply = None
        if not isinstance(reply, list) or len(reply) != len(self._calls):
            self.failed(broken_protocol(self._invocation.script))
            return
        settled: list[tuple[Waiting, Any]] = []
        for call, result in zip(self._calls, reply, strict=True):
            outcomes = call.outcomes(result)
            if outcomes is None:
                self.failed(broken_protocol(self._invocation.script))
                return
            settled += zip(call.waiting, outcomes, strict=True)
        if len(settled) == 1:
            self._settle(settled)
        else:
            # All are there before any of the waiting ones continues.
            self._loop.enter(self._settle, settled)

    def started(self, answer: Answer) -> None:
        """See `Sink.started`; a resolver's answer is whole."""

    def write(self, data: bytes, done: Callable[[], None]) -> None:  # noqa: ARG002  see above
        """See `Sink.write`."""
        done()

    def finished(self) -> None:
        """See `Sink.finished`."""
        self.failed(broken_protocol(self._invocation.script))

    def failed(self, error: EngineError) -> None:
        """See `Sink.failed`."""
        self.ended = True
        self._batches.done(self)
        waiting = [future for call in self._calls for future in call.waiting]
        if self._batches.cancelled or isinstance(error, Cancelled):
            self._loop.enter(
                self._settle, [(future, FieldFailed(error.public, {"code": "CANCELLED"})) for future in waiting]
            )
            return

        def reply(failed: FieldFailed) -> None:
            self._loop.enter(self._settle, [(future, failed) for future in waiting])

        self._scripts.explained(error, self._invocation, reply)

    def _settle(self, settled: Sequence[tuple[Waiting, Any]]) -> None:
        seen: dict[int, list[Waiting]] = {}
        for future, outcome in settled:
            if isinstance(outcome, ScriptFailed):
                # It is one of several: the run itself did not fail, so it has not been logged.
                waits = seen.setdefault(id(outcome), [])
                waits.append(future)
                if len(waits) == 1:
                    self._scripts.keep(self._invocation, outcome)
                    self._scripts.explained(outcome, self._invocation, self._explained_later(waits))
            else:
                self._give(future, outcome)

    def _explained_later(self, waits: Sequence[Waiting]) -> Callable[[FieldFailed], None]:
        def reply(failed: FieldFailed) -> None:
            for future in waits:
                self._give(future, failed)

        return reply

    def _give(self, waiting: Waiting, outcome: Any) -> None:
        if isinstance(waiting, Slot):
            waiting.fill(outcome)
        else:
            self._loop.settle(waiting, outcome)


def engine_error(failure: Failure) -> EngineError:
    """Return the engine's error of a failure, or what stands for a fault."""
    error = failure.value
    return error if isinstance(error, EngineError) else EngineError(INTERNAL_ERROR)
