"""What an engine gets of scripts' WebSockets."""

from __future__ import annotations

from aiwebengine.features.sockets.calls import KIND, SocketDestination, SocketMessages
from aiwebengine.features.sockets.sessions import OutgoingMessages, SessionContext, SocketClients, sockets_of_scripts
from aiwebengine.features.sockets.settings import SocketSettings
from aiwebengine.machinery import Machinery, Parts


def build(machinery: Machinery) -> Parts:
    """Build the parts of the feature."""
    base = machinery.base
    clients = SocketClients(
        context=SessionContext(
            invoker=machinery.invoker,
            current=machinery.current,
            bus=machinery.bus,
            settings=base.settings.of(SocketSettings),
            messages=OutgoingMessages(),
        ),
        sockets=machinery.sockets,
    )
    machinery.current.on_change(clients.swapped)
    machinery.messages.add(KIND, SocketDestination())
    return Parts(
        groups=[SocketMessages(messages=machinery.messages)],
        kinds=[sockets_of_scripts(clients)],
        state={"sockets": clients.state},
    )
