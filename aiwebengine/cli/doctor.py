"""`aiwebengine doctor`: whether this machine can run a server, and what it lacks."""

from __future__ import annotations

from dataclasses import asdict

import click

from aiwebengine.cli import flags
from aiwebengine.terminal import exits, show

_COLOURS = {"ok": "green", "warning": "yellow", "failed": "red"}


@click.command()
@click.option("--config", multiple=True, metavar="FILE", help=flags.CONFIG_HELP)
@click.option("--profile", help=flags.PROFILE_HELP)
@flags.with_own_flags
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help=flags.SET_HELP)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, for programs.")
def doctor(
    config: tuple[str, ...], profile: str | None, assignments: tuple[str, ...], as_json: bool, **own: str | None
) -> int:
    """
    Check whether this machine can run a server with these settings, and what is missing.

    Nothing is changed, and a running server is not disturbed. Run it as the user that runs the server, because the
    protections against scripts are tested with this user's rights. The exit code is 1 if the server would not start.
    """
    from aiwebengine.cli import checkup  # noqa: PLC0415  It imports what other commands need not wait for.

    _, settings = flags.configured(profile=profile, config=config, own=own, assignments=assignments)
    findings = list(checkup.check(settings))
    good = all(finding.state != checkup.FAILED for finding in findings)
    if as_json:
        show.document({"ok": good, "profile": settings.profile, "findings": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            mark = click.style(f"{finding.state:<8}", fg=_COLOURS[finding.state])
            click.echo(f"{mark} {finding.name:<12} {show.safe(finding.found)}")
    return exits.OK if good else exits.FAILED
