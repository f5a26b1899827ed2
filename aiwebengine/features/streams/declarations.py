"""Streams of messages to clients: server-sent events."""

from __future__ import annotations

from aiwebengine.host.declarations import Declarations
from aiwebengine.host.declare import Argument, Capability, Global, HostCall, Member, Shape

_STREAMS = "Streams"

CAPABILITY = "streams"
"""What it takes to send to the streams, and to the subscriptions, of other scripts."""

STREAM_OPTIONS: dict[str, str] = {
    "auth": (
        '`"required"` refuses clients that are not authenticated: until the server has users, those '
        'without the administrator token; `"optional"` and `"none"` accept all clients'
    ),
    "attributes": (
        "`(req, ctx) => object`: returns the attributes of the client, with which the `to` of a "
        "message is compared; the parameters of the path are attributes too. If it throws, the "
        "client is refused"
    ),
    "onConnect": (
        "`(req, ctx) => message`: runs when a client connects, after `attributes`; returns the "
        "client's first message. If it throws, the client is refused"
    ),
    "filter": (
        "`(message, clients) => boolean[]`: gets the attributes of all clients that `to` selects, and "
        "returns for each whether it gets the message. It is synchronous, may use 50 ms of processor "
        "time, and cannot make host calls"
    ),
    "history": "number of messages that are kept for clients that reconnect; 0 for none",
    "slow": (
        'what happens to a client that reads too slowly: `"drop-oldest"` drops its oldest messages and '
        'sends it an event `gap`, `"disconnect"` disconnects it'
    ),
    "summary": "one sentence, shown in lists of routes",
    "tags": "words by which lists of routes can be grouped",
}
"""Options of `registerWebStream`, with what they mean."""

_MESSAGE_BYTES = 256 * 1024
_OPTION_TYPES = {
    "auth": '"none" | "optional" | "required"',
    "attributes": "(req: HandlerRequest<Params>, ctx: HandlerContext) => "
    "StreamAttributes | void | Promise<StreamAttributes | void>",
    "onConnect": "(req: HandlerRequest<Params>, ctx: HandlerContext) => unknown",
    "filter": "(message: any, clients: StreamAttributes[]) => boolean[]",
    "history": "number | false",
    "slow": '"drop-oldest" | "disconnect"',
    "summary": "string",
    "tags": "string | string[]",
}

_DATA = Argument(
    name="data",
    kind="any",
    doc=(
        "The message: a string is sent unchanged, any other value as JSON; at most 256 KiB (setting "
        "`live.max_message_bytes`)."
    ),
    max_bytes=_MESSAGE_BYTES,
)
_OPTIONS = Argument(
    name="options",
    kind="object",
    type="StreamMessageOptions",
    optional=True,
    doc="The recipients, the name of the event, and when it is sent.",
)

CALLS: tuple[HostCall, ...] = (
    HostCall(
        name="sendStreamMessage",
        group=_STREAMS,
        arguments=(_DATA, _OPTIONS),
        returns="void",
        effect="held",
        errors=("too_large", "too_many"),
        doc=("Sends a message to the clients of all streams of this script."),
        example=(
            'registerWebStream("/events");\n'
            'registerWebHandler("/notes", (req) => {\n'
            '  sendStreamMessage({ type: "note", text: req.body });\n'
            '  return "sent";\n'
            '}, "POST");'
        ),
    ),
    HostCall(
        name="sendStreamMessageToPath",
        group=_STREAMS,
        arguments=(
            Argument(
                name="path",
                kind="string",
                doc="The path as it was registered, or a path that it matches.",
                max_length=1024,
                empty=False,
            ),
            _DATA,
            _OPTIONS,
        ),
        returns="void",
        effect="held",
        partly=CAPABILITY,
        errors=("denied", "not_found", "too_large", "too_many"),
        doc=(
            "Sends a message to the clients of one stream. If the path is the registered one, such as `/rooms/:room`, "
            "all clients of the stream get the message; if it is one that the registered path matches, such as "
            "`/rooms/7`, only the clients with these parameters. "
            f"For a stream of another script the capability `{CAPABILITY}` is needed."
        ),
        example=(
            'registerWebStream("/rooms/:room");\n'
            'registerWebHandler("/rooms/:room", (req) => {\n'
            "  sendStreamMessageToPath(`/rooms/${req.params.room}`, { text: req.body });\n"
            '  return "sent";\n'
            '}, "POST");'
        ),
    ),
)

_GLOBALS = (
    Global(
        name="registerWebStream",
        group=_STREAMS,
        kind="function",
        importable=True,
        effect="held",
        errors=("closed", "too_many"),
        doc=(
            "Registers a stream of server-sent events, which a browser reads with `new EventSource(path)`. "
            "The server holds the connections: they use no process of the script, and stay open when the "
            "script is deployed again. The parameters of the path are attributes of the client. A client that "
            "reconnects gets the messages that it missed, or an event `gap` if they are no longer kept. An "
            "event `end` has the reason why a stream ends."
        ),
        signatures=("<Path extends string>(path: Path, options?: StreamOptions<PathParams<Path>>): void",),
        example=(
            'registerWebStream("/news");\n'
            'registerWebStream("/rooms/:room", {\n'
            '  attributes: (req) => ({ user: req.query.user ?? "guest" }),\n'
            "  onConnect: async (req) => ({ topic: await kv.get(`topic/${req.params.room}`) }),\n"
            "  history: 50,\n"
            "});"
        ),
    ),
)

_SHAPES = (
    Shape(
        name="StreamAttributes",
        doc="The attributes of a client; the `to` of a message is compared with them.",
        alias="{ [name: string]: string | number | boolean | null | (string | number | boolean | null)[] }",
    ),
    Shape(
        name="StreamOptions<Params = Record<string, string>>",
        doc=("Options of a stream. An unknown option is an error, which names the nearest option."),
        members=tuple(
            Member(signature=f"{name}?: {_OPTION_TYPES[name]}", doc=doc[0].upper() + doc[1:] + ".")
            for name, doc in STREAM_OPTIONS.items()
        ),
    ),
    Shape(
        name="StreamMessageOptions",
        doc="Options of a message.",
        members=(
            Member(
                signature="to?: StreamAttributes",
                doc=(
                    "The recipients: clients whose attributes have all these values. A list, on either side, "
                    "matches any of its values; a client without the attribute does not match."
                ),
            ),
            Member(signature="event?: string", doc=("The name of the event; default `message`.")),
            Member(
                signature="immediate?: boolean",
                doc="Send the message at once, even if the handler fails afterwards.",
            ),
        ),
    ),
)

DECLARATIONS = Declarations(
    calls=CALLS,
    globals=_GLOBALS,
    shapes=_SHAPES,
    advice={"node:net": "To send events to browsers use registerWebStream."},
    capabilities=(Capability(name=CAPABILITY, doc="send messages to the streams and subscriptions of other scripts"),),
)
"""All declarations of this feature."""
