"""Streams of messages to clients: server-sent events."""

from __future__ import annotations

from aiwebengine.host.declarations import Declarations
from aiwebengine.host.declare import Argument, Capability, Global, HostCall, Member, Shape

_STREAMS = "Streams"

CAPABILITY = "streams"
"""What it takes to send to the streams, and to the subscriptions, of other scripts."""

STREAM_OPTIONS: dict[str, str] = {
    "auth": '`"required"` refuses clients that are not signed in: until there are users, those without the '
    'administrator token; `"optional"` and `"none"` accept everybody',
    "attributes": "`(req, ctx) => object`: what the `to` of messages is compared with, beside the parameters of the "
    "path; what it throws refuses the client",
    "onConnect": "`(req, ctx) => message`: runs when a client connects, after `attributes`; what it returns is the "
    "client's first message, and what it throws refuses the client",
    "filter": "`(message, clients) => boolean[]`: of all clients whom `to` lets through, given as their attributes, "
    "which ones get the message; it is synchronous, has 50 ms of processor time and makes no calls to the server",
    "history": "how many of the last messages are kept for clients who come back; 0 for none",
    "slow": '`"drop-oldest"` for a client that reads too slowly, who is told by a `gap` event, or `"disconnect"`',
    "summary": "one sentence for people who read the list of routes",
    "tags": "words that group routes in that list",
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
        "The message: a string as it is, anything else as JSON; at most 256 KiB of it, unless the setting "
        "`live.max_message_bytes` says otherwise."
    ),
    max_bytes=_MESSAGE_BYTES,
)
_OPTIONS = Argument(
    name="options",
    kind="object",
    type="StreamMessageOptions",
    optional=True,
    doc="To whom it goes, the name of the event, and when it leaves.",
)

CALLS: tuple[HostCall, ...] = (
    HostCall(
        name="sendStreamMessage",
        group=_STREAMS,
        arguments=(_DATA, _OPTIONS),
        returns="void",
        effect="held",
        errors=("too_large", "too_many"),
        doc=(
            "Sends a message to the clients of all streams of this script. "
            "It leaves when the handler has returned and what it stored is kept; when it fails, nothing leaves."
        ),
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
                doc="The path as it was registered, for all its clients, or one that it matches.",
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
            "Sends a message to the clients of one stream. The path is the one that was registered, then all its "
            "clients are meant, or one that it matches, then those with these parameters. "
            f"A stream of another script needs the capability `{CAPABILITY}`."
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
            "The connections are the server's: they take no process of the script, and stay open when the script is "
            "deployed again. The parameters of the path are attributes of the client. A client that comes back gets "
            "what it missed, or an event `gap` where that is kept no longer; an event `end` says why a stream ends."
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
        doc="What is known of a client, and what the `to` of a message is compared with.",
        alias="{ [name: string]: string | number | boolean | null | (string | number | boolean | null)[] }",
    ),
    Shape(
        name="StreamOptions<Params = Record<string, string>>",
        doc="Options of a stream. An unknown option is refused with the nearest name.",
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
                    "Whom it is for: clients whose attributes have all these values. A list on either side means any "
                    "of them; a client without such an attribute is not meant."
                ),
            ),
            Member(signature="event?: string", doc="The name of the event; `message` if none is given."),
            Member(
                signature="immediate?: boolean",
                doc="Send it at once, even if the handler fails.",
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
"""All of it."""
