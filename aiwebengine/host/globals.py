"""What every engine gives to scripts beyond the standards: registration, answers, pages, the log, errors."""

from __future__ import annotations

from aiwebengine.host.declare import Global, Member

_REGISTRATION = "Registration"
_ANSWERS = "Answers"
_PAGES = "Pages"
_LOG = "Logs"
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
            "Registers the function that answers a path. "
            "A path is exact (`/notes`), has parameters (`/notes/:id` or `/notes/{id}`), or ends with a wildcard "
            "(`/files/*` or `/files/*path`). "
            "The third argument is a method or the options; the method is GET if none is given. "
            "It works at the top level and in `init`; within one script a later registration of the same path and "
            "method wins, with a warning at the deployment, and between scripts it is a conflict that the deployment "
            "reports."
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
        doc="Puts a middleware around every handler of this script, in the order of the calls, and around what the "
        "server answers by itself at the script's paths: 404, 405, and `OPTIONS`.",
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
        doc="The older name of `registerWebHandler`; it logs one warning for each script.",
        signatures=("(path: string, handler: Handler | string, method?: string): void",),
        example='register("/old", "answer", "GET");\nfunction answer() {\n  return { status: 200, body: "old" };\n}',
    ),
    Global(
        name="json",
        group=_ANSWERS,
        kind="function",
        importable=True,
        doc="Makes a JSON answer with a status and headers of its own.",
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
        doc="Makes an answer that sends the client elsewhere; the status is 302 if none is given.",
        signatures=("(url: string | URL, status?: 301 | 302 | 303 | 307 | 308): MadeAnswer",),
        example='registerWebHandler("/old", () => redirect("/new", 301));',
    ),
    Global(
        name="httpError",
        group=_ANSWERS,
        kind="function",
        importable=True,
        doc=(
            "Makes an error with an HTTP status, for clients to read. "
            "Thrown it rolls the invocation back, returned it commits what the handler did."
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
            "The class of what `httpError` makes. "
            "Its answer is `application/problem+json`, and a page for a browser; "
            "the members of `details` stand beside the standard ones."
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
        doc="A template tag that makes `Html`: every value is escaped unless it is `Html` itself.",
        example='registerWebHandler("/page", (req) => html`<h1>Hello ${req.query.name}</h1>`);',
    ),
    Global(
        name="h",
        group=_PAGES,
        kind="function",
        importable=True,
        doc="What JSX calls: makes `Html` of a tag or a component, its properties and its children.",
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
        doc="What `<>...</>` in JSX is: children without a tag around them.",
        signatures=("(props: { children?: any } | null): Html",),
        example='registerWebHandler("/f", () => h(Fragment, null, h("p", null, "one"), h("p", null, "two")));',
    ),
    Global(
        name="console",
        group=_LOG,
        kind="object",
        effect="evidence",
        doc=(
            "The script's log. Values of any kind are kept with their structure; a plain object as the last argument "
            "becomes the fields of the line. Lines are kept even when the invocation is rolled back or killed."
        ),
        members=(
            Member(signature="log(...values: unknown[]): void", doc="A line of the level info."),
            Member(signature="info(...values: unknown[]): void", doc="The same as `log`."),
            Member(signature="warn(...values: unknown[]): void", doc="A warning."),
            Member(signature="error(...values: unknown[]): void", doc="An error; of an Error its stack is kept."),
            Member(signature="debug(...values: unknown[]): void", doc="A line of the level debug."),
            Member(signature="trace(...values: unknown[]): void", doc="A line with the stack of the call."),
            Member(signature="table(rows: unknown, columns?: string[]): void", doc="A list of objects, as a table."),
            Member(signature="dir(value: unknown): void", doc="One value, with its structure."),
            Member(signature="assert(condition?: unknown, ...values: unknown[]): void", doc="An error if it is false."),
            Member(signature="time(label?: string): void", doc="Starts a timer."),
            Member(
                signature="timeLog(label?: string, ...values: unknown[]): void", doc="Logs the time since it started."
            ),
            Member(signature="timeEnd(label?: string): void", doc="Logs the time since it started, and ends it."),
            Member(signature="count(label?: string): void", doc="Logs how often it was called."),
            Member(signature="group(...values: unknown[]): void", doc="Indents the lines that follow."),
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
        doc="The older name of `console.log`; it logs one warning for each script.",
        signatures=("(message: unknown): void",),
        example='registerWebHandler("/write", () => { writeLog("hello"); return "ok"; });',
    ),
    Global(
        name="HostError",
        group=_ERRORS,
        kind="class",
        importable=True,
        extends="Error",
        doc="What a call to the server throws when it is refused or fails.",
        members=(
            Member(signature="readonly code: HostErrorCode", doc="The kind of refusal."),
            Member(signature="readonly call: string", doc="The call that was refused, such as `registerWebHandler`."),
            Member(signature="readonly hint?: string", doc="Where to read on."),
            Member(signature="readonly retryAfter?: number", doc="Seconds after which to try again."),
            Member(signature="readonly details?: unknown", doc="Facts that belong to the refusal."),
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
