"""What the prelude gives to scripts beyond the standards: registration, answers, pages, the log."""

from __future__ import annotations

from aiwebengine.host.declare import Global, Member
from aiwebengine.host.graphql_globals import GRAPHQL_GLOBALS
from aiwebengine.host.socket_globals import SOCKET_GLOBALS
from aiwebengine.host.stream_globals import STREAM_GLOBALS

_REGISTRATION = "Registration"
_ANSWERS = "Answers"
_PAGES = "Pages"
_LOG = "Logs"
_STORAGE = "Storage"
_ERRORS = "Errors"

_STORAGE_MEMBERS = (
    Member(signature="getItem(key: string): string | null", doc="The text; null if there is none."),
    Member(signature="setItem(key: string, value: string): void", doc="Stores a text; anything else is refused."),
    Member(signature="removeItem(key: string): void", doc="Removes it."),
    Member(signature="clear(): void", doc="Removes everything, at most 1,000 keys at once."),
    Member(signature="key(index: number): string | null", doc="The key at a place, in their order."),
    Member(
        signature="readonly length: number",
        doc="How many there are; known after `key(0)` was called in the invocation, for a getter cannot wait.",
    ),
)

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
            "method wins, between scripts it is a conflict that the deployment reports."
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
        doc="Puts a middleware around every handler of this script, in the order of the calls.",
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
            "Its answer is `application/problem+json`; the members of `details` stand beside the standard ones."
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
        name="kv",
        group=_STORAGE,
        kind="object",
        importable=True,
        effect="held",
        sync=False,
        errors=("conflict", "too_large", "too_many", "unavailable"),
        doc=(
            "Values by key, of this script alone: anything that JSON can hold. "
            "What is written is there for everybody when the handler has returned, all of it or nothing; the "
            "invocation itself sees it at once. If somebody else has changed what it had read before it wrote, the "
            "handler runs again. Versions are texts that are new with every write."
        ),
        members=(
            Member(signature="get<T = unknown>(key: string): Promise<T | undefined>", doc="The value."),
            Member(
                signature=(
                    "getWithVersion<T = unknown>(key: string): Promise<{ value: T; version: string } | undefined>"
                ),
                doc="The value and its version.",
            ),
            Member(
                signature=(
                    "set(key: string, value: unknown, "
                    "options?: { ttl?: Duration; ifVersion?: string | null }): Promise<string>"
                ),
                doc=(
                    "Writes; gives the new version. `ttl` is how long it lives; with `ifVersion` it throws `conflict` "
                    "unless the key is at that version, null for none."
                ),
            ),
            Member(
                signature="delete(key: string, options?: { ifVersion?: string }): Promise<boolean>",
                doc="Removes; whether there was anything.",
            ),
            Member(
                signature="increment(key: string, by?: number): Promise<number>",
                doc="Counts up, from 0 if there is nothing; gives the new number.",
            ),
            Member(
                signature=(
                    "update<T = unknown>(key: string, change: (value: T | undefined) => T | Promise<T>, "
                    "options?: { retries?: number }): Promise<T>"
                ),
                doc="Writes what `change` makes of the value.",
            ),
            Member(
                signature=(
                    "list<T = unknown>(options?: { prefix?: string; limit?: number; cursor?: string | null }): "
                    "Promise<{ entries: { key: string; value: T; version: string }[]; cursor: string | null }>"
                ),
                doc="Entries in the order of their keys; `cursor` gives the next page.",
            ),
            Member(
                signature=(
                    "watch<T = unknown>(what: string | { prefix: string }): "
                    "AsyncIterableIterator<{ key: string; value?: T; version: string | null }>"
                ),
                doc="What is committed of a key, then the newest after each commit; of a prefix, what changes.",
            ),
        ),
        example=(
            'registerWebHandler("/visits", async () => ({ visits: await kv.increment("visits") }));\n'
            'registerWebHandler("/note/:id", async (req) => {\n'
            '  await kv.set("note/" + req.params.id, { text: req.body }, { ttl: "30d" });\n'
            '  return (await kv.list({ prefix: "note/" })).entries.map((entry) => entry.key);\n'
            '}, "PUT");'
        ),
    ),
    Global(
        name="sharedStorage",
        group=_STORAGE,
        kind="object",
        effect="held",
        errors=("too_large", "unavailable"),
        doc=(
            "Texts by key, of this script alone, in the shape of the Web Storage standard. The calls are synchronous; "
            "what is written is kept when the handler has returned. `kv` can do more."
        ),
        members=_STORAGE_MEMBERS,
        example=(
            'registerWebHandler("/motto", (req) => {\n'
            '  if (req.query.set) sharedStorage.setItem("motto", req.query.set);\n'
            '  return sharedStorage.getItem("motto") ?? "none yet";\n'
            "});"
        ),
    ),
    Global(
        name="personalStorage",
        group=_STORAGE,
        kind="object",
        effect="held",
        errors=("denied", "too_large", "unavailable"),
        doc=(
            "The same for each user of this script: nobody sees what is another's. "
            "An invocation on nobody's behalf is denied."
        ),
        members=_STORAGE_MEMBERS,
        example=(
            'registerWebHandler("/mine", () => {\n'
            "  try {\n"
            '    return personalStorage.getItem("name");\n'
            "  } catch (error) {\n"
            '    return "sign in first";\n'
            "  }\n"
            "});"
        ),
    ),
    *STREAM_GLOBALS,
    *SOCKET_GLOBALS,
    *GRAPHQL_GLOBALS,
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
            Member(signature="debug(...values: unknown[]): void", doc="A line for the time of development."),
            Member(signature="trace(...values: unknown[]): void", doc="A line with the stack of the call."),
            Member(signature="table(rows: unknown, columns?: string[]): void", doc="A list of objects, as a table."),
            Member(signature="dir(value: unknown): void", doc="One value, with its structure."),
            Member(signature="assert(condition?: unknown, ...values: unknown[]): void", doc="An error if it is false."),
            Member(signature="time(label?: string): void", doc="Starts a stop watch."),
            Member(signature="timeLog(label?: string, ...values: unknown[]): void", doc="Logs what it shows."),
            Member(signature="timeEnd(label?: string): void", doc="Logs what it shows, and ends it."),
            Member(signature="count(label?: string): void", doc="Logs how often it was called."),
            Member(signature="group(...values: unknown[]): void", doc="Indents the lines that follow."),
            Member(signature="groupEnd(): void", doc="Indents them no more."),
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
            Member(signature="readonly call: string", doc="The call that was refused, such as `getScript`."),
            Member(signature="readonly hint?: string", doc="Where to read on."),
            Member(signature="readonly retryAfter?: number", doc="Seconds after which to try again."),
            Member(signature="readonly details?: unknown", doc="Facts that belong to the refusal."),
        ),
        example=(
            'registerWebHandler("/scripts", () => {\n'
            "  try {\n"
            "    return listScripts();\n"
            "  } catch (error) {\n"
            '    if (error instanceof HostError && error.code === "denied") return [];\n'
            "    throw error;\n"
            "  }\n"
            "});"
        ),
    ),
)
"""Every global of the engine's own, in the order of the reference page."""
