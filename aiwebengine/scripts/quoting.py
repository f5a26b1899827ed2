"""Names that an author has chosen, in messages."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable


def quoted(text: str) -> str:
    """Return *text* in quotes: letters as they are, what no terminal should be sent as its escape."""
    shown = "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in text)
    return '"' + shown.replace('"', '\\"') + '"'


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return a hint with the known name that looks most like *name*; None if none does."""
    written = {item.lower(): item for item in known}
    suggestions = difflib.get_close_matches(name[:64].lower(), written, n=1)
    return f'Did you mean "{written[suggestions[0]]}"?' if suggestions else None
