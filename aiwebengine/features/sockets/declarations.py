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
    "open": "`(ws, req, ctx)`: runs when a client comes, behind the middleware and before the connection is accepted; "
    "what it throws refuses the client, with the status of an `httpError`",
    "message": "`(ws, data, ctx)`: runs for each message; `data` is a string, or a `Uint8Array` for a binary one",
    "close": "`(ws, code, reason, ctx)`: runs when the connection has ended, however it did",
}
"""Handlers of a WebSocket, with when they run."""

SOCKET_OPTIONS: dict[str, str] = {
    "auth": '`"required"` refuses clients that are not signed in: until there are users, those without the '
    'administrator token; `"optional"` and `"none"` accept everybody',
    "protocols": "subprotocols that are spoken, the client's first of them is chosen",
    "origins": "origins whose pages may connect, beside the server's own, such as `https://example.org`; `*` for all",
    "summary": "one sentence for people who read the list of routes",
    "tags": "words that group routes in that list",
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
                "The message: a string or bytes as they are, anything else as JSON; at most 256 KiB, unless the "
                "setting `live.max_message_bytes` says otherwise."
            ),
            max_bytes=_MESSAGE_BYTES,
        ),
        Argument(name="options", kind="object", type="SocketMessageOptions", optional=True, doc="When it leaves."),
    ),
    returns="void",
    effect="held",
    errors=("too_large", "too_many"),
    doc=(
        "Sends a message to all WebSockets of this script that are subscribed to a topic. "
        "It leaves when the handler has returned and what it stored is kept; when it fails, nothing leaves."
    ),
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
            "Registers a WebSocket endpoint at a path. The connections are the server's: they take no process of the "
            "script while nothing is said, and stay open when the script is deployed again. The events of one "
            "connection are handled one after the other, each in an invocation of its own; what a handler sends "
            "leaves when it has returned and what it stored is kept."
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
            Member(signature="readonly id: string", doc="New for each connection."),
            Member(signature="readonly protocol: string", doc="The subprotocol; empty if there is none."),
            Member(signature="data: Data", doc="What is kept between its events, as JSON; at first {}."),
            Member(signature="send(data: unknown): void", doc="A string or bytes as they are, anything else as JSON."),
            Member(signature="subscribe(topic: string): void", doc="Gets what is published on the topic from now on."),
            Member(signature="unsubscribe(topic: string): void", doc="The opposite."),
            Member(signature="isSubscribed(topic: string): boolean"),
            Member(
                signature="publish(topic: string, data: unknown, options?: SocketMessageOptions): void",
                doc="The same as `sendSocketMessage`; this connection gets it too if it is subscribed.",
            ),
            Member(
                signature="close(code?: number, reason?: string): void",
                doc="Ends the connection when all was sent: 1000, or a code of your own from 3000 to 4999.",
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
        doc="Options of a WebSocket. An unknown option is refused with the nearest name.",
        members=(
            *(
                Member(signature=f"{name}?: {_OPTION_TYPES[name]}", doc=doc[0].upper() + doc[1:] + ".")
                for name, doc in SOCKET_OPTIONS.items()
            ),
            Member(signature="middleware?: Middleware | Middleware[]", doc="Runs before `open`, after those of `use`."),
        ),
    ),
    Shape(
        name="SocketMessageOptions",
        doc="Options of a message to WebSockets.",
        members=(Member(signature="immediate?: boolean", doc="Send it at once, even if the handler fails."),),
    ),
)

DECLARATIONS = Declarations(
    calls=(PUBLISH,),
    globals=_GLOBALS,
    shapes=_SHAPES,
    advice={"node:net": "To exchange messages with browsers use registerWebSocket."},
)
"""All of it."""
