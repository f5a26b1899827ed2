"""
What scripts may use, declared once.

A `HostCall` is a JavaScript function that the server carries out. Besides its body, only its declaration is written:
the dispatcher checks arguments against it, the sandbox makes the function from it, and the types, the reference page
and the names that the build knows are generated from it. A `Global` is made by the prelude inside the child; it reaches
the server by the host calls that it `uses`.

    HostCall(name="addNote", ...)        the function addNote
    HostCall(name="notes.get", ...)      the method get of the object notes, which a Global declares
    Member(signature="update<T>(...)")   a method that the prelude implements, of the Global notes
    HostCall(..., speaks_for="use")      no function: what the prelude sends when a script calls `use`

An effect is what happens to a call when the handler fails:

- `none`: it only reads or computes;
- `evidence`: log lines and the like, never held back and never rolled back;
- `held`: kept back until the handler has returned, dropped when it fails;
- `immediate`: done at once, whatever comes after.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from aiwebengine.errors import EngineError, Invalid, TooLarge
from aiwebengine.values import CapabilityScope

Effect = Literal["none", "evidence", "held", "immediate"]
Kind = Literal["string", "integer", "boolean", "object", "array", "any"]
Conversion = Literal["", "string", "primitive"]

REFERENCE = "docs/reference/javascript-api.md"
"""Page that every message about a call points to."""

REGISTRATION_BYTES = 2 * 1024 * 1024
"""Most bytes of one registration: its SDL or its schemas are the largest part."""

_TYPESCRIPT: dict[Kind, str] = {
    "string": "string",
    "integer": "number",
    "boolean": "boolean",
    "object": "object",
    "array": "unknown[]",
    "any": "unknown",
}
_NEAREST_LENGTH = 64
_NAME = re.compile(r"[\w$]+")
_PLAIN_BYTES = 64 * 1024
# Room for brackets and commas, and for further arguments, which are ignored.
_SPARE = 1024
# Most characters of ASCII JSON for one byte of a value: the two of é are written \u00e9.  Only control characters take
# more, and a value that consists of them counts as larger than it is.
_LONGEST_BYTE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a host call: what authors see, and what the wire lets through."""

    name: str
    kind: Kind
    doc: str
    optional: bool = False
    """May be left out, `undefined` or `null`; the function then gets None."""
    max_length: int = 0
    """Most characters of a string or elements of an array; 0: whatever `max_bytes` lets through."""
    empty: bool = True
    """Whether a string may be empty."""
    max_bytes: int = 0
    """
    Most bytes, of a string in UTF-8 or of anything else as JSON; 0: what its kind and `max_length` allow.

    Arguments that must be larger, because their JSON is so long, are refused before they are decoded; the exact size
    is for the function to check, for it knows what it stores.
    """
    type: str = ""
    """TypeScript, where it is more precise than the kind."""
    converts: Conversion = ""
    """
    Of a string: which other values the JavaScript function makes a string of, as `String(value)` does.

    `string`: whatever is neither undefined nor a symbol; `primitive`: numbers, booleans and null.
    """
    advice: str = ""
    """What to do instead, in one sentence, when a value is refused because of what it is."""

    @property
    def typescript(self) -> str:
        """Return the type that authors see."""
        return self.type or _TYPESCRIPT[self.kind]

    @property
    def longest(self) -> int:
        """Return how many characters of ASCII JSON the argument may have on the wire."""
        if self.max_bytes:
            return self.max_bytes * _LONGEST_BYTE + 2
        match self.kind:
            case "string":
                return 12 * self.max_length + 2 if self.max_length else _PLAIN_BYTES
            case "integer" | "boolean":
                return 32
            case _:
                return _PLAIN_BYTES

    @property
    def bound(self) -> str:
        """Return in words how long it may be."""
        if self.max_bytes:
            return f"{self.max_bytes} bytes"
        unit = "elements" if self.kind == "array" else "characters"
        return f"{self.max_length or self.longest} {unit}"

    def check(self, call: str, value: Any) -> None:
        """
        Refuse *value* unless it has this argument's shape.

        Raises:
            Invalid: It has not; the message names the call, the argument and the value.
        """
        if value is None and (self.optional or self.kind == "any"):
            return
        if not _fits(self.kind, value):
            raise Invalid(f"{call}: {self.name} must be {_words(self.kind)}; {described(value)} was given.")
        if self.kind == "string" and not self.empty and not value:
            raise Invalid(f"{call}: {self.name} must not be empty.")
        if self.kind == "string" and not _well_formed(value):
            raise Invalid(f"{call}: {self.name} must be well-formed Unicode; it holds half of a surrogate pair.")
        if self.max_length and isinstance(value, str | list) and len(value) > self.max_length:
            raise Invalid(f"{call}: {self.name} may have at most {self.bound}; {len(value)} were given.")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCall:
    """One JavaScript function that the server carries out."""

    name: str
    """
    In JavaScript and on the wire: `addNote`, or `notes.get` for a method of an object.

    With `speaks_for` on the wire alone.
    """
    group: str
    """Heading of the reference page."""
    arguments: tuple[Argument, ...]
    returns: str = ""
    """TypeScript type of the result, or of what the Promise resolves to; not needed with `signatures`."""
    signatures: tuple[str, ...] = ()
    """TypeScript where the arguments do not say enough, from the type parameters on, one an overload."""
    effect: Effect
    doc: str
    """One paragraph."""
    example: str = ""
    """A few lines that run as they stand; empty if scripts cannot name the call."""
    capability: str | None = None
    """What the script must have been granted; None: every script may."""
    partly: str | None = None
    """What some uses of the call take, if every script may make others; `doc` says which."""
    sync: bool = True
    """Whether the call returns its result, or a Promise of it."""
    cost: int = 1
    """Weight in the invocation's allowance of host calls."""
    errors: tuple[str, ...] = ()
    """Codes of `HostError` beyond `invalid`, `budget` and `closed`, which any call may throw."""
    deprecated: str = ""
    """What to use instead; empty if there is nothing better."""
    importable: bool = True
    """Whether `import { name } from "aiwebengine"` imports it too; of a method, its object says that."""
    speaks_for: str = ""
    """The function on whose behalf the prelude sends it; scripts cannot name such a call.  Empty: scripts call it."""
    standard: bool = False
    """Whether `speaks_for` names a built-in of the language, which no declaration of ours has."""

    @property
    def shown(self) -> str:
        """Return the name that the author knows."""
        return self.speaks_for or self.name

    @property
    def object(self) -> str:
        """Return the global object of which it is a method; empty if it is a global function."""
        return self.name.rpartition(".")[0]

    @property
    def member(self) -> str:
        """Return its name without the object's."""
        return self.name.rpartition(".")[2]

    @property
    def typescript(self) -> tuple[str, ...]:
        """Return its signatures, from the type parameters on."""
        if self.signatures:
            return self.signatures
        arguments = ", ".join(
            f"{argument.name}{'?' if argument.optional else ''}: {argument.typescript}" for argument in self.arguments
        )
        return (f"({arguments}): {self.returns if self.sync else f'Promise<{self.returns}>'}",)

    @property
    def longest(self) -> int:
        """Return how many characters of ASCII JSON the arguments may have together."""
        return _SPARE + sum(argument.longest for argument in self.arguments)

    @property
    def bound(self) -> str:
        """Return in words how long the arguments may be: the message for longer ones."""
        if not self.arguments:
            return f"{self.shown} has no arguments"
        bounded = [argument for argument in self.arguments if argument.max_length or argument.max_bytes]
        first, *others = bounded or [max(self.arguments, key=lambda argument: argument.longest)]
        more = "".join(f", {argument.name} {argument.bound}" for argument in others)
        return f"{self.shown}: {first.name} may have at most {first.bound}{more}"

    @property
    def too_long(self) -> type[EngineError]:
        """Return the kind of error for longer arguments: of bytes it is too large, of characters invalid."""
        return TooLarge if any(argument.max_bytes for argument in self.arguments) else Invalid

    def check_length(self, length: int) -> None:
        """
        Refuse arguments whose JSON is longer than any that could be right, before they are decoded.

        Raises:
            TooLarge, Invalid: See `too_long`.
        """
        if length > self.longest:
            raise self.too_long(f"{self.bound}; the arguments have {length} as JSON.")


def limited(calls: Sequence[HostCall], **max_bytes: int) -> tuple[HostCall, ...]:
    """
    Return *calls* with the limits that a server's settings ask for.

    Args:
        max_bytes: By name of an argument, its `max_bytes` in every call that declares one.
    """
    return tuple(
        replace(
            call,
            arguments=tuple(
                replace(argument, max_bytes=max_bytes[argument.name])
                if argument.max_bytes and argument.name in max_bytes
                else argument
                for argument in call.arguments
            ),
        )
        for call in calls
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """Something that a script may ask for and an administrator grant."""

    name: str
    doc: str
    """What it lets a script do, as it follows "may": `list, read, deploy and delete scripts`."""
    scope: CapabilityScope | None = None
    """What it is granted for; None if it is granted as a whole."""

    @property
    def written(self) -> str:
        """Return how it is requested and granted: `scripts`, or `fetch:HOST`."""
        return self.name if self.scope is None else f"{self.name}:{self.scope.noun.upper()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One property or method of a global or of a type that no host call declares."""

    signature: str
    """TypeScript as it stands between the braces, without the semicolon: `get(name: string): string | null`."""
    doc: str = ""
    uses: tuple[str, ...] = ()
    """Host calls that the method makes; its effect and its errors are theirs."""
    example: str = ""
    """Of a method that uses host calls: a few lines that run as they stand."""

    @property
    def name(self) -> str:
        """Return the bare name; empty for call, construct and index signatures."""
        text = self.signature.removeprefix("static ").removeprefix("readonly ")
        match = _NAME.match(text)
        return match[0] if match else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Global:
    """One name that the prelude defines for scripts."""

    name: str
    group: str
    kind: Literal["function", "object", "class"]
    doc: str
    signatures: tuple[str, ...] = ()
    """Of a function: TypeScript from the type parameters on, such as `(value: unknown): string`, one an overload."""
    members: tuple[Member, ...] = ()
    """Of an object or class; the host calls that are its methods are added."""
    type: str = ""
    """Of an object whose members stand in a named type: that type."""
    parameters: str = ""
    """Of a class: its type parameters, such as `<T = unknown>`."""
    extends: str = ""
    """Of a class."""
    example: str = ""
    effect: Effect = "none"
    sync: bool = True
    errors: tuple[str, ...] = ()
    deprecated: str = ""
    importable: bool = False
    """Whether `import { name } from "aiwebengine"` imports it too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One named type of the declarations: an interface with members, or an alias."""

    name: str
    """With its type parameters: `Handler<T = unknown>`."""
    doc: str
    members: tuple[Member, ...] = ()
    alias: str = ""
    """TypeScript on the right of `=`; empty for an interface."""
    extends: str = ""


def anchor(name: str) -> str:
    """Return the section of the reference page for a name: what follows the `#`."""
    return re.sub(r"[^\w-]", "", name.lower())


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that *name* was most likely meant to be, or None."""
    names = list(known)
    seen = name[:_NEAREST_LENGTH]
    folded = {known_name.lower(): known_name for known_name in names}
    if seen.lower() in folded:
        return folded[seen.lower()]
    nearest_names = difflib.get_close_matches(seen.lower(), list(folded), n=1, cutoff=0.6)
    return folded[nearest_names[0]] if nearest_names else None


def described(value: Any) -> str:
    """Name *value* for a message: what it is and, if short, its text."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}" if abs(value) < 1e15 else "a number"
    if isinstance(value, str):
        return f'"{printable(value)}"' if len(value) <= _NEAREST_LENGTH else f"a string of {len(value)} characters"
    return f"a list of {len(value)}" if isinstance(value, list) else "an object"


def printable(text: str) -> str:
    """Replace what could forge a line or drive a terminal by its escape."""
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)


def _fits(kind: Kind, value: Any) -> bool:
    match kind:
        case "string":
            return isinstance(value, str)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list)
        case "any":
            return True


def _well_formed(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _words(kind: Kind) -> str:
    return {
        "string": "a string",
        "integer": "a whole number",
        "boolean": "true or false",
        "object": "an object",
        "array": "a list",
        "any": "a value",
    }[kind]
