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
        doc="A duration: a string with a unit, or a number of milliseconds.",
        alias='`${number}${"ms" | "s" | "m" | "h" | "d"}` | number',
    ),
    Shape(
        name="HandlerLimits",
        doc=("Limits for one request of a route. They may be lower than those of the server, not higher."),
        members=tuple(
            Member(signature=f"{word}?: {_LIMIT_TYPES[WORDS[word].unit]}", doc=f"Maximum {WORDS[word].doc}.")
            for word in HANDLER_WORDS
        ),
    ),
    Shape(
        name="HttpMethod",
        doc="An HTTP method; upper or lower case.",
        alias=f"{_METHOD_TEXTS} | Lowercase<{_METHOD_TEXTS}>",
    ),
    Shape(
        name="JsonValue",
        doc="A value that JSON can represent.",
        alias="string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue }",
    ),
    Shape(
        name="JsonSchema",
        doc=(
            "A JSON Schema, draft 2020-12. References can only refer to the schema itself; patterns are "
            "JavaScript regular expressions without look-behind and `\\p{...}`."
        ),
        alias="boolean | { [keyword: string]: unknown }",
    ),
    Shape(
        name="StandardSchema",
        doc=(
            "A schema of a package such as Zod, Valibot or ArkType, or your own object of this form "
            "(standardschema.dev). Its function runs in the script."
        ),
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
        doc="The result of a Standard Schema: the value, or what is wrong with it.",
        alias="{ value: unknown } | { issues: readonly { message: string; path?: readonly unknown[] }[] }",
    ),
    Shape(
        name="PathParams<Path extends string>",
        doc="The parameters of a path; all are strings.",
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
        doc="The parameter of one segment of a path.",
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
        doc=("The headers of a request: an object with lower-case names, and two methods that ignore case."),
        members=(
            Member(
                signature="get(name: string): string | null",
                doc=("Returns the value of a header, or null if there is none."),
            ),
            Member(signature="has(name: string): boolean", doc=("Returns whether the request has this header.")),
            Member(signature="[name: string]: any"),
        ),
    ),
    Shape(
        name="HandlerRequest<Params = { [name: string]: string }, Data = any, Query = { [name: string]: string }>",
        doc="The request that a handler answers.",
        members=(
            Member(signature="readonly method: string", doc=("The HTTP method, in upper case.")),
            Member(signature="readonly path: string", doc=("The path as the client sent it, without the query.")),
            Member(signature="readonly url: string", doc=("The URL, as the client sees it.")),
            Member(signature="readonly params: Params", doc=("The parameters of the path, decoded.")),
            Member(
                signature="readonly query: Query",
                doc=(
                    "The query: one string for each name, the first if there are several; or what the option "
                    "`query` makes of it."
                ),
            ),
            Member(
                signature="readonly queryAll: { [name: string]: string[] }",
                doc=("The query with all values of each name."),
            ),
            Member(signature="readonly headers: RequestHeaders", doc=("The headers, with lower-case names.")),
            Member(signature="readonly cookies: { [name: string]: string }", doc="The cookies, decoded."),
            Member(signature="readonly ip: string", doc="The client's address."),
            Member(
                signature="readonly id: string",
                doc=("The id of the request; the answer has it in the header `x-request-id`."),
            ),
            Member(signature="readonly body: string", doc=("The body as a string; empty if there is none.")),
            Member(
                signature="readonly data: Data",
                doc=("The value of the JSON body, after it was checked against the option `body`."),
            ),
            Member(
                signature="readonly form: { [name: string]: string }",
                doc=("The fields of a form: one string for each name, the first if there are several."),
            ),
            Member(
                signature="readonly formAll: { [name: string]: string[] }",
                doc=("The fields of a form with all values of each name."),
            ),
            Member(
                signature="readonly files: (File & { readonly field: string })[]",
                doc=("The files of a form; `field` is the name of the field."),
            ),
            Member(
                signature="json<Value = any>(): Promise<Value>",
                doc=("Returns the body parsed as JSON; rejects with `httpError(400)` if it is not JSON."),
            ),
            Member(signature="text(): Promise<string>", doc=("Returns the body as a string.")),
            Member(signature="bytes(): Promise<Uint8Array>", doc="The body as bytes."),
            Member(signature="arrayBuffer(): Promise<ArrayBuffer>", doc="The body as bytes."),
            Member(signature="blob(): Promise<Blob>", doc=("Returns the body as a Blob with its content type.")),
            Member(signature="formData(): Promise<FormData>", doc=("Returns the fields and files of a form.")),
        ),
    ),
    Shape(
        name="HandlerContext",
        doc="The context of one invocation.",
        members=(
            Member(
                signature="readonly user: { readonly id: string; readonly [key: string]: any } | null",
                doc=("The authenticated user, or null."),
            ),
            Member(
                signature="readonly script: { readonly uri: string; readonly version: string }",
                doc="The script and its version.",
            ),
            Member(
                signature="readonly invocation: "
                "{ readonly id: string; readonly deadline: number; readonly budget: InvocationBudget | null; "
                "readonly traceparent: string | null }",
                doc=(
                    "This invocation: its id, its deadline (milliseconds since 1970), its limits, and the "
                    "trace that it belongs to if a trusted proxy sent the header `traceparent`."
                ),
            ),
            Member(signature="readonly request: HandlerRequest", doc="The request."),
            Member(signature="readonly log: Console", doc="The same as `console`."),
            Member(signature="readonly signal: AbortSignal", doc=("Is aborted when the client disconnects.")),
            Member(
                signature="waitUntil(promise: Promise<unknown>): void",
                doc=(
                    "Continues the invocation after the answer was sent, until the promise is settled. What "
                    "it writes is committed separately."
                ),
            ),
        ),
    ),
    Shape(
        name="InvocationBudget",
        doc=("The limits of one invocation, under the names of the manifest; null at the top level and in `init`."),
        members=(
            Member(signature="readonly timeout: number", doc=("Wall-clock time in milliseconds.")),
            Member(signature="readonly cpu: number", doc=("Processor time in milliseconds.")),
            Member(signature="readonly answer: number", doc=("Size of the answer's body in bytes.")),
            Member(signature="readonly stream: number", doc=("Size of a streamed body in bytes.")),
            Member(signature="readonly hostCalls: number", doc="Number of host calls."),
            Member(
                signature="readonly openHostCalls: number", doc=("Number of host calls that wait at the same time.")
            ),
            Member(signature="readonly logLines: number", doc="Number of log lines."),
            Member(signature="readonly logSize: number", doc=("Size of all log lines in bytes.")),
        ),
    ),
    Shape(
        name="AnswerEnvelope",
        doc=(
            "An answer with status, headers and body. An object counts as one if `status` is an integer from "
            "100 to 599 and it has no other keys than these."
        ),
        members=(
            Member(signature="status: number"),
            Member(signature="body?: unknown", doc="A string, bytes, `Html`, or a value that becomes JSON."),
            Member(signature="bodyBase64?: string", doc="The body as base64."),
            Member(signature="contentType?: string"),
            Member(signature="headers?: { [name: string]: string | string[] }"),
            Member(signature="cookies?: { [name: string]: string | CookieOptions | null }"),
        ),
    ),
    Shape(
        name="CookieOptions",
        doc="A cookie to set. To remove a cookie use null in place of this object.",
        members=(
            Member(signature="value: string"),
            Member(signature="maxAge?: number", doc=("Lifetime in seconds; 0 removes the cookie.")),
            Member(signature="expires?: Date | string"),
            Member(signature="path?: string", doc="Default: `/`."),
            Member(signature="domain?: string"),
            Member(signature="secure?: boolean"),
            Member(
                signature="httpOnly?: boolean", doc=("Default: true, so that scripts in a page cannot read the cookie.")
            ),
            Member(signature='sameSite?: "Strict" | "Lax" | "None"', doc=("Default: `Lax`.")),
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
            Member(signature="space?: number | string", doc="Indentation of JSON."),
        ),
    ),
    Shape(
        name="MadeAnswer",
        doc=("The answer that `json` and `redirect` return; middleware can read and change it."),
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
            "Answers a request. It returns an envelope, a `Response`, `Html`, a string (sent as text/plain), "
            "bytes, an async iterable or a generator (streamed), any other value (sent as JSON), or nothing "
            "(204)."
        ),
        alias="(req: HandlerRequest<Params, Data, Query>, ctx: HandlerContext) => unknown",
    ),
    Shape(
        name="Middleware",
        doc=(
            "Runs around a handler. `await next()` returns the answer of the handler; what the middleware "
            "returns is sent."
        ),
        alias="(req: HandlerRequest, ctx: HandlerContext, next: () => any) => unknown",
    ),
    Shape(
        name="RouteOptions",
        doc=("Options of a route. An unknown option is an error, which names the nearest option."),
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
        doc="A string that is safe to send as HTML: all values in it have been escaped.",
        members=(
            Member(
                signature="toString(): string", doc=("Returns the markup; throws if it contains a pending promise.")
            ),
        ),
    ),
    Shape(
        name="HtmlTag",
        doc="The template tag `html`.",
        members=(
            Member(signature="(strings: TemplateStringsArray, ...values: Renderable[]): Html"),
            Member(signature="raw(text: string): Html", doc=("Returns a string as `Html`, without escaping it.")),
            Member(signature="escape(text: unknown): string", doc=("Returns the string with `& < > \" '` escaped.")),
        ),
    ),
    Shape(
        name="Renderable",
        doc=(
            "What can be rendered: `Html` is inserted unchanged, strings and numbers are escaped, and null, "
            "undefined and booleans render nothing."
        ),
        alias="Html | string | number | boolean | null | undefined | Iterable<Renderable> | Promise<Renderable>",
    ),
    Shape(
        name="Component<Props = any>",
        doc="A function that renders its properties, one of which is `children`.",
        alias="(props: Props & { children?: any }) => Renderable",
    ),
)
"""Every named type, in the order of the declarations."""
