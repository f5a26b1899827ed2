"""Names that an author has chosen, in messages."""

from __future__ import annotations

import json


def quoted(text: str) -> str:
    """Return *text* in quotes: letters as they are, what no terminal should be sent as its escape."""
    shown = "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in text)
    return '"' + shown.replace('"', '\\"') + '"'
