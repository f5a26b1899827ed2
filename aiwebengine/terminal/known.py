"""Names that the user may have mistyped: an unknown one ends the command, with the nearest one that is known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from aiwebengine.terminal import exits, show
from aiwebengine.terminal.client import ApiClient
from aiwebengine.terminal.exits import CommandFailed


def require_script(client: ApiClient, uri: str) -> None:
    """
    Ask the server whether it has, or had, a script.

    Raises:
        CommandFailed: It never had one, or it was purged.
    """
    known = [str(script["uri"]) for script in client.call("GET", "/scripts", query=[("deleted", "true")])["scripts"]]
    if uri not in known:
        text = f'There is no script "{uri}"{nearest(uri, known)} `aiwebengine list` shows all.'
        raise CommandFailed(text, code=exits.NOT_FOUND)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return what was probably meant, as in `; did you mean "notes"?`, or a full stop if that is unclear."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f'; did you mean "{show.safe(near[0])}"?' if near else "."
