"""`aiwebengine pages`: what features show to administrators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from aiwebengine.terminal import exits, show
from aiwebengine.terminal.exits import CommandFailed
from aiwebengine.terminal.session import CommandSession, talks_to_server

_BEGINNING = "/engine/api"


@click.command()
@click.argument("name", required=False)
@click.argument("parameters", nargs=-1, metavar="[KEY=VALUE]...")
@talks_to_server
def pages(session: CommandSession, name: str | None, parameters: tuple[str, ...]) -> None:
    """
    List the pages that features have for administrators, or show the page NAME.

    Some pages need parameters, such as uri=notes; for some there is a command that shows them better.
    """
    known = session.client.call("GET", "/pages")["pages"]
    if name is None:
        _list(known, as_json=session.as_json)
        return
    page = next((candidate for candidate in known if candidate["name"] == name), None)
    if page is None:
        raise CommandFailed(f"There is no page {name}; `aiwebengine pages` lists them.", code=exits.NOT_FOUND)
    query = _query(page, parameters)
    show_it = show.document if session.as_json else show.tree
    show_it(session.client.call("GET", str(page["path"]).removeprefix(_BEGINNING), query=query))


def _list(known: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    if as_json:
        show.document({"pages": known})
        return
    rows = [
        (page["name"], " ".join(page["parameters"]) or "-", page["command"] or "-", page["summary"]) for page in known
    ]
    show.table(("page", "needs", "command", "what it shows"), rows)


def _query(page: Mapping[str, Any], parameters: Sequence[str]) -> list[tuple[str, str]]:
    pairs = [(key, value) for key, _, value in (parameter.partition("=") for parameter in parameters)]
    wrong = next((parameter for parameter in parameters if "=" not in parameter), None)
    if wrong is not None:
        raise CommandFailed(f'A parameter is KEY=VALUE, such as uri=notes; this is "{wrong}".', code=exits.USAGE)
    missing = [name for name in page["parameters"] if name not in dict(pairs)]
    if missing:
        raise CommandFailed(
            f"The page {page['name']} needs {' and '.join(f'{name}=...' for name in missing)}.", code=exits.USAGE
        )
    return pairs
