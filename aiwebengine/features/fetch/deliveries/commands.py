"""`aiwebengine deliveries`: requests that wait to be sent, and those that have failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from aiwebengine.terminal import show
from aiwebengine.terminal.session import CommandSession, talks_to_server


@click.command()
@click.argument("uri", required=False)
@click.option("--failed", is_flag=True, help="Only those that are not tried again.")
@click.option("--limit", type=click.IntRange(min=1, max=1000), default=100, metavar="N", help="Number of requests.")
@click.option("--retry", "retried", metavar="ID", help="Send this one now; with `all`, all failed ones of URI.")
@click.option("--remove", "removed", metavar="ID", help="Remove this one; it is not sent any more.")
@talks_to_server
def deliveries(
    session: CommandSession, uri: str | None, failed: bool, limit: int, retried: str | None, removed: str | None
) -> None:
    """
    Show requests of `fetch` with `afterCommit` that wait to be sent or have failed, the newest first.

    With URI those of one script.
    """
    if retried and removed:
        raise click.UsageError("--retry and --remove exclude each other.")
    if retried == "all" and not uri:
        raise click.UsageError("--retry all needs the URI of a script.")
    if retried:
        query = [("uri", uri)] if retried == "all" and uri else [("id", retried)]
        result = session.client.call("POST", "/deliveries/retry", query=query)
        click.echo(f"{result['count']} to be sent now")
        return
    if removed:
        session.client.call("DELETE", "/delivery", query=[("id", removed)])
        click.echo(f"{removed} is not sent any more")
        return
    query = [("limit", str(limit))] + ([("uri", uri)] if uri else []) + ([("state", "failed")] if failed else [])
    listed = session.client.call("GET", "/deliveries", query=query)
    if session.as_json:
        show.document(listed)
        return
    head = ("since", "script", "request", "state", "attempts", "next", "last error", "id")
    show.table(head, [_row(delivery) for delivery in listed["deliveries"]])


def _row(delivery: Mapping[str, Any]) -> tuple[object, ...]:
    return (
        show.moment(delivery["createdAt"]),
        delivery["uri"],
        f"{delivery['method']} {delivery['url']}",
        delivery["state"],
        delivery["attempts"],
        show.moment(delivery["nextAt"]) if delivery["nextAt"] else "-",
        delivery["error"] or "-",
        delivery["id"],
    )
