"""Names that the user may have mistyped: an unknown one ends the command, with the nearest one that is known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

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


@contextmanager
def names_script(client: ApiClient, uri: str, *, listed_by: str = "") -> Iterator[None]:
    """
    Explain what the server does not know: the script, with the nearest name, or else what belongs to it.

    Args:
        listed_by: The command that lists what belongs to the script, such as its versions.
    """
    try:
        yield
    except CommandFailed as error:
        if error.code == exits.NOT_FOUND:
            require_script(client, uri)
            if listed_by:
                error.message = f"{error.message} `aiwebengine {listed_by} {show.safe(uri)}` lists them."
        raise


def nearest(name: str, known: Iterable[str]) -> str:
    """Return what was probably meant, as in `; did you mean "notes"?`, or a full stop if that is unclear."""
    suggestions = difflib.get_close_matches(name, list(known), n=1)
    return f'; did you mean "{show.safe(suggestions[0])}"?' if suggestions else "."
