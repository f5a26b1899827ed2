"""`aiwebengine logs`: what scripts logged, also as it comes."""

from __future__ import annotations

import json
from typing import Any

import click

from aiwebengine.terminal import exits, show
from aiwebengine.terminal.exits import CommandFailed
from aiwebengine.terminal.known import require_script
from aiwebengine.terminal.session import CommandSession, talks_to_server


@click.command()
@click.argument("uri", required=False)
@click.option("--follow", "-f", is_flag=True, help="Print new lines as they arrive, until Ctrl-C.")
@click.option(
    "--level", type=click.Choice(["debug", "info", "warn", "error"]), help="Only lines with this level or above."
)
@click.option("--since", metavar="WHEN", help="Only lines that are not older than a duration such as 10m, 2h, 1d.")
@click.option("--contains", metavar="TEXT", help="Only lines whose message contains this string.")
@click.option("--invocation", metavar="ID", help="Only lines of one request: the x-request-id of its answer.")
@click.option(
    "--limit",
    "-n",
    type=click.IntRange(0, 1000),
    metavar="N",
    default=100,
    show_default=True,
    help="Number of past lines to print.",
)
@talks_to_server
def logs(
    session: CommandSession,
    uri: str | None,
    follow: bool,
    level: str | None,
    since: str | None,
    contains: str | None,
    invocation: str | None,
    limit: int,
) -> None:
    """
    Print the log lines of the script URI, or of all scripts.

    With --follow and --json each line is one JSON object.
    """
    if limit == 0 and not follow:
        raise click.UsageError("--limit 0 is for --follow only.")
    filters = {"uri": uri, "level": level, "since": since, "contains": contains, "invocation": invocation}
    query = [(key, value) for key, value in filters.items() if value] + [("limit", str(limit))]
    if not follow:
        page = session.client.call("GET", "/logs", query=query)
        if uri is not None and not page["lines"]:
            require_script(session.client, uri)
        if session.as_json:
            show.document(page)
            return
        for line in page["lines"]:
            click.echo(show.log_line(line, with_script=uri is None))
        if not page["lines"]:
            show.note("No log lines match." + (f' `aiwebengine show "{uri}"` tells about the script.' if uri else ""))
        return
    if uri is not None:
        require_script(session.client, uri)
    for line in session.client.stream("GET", "/logs", query=[*query, ("follow", "true")]):
        _followed(line, as_json=session.as_json, with_script=uri is None)
    raise CommandFailed("The server ended the log; it was probably stopped.", code=exits.UNREACHABLE)


def _followed(line: dict[str, Any], *, as_json: bool, with_script: bool) -> None:
    if as_json:
        click.echo(json.dumps(line, ensure_ascii=False))
    elif "dropped" in line:
        show.note(f"... {line['dropped']} lines were dropped: they came faster than they were read")
    else:
        click.echo(show.log_line(line, with_script=with_script))
