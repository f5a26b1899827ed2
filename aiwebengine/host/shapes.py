"""The named types that appear in what scripts see."""

from __future__ import annotations

from aiwebengine.host.declare import Member, Shape
from aiwebengine.host.registration.paths import METHODS
from aiwebengine.host.registration.routes import OPTIONS
from aiwebengine.settings.requested_limits import HANDLER_WORDS, WORDS

_METHOD_TEXTS = " | ".join(f'"{method}"' for method in METHODS)

_OPTION_TYPES = {
    "method": "HttpMethod | HttpMethod[]",
    "timeout": "Duration",
    "limits": "HandlerLimits",
    "middleware": "Middleware | Middleware[]",
    "body": "JsonSchema | StandardSchema",
    "query": "JsonSchema | StandardSchema",
    "params": "JsonSchema | StandardSchema",
    "summary": "string",
    "tags": "string[]",
}

_LIMIT_TYPES = {"ms": "Duration", "bytes": "number | string", "": "number"}

SHAPES: tuple[Shape, ...] = (
    Shape(
        name="Duration",
        doc="A length of time: text with a unit, or a number of milliseconds.",
        alias='`${number}${"ms" | "s" | "m" | "h" | "d"}` | number',
    ),
    Shape(
        name="HandlerLimits",
        doc="What one request of a route may use; more than the server allows is refused.",
        members=tuple(
            Member(signature=f"{word}?: {_LIMIT_TYPES[WORDS[word].unit]}", doc=f"Most {WORDS[word].doc}.")
            for word in HANDLER_WORDS
        ),
    ),
    Shape(
        name="HttpMethod",
        doc="A method that a handler may be registered for; case does not matter.",
        alias=f"{_METHOD_TEXTS} | Lowercase<{_METHOD_TEXTS}>",
    ),
    Shape(
        name="JsonValue",
        doc="Whatever JSON can carry.",
        alias="string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue }",
    ),
    Shape(
        name="JsonSchema",
        doc=(
            "A JSON Schema, draft 2020-12; it is checked by the server. "
            "References stay inside the schema, and patterns have no look-around and no back-references."
        ),
        alias="boolean | { [keyword: string]: unknown }",
    ),
    Shape(
        name="StandardSchema",
        doc="A schema of a package such as Zod, Valibot or ArkType (standardschema.dev); it is asked in the script.",
        members=(
            Member(
                signature=(
                    '"~standard": { version: 1; vendor: string; '
                    "validate(value: unknown): StandardResult | Promise<StandardResult> }"
                )
            ),
        ),
    ),
    Shape(
        name="StandardResult",
        doc="What a schema of a package says of a value.",
        alias="{ value: unknown } | { issues: readonly { message: string; path?: readonly unknown[] }[] }",
    ),
    Shape(
        name="PathParams<Path extends string>",
        doc="The parameters of a path, each a string.",
        alias=(
            "string extends Path\n"
            "  ? { [name: string]: string }\n"
            "  : Path extends `${infer Head}/${infer Tail}`\n"
            "    ? SegmentParams<Head> & PathParams<Tail>\n"
            "    : SegmentParams<Path>"
        ),
    ),
    Shape(
        name="SegmentParams<Segment extends string>",
        doc="The parameter that one segment of a path has.",
        alias=(
            "Segment extends `:${infer Name}` ? { [key in Name]: string }\n"
            "  : Segment extends `{${infer Name}}` ? { [key in Name]: string }\n"
            '  : Segment extends "*" ? { "*": string }\n'
            "  : Segment extends `*${infer Name}` ? { [key in Name]: string }\n"
            "  : {}"
        ),
    ),
    Shape(
        name="RequestHeaders",
        doc="The headers of a request: a plain object with lower-case names, and two methods that ignore case.",
        members=(
            Member(signature="get(name: string): string | null", doc="The value of a header, null if there is none."),
            Member(signature="has(name: string): boolean", doc="Whether there is such a header."),
            Member(signature="[name: string]: any"),
        ),
    ),
    Shape(
        name="HandlerRequest<Params = { [name: string]: string }, Data = any, Query = { [name: string]: string }>",
        doc="The request that a handler answers. Everything is a plain value or a method.",
        members=(
            Member(signature="readonly method: string", doc="In upper case."),
            Member(signature="readonly path: string", doc="The path as it stood on the wire, without the query."),
            Member(signature="readonly url: string", doc="The whole address, as the client sees it."),
            Member(signature="readonly params: Params", doc="What the path's parameters matched, decoded."),
            Member(
                signature="readonly query: Query",
                doc="The query, one string for each name, the first if there are several; "
                "or what the option `query` makes.",
            ),
            Member(signature="readonly queryAll: { [name: string]: string[] }", doc="The query with every value."),
            Member(signature="readonly headers: RequestHeaders", doc="Lower-case names."),
            Member(signature="readonly cookies: { [name: string]: string }", doc="The cookies, decoded."),
            Member(signature="readonly ip: string", doc="The client's address."),
            Member(signature="readonly id: string", doc="The request's id; the answer carries it as `x-request-id`."),
            Member(signature="readonly body: string", doc="The body as text; empty if there is none."),
            Member(
                signature="readonly data: Data", doc="The JSON body after it was checked against the option `body`."
            ),
            Member(
                signature="readonly form: { [name: string]: string }",
                doc="The fields of a posted form, one string for each name.",
            ),
            Member(signature="readonly formAll: { [name: string]: string[] }", doc="The fields with every value."),
            Member(
                signature="readonly files: (File & { readonly field: string })[]", doc="The files of a posted form."
            ),
            Member(
                signature="json<Value = any>(): Promise<Value>",
                doc="The body as JSON; rejects with `httpError(400)` if it is none.",
            ),
            Member(signature="text(): Promise<string>", doc="The body as text."),
            Member(signature="bytes(): Promise<Uint8Array>", doc="The body as bytes."),
            Member(signature="arrayBuffer(): Promise<ArrayBuffer>", doc="The body as bytes."),
            Member(signature="blob(): Promise<Blob>", doc="The body as a Blob of its content type."),
            Member(signature="formData(): Promise<FormData>", doc="The fields and files of a posted form."),
        ),
    ),
    Shape(
        name="HandlerContext",
        doc="The context of one invocation.",
        members=(
            Member(
                signature="readonly user: { readonly id: string; readonly [key: string]: any } | null", doc="Who asks."
            ),
            Member(
                signature="readonly script: { readonly uri: string; readonly version: string }",
                doc="The script and its version.",
            ),
            Member(
                signature="readonly invocation: "
                "{ readonly id: string; readonly deadline: number; readonly budget: InvocationBudget | null; "
                "readonly traceparent: string | null }",
                doc="This run: its id, when it is stopped (milliseconds since 1970), what it may use, and the trace "
                "that it belongs to if a trusted proxy sent the header `traceparent`.",
            ),
            Member(signature="readonly request: HandlerRequest", doc="The request that is answered."),
            Member(signature="readonly log: Console", doc="The same as `console`."),
            Member(signature="readonly signal: AbortSignal", doc="Fires when the client disconnects."),
            Member(
                signature="waitUntil(promise: Promise<unknown>): void",
                doc="Goes on after the answer has been sent; its effects are committed on their own.",
            ),
        ),
    ),
    Shape(
        name="InvocationBudget",
        doc="What one run may use, in the words of the manifest's limits; null at top level and in `init`.",
        members=(
            Member(signature="readonly timeout: number", doc="Milliseconds."),
            Member(signature="readonly cpu: number", doc="Milliseconds of processor time."),
            Member(signature="readonly answer: number", doc="Bytes of the answer's body."),
            Member(signature="readonly stream: number", doc="Bytes of a streamed body."),
            Member(signature="readonly hostCalls: number", doc="Host calls."),
            Member(signature="readonly openHostCalls: number", doc="Host calls that wait at the same time."),
            Member(signature="readonly logLines: number", doc="Log lines."),
            Member(signature="readonly logSize: number", doc="Bytes of log lines."),
        ),
    ),
    Shape(
        name="AnswerEnvelope",
        doc=(
            "An answer in parts. "
            "It is taken as one if `status` is a whole number from 100 to 599 and every key is one of these."
        ),
        members=(
            Member(signature="status: number"),
            Member(signature="body?: unknown", doc="A string, bytes, `Html`, or a value that becomes JSON."),
            Member(signature="bodyBase64?: string", doc="Bytes, as base64."),
            Member(signature="contentType?: string"),
            Member(signature="headers?: { [name: string]: string | string[] }"),
            Member(signature="cookies?: { [name: string]: string | CookieOptions | null }"),
        ),
    ),
    Shape(
        name="CookieOptions",
        doc="A cookie to set; null in its place removes it.",
        members=(
            Member(signature="value: string"),
            Member(signature="maxAge?: number", doc="Seconds; 0 removes it."),
            Member(signature="expires?: Date | string"),
            Member(signature="path?: string", doc="`/` if not given."),
            Member(signature="domain?: string"),
            Member(signature="secure?: boolean"),
            Member(signature="httpOnly?: boolean", doc="True if not given: page scripts cannot read it."),
            Member(signature='sameSite?: "Strict" | "Lax" | "None"', doc="Lax if not given."),
            Member(signature="partitioned?: boolean"),
        ),
    ),
    Shape(
        name="AnswerInit",
        doc="Status and headers of an answer.",
        members=(
            Member(signature="status?: number"),
            Member(signature="headers?: HeadersInit | { [name: string]: string | string[] }"),
            Member(signature="cookies?: { [name: string]: string | CookieOptions | null }"),
            Member(signature="space?: number | string", doc="Of JSON: how far to indent it."),
        ),
    ),
    Shape(
        name="MadeAnswer",
        doc="What `json` and `redirect` make: an envelope that a middleware can read and change.",
        members=(
            Member(signature="status: number"),
            Member(signature="headers: { [name: string]: string | string[] }"),
            Member(signature="body: unknown"),
            Member(signature="contentType: string | null"),
            Member(signature="cookies?: { [name: string]: string | CookieOptions | null }"),
        ),
    ),
    Shape(
        name="Handler<Params = { [name: string]: string }, Data = any, Query = { [name: string]: string }>",
        doc=(
            "A handler answers a request. It returns an envelope, a `Response`, `Html`, a string (text/plain), bytes, "
            "an async iterable or what a generator makes (streamed), any other value (JSON), or nothing (204)."
        ),
        alias="(req: HandlerRequest<Params, Data, Query>, ctx: HandlerContext) => unknown",
    ),
    Shape(
        name="Middleware",
        doc="Runs around a handler: what it returns is the answer, `await next()` gives the handler's.",
        alias="(req: HandlerRequest, ctx: HandlerContext, next: () => any) => unknown",
    ),
    Shape(
        name="RouteOptions",
        doc="Options of a route. An unknown option is refused with the nearest name.",
        members=tuple(
            Member(signature=f"{name}?: {_OPTION_TYPES[name]}", doc=doc[0].upper() + doc[1:] + ".")
            for name, doc in OPTIONS.items()
        ),
    ),
    Shape(
        name="HostErrorCode",
        doc="The codes of `HostError`.",
        alias=" | ".join(
            f'"{code}"'
            for code in (  # noqa: SIM905  words are read as words
                "denied not_found invalid conflict too_large too_many budget unavailable timeout unsupported closed"
            ).split()
        ),
    ),
    Shape(
        name="Html",
        doc="Text that is safe to send as HTML: everything that was put into it has been escaped.",
        members=(
            Member(
                signature="toString(): string", doc="The markup; throws while a promise among the children is open."
            ),
        ),
    ),
    Shape(
        name="HtmlTag",
        doc="The template tag `html`.",
        members=(
            Member(signature="(strings: TemplateStringsArray, ...values: Renderable[]): Html"),
            Member(signature="raw(text: string): Html", doc="Trusts a string as it is."),
            Member(signature="escape(text: unknown): string", doc="The text with `& < > \" '` escaped."),
        ),
    ),
    Shape(
        name="Renderable",
        doc=(
            "What may stand between tags: Html as it is, strings and numbers escaped, "
            "null, undefined and booleans as nothing."
        ),
        alias="Html | string | number | boolean | null | undefined | Iterable<Renderable> | Promise<Renderable>",
    ),
    Shape(
        name="Component<Props = any>",
        doc="A function that renders its properties; `children` is among them.",
        alias="(props: Props & { children?: any }) => Renderable",
    ),
)
"""Every named type, in the order of the declarations."""
