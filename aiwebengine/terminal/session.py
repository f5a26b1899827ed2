"""What every command that talks to a server shares: its options, its client, its way to print."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from aiwebengine.terminal import show
from aiwebengine.terminal.client import ApiClient
from aiwebengine.terminal.target import TargetOptions, find

_Command = Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSession:
    """One command's server and output."""

    client: ApiClient
    as_json: bool
    """Print one JSON document instead of text."""

    def progress(self) -> show.Progress:
        """Return a progress line, which only a terminal sees."""
        return show.Progress(enabled=not self.as_json)


SHARED_OPTIONS: tuple[Callable[[_Command], _Command], ...] = (
    click.option("--server", metavar="URL|NAME", help="URL of the server, or the name of a profile."),
    click.option("--token-file", type=click.Path(path_type=Path), help="File with the administrator token."),
    click.option("--allow-http", is_flag=True, help="Send the token to another machine without encryption."),
    click.option(
        "--profile-file",
        type=click.Path(path_type=Path),
        help="File with servers and tokens; default: ~/.config/aiwebengine/profiles.toml.",
    ),
    click.option(
        "--data-folder",
        type=click.Path(path_type=Path),
        help="Data folder of the server on this machine, for its address and token; default: `data`.",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(min=0.1),
        default=300.0,
        show_default=True,
        help="Seconds to wait for an answer.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON document, for programs."),
)


def talks_to_server(command: _Command) -> _Command:
    """Return *command* the shared options; its first argument becomes a `CommandSession`."""

    @functools.wraps(command)
    def enter(
        *arguments: Any,
        server: str | None,
        token_file: Path | None,
        allow_http: bool,
        profile_file: Path | None,
        data_folder: Path | None,
        timeout: float,
        as_json: bool,
        **options: Any,
    ) -> Any:
        target_options = TargetOptions(
            server=server,
            token_file=token_file,
            profile_file=profile_file,
            data_folder=data_folder,
            environ=os.environ,
            allow_http=allow_http,
            starts=_starts(options),
        )
        target = find(target_options, warn=lambda text: show.note(f"warning: {text}"))
        if target.named_by is not None:
            show.note(f"server: {target.url}, named by {target.named_by}")
        session = CommandSession(client=ApiClient(target=target, timeout_seconds=timeout), as_json=as_json)
        return command(session, *arguments, **options)

    wrapped: _Command = enter
    for option in reversed(SHARED_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def _starts(options: Mapping[str, Any]) -> Sequence[Path]:
    """Return where the project file is looked for: what is sent, else the folder in which the command is called."""
    local = options.get("local")
    return options.get("paths") or ([local] if local is not None else [Path.cwd()])
