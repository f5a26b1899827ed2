"""What scripts are given for streams of messages to clients."""

from __future__ import annotations

from aiwebengine.host.declare import Global, Member, Shape
from aiwebengine.host.stream_options import STREAM_OPTIONS

_STREAMS = "Streams"

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

STREAM_GLOBALS: tuple[Global, ...] = (
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
    Global(
        name="sendStreamMessage",
        group=_STREAMS,
        kind="function",
        importable=True,
        effect="held",
        errors=("too_large", "too_many"),
        doc=(
            "Sends a message to the clients of all streams of this script: a text as it is, anything else as JSON. "
            "It leaves when the handler has returned and what it stored is kept; when it fails, nothing leaves."
        ),
        signatures=("(data: unknown, options?: StreamMessageOptions): void",),
        example=(
            'registerWebStream("/events");\n'
            'registerWebHandler("/notes", (req) => {\n'
            '  sendStreamMessage({ type: "note", text: req.body });\n'
            '  return "sent";\n'
            '}, "POST");'
        ),
    ),
    Global(
        name="sendStreamMessageToPath",
        group=_STREAMS,
        kind="function",
        importable=True,
        effect="held",
        errors=("denied", "not_found", "too_large", "too_many"),
        doc=(
            "Sends a message to the clients of one stream. The path is the one that was registered, then all its "
            "clients are meant, or one that it matches, then those with these parameters. "
            "A stream of another script needs the capability `streams`."
        ),
        signatures=("(path: string, data: unknown, options?: StreamMessageOptions): void",),
        example=(
            'registerWebStream("/rooms/:room");\n'
            'registerWebHandler("/rooms/:room", (req) => {\n'
            "  sendStreamMessageToPath(`/rooms/${req.params.room}`, { text: req.body });\n"
            '  return "sent";\n'
            '}, "POST");'
        ),
    ),
)

STREAM_SHAPES: tuple[Shape, ...] = (
    Shape(
        name="StreamAttributes",
        doc="What is known of a client, and what the `to` of a message is compared with.",
        alias="{ [name: string]: string | number | boolean | null | (string | number | boolean | null)[] }",
    ),
    Shape(
        name="StreamOptions<Params = Record<string, string>>",
        doc="What else a stream may say. An unknown option is refused with the nearest name.",
        members=tuple(
            Member(signature=f"{name}?: {_OPTION_TYPES[name]}", doc=doc[0].upper() + doc[1:] + ".")
            for name, doc in STREAM_OPTIONS.items()
        ),
    ),
    Shape(
        name="StreamMessageOptions",
        doc="What else a message may say.",
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
                doc="Whether it leaves at once, whatever becomes of the invocation.",
            ),
        ),
    ),
)
