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
        "writes": ("whether the resolver may write; it then runs in a transaction of its own, like a mutation"),
        "description": "description in the schema, unless the SDL has one",
    },
    "mutation": {"description": "description in the schema, unless the SDL has one"},
    "subscription": {
        "history": ("number of messages that are kept for clients of server-sent events that reconnect"),
        "description": "description in the schema, unless the SDL has one",
    },
    "field": {"batch": ("`false`: the handler is called for one object at a time, not for a list")},
    "scalar": {
        "parse": ("`(value) => value`: validates and converts what a client sends; if it throws, the value is refused"),
        "serialize": ("`(value) => value`: converts what a resolver returned into what the client gets"),
        "description": "description in the schema",
        "specifiedBy": "URL of its specification",
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
                doc=("The name of the field, as it was registered with `registerSubscriptionHandler`."),
                max_length=200,
                empty=False,
            ),
            Argument(
                name="payload",
                kind="any",
                doc=("A value of the field's type; at most 256 KiB as JSON (setting `live.max_message_bytes`)."),
                max_bytes=_MESSAGE_BYTES,
            ),
            Argument(
                name="options",
                kind="object",
                type="SubscriptionMessageOptions",
                optional=True,
                doc="The recipients, and when it is sent.",
            ),
        ),
        returns="void",
        effect="held",
        partly=CAPABILITY,
        errors=("denied", "not_found", "too_large", "too_many"),
        doc=(
            "Sends a value to the subscribers of a field, or to those whose attributes match `to`. "
            f"For a subscription of another script the capability `{CAPABILITY}` is needed."
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
            "Adds a field to the queries of the GraphQL schema at `/graphql`. The second argument is SDL: the "
            "field alone, optionally followed by types, or `type Query { ... }` and any types. Types that "
            "several scripts define are merged; contradictions are refused. A query cannot write: a write is "
            "denied, unless the field has the option `{ writes: true }`."
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
            "Adds a field to the mutations of the GraphQL schema. The fields of an operation are executed in "
            "order, each in a transaction: what the resolver writes is committed when it has returned, all of "
            "it or nothing."
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
            "Adds a field to the subscriptions of the GraphQL schema. Clients get what "
            "`sendSubscriptionMessage` sends to the field, with the fields that they have selected. The "
            "resolver runs when a client subscribes; if it throws, the client is refused. It returns nothing "
            "(all messages), an object (attributes, with which the `to` of messages is compared), a function "
            "`(payload) => boolean` (a filter; the resolver runs again for each message, and messages with "
            "`to` are not sent to the client), a string (the first value), or an async iterable (the source "
            "of the values)."
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
            "Registers the resolver of one field of an object type; without one, the field is the object's "
            "property of that name. The handler gets a list of all objects whose field is requested at the "
            "same time, and returns a list with a value for each, so that one look-up is enough. It cannot "
            "write."
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
            "Adds a scalar type to the schema, or defines how a scalar that the SDL declares is parsed and "
            "serialized. Without `parse` and `serialize` it accepts any JSON."
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
            doc=f"The older name of `{new}`. A script that uses it gets one warning in its log.",
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
                doc="What a WebSocket client has sent with `connection_init`.",
            ),
        ),
    ),
    Shape(
        name="GraphQLInfo",
        doc="The position of a resolver in an operation.",
        members=(
            Member(signature="fieldName: string"),
            Member(signature="parentType: string"),
            Member(signature="returnType: string", doc=("The type as in the schema, such as `[Note!]!`.")),
            Member(
                signature="path?: (string | number)[]",
                doc=("The path of the field in the result; missing for a handler that gets a list of objects."),
            ),
            Member(signature='operation: { kind: "query" | "mutation" | "subscription"; name: string | null }'),
            Member(signature="fields: SelectedFields", doc=("The fields that are selected below it.")),
        ),
    ),
    Shape(
        name="SelectedFields",
        doc="The names of selected fields, each with the fields below it.",
        members=(Member(signature="[name: string]: SelectedFields"),),
    ),
    Shape(
        name="Resolver<Args = any>",
        doc="Returns the value of a root field, or a Promise of it.",
        alias="(args: Args, ctx: GraphQLContext, info: GraphQLInfo) => unknown",
    ),
    Shape(
        name="SubscriptionResolver<Args = any>",
        doc=("Decides which messages a subscriber gets; see `registerSubscriptionHandler`."),
        alias=(
            "(args: Args, ctx: GraphQLContext, info: GraphQLInfo) => "
            "StreamAttributes | ((payload: any) => boolean) | AsyncIterable<unknown> | string | void | "
            "Promise<StreamAttributes | ((payload: any) => boolean) | AsyncIterable<unknown> | string | void>"
        ),
    ),
    Shape(
        name="FieldHandler<Parent = any, Args = any>",
        doc=(
            "Returns the values of a field, one for each object; with `{ batch: false }` it is called with one object."
        ),
        alias="(parents: Parent[], args: Args, ctx: GraphQLContext, info: GraphQLInfo) => unknown",
    ),
    _options("QueryOptions", "query", "Options of a query field."),
    _options("MutationOptions", "mutation", "Options of a mutation field."),
    _options("SubscriptionOptions", "subscription", "Options of a subscription field."),
    _options("FieldOptions", "field", "Options of a field handler."),
    _options("ScalarOptions", "scalar", "Options of a scalar."),
    Shape(
        name="SubscriptionMessageOptions",
        doc="Options of a message to a subscription.",
        members=(
            Member(signature="to?: StreamAttributes", doc=("The recipients; see `StreamMessageOptions`.")),
            Member(
                signature="immediate?: boolean", doc=("Send the message at once, even if the handler fails afterwards.")
            ),
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
"""All declarations of this feature."""
