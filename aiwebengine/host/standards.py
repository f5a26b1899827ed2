"""The web's standards that scripts can use, as far as they are here."""

from __future__ import annotations

from aiwebengine.host.declare import Global, Member
from aiwebengine.host.streams import STREAMS

_GROUP = "Web standards"


def _members(*signatures: str) -> tuple[Member, ...]:
    return tuple(Member(signature=signature) for signature in signatures)


STANDARDS: tuple[Global, ...] = (
    Global(
        name="Headers",
        group=_GROUP,
        kind="class",
        doc="A list of HTTP headers; names are case-insensitive.",
        members=_members(
            "constructor(init?: HeadersInit)",
            "append(name: string, value: string): void",
            "delete(name: string): void",
            "get(name: string): string | null",
            "getSetCookie(): string[]",
            "has(name: string): boolean",
            "set(name: string, value: string): void",
            "forEach(callback: (value: string, name: string, headers: Headers) => void, thisArg?: unknown): void",
            "entries(): IterableIterator<[string, string]>",
            "keys(): IterableIterator<string>",
            "values(): IterableIterator<string>",
            "[Symbol.iterator](): IterableIterator<[string, string]>",
        ),
        example='registerWebHandler("/h", () => new Response("ok", { headers: new Headers({ "x-made-by": "me" }) }));',
    ),
    Global(
        name="Request",
        group=_GROUP,
        kind="class",
        doc=("A `Request` of the Fetch standard; `export default { fetch }` is called with one."),
        members=_members(
            "constructor(input: string | URL | Request, init?: RequestInit)",
            "readonly method: string",
            "readonly url: string",
            "readonly headers: Headers",
            "readonly signal: AbortSignal",
            "readonly body: ReadableStream<Uint8Array> | null",
            "readonly bodyUsed: boolean",
            "arrayBuffer(): Promise<ArrayBuffer>",
            "bytes(): Promise<Uint8Array>",
            "json<Value = any>(): Promise<Value>",
            "text(): Promise<string>",
            "clone(): Request",
        ),
        example='registerWebHandler("/r", () => new Request("https://example.org/a", { method: "POST" }).method);',
    ),
    Global(
        name="Response",
        group=_GROUP,
        kind="class",
        doc="A `Response` of the Fetch standard.",
        members=_members(
            "constructor(body?: BodyInit | null, init?: ResponseInit)",
            "static json(value: unknown, init?: ResponseInit): Response",
            "static redirect(url: string | URL, status?: number): Response",
            "static error(): Response",
            "readonly status: number",
            "readonly statusText: string",
            "readonly ok: boolean",
            "readonly headers: Headers",
            "readonly body: ReadableStream<Uint8Array> | null",
            "readonly bodyUsed: boolean",
            "arrayBuffer(): Promise<ArrayBuffer>",
            "bytes(): Promise<Uint8Array>",
            "json<Value = any>(): Promise<Value>",
            "text(): Promise<string>",
            "clone(): Response",
        ),
        example='registerWebHandler("/r", () => new Response("gone", { status: 410, headers: { "x-why": "old" } }));',
    ),
    Global(
        name="Blob",
        group=_GROUP,
        kind="class",
        doc="Bytes with a media type.",
        members=_members(
            "constructor(parts?: (string | ArrayBuffer | ArrayBufferView | Blob)[], options?: { type?: string })",
            "readonly size: number",
            "readonly type: string",
            "arrayBuffer(): Promise<ArrayBuffer>",
            "bytes(): Promise<Uint8Array>",
            "text(): Promise<string>",
            "slice(start?: number, end?: number, type?: string): Blob",
            "stream(): ReadableStream<Uint8Array>",
        ),
        example='registerWebHandler("/b", () => new Blob(["a,b\\n1,2"], { type: "text/csv" }));',
    ),
    Global(
        name="File",
        group=_GROUP,
        kind="class",
        extends="Blob",
        doc="Bytes with a media type and a name.",
        members=_members(
            "constructor(parts: (string | ArrayBuffer | ArrayBufferView | Blob)[], name: string, "
            "options?: { type?: string; lastModified?: number })",
            "readonly name: string",
            "readonly lastModified: number",
        ),
        example='registerWebHandler("/f", () => new File(["hi"], "hi.txt").name);',
    ),
    Global(
        name="FormData",
        group=_GROUP,
        kind="class",
        doc="The fields and files of a form.",
        members=_members(
            "append(name: string, value: string | Blob, fileName?: string): void",
            "delete(name: string): void",
            "get(name: string): File | string | null",
            "getAll(name: string): (File | string)[]",
            "has(name: string): boolean",
            "set(name: string, value: string | Blob, fileName?: string): void",
            "forEach(callback: (value: File | string, name: string, form: FormData) => void, thisArg?: unknown): void",
            "entries(): IterableIterator<[string, File | string]>",
            "keys(): IterableIterator<string>",
            "values(): IterableIterator<File | string>",
            "[Symbol.iterator](): IterableIterator<[string, File | string]>",
        ),
        example=(
            'registerWebHandler("/form", async (req) => {\n'
            "  const posted = await req.formData();\n"
            "  const form = new FormData();\n"
            "  posted.forEach((value, name) => form.append(name, value));\n"
            '  return { name: form.get("name") };\n'
            '}, "POST");'
        ),
    ),
    *STREAMS,
    Global(
        name="URL",
        group=_GROUP,
        kind="class",
        doc="A URL and its parts.",
        members=_members(
            "constructor(url: string | URL, base?: string | URL)",
            "static canParse(url: string | URL, base?: string | URL): boolean",
            "static parse(url: string | URL, base?: string | URL): URL | null",
            "href: string",
            "readonly origin: string",
            "protocol: string",
            "username: string",
            "password: string",
            "host: string",
            "hostname: string",
            "port: string",
            "pathname: string",
            "search: string",
            "readonly searchParams: URLSearchParams",
            "hash: string",
            "toString(): string",
            "toJSON(): string",
        ),
        example='registerWebHandler("/u", (req) => new URL("/b", req.url).href);',
    ),
    Global(
        name="URLSearchParams",
        group=_GROUP,
        kind="class",
        doc="The query of a URL.",
        members=_members(
            "constructor(init?: string | [string, string][] | { [name: string]: string } | URLSearchParams)",
            "readonly size: number",
            "append(name: string, value: string): void",
            "delete(name: string, value?: string): void",
            "get(name: string): string | null",
            "getAll(name: string): string[]",
            "has(name: string, value?: string): boolean",
            "set(name: string, value: string): void",
            "sort(): void",
            "forEach(callback: (value: string, name: string, params: URLSearchParams) => void, thisArg?: any): void",
            "entries(): IterableIterator<[string, string]>",
            "keys(): IterableIterator<string>",
            "values(): IterableIterator<string>",
            "[Symbol.iterator](): IterableIterator<[string, string]>",
            "toString(): string",
        ),
        example='registerWebHandler("/q", () => new URLSearchParams({ a: "1", b: "x y" }).toString());',
    ),
    Global(
        name="URLPattern",
        group=_GROUP,
        kind="class",
        doc="A pattern for URLs, such as `/books/:id`.",
        members=_members(
            "constructor(input?: string | { [part: string]: string }, base?: string | { ignoreCase?: boolean }, "
            "options?: { ignoreCase?: boolean })",
            "test(input?: string | { [part: string]: string }, base?: string): boolean",
            "exec(input?: string | { [part: string]: string }, base?: string): "
            "{ inputs: unknown[]; [part: string]: any } | null",
            "readonly protocol: string",
            "readonly username: string",
            "readonly password: string",
            "readonly hostname: string",
            "readonly port: string",
            "readonly pathname: string",
            "readonly search: string",
            "readonly hash: string",
            "readonly hasRegExpGroups: boolean",
        ),
        example=(
            'const books = new URLPattern({ pathname: "/books/:id" });\n'
            'registerWebHandler("/p", () => books.exec({ pathname: "/books/7" })?.pathname.groups.id);'
        ),
    ),
    Global(
        name="TextEncoder",
        group=_GROUP,
        kind="class",
        doc="Encodes strings as UTF-8.",
        members=_members(
            "readonly encoding: string",
            "encode(text?: string): Uint8Array",
            "encodeInto(text: string, target: Uint8Array): { read: number; written: number }",
        ),
        example='registerWebHandler("/e", () => new TextEncoder().encode("é").length);',
    ),
    Global(
        name="TextDecoder",
        group=_GROUP,
        kind="class",
        doc="Decodes bytes to strings, in any encoding of the Encoding standard.",
        members=_members(
            "constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean })",
            "readonly encoding: string",
            "readonly fatal: boolean",
            "readonly ignoreBOM: boolean",
            "decode(bytes?: ArrayBuffer | ArrayBufferView, options?: { stream?: boolean }): string",
        ),
        example='registerWebHandler("/d", () => new TextDecoder().decode(new Uint8Array([104, 105])));',
    ),
    Global(
        name="DOMException",
        group=_GROUP,
        kind="class",
        extends="Error",
        doc="The error of web standards, such as an `AbortError`.",
        members=_members("constructor(message?: string, name?: string | { name?: string; cause?: unknown })"),
        example='registerWebHandler("/x", () => new DOMException("No more.", "AbortError").name);',
    ),
    Global(
        name="Event",
        group=_GROUP,
        kind="class",
        doc="An event of the DOM standard.",
        members=_members(
            "constructor(type: string, options?: { bubbles?: boolean; cancelable?: boolean })",
            "readonly type: string",
            "readonly target: EventTarget | null",
            "readonly currentTarget: EventTarget | null",
            "readonly bubbles: boolean",
            "readonly cancelable: boolean",
            "readonly defaultPrevented: boolean",
            "readonly timeStamp: number",
            "preventDefault(): void",
            "stopPropagation(): void",
            "stopImmediatePropagation(): void",
        ),
        example='registerWebHandler("/ev", () => new Event("ready").type);',
    ),
    Global(
        name="CustomEvent",
        group=_GROUP,
        kind="class",
        parameters="<Detail = any>",
        extends="Event",
        doc="An event that carries a value.",
        members=_members(
            "constructor(type: string, options?: { bubbles?: boolean; cancelable?: boolean; detail?: Detail })",
            "readonly detail: Detail",
        ),
        example='registerWebHandler("/ev", () => new CustomEvent("ready", { detail: 3 }).detail);',
    ),
    Global(
        name="EventTarget",
        group=_GROUP,
        kind="class",
        doc="An object to which events can be dispatched.",
        members=_members(
            "addEventListener(type: string, "
            "listener: ((event: any) => void) | { handleEvent(event: any): void } | null, "
            "options?: boolean | { once?: boolean; signal?: AbortSignal }): void",
            "removeEventListener(type: string, "
            "listener: ((event: any) => void) | { handleEvent(event: any): void } | null): void",
            "dispatchEvent(event: Event): boolean",
        ),
        example=(
            'registerWebHandler("/ev", () => {\n'
            "  const bus = new EventTarget();\n"
            "  let seen = 0;\n"
            '  bus.addEventListener("ready", () => { seen += 1; });\n'
            '  bus.dispatchEvent(new Event("ready"));\n'
            "  return seen;\n"
            "});"
        ),
    ),
    Global(
        name="MessageEvent",
        group=_GROUP,
        kind="class",
        parameters="<Data = any>",
        extends="Event",
        doc="An event that carries a message.",
        members=_members(
            "constructor(type: string, options?: { data?: Data })",
            "readonly data: Data",
        ),
        example='registerWebHandler("/ev", () => new MessageEvent("message", { data: 3 }).data);',
    ),
    Global(
        name="MessagePort",
        group=_GROUP,
        kind="class",
        extends="EventTarget",
        doc="One end of a `MessageChannel`.",
        members=_members(
            "private constructor()",
            "onmessage: ((event: MessageEvent) => void) | null",
            "postMessage(message: unknown): void",
            "start(): void",
            "close(): void",
        ),
        example='registerWebHandler("/p", () => new MessageChannel().port1 instanceof MessagePort);',
    ),
    Global(
        name="MessageChannel",
        group=_GROUP,
        kind="class",
        doc="Two connected ports within one script; a message is copied, and arrives in a later task.",
        members=_members("constructor()", "readonly port1: MessagePort", "readonly port2: MessagePort"),
        example=(
            'registerWebHandler("/m", () => new Promise((resolve) => {\n'
            "  const { port1, port2 } = new MessageChannel();\n"
            "  port1.onmessage = (event) => resolve(event.data);\n"
            "  port2.postMessage({ n: 1 });\n"
            "}));"
        ),
    ),
    Global(
        name="AbortController",
        group=_GROUP,
        kind="class",
        doc="Creates an `AbortSignal`, and aborts the operations that use it.",
        members=_members("readonly signal: AbortSignal", "abort(reason?: any): void"),
        example=(
            'registerWebHandler("/a", () => {\n'
            "  const controller = new AbortController();\n"
            "  controller.abort();\n"
            "  return controller.signal.aborted;\n"
            "});"
        ),
    ),
    Global(
        name="AbortSignal",
        group=_GROUP,
        kind="class",
        extends="EventTarget",
        doc="Signals an operation to abort.",
        members=_members(
            "static abort(reason?: any): AbortSignal",
            "static timeout(milliseconds: number): AbortSignal",
            "static any(signals: AbortSignal[]): AbortSignal",
            "readonly aborted: boolean",
            "readonly reason: any",
            "throwIfAborted(): void",
            "onabort: ((event: any) => void) | null",
        ),
        example='registerWebHandler("/s", (req, ctx) => ctx.signal.aborted);',
    ),
    Global(
        name="structuredClone",
        group=_GROUP,
        kind="function",
        doc=("Returns a deep copy of a value, including Maps, Sets, Dates, typed arrays and cycles."),
        signatures=("<Value>(value: Value): Value",),
        example='registerWebHandler("/c", () => structuredClone({ a: [1, 2] }));',
    ),
    Global(
        name="atob",
        group=_GROUP,
        kind="function",
        doc="Decodes Base64 to a binary string.",
        signatures=("(text: string): string",),
        example='registerWebHandler("/b", () => atob("aGk="));',
    ),
    Global(
        name="btoa",
        group=_GROUP,
        kind="function",
        doc="Encodes a binary string as Base64; a character above U+00FF throws.",
        signatures=("(text: string): string",),
        example='registerWebHandler("/b", () => btoa("hi"));',
    ),
    Global(
        name="queueMicrotask",
        group=_GROUP,
        kind="function",
        doc="Calls a function after the code that is running now.",
        signatures=("(callback: () => void): void",),
        example='registerWebHandler("/m", () => new Promise((resolve) => queueMicrotask(() => resolve("done"))));',
    ),
    Global(
        name="setTimeout",
        group=_GROUP,
        kind="function",
        doc=(
            "Calls a function later, within the invocation. Timers that are pending at its end are dropped, "
            "with a warning in the log."
        ),
        signatures=("(callback: (...values: any[]) => void, milliseconds?: number, ...values: any[]): number",),
        example='registerWebHandler("/t", () => new Promise((resolve) => setTimeout(() => resolve("later"), 10)));',
    ),
    Global(
        name="clearTimeout",
        group=_GROUP,
        kind="function",
        doc="Cancels a timer.",
        signatures=("(timer?: number): void",),
        example='registerWebHandler("/t", () => { clearTimeout(setTimeout(() => {}, 10)); return "ok"; });',
    ),
    Global(
        name="setInterval",
        group=_GROUP,
        kind="function",
        doc="Calls a function repeatedly, within the invocation.",
        signatures=("(callback: (...values: any[]) => void, milliseconds?: number, ...values: any[]): number",),
        example=(
            'registerWebHandler("/t", () => new Promise((resolve) => {\n'
            "  let times = 0;\n"
            "  const timer = setInterval(() => {\n"
            "    if (++times === 3) { clearInterval(timer); resolve(times); }\n"
            "  }, 5);\n"
            "}));"
        ),
    ),
    Global(
        name="clearInterval",
        group=_GROUP,
        kind="function",
        doc="Cancels an interval.",
        signatures=("(timer?: number): void",),
        example='registerWebHandler("/t", () => { clearInterval(setInterval(() => {}, 10)); return "ok"; });',
    ),
    Global(
        name="crypto",
        group=_GROUP,
        kind="object",
        doc="Random values, generated from a seed that the server chooses for each invocation.",
        members=_members(
            "randomUUID(): string",
            "getRandomValues<Values extends ArrayBufferView>(values: Values): Values",
        ),
        example='registerWebHandler("/id", () => crypto.randomUUID());',
    ),
    Global(
        name="performance",
        group=_GROUP,
        kind="object",
        doc=(
            "Measures time in milliseconds since the invocation began. The clock advances when a host call or "
            "a timer returns, not while the script computes."
        ),
        members=_members("now(): number", "readonly timeOrigin: number"),
        example=(
            'registerWebHandler("/p", async () => {\n'
            "  const begun = performance.now();\n"
            "  await new Promise((resolve) => setTimeout(resolve, 5));\n"
            "  return performance.now() > begun;\n"
            "});"
        ),
    ),
)
"""Every global that a web standard defines, in the order of the reference page."""

STANDARD_TYPES = """\
/** What a file knows about itself; paths are those of the script's files. */
interface ImportMeta {
  /** Such as `file:///pages/a.ts`. */
  readonly url: string;
  /** Such as `/pages/a.ts`. */
  readonly filename: string;
  /** Such as `/pages`. */
  readonly dirname: string;
  /** Whether it is the entry file. */
  readonly main: boolean;
  /** The mode in which the server built the script. */
  readonly env: {
    readonly MODE: string; readonly DEV: boolean; readonly PROD: boolean; readonly SSR: boolean;
    readonly BASE_URL: string; readonly [name: string]: unknown;
  };
  resolve(specifier: string): string;
  /** The files that fit patterns, when the script is built. */
  glob<T = any>(
    patterns: string | string[], options?: { eager?: false; import?: string; query?: "?raw" },
  ): Record<string, () => Promise<T>>;
  glob<T = any>(
    patterns: string | string[], options: { eager: true; import?: string; query?: "?raw" },
  ): Record<string, T>;
}
/** The content of a file of the script as a string. */
declare module "*?raw" {
  const text: string;
  export default text;
}
/** What `Headers` can be made of. */
type HeadersInit = Headers | [string, string][] | { [name: string]: string };
/** What a body can be made of. */
type BodyInit =
  | string | ArrayBuffer | ArrayBufferView | URLSearchParams | Blob | FormData | ReadableStream
  | AsyncIterable<string | Uint8Array>;
/** Status and headers of a `Response`. */
interface ResponseInit {
  status?: number;
  statusText?: string;
  headers?: HeadersInit;
}
/** Method, headers and body of a `Request`. */
interface RequestInit {
  method?: string;
  headers?: HeadersInit;
  body?: BodyInit | null;
  signal?: AbortSignal | null;
  duplex?: "half";
}
"""
"""Types of the standards that are no globals; those of streams are in `streams.py`."""
