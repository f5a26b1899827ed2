"""
The only module that touches the Duktape binding.

Only text crosses, and only through the one function that the last prelude file returns: a
Python object inside JavaScript would be a way out (through its attributes), and a Python
callable one to memory corruption.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Collection
from pathlib import Path
from types import CodeType
from typing import Any, cast

import pyduktape2

from sandbox.callstack import CallStack, Unreadable
from sandbox.deadline_report import DeadlineReporter
from sandbox.engine import EngineFailed
from sandbox.surface import NOTHING, Surface

_FOLDER = Path(__file__).parent / "prelude"
_BUILT = "core.js"
_ERRORS = (pyduktape2.JSError, pyduktape2.DuktapeError)

_KNOWN_STACK = """(function () {
    var thread = new Duktape.Thread(function theInnermost() {
        var end = Date.now() + 8;
        while (Date.now() < end) {}
    });
    Duktape.Thread.resume(thread);
}()); 0"""
_KNOWN_FRAME = b"at theInnermost (eval:4)"
_KNOWN_SECONDS = 0.002
_MOST_ATTEMPTS = 3


class Duktape:
    """
    See `engine.Engine`.

    Args:
        surface: What scripts find beyond the sandbox's own prelude.
        folder: Holds the prelude files, `order.json` with those that are evaluated, in their order, and `later.json`
            with those that a script loads.
        waiting: The Python functions that wait while the script does; see `deadline_report`.

    Raises:
        EngineFailed: A prelude file is missing, or throws.
    """

    def __init__(
        self, *, surface: Surface = NOTHING, folder: Path = _FOLDER, waiting: Collection[CodeType] = ()
    ) -> None:
        # Local time is UTC for scripts, whatever the server's own zone is; the engine asks the C library.
        os.environ["TZ"] = "UTC"
        time.tzset()
        self._context = pyduktape2.DuktapeContext()
        self.reporter = self._deadline_reporter(waiting)
        """Reports at the deadline where a script is; None where memory cannot be read for that."""
        names: list[str] = json.loads((folder / "order.json").read_text("utf-8"))
        if not (folder / _BUILT).exists():
            raise EngineFailed(f"{folder / _BUILT} is missing; install aiwebengine again, which builds it")
        kernel, *others, last = names
        self._evaluate(folder / kernel, "{}\n;0")
        self._declare(surface)
        self._hold_back(folder)
        for path in (*(folder / name for name in others), *surface.files):
            self._evaluate(path, "{}\n;0")
        # The value of the last file is the pump.
        self._pump = self._evaluate(folder / last, "{}")

    def pump(self, text: str) -> str:
        """See `engine.Engine.pump`."""
        try:
            return cast(str, self._pump(text))
        except (*_ERRORS, MemoryError, UnicodeError) as error:
            raise EngineFailed(str(error)) from None

    def _deadline_reporter(self, waiting: Collection[CodeType]) -> DeadlineReporter | None:
        """Return a reporter that has read a known stack correctly; None if none did."""
        try:
            thread = str(self._context.eval_js("String(Duktape.info(Duktape.Thread.current()).hptr)"))
            stack = CallStack(int(thread, 16))
        except (*_ERRORS, ValueError, Unreadable):
            return None
        reporter = DeadlineReporter(
            frames=stack.frames, inside=(Duktape.pump.__code__, Duktape._wait_for_signal.__code__), waiting=waiting
        )
        if any(self._is_known(reporter) for _ in range(_MOST_ATTEMPTS)):
            reporter.arm()
            return reporter
        reporter.disarm()
        return None

    def _is_known(self, reporter: DeadlineReporter) -> bool:
        reporter.arm()
        signal.setitimer(signal.ITIMER_REAL, _KNOWN_SECONDS)
        self._wait_for_signal()
        signal.setitimer(signal.ITIMER_REAL, 0)
        return _KNOWN_FRAME in reporter.last_frames[:2]

    def _wait_for_signal(self) -> None:
        self._context.eval_js(_KNOWN_STACK)

    def _declare(self, surface: Surface) -> None:
        try:
            # JSON in ASCII is an expression of JavaScript.
            self._context.eval_js(f"__kernel.declared = {surface.calls};__kernel.advice = {surface.advice};0")
        except _ERRORS as error:
            raise EngineFailed(f"the host calls cannot be declared: {error}") from error

    def _hold_back(self, folder: Path) -> None:
        """Pass the prelude the sources that it evaluates when a script first needs them."""
        groups: dict[str, list[str]] = json.loads((folder / "later.json").read_text("utf-8"))
        sources: dict[str, str | None] = {}
        for group, names in groups.items():
            paths = [folder / name for name in names]
            present = all(path.exists() for path in paths)
            sources[group] = "\n;".join(path.read_text("ascii") for path in paths) if present else None
        # A JavaScript literal too, as it is ASCII only.
        self._context.eval_js(f"__kernel.later = {json.dumps(sources)};0")

    def _evaluate(self, path: Path, form: str) -> Any:
        try:
            return self._context.eval_js(form.format(path.read_text("ascii").rstrip().removesuffix(";")))
        except (*_ERRORS, OSError, UnicodeError) as error:
            raise EngineFailed(f"{path}: {error}") from error
