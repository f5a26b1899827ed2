"""GraphQL: what scripts add to the schema, and messages to subscriptions."""

from __future__ import annotations

import re

from aiwebengine.features.graphql.codes import CODES
from aiwebengine.host.declarations import Declarations
from aiwebengine.host.declare import Argument, Global, HostCall, Member, Shape

_GRAPHQL = "GraphQL"
_MESSAGE_BYTES = 256 * 1024
_OPTION_TYPES = {
    "writes": "boolean",
    "description": "string",
    "history": "number",
    "batch": "boolean",
    "parse": "(value: any) => unknown",
    "serialize": "(value: any) => unknown",
    "specifiedBy": "string",
}

PART_OPTIONS: dict[str, dict[str, str]] = {
    "query": {
        "writes": "whether the resolver may change things; then it is a unit of its own, as a mutation is",
        "description": "what the schema says of the field, unless the SDL does",
    },
    "mutation": {"description": "what the schema says of the field, unless the SDL does"},
    "subscription": {
        "history": "how many of the last messages are kept for clients of server-sent events who come back",
        "description": "what the schema says of the field, unless the SDL does",
    },
    "field": {"batch": "`false`: the handler is called with one object at a time, not with all of a batch"},
    "scalar": {
        "parse": "`(value) => value`: checks and changes what a client sends; if it throws, the value is refused",
        "serialize": "`(value) => value`: changes what a resolver returned into what the client gets",
        "description": "what the schema says of it",
        "specifiedBy": "address of its specification",
    },
}
"""Options of each kind of registration, with what they mean."""

CAPABILITY = "streams"
"""What it takes to send to the subscriptions of other scripts; the same as for their streams."""

CALLS: tuple[HostCall, ...] = (
    HostCall(
        name="sendSubscriptionMessage",
        group=_GRAPHQL,
        arguments=(
            Argument(
                name="name",
                kind="string",
                doc="The field, as it was registered with `registerSubscriptionHandler`.",
                max_length=200,
                empty=False,
            ),
            Argument(
                name="payload",
                kind="any",
                doc=(
                    "A value of the field's type, at most 256 KiB as JSON, unless the setting "
                    "`live.max_message_bytes` says otherwise."
                ),
                max_bytes=_MESSAGE_BYTES,
            ),
            Argument(
                name="options",
                kind="object",
                type="SubscriptionMessageOptions",
                optional=True,
                doc="To whom it goes, and when it leaves.",
            ),
        ),
        returns="void",
        effect="held",
        partly=CAPABILITY,
        errors=("denied", "not_found", "too_large", "too_many"),
        doc=(
            "Sends a value of a subscription's field to its subscribers, or to those whose attributes have all that "
            "`to` says. It leaves when the handler has returned and what it stored is kept; when it fails, nothing "
            f"leaves. A subscription of another script needs the capability `{CAPABILITY}`."
        ),
        example=(
            'registerSubscriptionHandler("tick", "tick: Int!");\n'
            'registerWebHandler("/tick", () => {\n'
            '  sendSubscriptionMessage("tick", Date.now() % 1000);\n'
            '  return "sent";\n'
            "});"
        ),
    ),
)

_GLOBALS: tuple[Global, ...] = (
    Global(
        name="registerQueryHandler",
        group=_GRAPHQL,
        kind="function",
        importable=True,
        effect="held",
        errors=("closed", "too_many"),
        doc=(
            "Adds a field to the queries of the GraphQL schema at `/graphql`. "
            "The second argument is SDL: the field alone, perhaps with types after it, or `type Query { ... }` and "
            "any types. Types that several scripts define are merged; a contradiction is refused. "
            "A query only reads: what would change something is denied, unless the field has `{ writes: true }`."
        ),
        signatures=(
            "<Args = any>(name: string, sdl: string, resolver: Resolver<Args> | string, options?: QueryOptions): void",
        ),
        example=(
            "registerQueryHandler(\n"
            '  "note",\n'
            "  `type Query { note(id: ID!): Note }\n"
            "   type Note { id: ID!, text: String! }`,\n"
            "  async ({ id }) => (await kv.get(`note/${id}`)) ?? null,\n"
            ");\n"
            'registerQueryHandler("version", "version: String!", () => "1.0");'
        ),
    ),
    Global(
        name="registerMutationHandler",
        group=_GRAPHQL,
        kind="function",
        importable=True,
        effect="held",
        errors=("closed", "too_many"),
        doc=(
            "Adds a field to the mutations of the GraphQL schema. Each such field of an operation is one unit, one "
            "after the other: what its resolver does is kept when it has returned, all of it or nothing."
        ),
        signatures=(
            (
                "<Args = any>"
                "(name: string, sdl: string, resolver: Resolver<Args> | string, options?: MutationOptions): void"
            ),
        ),
        example=(
            "registerMutationHandler(\n"
            '  "addNote",\n'
            '  "addNote(text: String!): Note!  type Note { id: ID!, text: String! }",\n'
            "  async ({ text }) => {\n"
            '    if (text.length > 1000) throw httpError(422, "A note has at most 1,000 characters.");\n'
            '    const note = { id: String(await kv.increment("notes")), text };\n'
            "    await kv.set(`note/${note.id}`, note);\n"
            "    return note;\n"
            "  },\n"
            ");"
        ),
    ),
    Global(
        name="registerSubscriptionHandler",
        group=_GRAPHQL,
        kind="function",
        importable=True,
        effect="held",
        errors=("closed", "too_many"),
        doc=(
            "Adds a field to the subscriptions of the GraphQL schema. Clients get what `sendSubscriptionMessage` sends "
            "under its name, each as it has selected. The resolver runs when a client subscribes, and what it throws "
            "refuses the client. It returns nothing (all messages), attributes (an object: what the `to` of messages "
            "is compared with), a function (`(payload) => boolean`, which chooses; the resolver is asked for it again "
            "with each message), a text (the first value), or an async iterable, which is the source itself."
        ),
        signatures=(
            (
                "<Args = any>(name: string, sdl: string, resolver?: SubscriptionResolver<Args> | string, "
                "options?: SubscriptionOptions): void"
            ),
        ),
        example=(
            'registerSubscriptionHandler("noteAdded", "noteAdded(room: ID!): String!", ({ room }) => ({ room }));\n'
            'registerWebHandler("/rooms/:room", (req) => {\n'
            '  sendSubscriptionMessage("noteAdded", req.body, { to: { room: req.params.room } });\n'
            '  return "sent";\n'
            '}, "POST");\n'
            'registerSubscriptionHandler("countdown", "countdown(from: Int!): Int!", async function* ({ from }) {\n'
            "  for (let i = from; i >= 0; i--) yield i;\n"
            "});"
        ),
    ),
    Global(
        name="registerFieldHandler",
        group=_GRAPHQL,
        kind="function",
        importable=True,
        effect="held",
        errors=("closed", "too_many"),
        doc=(
            "Registers who gives the value of one field of an object type, where it is not simply the member of that "
            "name. All objects of which the field is asked for in one moment come together, as a list, and the handler "
            "returns a list with a value for each: one look-up in place of many. It only reads."
        ),
        signatures=(
            (
                "<Parent = any, Args = any>"
                "(field: string, handler: FieldHandler<Parent, Args> | string, options?: FieldOptions): void"
            ),
        ),
        example=(
            'registerQueryHandler("posts", "posts: [Post!]!  type Post { id: ID!, author: String }", () => [\n'
            "  { id: 1, by: 7 },\n"
            "  { id: 2, by: 9 },\n"
            "]);\n"
            'registerFieldHandler("Post.author", async (posts) => {\n'
            "  return Promise.all(posts.map((post) => kv.get(`author/${post.by}`)));\n"
            "});"
        ),
    ),
    Global(
        name="registerScalar",
        group=_GRAPHQL,
        kind="function",
        importable=True,
        effect="held",
        errors=("closed", "too_many"),
        doc=(
            "Adds a scalar type to the schema, or says how one that the SDL declares is read and written. Without "
            "`parse` and `serialize` any JSON passes."
        ),
        signatures=("(name: string, options?: ScalarOptions): void",),
        example=(
            'registerScalar("Date", {\n'
            '  description: "A day, such as 2026-01-31.",\n'
            "  parse: (text) => {\n"
            '    if (!/^\\d{4}-\\d\\d-\\d\\d$/.test(text)) throw new Error("a day is written 2026-01-31");\n'
            "    return text;\n"
            "  },\n"
            "});\n"
            'registerQueryHandler("weekday", "weekday(day: Date!): Int!", ({ day }) => new Date(day).getUTCDay());'
        ),
    ),
    *(
        Global(
            name=old,
            group=_GRAPHQL,
            kind="function",
            effect="held",
            deprecated=new,
            doc=f"The older name of `{new}`; it logs one warning for each script.",
            signatures=("(name: string, sdl: string, resolver: ((args: any) => unknown) | string): void",),
            example=example,
        )
        for old, new, example in (
            (
                "registerGraphQLQuery",
                "registerQueryHandler",
                (
                    'registerGraphQLQuery("hi", "type Query { hi: String }", "hiResolver");\n'
                    'function hiResolver() {\n  return "hi";\n}'
                ),
            ),
            (
                "registerGraphQLMutation",
                "registerMutationHandler",
                (
                    'registerGraphQLMutation("touch", "type Mutation { touch: String }", "touchResolver");\n'
                    'function touchResolver() {\n  return "touched";\n}'
                ),
            ),
            (
                "registerGraphQLSubscription",
                "registerSubscriptionHandler",
                (
                    'registerGraphQLSubscription("live", "type Subscription { live: String }", "liveResolver");\n'
                    'function liveResolver() {\n  return "connected";\n}'
                ),
            ),
        )
    ),
)


def _options(name: str, kind: str, doc: str) -> Shape:
    return Shape(
        name=name,
        doc=doc,
        members=tuple(
            Member(signature=f"{word}?: {_OPTION_TYPES[word]}", doc=meaning[0].upper() + meaning[1:] + ".")
            for word, meaning in PART_OPTIONS[kind].items()
        ),
    )


_SHAPES = (
    Shape(
        name="GraphQLContext",
        doc="The context of a resolver: that of a handler, with the client's request.",
        extends="HandlerContext",
        members=(
            Member(
                signature="connectionParams: { [name: string]: any } | null",
                doc="What a WebSocket client sent with `connection_init`.",
            ),
        ),
    ),
    Shape(
        name="GraphQLInfo",
        doc="The position of a resolver in an operation.",
        members=(
            Member(signature="fieldName: string"),
            Member(signature="parentType: string"),
            Member(signature="returnType: string", doc="As the schema writes it, such as `[Note!]!`."),
            Member(
                signature="path?: (string | number)[]",
                doc="To the field in the result; not where fields come together.",
            ),
            Member(signature='operation: { kind: "query" | "mutation" | "subscription"; name: string | null }'),
            Member(signature="fields: SelectedFields", doc="The fields that are selected below it."),
        ),
    ),
    Shape(
        name="SelectedFields",
        doc="Names of selected fields, each with those below it.",
        members=(Member(signature="[name: string]: SelectedFields"),),
    ),
    Shape(
        name="Resolver<Args = any>",
        doc="Returns the value of a root field, or a Promise of it.",
        alias="(args: Args, ctx: GraphQLContext, info: GraphQLInfo) => unknown",
    ),
    Shape(
        name="SubscriptionResolver<Args = any>",
        doc="Decides what a subscriber gets.",
        alias=(
            "(args: Args, ctx: GraphQLContext, info: GraphQLInfo) => "
            "StreamAttributes | ((payload: any) => boolean) | AsyncIterable<unknown> | string | void | "
            "Promise<StreamAttributes | ((payload: any) => boolean) | AsyncIterable<unknown> | string | void>"
        ),
    ),
    Shape(
        name="FieldHandler<Parent = any, Args = any>",
        doc="Returns the values of a field, one for each object; with `{ batch: false }` it is called with one object.",
        alias="(parents: Parent[], args: Args, ctx: GraphQLContext, info: GraphQLInfo) => unknown",
    ),
    _options("QueryOptions", "query", "Options of a query field."),
    _options("MutationOptions", "mutation", "Options of a mutation field."),
    _options("SubscriptionOptions", "subscription", "Options of a subscription field."),
    _options("FieldOptions", "field", "Options of a field handler."),
    _options("ScalarOptions", "scalar", "How a scalar is read and written."),
    Shape(
        name="SubscriptionMessageOptions",
        doc="Options of a message to a subscription.",
        members=(
            Member(signature="to?: StreamAttributes", doc="Whom it is for; see `StreamMessageOptions`."),
            Member(signature="immediate?: boolean", doc="Send it at once, even if the handler fails."),
        ),
    ),
)

DECLARATIONS = Declarations(
    calls=CALLS,
    globals=_GLOBALS,
    shapes=_SHAPES,
    error_columns={"GraphQL": CODES},
    reserved=(("/graphql*", re.compile(r"/graphql.*")),),
)
"""All of it."""
