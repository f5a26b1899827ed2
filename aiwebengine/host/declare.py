"""
What scripts may ask for, declared once.

A `HostCall` travels from a child to the server: the dispatcher checks each one against
its declaration.  A `Global` is made by the prelude inside the child and never leaves it.
The type declarations, the reference pages and the names that the build knows are all
generated from these two (`describe.py`).

The words for an effect (what happens to it when the handler fails):

- `none`: it only reads or computes;
- `evidence`: log lines and the like, never held back and never rolled back;
- `held`: kept back until the handler has returned, dropped when it fails;
- `immediate`: done at once, whatever comes after.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from aiwebengine.errors import Invalid

Effect = Literal["none", "evidence", "held", "immediate"]
Kind = Literal["text", "integer", "boolean", "object", "array", "any"]

REFERENCE = "docs/reference/javascript-api.md"
"""Page that every message about a call points to."""

_TYPESCRIPT: dict[Kind, str] = {
    "text": "string",
    "integer": "number",
    "boolean": "boolean",
    "object": "object",
    "array": "unknown[]",
    "any": "unknown",
}
_NEAREST_LENGTH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """One argument of a host call, as it must arrive over the wire."""

    name: str
    kind: Kind
    doc: str
    optional: bool = False
    """May be left out, `undefined` or `null`; the function then gets None."""
    max_length: int = 0
    """Most characters of a text or elements of an array; 0: whatever the wire lets through."""
    empty: bool = True
    """Whether a text may be empty."""

    @property
    def typescript(self) -> str:
        """Give the type that authors see."""
        return _TYPESCRIPT[self.kind]

    def check(self, call: str, value: Any) -> None:
        """
        Refuse *value* unless it has this argument's shape.

        Raises:
            Invalid: It has not; the message names the call, the argument and what was given.
        """
        if value is None and (self.optional or self.kind == "any"):
            return
        if not _fits(self.kind, value):
            raise Invalid(f"{call}: {self.name} must be {_words(self.kind)}; {told(value)} was given.")
        if self.kind == "text" and not self.empty and not value:
            raise Invalid(f"{call}: {self.name} must not be empty.")
        if self.kind == "text" and not _well_formed(value):
            raise Invalid(f"{call}: {self.name} must be well-formed Unicode; it holds half of a surrogate pair.")
        if self.max_length and isinstance(value, str | list) and len(value) > self.max_length:
            unit = "characters" if isinstance(value, str) else "elements"
            raise Invalid(f"{call}: {self.name} may have at most {self.max_length} {unit}; {len(value)} were given.")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCall:
    """One call that a child may make to the server."""

    name: str
    """On the wire and, unless it speaks for a global, in JavaScript."""
    group: str
    """Heading of the reference page."""
    arguments: tuple[Argument, ...]
    returns: str
    """TypeScript type of the result."""
    effect: Effect
    doc: str
    """One paragraph."""
    example: str
    """A few lines that run as they stand; empty if scripts cannot name the call."""
    capability: str | None = None
    """What the script must have been granted; None: every script may."""
    sync: bool = True
    """Whether the call returns its result, or a Promise of it."""
    cost: int = 1
    """Weight in the invocation's allowance of host calls."""
    errors: tuple[str, ...] = ()
    """Codes of `HostError` beyond `invalid`, `budget` and `closed`, which any call may throw."""
    deprecated: str = ""
    """What to use instead; empty if there is nothing better."""
    speaks_for: str = ""
    """The global on whose behalf the prelude sends it; scripts cannot name such a call.  Empty: scripts call it."""

    @property
    def shown(self) -> str:
        """Give the name that the author knows."""
        return self.speaks_for or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One property or method of a global or of a type."""

    signature: str
    """TypeScript as it stands between the braces, without the semicolon: `get(name: string): string | null`."""
    doc: str = ""

    @property
    def name(self) -> str:
        """Give the bare name; empty for call, construct and index signatures."""
        text = self.signature.removeprefix("static ").removeprefix("readonly ")
        for end, letter in enumerate(text):
            if not (letter.isalnum() or letter in "_$"):
                return text[:end]
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Global:
    """One name that the prelude gives to scripts."""

    name: str
    group: str
    kind: Literal["function", "object", "class"]
    doc: str
    signatures: tuple[str, ...] = ()
    """Of a function: TypeScript from the type parameters on, such as `(value: unknown): string`, one an overload."""
    members: tuple[Member, ...] = ()
    """Of an object or class."""
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
    """Whether `import { name } from "aiwebengine"` gives it too."""

    @property
    def closed(self) -> frozenset[str] | None:
        """Give the names that may stand behind the dot in source; None if any may."""
        if self.kind != "object" or self.type:
            return None
        return frozenset(member.name for member in self.members)


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


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Give the known name that *name* was most likely meant to be, or None."""
    names = list(known)
    seen = name[:_NEAREST_LENGTH]
    folded = {known_name.lower(): known_name for known_name in names}
    if seen.lower() in folded:
        return folded[seen.lower()]
    found = difflib.get_close_matches(seen.lower(), list(folded), n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def told(value: Any) -> str:
    """Name *value* for a message: what it is and, if short, its text."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {value}" if abs(value) < 1e15 else "a number"
    if isinstance(value, str):
        return f'"{printable(value)}"' if len(value) <= _NEAREST_LENGTH else f"a text of {len(value)} characters"
    return f"a list of {len(value)}" if isinstance(value, list) else "an object"


def printable(text: str) -> str:
    """Replace what could forge a line or drive a terminal by its escape."""
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in text)


def _fits(kind: Kind, value: Any) -> bool:
    match kind:
        case "text":
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
        "text": "text",
        "integer": "a whole number",
        "boolean": "true or false",
        "object": "an object",
        "array": "a list",
        "any": "a value",
    }[kind]
