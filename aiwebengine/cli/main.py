"""
The command `aiwebengine`: its commands, and how each of them ends.

Commands are imported only when they are asked for, so that `aiwebengine list` does not wait
for what `aiwebengine serve` needs.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import click

from aiwebengine.cli import exits, show
from aiwebengine.cli.exits import CommandFailed

COMMANDS: Mapping[str, str] = {
    "serve": "serve:serve",
    "deploy": "deploy:deploy",
    "check": "deploy:check",
    "list": "scripts:list_scripts",
    "show": "scripts:show",
    "history": "scripts:history",
    "logs": "logs:logs",
    "receipts": "receipts:receipts",
    "record": "recordings:record",
    "recordings": "recordings:recordings",
    "replay": "recordings:replay",
    "rollback": "scripts:rollback",
    "delete": "scripts:delete",
    "state": "state:state",
    "token": "token:token",
    "doctor": "doctor:doctor",
    "migrate-names": "migrate:migrate_names",
    "types": "generated:types",
}
"""Name to `module:command`, in the order of the help."""


class _Commands(click.Group):
    """Finds commands by `COMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  Click's signature.
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  Click's signature.
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(f"aiwebengine.cli.{module}"), name)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        import difflib  # noqa: PLC0415  Only for a mistake.

        name = args[0] if args else ""
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        if name and name not in COMMANDS and not name.startswith("-") and near:
            ctx.fail(f"No such command '{show.safe(name)}'. Did you mean '{near[0]}'?")
        return super().resolve_command(ctx, args)


def _version() -> str:
    try:
        return version("aiwebengine")
    except PackageNotFoundError:
        return "(not installed)"


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(_version(), prog_name="aiwebengine")
def group() -> None:
    """Serve JavaScript and TypeScript that people and AI agents deploy."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with the exit code that fits."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and give the exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        code = group.main(args=words, prog_name="aiwebengine", standalone_mode=False)
    except CommandFailed as error:
        _tell(error, as_json="--json" in words)
        return error.code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo(err=True)
        return 130
    except BrokenPipeError:
        # Whoever read the output has gone, such as `head`; a flush at exit would say so again.
        sys.stdout = None
        return exits.OK
    return code if isinstance(code, int) else exits.OK


def _tell(error: CommandFailed, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(error.as_json(), ensure_ascii=False, indent=2))
        return
    head = click.style("aiwebengine:", bold=True)
    text = "\n".join(show.safe(line) for line in error.message.split("\n"))
    click.echo(f"{head} {text}", err=True)
