"""
The command `aiwebengine`: its commands, and how each of them ends.

Commands are imported only when they are used, so that `aiwebengine list` does not wait
for what `aiwebengine serve` needs.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import click

from aiwebengine.errors import CannotStart
from aiwebengine.terminal import exits, show
from aiwebengine.terminal.commands import COMMANDS
from aiwebengine.terminal.exits import CommandFailed


def commands() -> Mapping[str, str]:
    """
    Return all commands, those of the installed features too.

    Raises:
        CommandFailed: A feature of another package is wrong.
    """
    # Most commands are found above, and need not wait for what packages add.
    from aiwebengine.features.all import installed  # noqa: PLC0415  See above.

    try:
        features = installed()
    except CannotStart as error:
        raise CommandFailed(error.public, code=exits.USAGE) from error
    return {**COMMANDS, **{name: place for feature in features for name, place in feature.commands.items()}}


class _Commands(click.Group):
    """Finds commands by `COMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  Click's signature.
        return list(commands())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  Click's signature.
        place = COMMANDS.get(cmd_name) or commands().get(cmd_name)
        if place is None:
            return None
        module, name = place.split(":")
        try:
            command = getattr(importlib.import_module(module), name)
        except Exception as error:
            if cmd_name in COMMANDS:
                raise
            raise CommandFailed(
                f'The command "{cmd_name}" cannot be loaded from {place}: {type(error).__name__}: {error}. Correct the '
                "feature that it belongs to, or uninstall its package.",
                code=exits.USAGE,
            ) from error
        if not isinstance(command, click.Command):
            raise CommandFailed(
                f'The command "{cmd_name}" cannot be used: {place} is a {type(command).__name__}, not a Click command.',
                code=exits.USAGE,
            )
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, each with its whole first sentence."""
        try:
            names: Iterable[str] = self.list_commands(ctx)
        except CommandFailed as error:
            show.note(f"warning: the commands of features are missing here: {error.message}")
            names = COMMANDS
        rows = []
        for name in names:
            try:
                command = self.get_command(ctx, name)
            except CommandFailed as error:
                show.note(f"warning: {error.message}")
                continue
            if command is not None and not command.hidden:
                rows.append((name, command.get_short_help_str(limit=500)))
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        import difflib  # noqa: PLC0415  Only for a mistake.

        name = args[0] if args else ""
        known = COMMANDS if name in COMMANDS else commands()
        suggestions = difflib.get_close_matches(name, known, n=1)
        if name and name not in known and not name.startswith("-") and suggestions:
            ctx.fail(f"No such command '{show.safe(name)}'. Did you mean '{suggestions[0]}'?")
        return super().resolve_command(ctx, args)


def _show_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415  No other command waits for it.

    try:
        number = version("aiwebengine")
    except PackageNotFoundError:
        number = "(not installed)"
    click.echo(f"aiwebengine, version {number}")
    context.exit()


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def group() -> None:
    """Serve JavaScript and TypeScript that people and AI agents deploy."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and end the process with the exit code that fits."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code."""
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
        # The reader of the output has ended, such as `head`; a flush at exit would raise again.
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
