"""
Declarations together: those of the machinery, of each feature, and the sum of all.

Whatever is generated (types, reference page, help of the command line, names that the build
knows, functions that the sandbox makes) is generated from one `Declarations` value, so that a
feature which is left out is nowhere, and one that is added is everywhere.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar, get_args

from aiwebengine.errors import TABLE
from aiwebengine.host.declare import Argument, Capability, Effect, Global, HostCall, Kind, Member, Shape
from aiwebengine.runtime.reserved import Reserved

T = TypeVar("T", Shape, Global)

_STRENGTH: tuple[Effect, ...] = ("none", "evidence", "held", "immediate")
_SENTENCES = re.compile(r"[A-Z`].*[.:]", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declarations:
    """What scripts see: of one feature, of the machinery, or of everything."""

    calls: tuple[HostCall, ...] = ()
    globals: tuple[Global, ...] = ()
    shapes: tuple[Shape, ...] = ()
    """Named types."""
    members: Mapping[str, tuple[Member, ...]] = field(default_factory=dict)
    """By named type, such as `RouteOptions`, or global object, what is added to it that is declared elsewhere."""
    types: str = ""
    """TypeScript of further types, as it stands in the declarations."""
    capabilities: tuple[Capability, ...] = ()
    options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """
    By function, its options and what they mean, for a table of the reference page.

    Those of `registerWebHandler` are checked by `machinery.Hooks.route_options`.
    """
    advice: Mapping[str, str] = field(default_factory=dict)
    """
    What to do instead of using a name that scripts do not have: whole sentences, by the name as it stands in source.

    Names are those of globals (`localStorage`), of members (`process.env`) and of modules of Node.js (`node:fs`).  What
    several parts say of one name is put together in their order.
    """
    error_columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By heading, a column for the page of errors: what each code (`errors.TABLE`) is called there."""
    reserved: tuple[Reserved, ...] = ()
    """Paths at which scripts may register nothing."""

    @property
    def functions(self) -> tuple[HostCall, ...]:
        """Return the calls that are functions of scripts: all but those that the prelude sends for others."""
        return tuple(call for call in self.calls if not call.speaks_for)

    @property
    def top_level(self) -> tuple[HostCall, ...]:
        """Return the calls that are global functions."""
        return tuple(call for call in self.functions if not call.object)

    def methods(self, name: str) -> tuple[HostCall, ...]:
        """Return the calls that are methods of the object *name*."""
        return tuple(call for call in self.functions if call.object == name)

    @property
    def names(self) -> Mapping[str, frozenset[str] | None]:
        """Return every name that scripts may use, with the names that may follow its dot; None if any may."""
        names: dict[str, frozenset[str] | None] = {
            declaration.name: self._members(declaration) for declaration in self.globals
        }
        names.update(dict.fromkeys(call.name for call in self.top_level))
        return names

    @property
    def importable(self) -> tuple[str, ...]:
        """Return the names that `import { name } from "aiwebengine"` can import."""
        return (
            *(declaration.name for declaration in self.globals if declaration.importable),
            *(call.name for call in self.top_level if call.importable),
        )

    @property
    def examples(self) -> Mapping[str, str]:
        """Return every example by the name that it shows."""
        examples: dict[str, str] = {}
        for declaration in self.globals:
            examples[declaration.name] = declaration.example
            examples.update(
                {
                    f"{declaration.name}.{member.name}": member.example
                    for member in declaration.members
                    if member.example
                }
            )
        examples.update({call.name: call.example for call in self.functions})
        return examples

    @property
    def older(self) -> Mapping[str, str]:
        """Return the deprecated names, each with what to use instead."""
        every: list[Global | HostCall] = [*self.globals, *self.functions]
        return {declaration.name: declaration.deprecated for declaration in every if declaration.deprecated}

    def effect(self, member: Member) -> Effect:
        """Return the effect of a member: the strongest of the calls that it uses."""
        return max((call.effect for call in self._used(member)), key=_STRENGTH.index, default="none")

    def errors(self, member: Member) -> tuple[str, ...]:
        """Return the codes of the errors of a member: those of the calls that it uses."""
        return tuple(dict.fromkeys(code for call in self._used(member) for code in call.errors))

    def problems(self) -> list[str]:
        """Return what is wrong with the declarations: a line each, none if they are sound."""
        return [
            *self._named_twice(),
            *(wrong for call in self.calls for wrong in self._wrong_with_call(call)),
            *(wrong for declaration in self.globals for wrong in self._wrong_with_global(declaration)),
            *self._wrong_capabilities(),
        ]

    def _members(self, declaration: Global) -> frozenset[str] | None:
        if declaration.kind != "object" or declaration.type:
            return None
        return frozenset(
            [member.name for member in declaration.members] + [call.member for call in self.methods(declaration.name)]
        )

    def _used(self, member: Member) -> Iterator[HostCall]:
        yield from (call for call in self.calls if call.name in member.uses)

    def _named_twice(self) -> Iterator[str]:
        names = [*(declaration.name for declaration in self.globals), *(call.name for call in self.calls)]
        names += [
            f"{declaration.name}.{member.name}"
            for declaration in self.globals
            if declaration.kind == "object"
            for member in declaration.members
        ]
        shapes = [shape.name.partition("<")[0] for shape in self.shapes]
        for name, times in [*Counter(names).items(), *Counter(shapes).items()]:
            # The prelude's own calls are named for the method that makes them.
            if times > 1 and not any(call.name == name and call.speaks_for for call in self.calls):
                yield f"{name} is declared {times} times."

    def _wrong_with_call(self, call: HostCall) -> Iterator[str]:
        yield from _wrong_bounds(call)
        yield from _wrong_literals(call)
        if set(call.errors) - {row.javascript for row in TABLE.values()}:
            yield f"{call.name} declares an error that scripts cannot see."
        if (call.capability or call.partly) and "denied" not in call.errors:
            yield f'{call.name} requires a capability, but does not declare the error "denied".'
        if call.speaks_for:
            if not call.standard and call.speaks_for not in self.examples and not self._is_member(call.speaks_for):
                yield f"{call.name} stands for {call.speaks_for}, which is not declared."
            return
        yield from _wrong_words(call.name, call.doc, call.example)
        if not call.returns and not call.signatures:
            yield f"{call.name} does not say what it returns."
        if call.object and call.object not in {
            declaration.name for declaration in self.globals if declaration.kind == "object"
        }:
            yield f"{call.name} is a method of {call.object}, which no Global declares."

    def _wrong_with_global(self, declaration: Global) -> Iterator[str]:
        yield from _wrong_words(declaration.name, declaration.doc, declaration.example)
        if set(declaration.errors) - {row.javascript for row in TABLE.values()}:
            yield f"{declaration.name} declares an error that scripts cannot see."
        known = {call.name for call in self.calls}
        for member in declaration.members:
            for name in member.uses:
                if name not in known:
                    yield f"{declaration.name}.{member.name} uses the host call {name}, which is not declared."
            if member.uses and "(" in member.signature:
                yield from _wrong_words(f"{declaration.name}.{member.name}", member.doc, member.example)

    def _wrong_capabilities(self) -> Iterator[str]:
        declared = {capability.name for capability in self.capabilities}
        used = {name for call in self.calls for name in (call.capability, call.partly) if name}
        yield from (f"The capability {name} is used, but not declared." for name in sorted(used - declared))
        yield from (f"The capability {name} is declared, but no call requires it." for name in sorted(declared - used))

    def _is_member(self, name: str) -> bool:
        return any(
            name == f"{declaration.name}.{member.name}"
            for declaration in self.globals
            if declaration.kind == "object"
            for member in declaration.members
        )


NOTHING = Declarations()


def together(parts: Iterable[Declarations]) -> Declarations:
    """Return the sum of *parts*, in their order."""
    every = list(parts)
    return Declarations(
        calls=tuple(call for part in every for call in part.calls),
        globals=tuple(_extended(declaration, every) for part in every for declaration in part.globals),
        shapes=tuple(_extended(shape, every) for part in every for shape in part.shapes),
        types="".join(part.types for part in every),
        capabilities=tuple(capability for part in every for capability in part.capabilities),
        options={
            name: {word: meaning for part in every for word, meaning in part.options.get(name, {}).items()}
            for name in dict.fromkeys(name for part in every for name in part.options)
        },
        advice={
            name: " ".join(part.advice[name] for part in every if name in part.advice)
            for name in dict.fromkeys(name for part in every for name in part.advice)
        },
        error_columns={heading: codes for part in every for heading, codes in part.error_columns.items()},
        reserved=tuple(path for part in every for path in part.reserved),
    )


def _extended(declaration: T, parts: Iterable[Declarations]) -> T:
    added: list[Member] = [member for part in parts for member in part.members.get(declaration.name, ())]
    return replace(declaration, members=(*declaration.members, *added)) if added else declaration


def surface(calls: Iterable[HostCall], files: Sequence[Path] = (), *, advice: Mapping[str, str]) -> str:
    """
    Return what a sandbox is handed when it starts, as `sandbox/surface.py` describes it.

    Args:
        calls: Every call that the dispatcher answers, with the limits that it checks.
        files: Prelude files of the features, in order of evaluation.
        advice: See `Declarations.advice`; the generated documentation says what belongs to globals.
    """
    shown = {name: text for name, text in advice.items() if name.isidentifier()}
    return json.dumps(
        {"calls": [_row(call) for call in calls], "files": [str(path) for path in files], "advice": shown}
    )


def _row(call: HostCall) -> dict[str, object]:
    row: dict[str, object] = {
        "name": call.name,
        "shown": call.shown,
        "longest": call.longest,
        "bound": call.bound,
        "tooLong": TABLE[call.too_long.code].javascript,
    }
    if not call.speaks_for:
        row["sync"] = call.sync
        row["void"] = call.returns == "void"
        row["arguments"] = [_argument(argument) for argument in call.arguments]
    return row


def _argument(argument: Argument) -> dict[str, object]:
    flags = {
        "optional": argument.optional,
        "any": argument.kind == "any",
        "converts": argument.converts,
        "advice": argument.advice,
    }
    return {"name": argument.name, **{key: value for key, value in flags.items() if value}}


def _wrong_words(name: str, doc: str, example: str) -> Iterator[str]:
    if not _SENTENCES.fullmatch(doc):
        yield f"The documentation of {name} is not a complete sentence."
    if not example:
        yield f"{name} has no example."


def _wrong_literals(call: HostCall) -> Iterator[str]:
    # Who declares it may not check types; what is misspelt would be no rule at all.
    if call.effect not in get_args(Effect):
        yield f'{call.name}: effect is "{call.effect}"; it must be one of {", ".join(get_args(Effect))}.'
    for argument in call.arguments:
        if argument.kind not in get_args(Kind):
            kinds = ", ".join(get_args(Kind))
            yield f'{call.name}: the kind of {argument.name} is "{argument.kind}"; it must be one of {kinds}.'


def _wrong_bounds(call: HostCall) -> Iterator[str]:
    for argument in call.arguments:
        if argument.kind == "string" and not argument.max_length and not argument.max_bytes:
            yield f"{call.name}: nothing bounds the length of {argument.name}; declare max_length or max_bytes."
        if argument.max_bytes and "too_large" not in call.errors and not call.speaks_for:
            yield f'{call.name}: {argument.name} has a size limit, but the error "too_large" is not declared.'
        if argument.converts and argument.kind != "string":
            yield f"{call.name}: {argument.name} converts to a string, but is none."
