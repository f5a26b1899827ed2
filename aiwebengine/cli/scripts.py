"""`aiwebengine list`, `show`, `history`, `rollback` and `delete`: what is deployed, and what was."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import click

from aiwebengine.terminal import show as printing
from aiwebengine.terminal.known import names_script
from aiwebengine.terminal.session import CommandSession, talks_to_server


@click.command("list")
@click.option("--deleted", is_flag=True, help="Include deleted scripts.")
@talks_to_server
def list_scripts(session: CommandSession, deleted: bool) -> None:
    """List the scripts."""
    listing = session.client.call("GET", "/scripts", query=[("deleted", "true")] if deleted else [])
    if session.as_json:
        printing.document(listing)
        return
    scripts = listing["scripts"]
    if not scripts:
        click.echo("No scripts. Deploy one: aiwebengine deploy hello.ts")
        return
    rows = [row for script in scripts for row in _rows(script)]
    printing.table(("script", "version", "deployed", "size", "registers"), rows)


def _rows(script: Mapping[str, Any]) -> Iterator[tuple[object, ...]]:
    """Return one row for each thing that the script registers, with what is true of all in the first."""
    if script.get("version") is None:
        yield (script["uri"], "deleted", "-", "-", "-")
        return
    on = f" on {', '.join(hosts)}" if (hosts := script.get("hosts")) else ""
    names = [
        name
        for group in script.get("registered", ())
        for name in [_with_summary(entry, on) for entry in group["entries"]] or [f"{printing.count(group)}{on}"]
    ] or [f"-{on}"]
    deployed = printing.moment(script["deployedAt"])
    yield (script["uri"], script["version"], deployed, printing.size(script["sizeBytes"]), names[0])
    yield from (("", "", "", "", name) for name in names[1:])


def _with_summary(entry: Mapping[str, Any], on: str = "") -> str:
    """Return what an entry is called, and on which hosts, with its author's summary."""
    tags = f" [{', '.join(entry['tags'])}]" if entry.get("tags") else ""
    return f"{entry['name']}{on}{': ' if entry.get('summary') else ''}{entry.get('summary', '')}{tags}"


@click.command()
@click.argument("uri")
@click.option(
    "--version", type=click.IntRange(min=1), metavar="N", help="Show this version instead of the current one."
)
@click.option("--file", "path", metavar="PATH", help="Print this file as it was deployed.")
@talks_to_server
def show(session: CommandSession, uri: str, version: int | None, path: str | None) -> None:
    """Show a script with its version, registrations and files, or one of its files."""
    query = [("uri", uri)] + ([("version", str(version))] if version else [])
    if path is not None:
        with names_script(session.client, uri, listed_by="show"):
            content = session.client.raw("GET", "/script/file", query=[*query, ("path", path)])
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    with names_script(session.client, uri, listed_by="history"):
        script = session.client.call("GET", "/script", query=query)
    if session.as_json:
        printing.document(script)
        return
    for name, value in (
        ("script", script["uri"]),
        ("version", script["version"]),
        ("id", script["id"]),
        ("deployed", f"{printing.moment(script['deployedAt'])} by {script['author']}"),
        ("from", script.get("origin")),
        ("message", script.get("message")),
        ("entry", script["entry"]),
        ("below", script.get("basePath")),
        ("hosts", ", ".join(script.get("hosts", ()))),
        ("granted", ", ".join(script.get("grants", ())) or "nothing"),
    ):
        if value:
            click.echo(f"{name + ':':<10}{printing.safe(value)}")
    click.echo()
    for group in script.get("registered", ()):
        if not group["entries"]:
            continue
        entries = [
            (_with_summary(entry), entry.get("handler", ""), entry.get("place", "")) for entry in group["entries"]
        ]
        printing.table((printing.safe(group["noun"]), "handler", "registered at"), entries)
        click.echo()
    files = [(file["path"], printing.size(file["sizeBytes"])) for file in script.get("files", ())]
    printing.table(("file", "size"), files)
    warnings = script.get("warnings")
    if isinstance(warnings, list) and warnings:
        click.echo()
        printing.problems(warnings)


@click.command()
@click.argument("uri")
@talks_to_server
def history(session: CommandSession, uri: str) -> None:
    """List the versions of a script, and its deployments, rollbacks and deletions, newest first."""
    with names_script(session.client, uri):
        past = session.client.call("GET", "/script/history", query=[("uri", uri)])
    if session.as_json:
        printing.document(past)
        return
    rows = [
        (
            version["version"],
            printing.moment(version["deployedAt"]),
            version["author"],
            printing.size(version["sizeBytes"]),
            "current" if version["current"] else "",
            version["message"],
        )
        for version in past["versions"]
    ]
    printing.table(("version", "deployed", "by", "size", "", "message"), rows)
    click.echo()
    events = [
        (printing.moment(event["at"]), event["action"], event["version"] or "-", event["author"], event["message"])
        for event in past["events"]
    ]
    printing.table(("when", "what", "version", "by", "message"), events)


@click.command()
@click.argument("uri")
@click.argument("version", type=click.IntRange(min=1), required=False)
@click.option(
    "--expected", type=click.IntRange(min=0), metavar="N", help="Fail unless this is the current version; 0 for none."
)
@click.option("--message", "-m", default="", help="Message for the version history.")
@talks_to_server
def rollback(session: CommandSession, uri: str, version: int | None, expected: int | None, message: str) -> None:
    """
    Make an older version the current one.

    Without VERSION: the newest version below the current one; for a deleted script, its last version.
    """
    query = [("uri", uri)]
    query += [("version", str(version))] if version is not None else []
    query += [("expected", str(expected))] if expected is not None else []
    query += [("message", message)] if message else []
    with names_script(session.client, uri, listed_by="history"):
        done = session.client.call("POST", "/script/rollback", query=query)
    versions = session.client.call("GET", "/script/history", query=[("uri", uri)])["versions"]
    done["newer"] = sorted(version["version"] for version in versions if version["version"] > done["script"]["version"])
    if session.as_json:
        printing.document(done)
        return
    before = f"; it was {printing.safe(done['previous'])}" if done.get("previous") else ""
    click.echo(f"{printing.safe(uri)} is version {printing.safe(done['script']['version'])} now{before}")
    printing.removed(done)
    if done["newer"]:
        numbers = ", ".join(printing.safe(number) for number in done["newer"])
        click.echo(f"newer versions are kept: {numbers}; `aiwebengine rollback {printing.safe(uri)} N` returns to one")


@click.command()
@click.argument("uri")
@click.option("--purge", is_flag=True, help="Remove its versions too; this cannot be undone.")
@click.option("--expected", type=click.IntRange(min=0), metavar="N", help="Fail unless this is the current version.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")
@talks_to_server
def delete(session: CommandSession, uri: str, purge: bool, expected: int | None, yes: bool) -> None:
    """Delete a script. Its versions are kept, and a rollback restores it, unless --purge is given."""
    if purge and not yes:
        _confirm(uri, as_json=session.as_json)
    query = [("uri", uri)]
    query += [("purge", "true")] if purge else []
    query += [("expected", str(expected))] if expected is not None else []
    with names_script(session.client, uri):
        session.client.call("DELETE", "/script", query=query)
    if session.as_json:
        printing.document({"uri": uri, "deleted": True, "purged": purge})
    elif purge:
        click.echo(f"{printing.safe(uri)} and all its versions were removed")
    else:
        click.echo(f"{printing.safe(uri)} is deleted; `aiwebengine rollback {printing.safe(uri)}` brings it back")


def _confirm(uri: str, *, as_json: bool) -> None:
    if as_json or not sys.stdin.isatty():
        raise click.UsageError("--purge cannot be undone; without a terminal to confirm on, add --yes.")
    click.confirm(f"Remove {printing.safe(uri)} and all its versions permanently?", abort=True, err=True)
