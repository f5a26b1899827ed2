"""`aiwebengine state`: what the server is doing."""

from __future__ import annotations

import click

from aiwebengine.terminal import show
from aiwebengine.terminal.figures import figures
from aiwebengine.terminal.session import CommandSession, talks_to_server


@click.command()
@talks_to_server
def state(session: CommandSession) -> None:
    """Show the state of the server: the sandbox, the queues, the databases, the features."""
    document = session.client.call("GET", "/state")
    if session.as_json:
        show.document(document)
    else:
        figures(document)
