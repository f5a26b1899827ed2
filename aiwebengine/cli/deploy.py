"""`aiwebengine deploy` and `aiwebengine check`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from aiwebengine.terminal import exits, show
from aiwebengine.terminal.exits import CommandFailed, from_problem
from aiwebengine.terminal.folder import Folder, origin_of, read
from aiwebengine.terminal.session import CommandSession, talks_to_server

_STEPS = {
    "check": "checking",
    "build": "building",
    "load": "running its top level",
    "validate": "validating",
    "store": "storing",
}
_Command = Callable[..., Any]


def _with_path_options(command: _Command) -> _Command:
    for option in (
        click.option("--entry", metavar="FILE", help="Entry file; default: that of the manifest."),
        click.option("--uri", help="Name of the script; default: the name of the file or folder."),
        click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)),
    ):
        command = option(command)
    return command


class _Grant(click.Option):
    """An option whose help lists the capabilities that the features declare, and looks for them only when asked."""

    @property
    def help(self) -> str | None:
        """Return what the option does, and every capability."""
        from aiwebengine.features.all import FEATURES  # noqa: PLC0415  Only for the help.

        known = [
            f"{capability.written} ({capability.doc})"
            for feature in FEATURES
            for capability in feature.declares.capabilities
        ]
        return f"{self._beginning}: {', '.join(known)}. Repeatable."

    @help.setter  # noqa: A003  Click's name.
    def help(self, beginning: str | None) -> None:
        self._beginning = beginning


@click.command()
@_with_path_options
@click.option(
    "--expected", type=click.IntRange(min=0), metavar="N", help="Fail unless this is the current version; 0 for none."
)
@click.option("--grant", "grants", cls=_Grant, multiple=True, metavar="NAME", help="Grant a capability")
@click.option("--no-grants", is_flag=True, help="Revoke all capabilities of the script.")
@click.option("--message", "-m", default="", help="Message for the version history.")
@click.option("--if-changed", is_flag=True, help="Deploy only if something changed.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask before replacing a script from another folder.")
@talks_to_server
def deploy(
    session: CommandSession,
    paths: tuple[Path, ...],
    uri: str | None,
    entry: str | None,
    expected: int | None,
    grants: tuple[str, ...],
    no_grants: bool,
    message: str,
    if_changed: bool,
    yes: bool,
) -> None:
    """
    Deploy scripts: each PATH is a file or a folder.

    Without --grant a script keeps its capabilities.
    If a script was deployed from another folder, the command asks before it replaces it, or warns without a terminal.
    Each script is deployed as a whole or not at all; with several, those before the first refusal stay deployed.
    """
    _one_name(paths, uri, entry, expected)
    if grants and no_grants:
        raise click.UsageError("--grant and --no-grants exclude each other.")
    results = []
    for path in paths:
        folder = _read(path)
        document = _body(folder, entry)
        document["origin"] = origin_of(path)
        if not yes and sys.stdin.isatty() and sys.stderr.isatty():
            _confirm(session, uri or folder.uri, document["origin"])
        if message:
            document["message"] = message
        if expected is not None:
            document["expected"] = expected
        if grants or no_grants:
            document["grants"] = list(grants)
        query = [("uri", uri or folder.uri)] + ([("ifChanged", "true")] if if_changed else [])
        result = _send(session, query, document, folder)
        results.append(result)
        if not session.as_json:
            _show(result, folder)
    if session.as_json:
        show.document(results[0] if len(results) == 1 else results)


@click.command()
@_with_path_options
@click.option(
    "--grant", "grants", cls=_Grant, multiple=True, metavar="NAME", help="Check as if this capability were granted"
)
@talks_to_server
def check(
    session: CommandSession, paths: tuple[Path, ...], uri: str | None, entry: str | None, grants: tuple[str, ...]
) -> None:
    """Build and validate scripts without deploying them: each PATH is a file or a folder."""
    _one_name(paths, uri, entry, None)
    results, good = [], True
    for path in paths:
        folder = _read(path)
        document = _body(folder, entry)
        if grants:
            document["grants"] = list(grants)
        progress = session.progress()
        progress.step(f"checking {path}")
        try:
            report = session.client.call("POST", "/check", query=[("uri", uri or folder.uri)], document=document)
        finally:
            progress.done()
        results.append(report)
        good = good and bool(report.get("ok"))
        if not session.as_json:
            show.problems(report.get("problems", ()), prefix=folder.root)
            if report.get("ok"):
                click.echo(f"{show.safe(uri or folder.uri)}: ok, {_registered(report)}")
    if session.as_json:
        show.document(results[0] if len(results) == 1 else results)
    if not good:
        raise click.exceptions.Exit(exits.REFUSED)


def _one_name(paths: tuple[Path, ...], uri: str | None, entry: str | None, expected: int | None) -> None:
    if uri is not None and not uri:
        raise click.UsageError("--uri must not be empty.")
    if len(paths) > 1 and (uri is not None or entry is not None or expected is not None):
        raise click.UsageError("--uri, --entry and --expected are for one PATH only.")


def _read(path: Path) -> Folder:
    folder = read(path)
    for link in folder.links:
        show.note(f"warning: {link} is a symbolic link and was left out")
    return folder


def _confirm(session: CommandSession, uri: str, origin: str) -> None:
    """Ask whether a script is meant that was deployed from somewhere else."""
    try:
        serving = session.client.call("GET", "/script", query=[("uri", uri)])
    except CommandFailed as error:
        if error.code == exits.NOT_FOUND:
            return
        raise
    before = serving.get("origin") or origin
    if before == origin:
        return
    show.note(f"{uri}@{serving['version']} was deployed from {before}, on {show.moment(serving['deployedAt'])}.")
    if not click.confirm(f"Replace it with what is in {show.safe(origin)}?", err=True):
        raise CommandFailed("Nothing was changed. --uri gives a script another name.", code=exits.REFUSED)


def _body(folder: Folder, entry: str | None) -> dict[str, Any]:
    document: dict[str, Any] = {"files": folder.files}
    if entry is not None or folder.entry is not None:
        document["entry"] = entry if entry is not None else folder.entry
    return document


def _send(session: CommandSession, query: list[tuple[str, str]], document: Mapping[str, Any], folder: Folder) -> Any:
    progress = session.progress()
    progress.step(f"{query[0][1]}: sending")
    try:
        for event in session.client.stream("PUT", "/script", query=query, document=document):
            if "step" in event:
                detail = f" ({show.safe(event['detail'])})" if event.get("detail") else ""
                progress.step(f"{query[0][1]}: {_STEPS.get(event['step'], event['step'])}{detail}")
            elif "error" in event:
                raise from_problem(event["error"])
            else:
                return event.get("result", event)
    except CommandFailed as error:
        progress.done()
        problems = error.problem.get("problems", ())
        if problems and not session.as_json:
            show.problems(problems, prefix=folder.root)
            error.message = _refused(problems)
        raise
    finally:
        progress.done()
    raise CommandFailed(
        "The server closed the connection before it reported the result; see `aiwebengine show`.",
        code=exits.UNREACHABLE,
    )


def _refused(problems: Sequence[Mapping[str, Any]]) -> str:
    """Say that a deployment was refused whose problems are printed already."""
    errors = sum(problem.get("severity", "error") == "error" for problem in problems)
    return f"{errors} problem{'' if errors == 1 else 's'}; nothing was changed."


def _show(result: Mapping[str, Any], folder: Folder) -> None:
    script = result["script"]
    show.problems(result.get("warnings", ()), prefix=folder.root)
    name = f"{show.safe(script['uri'])}@{show.safe(script['version'])}"
    if not result.get("changed", True):
        click.echo(f"{name}: nothing changed")
        return
    milliseconds = sum(value for value in result.get("steps", {}).values() if isinstance(value, int | float))
    click.echo(f"{name}: deployed in {milliseconds:.0f} ms, {_registered(script)}")
    for group in script.get("registered", ()):
        for entry in group["entries"]:
            click.echo(f"  {show.safe(entry['name'])}")
    show.removed(result)


def _registered(result: Mapping[str, Any]) -> str:
    """Count what a script registers, and say on which hosts."""
    on = f" on {', '.join(show.safe(host) for host in result['hosts'])}" if result.get("hosts") else ""
    return (", ".join(show.count(group) for group in result.get("registered", ())) or "nothing registered") + on
