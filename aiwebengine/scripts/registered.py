"""What is odd about what a version has registered: warnings at its deployment."""

from __future__ import annotations

from collections.abc import Sequence

from aiwebengine.errors import Problem
from aiwebengine.scripts.loads import RegistrationBook
from aiwebengine.scripts.places import Sources
from aiwebengine.scripts.versions import RegisteredEntries
from aiwebengine.values import Entry

_MOST_TOLD = 20


def replaced_problems(book: RegistrationBook, sources: Sources) -> Sequence[Problem]:
    """
    Warn of registrations of which a part is replaced by a later one.

    The same function that is registered twice at one place, as when a script calls its own `init`, is no mistake.
    """
    pairs = [
        (earlier, later)
        for earlier, later in book.replaced(sources.place)
        if earlier.place != later.place or _name(earlier) != _name(later) or not _name(earlier)
    ]
    problems = [_replaced(earlier, later) for earlier, later in pairs[:_MOST_TOLD]]
    return list(dict.fromkeys(problems))


def _name(entry: Entry) -> str:
    return entry.handler.name if entry.handler is not None else ""


def _replaced(earlier: Entry, later: Entry) -> Problem:
    what = earlier.label if earlier.methods else f'{earlier.kind} "{earlier.key}"'
    if earlier.place == later.place:
        where = f"at {later.place}" if later.place else "by this script"
    else:
        where = f"at {earlier.place or 'an unknown place'} and at {later.place or 'an unknown place'}"
    file, _, line = later.place.rpartition(":")
    return Problem(
        code="registered_twice",
        severity="warning",
        message=f"{what} is registered twice, {where}; the later registration answers, the earlier one is not reached.",
        hint="Remove one of the two, or give one another path or name.",
        file=file or None,
        line=int(line) if line.isdecimal() else None,
    )


def nothing_registered(registered: RegisteredEntries, *, entry: str) -> tuple[Problem, ...]:
    """Warn if a version has registered nothing; *entry* is its first file."""
    if registered.entries:
        return ()
    message = f"{entry} registers nothing, so no request can reach it."
    hint = (
        'Call registerWebHandler("/path", handler) at the top level or in init; an application with a function fetch '
        "is served if it is exported: export default app, or export default { fetch }."
    )
    return (Problem(code="nothing_registered", severity="warning", message=message, hint=hint, file=entry),)
