"""`aiwebengine state`: what the server is doing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from aiwebengine.terminal import show
from aiwebengine.terminal.session import CommandSession, talks_to_server


@click.command()
@talks_to_server
def state(session: CommandSession) -> None:
    """Show the pool, the queues, the sandbox and the build worker."""
    found = session.client.call("GET", "/state")
    if session.as_json:
        show.document(found)
    else:
        _tree(found, 0)


def _tree(value: Mapping[str, Any], depth: int) -> None:
    for key, item in value.items():
        name = f"{'  ' * depth}{show.safe(key)}:"
        if isinstance(item, Mapping):
            click.echo(name if item else f"{name} none")
            _tree(item, depth + 1)
        elif isinstance(item, list):
            click.echo(name if item else f"{name} none")
            for number, entry in enumerate(item):
                if isinstance(entry, Mapping):
                    click.echo(f"{'  ' * (depth + 1)}{number + 1}")
                    _tree(entry, depth + 2)
                else:
                    click.echo(f"{'  ' * (depth + 1)}{show.safe(entry)}")
        else:
            click.echo(f"{name} {show.safe('-' if item is None else item)}")
