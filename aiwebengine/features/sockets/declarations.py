"""WebSockets."""

from __future__ import annotations

from aiwebengine.host.declarations import Declarations
from aiwebengine.host.declare import Argument, Global, HostCall, Member, Shape

_SOCKETS = "WebSockets"

_MESSAGE_BYTES = 256 * 1024
_OPTION_TYPES = {
    "auth": '"none" | "optional" | "required"',
    "protocols": "string[]",
    "origins": "string[]",
    "summary": "string",
    "tags": "string | string[]",
}
_EVENT_TYPES = {
    "open": "(ws: ServerWebSocket<Data>, req: HandlerRequest<Params>, ctx: HandlerContext) => unknown",
    "message": "(ws: ServerWebSocket<Data>, data: any, ctx: HandlerContext) => unknown",
    "close": "(ws: ServerWebSocket<Data>, code: number, reason: string, ctx: HandlerContext) => unknown",
}

SOCKET_EVENTS: dict[str, str] = {
    "open": (
        "`(ws, req, ctx)`: runs when a client connects, after the middleware and before the connection is "
        "accepted. If it throws, the client is refused; an `httpError` sets the status"
    ),
    "message": ("`(ws, data, ctx)`: runs for each message; `data` is a string, or a `Uint8Array` for a binary message"),
    "close": ("`(ws, code, reason, ctx)`: runs when the connection has ended, for any reason"),
}
"""Handlers of a WebSocket, with when they run."""

SOCKET_OPTIONS: dict[str, str] = {
    "auth": (
        '`"required"` refuses clients that are not authenticated: until the server has users, those '
        'without the administrator token; `"optional"` and `"none"` accept all clients'
    ),
    "protocols": "supported subprotocols; the first that the client offers is chosen",
    "origins": (
        "origins whose pages may connect in addition to the server's own, such as `https://example.org`; `*` for all"
    ),
    "summary": "one sentence, shown in lists of routes",
    "tags": "words by which lists of routes can be grouped",
}
"""Options of `registerWebSocket`, with what they mean."""

PUBLISH = HostCall(
    name="sendSocketMessage",
    group=_SOCKETS,
    arguments=(
        Argument(name="topic", kind="string", doc="The topic: 1 to 200 characters.", max_length=200, empty=False),
        Argument(
            name="data",
            kind="any",
            doc=(
                "The message: a string or bytes are sent unchanged, any other value as JSON; at most 256 KiB "
                "(setting `live.max_message_bytes`)."
            ),
            max_bytes=_MESSAGE_BYTES,
        ),
        Argument(name="options", kind="object", type="SocketMessageOptions", optional=True, doc=("When it is sent.")),
    ),
    returns="void",
    effect="held",
    errors=("too_large", "too_many"),
    doc=("Sends a message to all WebSockets of this script that are subscribed to a topic."),
    example=(
        'registerWebSocket("/prices", { open: (ws) => ws.subscribe("prices") });\n'
        'registerWebHandler("/prices", (req) => {\n'
        '  sendSocketMessage("prices", { price: Number(req.body) });\n'
        '  return "sent";\n'
        '}, "POST");'
    ),
)

_GLOBALS = (
    Global(
        name="registerWebSocket",
        group=_SOCKETS,
        kind="function",
        importable=True,
        effect="held",
        errors=("closed", "too_many"),
        doc=(
            "Registers handlers for WebSockets at a path. The server holds the connections: an idle "
            "connection uses no process of the script, and stays open when the script is deployed again. The "
            "events of one connection are handled in order, each in its own invocation. What a handler sends "
            "is sent when it has returned and its writes are committed."
        ),
        signatures=(
            (
                "<Path extends string, Data = any>(path: Path, handlers: WebSocketHandlers<Data, PathParams<Path>>, "
                "options?: WebSocketOptions): void"
            ),
        ),
        example=(
            'registerWebSocket("/rooms/:room", {\n'
            "  open(ws, req) {\n"
            '    ws.data = { room: req.params.room, name: req.query.name ?? "guest" };\n'
            "    ws.subscribe(ws.data.room);\n"
            "  },\n"
            "  message(ws, data) {\n"
            "    ws.publish(ws.data.room, { from: ws.data.name, text: data });\n"
            "  },\n"
            "  close(ws, code) {\n"
            '    console.info("left", { name: ws.data.name, code });\n'
            "  },\n"
            "});"
        ),
    ),
)

_SHAPES = (
    Shape(
        name="ServerWebSocket<Data = any>",
        doc="An open WebSocket.",
        members=(
            Member(signature="readonly id: string", doc="The id of the connection."),
            Member(signature="readonly protocol: string", doc="The subprotocol; empty if there is none."),
            Member(
                signature="data: Data",
                doc=("Data that is kept between the events of the connection, as JSON; initially {}."),
            ),
            Member(
                signature="send(data: unknown): void",
                doc=("Sends a string or bytes unchanged, any other value as JSON."),
            ),
            Member(signature="subscribe(topic: string): void", doc=("Subscribes the client to a topic.")),
            Member(signature="unsubscribe(topic: string): void", doc=("Ends the subscription to a topic.")),
            Member(signature="isSubscribed(topic: string): boolean"),
            Member(
                signature="publish(topic: string, data: unknown, options?: SocketMessageOptions): void",
                doc=("The same as `sendSocketMessage`. This connection gets the message too, if it is subscribed."),
            ),
            Member(
                signature="close(code?: number, reason?: string): void",
                doc=("Closes the connection after everything was sent, with the code 1000 or one from 3000 to 4999."),
            ),
        ),
    ),
    Shape(
        name="WebSocketHandlers<Data = any, Params = { [name: string]: string }>",
        doc="The event handlers of a WebSocket.",
        members=tuple(
            Member(signature=f"{name}?: {_EVENT_TYPES[name]}", doc=doc[0].upper() + doc[1:] + ".")
            for name, doc in SOCKET_EVENTS.items()
        ),
    ),
    Shape(
        name="WebSocketOptions",
        doc=("Options of a WebSocket. An unknown option is an error, which names the nearest option."),
        members=(
            *(
                Member(signature=f"{name}?: {_OPTION_TYPES[name]}", doc=doc[0].upper() + doc[1:] + ".")
                for name, doc in SOCKET_OPTIONS.items()
            ),
            Member(
                signature="middleware?: Middleware | Middleware[]",
                doc=("Middleware that runs before `open`, after that of `use`."),
            ),
        ),
    ),
    Shape(
        name="SocketMessageOptions",
        doc="Options of a message to WebSockets.",
        members=(
            Member(
                signature="immediate?: boolean", doc=("Send the message at once, even if the handler fails afterwards.")
            ),
        ),
    ),
)

DECLARATIONS = Declarations(
    calls=(PUBLISH,),
    globals=_GLOBALS,
    shapes=_SHAPES,
    advice={"node:net": "To exchange messages with browsers use registerWebSocket."},
)
"""All declarations of this feature."""
