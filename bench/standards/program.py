"""
Programs that run tests of web standards, one for each engine.

A file of tests calls the functions of `harness.js` as globals.  The program is the harness, then the file as the body
of a function, then what runs it and tells the results: `[[name, message], ...]`, where the message of a passed test is
empty.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROBES = HERE / "probes"
MARK = "\n@@results "

_HARNESS = (HERE / "harness.js").read_text("utf-8")
_ASSERTION = re.compile(r"^    (assert_\w+|promise_rejects_\w+):", re.MULTILINE)
_REST = (
    "test", "async_test", "promise_test", "EventWatcher", "AssertionError", "fetch", "setup", "promise_setup", "done",
    "step_timeout", "subsetTest", "subsetTestByKey", "shouldRunSubTest", "generate_tests", "format_value", "on_event",
    "add_completion_callback", "garbageCollect", "token", "location", "GLOBAL",
)  # fmt: skip
_NAMES = ", ".join((*_ASSERTION.findall(_HARNESS), *_REST))

# Other hosts of JavaScript have these; a script that names what does not exist is refused when it is deployed.
_MAYBE = (
    "document", "window", "parent", "opener", "navigator", "caches", "indexedDB", "worklet", "alert", "importScripts",
    "FileReader", "XMLHttpRequest", "Worker", "SharedWorker", "WebAssembly", "SharedArrayBuffer", "Atomics", "BigInt",
    "BigInt64Array", "BigUint64Array", "postMessage", "GCController", "idl_test", "pako",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardFile:
    """A file of tests."""

    topic: str
    name: str
    source: str
    """With the scripts that it needs in front."""
    files: Mapping[str, str] = field(default_factory=dict)
    """What it fetches from beside itself, by name."""


def probes() -> list[StandardFile]:
    """Return our own tests, in order."""
    return [
        StandardFile(topic=path.stem, name=path.stem, source=path.read_text("utf-8"))
        for path in sorted(PROBES.glob("*.js"))
    ]


def program(file: StandardFile, ending: str) -> str:
    """
    Return a program.

    Args:
        file: The tests.
        ending: What calls `__harness.run(__program)`.
    """
    declared = r"(?:const|let|function|class|var) +%s\b"
    names = [name for name in _MAYBE if re.search(rf"\b{name}\b", file.source)]
    missing = [f"{name} = globalThis['{name}']" for name in names if not re.search(declared % name, file.source)]
    maybe = f"var {', '.join(missing)};\n" if missing else ""
    return (
        f"{_HARNESS}\nvar __harness = makeHarness({json.dumps(dict(file.files))});\n"
        f"function __program() {{\nvar {{ {_NAMES} }} = __harness;\n{maybe}{file.source}\n}}\n{ending}\n"
    )


NODE_ENDING = f"""
process.on('uncaughtException', () => {{}});
process.on('unhandledRejection', () => {{}});
__harness.run(__program).then((told) => {{
  process.stdout.write({json.dumps(MARK)} + JSON.stringify(told) + '\\n', () => process.exit(0));
}});
"""
DENO_ENDING = f"""
addEventListener('unhandledrejection', (event) => event.preventDefault());
addEventListener('error', (event) => event.preventDefault());
__harness.run(__program).then((told) => {{ console.log({json.dumps(MARK)} + JSON.stringify(told)); Deno.exit(0); }});
"""


def script_ending(path: str) -> str:
    """Return the ending of a script that answers at *path*."""
    handler = "async () => ({ told: await __harness.run(__program) })"
    return f"registerWebHandler({json.dumps(path)}, {handler}, {{ method: 'GET' }});"
