"""What every engine offers scripts beyond the standards: registration, answers, pages, the log, errors."""

from __future__ import annotations

from aiwebengine.host.declare import Global, Member

_REGISTRATION = "Registration"
_ANSWERS = "Answers"
_PAGES = "Pages"
_LOG = "Logs"
_SETTINGS = "Plain settings"
_ERRORS = "Errors"

GLOBALS: tuple[Global, ...] = (
    Global(
        name="registerWebHandler",
        group=_REGISTRATION,
        kind="function",
        importable=True,
        effect="held",
        errors=("closed", "too_many"),
        doc=(
            "Registers a handler: the function that answers requests for a path. A path is exact (`/notes`), "
            "has parameters (`/notes/:id` or `/notes/{id}`), or ends with a wildcard (`/files/*` or "
            "`/files/*path`). The third argument is a method, a list of methods, or the options; without it "
            "the method is GET. Call it at the top level or in `init`. If a script registers the same path "
            "and method twice, the later registration replaces the earlier one, and the deployment has a "
            "warning; if another script has them, the deployment is refused."
        ),
        signatures=(
            (
                "<Path extends string>"
                "(path: Path, handler: Handler<PathParams<Path>> | string, methods?: HttpMethod | HttpMethod[]): void"
            ),
            (
                "(path: string, handler: Handler<any, any, any> | string, "
                "options: RouteOptions & "
                "({ query: JsonSchema | StandardSchema } | { params: JsonSchema | StandardSchema })): void"
            ),
            (
                "<Path extends string>"
                "(path: Path, handler: Handler<PathParams<Path>> | string, options: RouteOptions): void"
            ),
        ),
        example=(
            'registerWebHandler("/hello/:name", (req) => ({ hello: req.params.name }));\n'
            'registerWebHandler("/echo", (req) => req.body, { method: "POST", timeout: "2s" });'
        ),
    ),
    Global(
        name="use",
        group=_REGISTRATION,
        kind="function",
        importable=True,
        effect="held",
        errors=("closed", "too_many"),
        doc=(
            "Registers middleware that runs around every handler of this script, and around the answers that "
            "the server gives itself for the script's paths: 404, 405, and the answer to `OPTIONS`. "
            "Middleware runs in the order in which it was registered."
        ),
        signatures=("(middleware: Middleware): void",),
        example=(
            "use(async (req, ctx, next) => {\n"
            "  const answer = await next();\n"
            '  console.info("answered", { path: req.path });\n'
            "  return answer;\n"
            "});\n"
            'registerWebHandler("/", () => "hello");'
        ),
    ),
    Global(
        name="register",
        group=_REGISTRATION,
        kind="function",
        effect="held",
        deprecated="registerWebHandler",
        doc=("The older name of `registerWebHandler`. A script that uses it gets one warning in its log."),
        signatures=("(path: string, handler: Handler | string, method?: string): void",),
        example='register("/old", "answer", "GET");\nfunction answer() {\n  return { status: 200, body: "old" };\n}',
    ),
    Global(
        name="json",
        group=_ANSWERS,
        kind="function",
        importable=True,
        doc="Returns a JSON answer with a status and headers.",
        signatures=("(value: unknown, init?: AnswerInit | number): MadeAnswer",),
        example=(
            'registerWebHandler("/made", () => json({ id: 1 }, { status: 201 }), "POST");\n'
            'registerWebHandler("/busy", () => json({ busy: true }, { status: 503, headers: { "retry-after": "5" } }));'
        ),
    ),
    Global(
        name="redirect",
        group=_ANSWERS,
        kind="function",
        importable=True,
        doc="Returns an answer that redirects the client; the default status is 302.",
        signatures=("(url: string | URL, status?: 301 | 302 | 303 | 307 | 308): MadeAnswer",),
        example='registerWebHandler("/old", () => redirect("/new", 301));',
    ),
    Global(
        name="httpError",
        group=_ANSWERS,
        kind="function",
        importable=True,
        doc=(
            "Returns an error with an HTTP status and a message for the client. If it is thrown, everything "
            "that the handler wrote is dropped; if it is returned, that is committed."
        ),
        signatures=("(status: number, message?: string, details?: unknown): HttpError",),
        example=(
            'registerWebHandler("/notes/:id", (req) => {\n'
            '  throw httpError(404, "There is no note " + req.params.id + ".");\n'
            "});"
        ),
    ),
    Global(
        name="HttpError",
        group=_ANSWERS,
        kind="class",
        extends="Error",
        doc=(
            "The class of the errors that `httpError` returns. The client gets `application/problem+json`, or "
            "a page if it is a browser; the properties of `details` become members of the problem document."
        ),
        members=(
            Member(signature="constructor(status: number, message?: string, details?: unknown)"),
            Member(signature="readonly status: number"),
            Member(signature="readonly details?: unknown"),
        ),
        example=(
            "use(async (req, ctx, next) => {\n"
            "  try {\n"
            "    return await next();\n"
            "  } catch (error) {\n"
            '    if (error instanceof HttpError) console.warn("refused", { status: error.status });\n'
            "    throw error;\n"
            "  }\n"
            "});\n"
            'registerWebHandler("/never", () => { throw httpError(403, "Never."); });'
        ),
    ),
    Global(
        name="html",
        group=_PAGES,
        kind="object",
        type="HtmlTag",
        importable=True,
        doc=("A template tag that returns `Html`. Every value is escaped, unless it is `Html` itself."),
        example='registerWebHandler("/page", (req) => html`<h1>Hello ${req.query.name}</h1>`);',
    ),
    Global(
        name="h",
        group=_PAGES,
        kind="function",
        importable=True,
        doc=(
            "Returns `Html` for a tag or a component with its properties and children. JSX is compiled to calls of it."
        ),
        signatures=(
            "(type: string | Component, props?: { [name: string]: any } | null, ...children: Renderable[]): Html",
        ),
        example='registerWebHandler("/h", () => h("p", { className: "note" }, "a < b"));',
    ),
    Global(
        name="Fragment",
        group=_PAGES,
        kind="function",
        importable=True,
        doc=("A component that renders its children without a tag around them; `<>...</>` in JSX."),
        signatures=("(props: { children?: any } | null): Html",),
        example='registerWebHandler("/f", () => h(Fragment, null, h("p", null, "one"), h("p", null, "two")));',
    ),
    Global(
        name="env",
        group=_SETTINGS,
        kind="object",
        type="Readonly<Record<string, string | undefined>>",
        doc=(
            "Plain settings of the script, by name: those of `env` in its manifest, and in their place those that the "
            "server's setting `scripts.env` has for it. Values are strings. `process.env` has the same."
        ),
        example='registerWebHandler("/env", () => `${env.GREETING ?? "Hello"}!`);',
    ),
    Global(
        name="console",
        group=_LOG,
        kind="object",
        effect="evidence",
        doc=(
            "Writes to the script's log. Values of any type are logged with their structure; the properties "
            "of a plain object as the last argument become the fields of the log line."
        ),
        members=(
            Member(signature="log(...values: unknown[]): void", doc=("Logs a line with the level info.")),
            Member(signature="info(...values: unknown[]): void", doc="The same as `log`."),
            Member(signature="warn(...values: unknown[]): void", doc=("Logs a line with the level warn.")),
            Member(
                signature="error(...values: unknown[]): void",
                doc=("Logs a line with the level error. An Error is logged with its stack and its cause."),
            ),
            Member(signature="debug(...values: unknown[]): void", doc=("Logs a line with the level debug.")),
            Member(signature="trace(...values: unknown[]): void", doc=("Logs a line with the stack of the call.")),
            Member(
                signature="table(rows: unknown, columns?: string[]): void", doc=("Logs a list of objects as a table.")
            ),
            Member(signature="dir(value: unknown): void", doc=("Logs one value with its structure.")),
            Member(
                signature="assert(condition?: unknown, ...values: unknown[]): void",
                doc=("Logs an error if the condition is false."),
            ),
            Member(signature="time(label?: string): void", doc="Starts a timer."),
            Member(
                signature="timeLog(label?: string, ...values: unknown[]): void",
                doc=("Logs the time since the timer was started."),
            ),
            Member(
                signature="timeEnd(label?: string): void",
                doc=("Logs the time since the timer was started, and removes the timer."),
            ),
            Member(signature="count(label?: string): void", doc=("Logs how often it was called with this label.")),
            Member(signature="group(...values: unknown[]): void", doc=("Indents the following lines.")),
            Member(signature="groupEnd(): void", doc="Ends the indentation."),
        ),
        example='registerWebHandler("/log", () => { console.info("looked", { times: 3 }); return "ok"; });',
    ),
    Global(
        name="writeLog",
        group=_LOG,
        kind="function",
        effect="evidence",
        deprecated="console.log",
        doc=("The older name of `console.log`. A script that uses it gets one warning in its log."),
        signatures=("(message: unknown): void",),
        example='registerWebHandler("/write", () => { writeLog("hello"); return "ok"; });',
    ),
    Global(
        name="HostError",
        group=_ERRORS,
        kind="class",
        importable=True,
        extends="Error",
        doc="The error that a host call throws if it is refused or fails.",
        members=(
            Member(signature="readonly code: HostErrorCode", doc="The reason, as a code."),
            Member(signature="readonly call: string", doc="The call that was refused, such as `registerWebHandler`."),
            Member(signature="readonly hint?: string", doc=("What to change, or where it is documented.")),
            Member(signature="readonly retryAfter?: number", doc=("The seconds after which to try again.")),
            Member(signature="readonly details?: unknown", doc="Details of the error."),
        ),
        example=(
            'registerWebHandler("/late", () => {\n'
            "  try {\n"
            '    registerWebHandler("/later", () => "Hello.");\n'
            "  } catch (error) {\n"
            '    if (error instanceof HostError && error.code === "closed") return error.message;\n'
            "    throw error;\n"
            "  }\n"
            "});"
        ),
    ),
)
"""Every global of the engine's own, in the order of the reference page."""
