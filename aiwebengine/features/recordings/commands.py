"""`aiwebengine record`, `recordings` and `replay`: keep invocations, and do them over again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from aiwebengine.terminal import exits, show
from aiwebengine.terminal.exits import CommandFailed
from aiwebengine.terminal.folder import read
from aiwebengine.terminal.known import names_script, nearest, require_script
from aiwebengine.terminal.session import CommandSession, talks_to_server


@click.command()
@click.argument("target")
@click.option("--path", default="", metavar="ROUTE", help="Only this route, as it was registered: /notes/:id.")
@click.option("--errors", is_flag=True, help="Keep only failed invocations.")
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="Keep one in N invocations.")
@click.option("--off", is_flag=True, help="Stop recording.")
@click.option("--as-test", is_flag=True, help="TARGET is a recording: write it to a file that `replay` checks.")
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="With --as-test: the file to write.")
@talks_to_server
def record(
    session: CommandSession,
    target: str,
    path: str,
    errors: bool,
    sample: int | None,
    off: bool,
    as_test: bool,
    output: Path | None,
) -> None:
    """
    Record the invocations of a script, or write a recording to a file that serves as a test.

    TARGET is the name of a script; with --as-test the id of a recording.
    Values of secret headers, and of names in the setting recordings.mask, are masked.
    """
    if as_test:
        _write_test(session, target, output)
        return
    if sum((errors, off, sample is not None)) > 1:
        raise click.UsageError("--errors, --sample and --off exclude each other.")
    query = [("uri", target), ("path", path)] if path else [("uri", target)]
    what = f"{show.safe(target)} {show.safe(path)}".strip()
    if off:
        session.client.call("DELETE", "/recording-rule", query=query)
        routes = [] if path else [show.safe(rule["path"]) for rule in _rules(session, target)]
        still = f"; still recorded: {', '.join(routes)}, until --path ROUTE --off" if routes else ""
        click.echo(f"{what}: recording stopped{still}")
        return
    require_script(session.client, target)
    if path:
        _require_route(session, target, path)
    mode = "errors" if errors else "sample" if sample is not None else "always"
    query += [("mode", mode), *([("every", str(sample))] if sample is not None else [])]
    rule = session.client.call("PUT", "/recording-rule", query=query)
    if session.as_json:
        show.document(rule)
    else:
        words = {"always": "every invocation", "errors": "what fails", "sample": f"one of {sample}"}
        click.echo(f"{what}: {words[mode]} is recorded; `aiwebengine recordings {show.safe(target)}` lists them")


def _rules(session: CommandSession, uri: str | None) -> list[dict[str, Any]]:
    """Return the recording rules of a script, or of all."""
    rules = session.client.call("GET", "/recording-rules")["rules"]
    return [rule for rule in rules if uri in {None, rule["uri"]}]


def _require_route(session: CommandSession, uri: str, path: str) -> None:
    """Refuse a route that a script does not have now, for nothing would be recorded."""
    with names_script(session.client, uri, listed_by="history"):
        groups = session.client.call("GET", "/script", query=[("uri", uri)])["registered"]
    paths = {str(entry["path"]) for group in groups for entry in group["entries"] if "path" in entry}
    if path not in paths:
        text = f'"{uri}" has no route "{path}"{nearest(path, paths)} `aiwebengine show {uri}` lists its routes.'
        raise CommandFailed(text, code=exits.NOT_FOUND)


@click.command()
@click.argument("uri", required=False)
@click.option("--limit", type=click.IntRange(min=1, max=1000), default=20, metavar="N", help="Number of recordings.")
@talks_to_server
def recordings(session: CommandSession, uri: str | None, limit: int) -> None:
    """List the recording rules and the newest recordings, of one script or of all."""
    query = [("limit", str(limit)), *([("uri", uri)] if uri else [])]
    listed = session.client.call("GET", "/recordings", query=query)["recordings"]
    rules = _rules(session, uri)
    if session.as_json:
        show.document({"recordings": listed, "rules": rules})
        return
    if rules:
        what = [(rule["uri"], rule["path"] or "(all routes)", rule["mode"], rule["every"]) for rule in rules]
        show.table(("recorded", "route", "mode", "one of"), what)
        click.echo()
    rows = [
        (recording["id"], show.moment(recording["at"]), recording["version"], recording["label"], recording["outcome"])
        for recording in listed
    ]
    show.table(("recording", "at", "version", "route", "outcome"), rows)


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="ID|FILE...")
@click.option("--version", type=click.IntRange(min=1), metavar="N", help="Use this version of the script.")
@click.option(
    "--local",
    type=click.Path(exists=True, path_type=Path),
    metavar="FOLDER",
    help="Use these files; nothing is deployed.",
)
@talks_to_server
def replay(session: CommandSession, targets: tuple[str, ...], version: int | None, local: Path | None) -> None:
    """
    Run recorded invocations again, without changing anything, and show the first difference.

    Each target is the id of a recording, or a file that `record --as-test` has written.
    The exit code is 3 if a result differs.
    """
    if version is not None and local is not None:
        raise click.UsageError("--version and --local exclude each other.")
    results, good = [], True
    for target in targets:
        result = _replay(session, target, version, local)
        results.append(result)
        good = good and bool(result["same"])
        if not session.as_json:
            _show(target, result)
    if session.as_json:
        show.document(results[0] if len(results) == 1 else results)
    if not good:
        raise click.exceptions.Exit(exits.REFUSED)


def _replay(session: CommandSession, target: str, version: int | None, local: Path | None) -> Any:
    document: dict[str, Any] = {}
    query: list[tuple[str, str]] = []
    file = Path(target)
    if file.is_file():
        try:
            document["recording"] = json.loads(file.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise CommandFailed(f"{target} is not a recording: {error}", code=exits.USAGE) from error
    elif file.suffix == ".json" or len(file.parts) > 1:
        raise CommandFailed(f"There is no file {target}.", code=exits.USAGE)
    else:
        query.append(("id", target))
    if version is not None:
        query.append(("version", str(version)))
    if local is not None:
        folder = read(local)
        document["files"] = folder.files
        if folder.entry is not None:
            document["entry"] = folder.entry
    return session.client.call("POST", "/replay", query=query, document=document)


def _write_test(session: CommandSession, identity: str, output: Path | None) -> None:
    recording = session.client.call("GET", "/recording", query=[("id", identity)])
    file = output or Path(f"{quote(recording['uri'], safe='')}-{identity}.replay.json")
    file.write_text(json.dumps(recording, indent=2) + "\n", "utf-8")
    if session.as_json:
        show.document({"file": str(file)})
    else:
        click.echo(f"wrote {file}; check it with: aiwebengine replay {file} --local FOLDER")


def _show(target: str, result: Mapping[str, Any]) -> None:
    name = show.safe(target)
    if not result["whole"] and result["until"] is None:
        show.note(f"warning: {name}: the recording is incomplete: what exceeded recordings.max_bytes is missing")
    elif result["whole"] and not result["exact"]:
        show.note(f"warning: {name}: recorded in a process that had run before; module variables may differ")
    difference = result["difference"]
    if difference is None:
        until = f" up to call {result['until']}, where the recording had no room for more (recordings.max_bytes)"
        click.echo(f"{name}: the same in {show.safe(result['version'])}{until if result['until'] is not None else ''}")
        return
    where = f"call {difference['at']}" if difference["what"] == "call" else difference["what"]
    click.echo(f"{name}: the first difference is in {show.safe(where)}")
    for side in ("recorded", "now"):
        value = difference[side]
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        click.echo(f"  {side + ':':<9} {show.safe(text)}")
    if result["error"]:
        click.echo(f"  {'error:':<9} {show.safe(result['error'])}")
