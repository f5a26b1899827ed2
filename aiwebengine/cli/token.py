"""`aiwebengine token`: the administrator token of the server on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from aiwebengine.terminal import exits, show
from aiwebengine.terminal.exits import CommandFailed
from aiwebengine.terminal.local import TOKEN_FILE
from aiwebengine.terminal.session import CommandSession, talks_to_server


@click.group(invoke_without_command=True)
@click.option(
    "--data-folder",
    type=click.Path(path_type=Path),
    default=Path("data"),
    show_default=True,
    help="Data folder of the server on this machine.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, for programs.")
@click.pass_context
def token(context: click.Context, data_folder: Path, as_json: bool) -> None:
    """Print the administrator token in the data folder of a server on this machine."""
    if context.invoked_subcommand is not None:
        return
    path = data_folder / TOKEN_FILE
    try:
        value = path.read_text("ascii").strip()
    except FileNotFoundError:
        text = f"There is no file {path}. Name the server's data folder with --data-folder; the first start creates it."
        raise CommandFailed(text, code=exits.NOT_FOUND) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise CommandFailed(f"{path} cannot be read: {reason}.", code=exits.DENIED) from error
    if as_json:
        show.document({"token": value})
    else:
        click.echo(value)


@token.command()
@talks_to_server
def new(session: CommandSession) -> None:
    """Make a new token, which is printed once, and revoke the old one."""
    made = session.client.call("POST", "/token")
    if session.as_json:
        show.document(made)
    else:
        click.echo(made["token"])
