"""
The names that a script may use without defining them, and advice for those that it may not.

The build reads every free name of a script.  One that is neither here nor the script's
own is a deployment error, with the nearest name or with the advice below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from aiwebengine.host.declarations import Declarations, together
from aiwebengine.host.globals import GLOBALS
from aiwebengine.host.registration.paths import RESERVED
from aiwebengine.host.registration.routes import OPTIONS
from aiwebengine.host.shapes import SHAPES
from aiwebengine.host.standards import STANDARD_TYPES, STANDARDS
from aiwebengine.host.streams import STREAM_TYPES

LANGUAGE = frozenset(
    (  # noqa: SIM905  words are read as words
        "globalThis undefined NaN Infinity isNaN isFinite parseInt parseFloat arguments "
        "encodeURI encodeURIComponent decodeURI decodeURIComponent escape unescape eval "
        "Object Array String Number Boolean Symbol Function Math JSON Date RegExp Promise Proxy Reflect "
        "Map Set WeakMap WeakSet WeakRef FinalizationRegistry Iterator "
        "Error EvalError RangeError ReferenceError SyntaxError TypeError URIError AggregateError "
        "ArrayBuffer DataView Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array "
        "Float32Array Float64Array BigInt BigInt64Array BigUint64Array Intl "
        "DisposableStack AsyncDisposableStack SuppressedError"
    ).split()
)
"""What the language itself brings."""

STANDARD_NAMES = frozenset(
    {
        "Crypto",
        "ReadableByteStreamController",
        "ReadableStreamBYOBRequest",
        "ReadableStreamDefaultController",
        "TransformStreamDefaultController",
        "WritableStreamDefaultController",
    }
)
"""Names of the standards that scripts meet only in `instanceof`."""

_LATER = "is not part of this version of the engine"
_NO_NODE = "Scripts do not run on Node.js"

_ADVICE: Mapping[str, str] = {
    "Buffer": 'Import it: import { Buffer } from "node:buffer".',
    "Deno": "Scripts do not run on Deno: use registerWebHandler for what Deno.serve does.",
    "Bun": "Scripts do not run on Bun: use registerWebHandler for what Bun.serve does.",
    "XMLHttpRequest": "Scripts run on the server, which has no XMLHttpRequest.",
    "__dirname": f"{_NO_NODE}: a script has no file system; import its own files instead.",
    "__filename": f"{_NO_NODE}: a script has no file system; import its own files instead.",
    "alert": "Scripts run on the server: use console.log.",
    "crypto.subtle": f"crypto.subtle {_LATER}.",
    "app": "There is no app object: app.get(path, handler) is registerWebHandler(path, handler).",
    "app.delete": 'Use registerWebHandler(path, handler, "DELETE").',
    "app.get": "Use registerWebHandler(path, handler).",
    "app.listen": "The server listens already: registerWebHandler(path, handler) is enough.",
    "app.post": 'Use registerWebHandler(path, handler, "POST").',
    "app.put": 'Use registerWebHandler(path, handler, "PUT").',
    "app.use": "Use use(async (req, ctx, next) => next()).",
    "addEventListener": "There are no events of requests: use registerWebHandler, or a default export.",
    "document": "Scripts run on the server, which has no document: make pages with html`...` or JSX.",
    "exports": 'Use ES modules: export function name() {}, and import { name } from "./file.js".',
    "global": "Use globalThis.",
    "localStorage": "Scripts run on the server, which has no localStorage.",
    "module": 'Use ES modules: export function name() {}, and import { name } from "./file.js".',
    "module.exports": 'Use ES modules: export function name() {}, and import { name } from "./file.js".',
    "navigator": 'Scripts run on the server: the client\'s browser is in req.headers["user-agent"].',
    "process": 'Import it: import process from "node:process".',
    "process.exit": f"{_NO_NODE}: return from the handler, or throw httpError(status, message).",
    "require": 'Use import: import { name } from "./file.js".',
    "require.fs": f"{_NO_NODE}: a script has no file system; import its own files instead.",
    "sessionStorage": "Scripts run on the server, which has no sessionStorage.",
    "setImmediate": 'Import it: import { setImmediate } from "node:timers".',
    "window": "Scripts run on the server, which has no window: use globalThis for globals.",
    "location": "Scripts run on the server: the requested address is req.url.",
    "prompt": "Scripts run on the server: what the client sent is in req.query, req.form and req.body.",
    "express": "There is no express: app.get(path, handler) is registerWebHandler(path, handler).",
    "React": 'Import it from "react", or write JSX with h and Fragment, which are there already.',
    "Atomics": "An invocation has one thread, so nothing has to be atomic.",
    "SharedArrayBuffer": "An invocation has one thread: use ArrayBuffer.",
    "WebAssembly": "There is no WebAssembly: use a package that is written in JavaScript.",
    "Worker": "An invocation has one thread; the server runs many invocations at the same time.",
    "node:child_process": "A script starts no programs.",
    "node:crypto": "Use the global crypto: crypto.randomUUID(), crypto.getRandomValues().",
    "node:fs": "A script has no disk: deploy the file with the script and import it.",
    "node:http": "To answer requests use registerWebHandler.",
    "node:http2": "To answer requests use registerWebHandler.",
    "node:https": "To answer requests use registerWebHandler.",
    "node:net": "A script opens no sockets.",
    "node:async_hooks": "Pass values as arguments; an invocation has one request.",
    "node:cluster": "The server runs many invocations at the same time.",
    "node:dgram": "A script opens no sockets.",
    "node:module": 'Use import: import { name } from "./file.js".',
    "node:readline": "A script has no terminal.",
    "node:repl": "A script has no terminal.",
    "node:tty": "A script has no terminal.",
    "node:v8": "Scripts do not run on V8.",
    "node:worker_threads": "A script has one thread; the engine runs many requests at once.",
    "node:zlib": "Use CompressionStream and DecompressionStream.",
}

MACHINERY = Declarations(
    globals=GLOBALS, shapes=SHAPES, options={"registerWebHandler": OPTIONS}, advice=_ADVICE, reserved=RESERVED
)
"""What every engine offers scripts, whatever its features are."""

WEB = Declarations(globals=STANDARDS, types=STANDARD_TYPES + STREAM_TYPES)
"""The web standards that every engine offers scripts."""


def declarations(features: Iterable[Declarations]) -> Declarations:
    """Return all that scripts see in an engine with *features*."""
    every = together([MACHINERY, *features, WEB])
    names = every.names
    return replace(every, advice={name: text for name, text in every.advice.items() if not _is_there(name, names)})


def _is_there(name: str, names: Mapping[str, frozenset[str] | None]) -> bool:
    """Return whether a name with advice exists after all, by a feature: a global, or a member of one."""
    first, _, member = name.partition(".")
    if first not in names:
        return False
    members = names[first]
    return not member or members is None or member in members


def known_globals(declared: Declarations) -> Mapping[str, frozenset[str] | None]:
    """Return every name that a script may use, with the names that may follow its dot; None if any may."""
    return {**dict.fromkeys(LANGUAGE | STANDARD_NAMES), **declared.names}
