"""`aiwebengine receipts`: what the invocations of a script cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import click

from aiwebengine.errors import TABLE
from aiwebengine.terminal import exits, show
from aiwebengine.terminal.exits import CommandFailed
from aiwebengine.terminal.known import nearest, require_script
from aiwebengine.terminal.session import CommandSession, talks_to_server

_OUTCOMES = ("committed", "rolled_back", "lost", "rerun", *TABLE)


@click.command()
@click.argument("uri")
@click.option("--limit", type=click.IntRange(min=0, max=1000), default=10, metavar="N", help="Number of receipts.")
@click.option("--outcome", metavar="CODE", help="Only those with this outcome, such as script_timeout.")
@click.option("--new-budgets", is_flag=True, help="Reset the script's budgets first.")
@talks_to_server
def receipts(session: CommandSession, uri: str, limit: int, outcome: str | None, new_budgets: bool) -> None:
    """
    Show what the invocations of a script cost.

    The first table has figures of every route since the server started, the second the usage of budgets. Then follow
    the last receipts, and those that were kept: of failed and slow invocations, and a sample of others.
    """
    if new_budgets:
        session.client.call("DELETE", "/script/budgets", query=[("uri", uri)])
    query = [("uri", uri), ("limit", str(limit))] + ([("outcome", outcome)] if outcome else [])
    report = session.client.call("GET", "/script/receipts", query=query)
    if not (report["routes"] or report["recent"] or report["kept"]):
        require_script(session.client, uri)
    if outcome and limit and not (report["recent"] or report["kept"]) and outcome not in _OUTCOMES:
        text = f'There is no outcome "{outcome}"{nearest(outcome, _OUTCOMES)} Outcomes: {", ".join(_OUTCOMES)}.'
        raise CommandFailed(text, code=exits.USAGE)
    if session.as_json:
        show.document(report)
        return
    click.echo(f"since {show.moment(report['since'])}; times are milliseconds")
    show.table(
        ("route", "count", "p50", "p95", "p99", "cpu each", "host each", "peak", "errors"),
        [_route(route) for route in report["routes"]],
    )
    if report["budgets"]:
        click.echo()
        show.table(("budget", "used", "refused", "until"), [_budget(budget) for budget in report["budgets"]])
    for name, title in (("recent", "last"), ("kept", "kept")):
        if report[name]:
            click.echo()
            _receipts(report[name], title)


def _route(route: Mapping[str, Any]) -> tuple[object, ...]:
    count = max(1, route["count"])
    errors = ", ".join(f"{number} {code}" for code, number in sorted(route["errors"].items())) or "-"
    return (
        route["label"],
        route["count"],
        *(f"{route[name]:.1f}" for name in ("p50Ms", "p95Ms", "p99Ms")),
        f"{route['cpuMs'] / count:.2f}",
        f"{route['hostMs'] / count:.2f}",
        show.size(route["peakBytes"]) if route["peakBytes"] else "-",
        errors,
    )


def _budget(budget: Mapping[str, Any]) -> tuple[object, ...]:
    used = f"{100 * budget['used'] / budget['most']:.0f} %"
    return budget["budget"], used, budget["refused"], show.moment(budget["endsAt"]) if budget["endsAt"] else "-"


def _receipts(listed: Iterable[Mapping[str, Any]], title: str) -> None:
    head = (title, "route", "outcome", "why", "wall", "cpu", "queued", "host calls", "invocation")
    rows = list(listed)
    traced = any(receipt.get("trace") for receipt in rows)
    show.table((*head, "trace") if traced else head, [_receipt(receipt, traced=traced) for receipt in rows])


def _receipt(receipt: Mapping[str, Any], *, traced: bool) -> tuple[object, ...]:
    calls = [f"{cost['count']} {name} {cost['ms']:.1f}" for name, cost in sorted(receipt["hostCalls"].items())]
    return (
        show.moment(receipt["at"]),
        receipt["label"],
        receipt["outcome"],
        receipt["why"] or "-",
        *(f"{receipt[name]:.1f}" for name in ("wallMs", "cpuMs", "queuedMs")),
        ", ".join(calls) or "-",
        receipt["invocation"],
        *((receipt.get("trace") or "-",) if traced else ()),
    )
