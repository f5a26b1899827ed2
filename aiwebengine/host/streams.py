"""The classes of the Streams, Encoding and Compression standards that scripts can use."""

from __future__ import annotations

from aiwebengine.host.declare import Global, Member

_GROUP = "Web standards"


def _members(*signatures: str) -> tuple[Member, ...]:
    return tuple(Member(signature=signature) for signature in signatures)


_BYTES_TO_BYTES = _members(
    'constructor(format: "gzip" | "deflate" | "deflate-raw")',
    "readonly readable: ReadableStream<Uint8Array>",
    "readonly writable: WritableStream<ArrayBuffer | ArrayBufferView>",
)

STREAMS: tuple[Global, ...] = (
    Global(
        name="ReadableStream",
        group=_GROUP,
        kind="class",
        parameters="<Chunk = any>",
        doc=(
            "A stream of chunks. As the body of an answer it is sent as it is produced, and cancelled if the "
            "client disconnects."
        ),
        members=_members(
            "constructor(source?: UnderlyingSource<Chunk> | UnderlyingByteSource, strategy?: QueuingStrategy<Chunk>)",
            "static from<Chunk>(items: Iterable<Chunk> | AsyncIterable<Chunk>): ReadableStream<Chunk>",
            "readonly locked: boolean",
            'getReader(options: { mode: "byob" }): ReadableStreamBYOBReader',
            "getReader(options?: { mode?: undefined }): ReadableStreamDefaultReader<Chunk>",
            "cancel(reason?: any): Promise<void>",
            "pipeTo(target: WritableStream<Chunk>, options?: StreamPipeOptions): Promise<void>",
            "pipeThrough<Out>(transform: { readable: ReadableStream<Out>; writable: WritableStream<Chunk> }, "
            "options?: StreamPipeOptions): ReadableStream<Out>",
            "tee(): [ReadableStream<Chunk>, ReadableStream<Chunk>]",
            "values(options?: { preventCancel?: boolean }): AsyncIterableIterator<Chunk>",
            "[Symbol.asyncIterator](): AsyncIterableIterator<Chunk>",
        ),
        example='registerWebHandler("/s", () => new Response(ReadableStream.from(["one ", "two"])));',
    ),
    Global(
        name="ReadableStreamDefaultReader",
        group=_GROUP,
        kind="class",
        parameters="<Chunk = any>",
        doc="Reads a stream chunk by chunk; `getReader()` returns one.",
        members=_members(
            "constructor(stream: ReadableStream<Chunk>)",
            "readonly closed: Promise<undefined>",
            "read(): Promise<{ done: false; value: Chunk } | { done: true; value?: Chunk }>",
            "cancel(reason?: any): Promise<void>",
            "releaseLock(): void",
        ),
        example=(
            'registerWebHandler("/reader", async () => {\n'
            '  const reader = new ReadableStreamDefaultReader(ReadableStream.from(["first", "second"]));\n'
            "  const { value } = await reader.read();\n"
            "  await reader.cancel();\n"
            "  return { value };\n"
            "});"
        ),
    ),
    Global(
        name="ReadableStreamBYOBReader",
        group=_GROUP,
        kind="class",
        doc=('Reads a stream of bytes into the caller\'s buffers; `getReader({ mode: "byob" })` returns one.'),
        members=_members(
            "constructor(stream: ReadableStream<Uint8Array>)",
            "readonly closed: Promise<undefined>",
            "read<View extends ArrayBufferView>(view: View, options?: { min?: number }): "
            "Promise<{ done: false; value: View } | { done: true; value: View | undefined }>",
            "cancel(reason?: any): Promise<void>",
            "releaseLock(): void",
        ),
        example=(
            'registerWebHandler("/byob", async () => {\n'
            '  const reader = new ReadableStreamBYOBReader(new Blob(["hello"]).stream());\n'
            "  const { value } = await reader.read(new Uint8Array(2));\n"
            "  return new TextDecoder().decode(value);\n"
            "});"
        ),
    ),
    Global(
        name="WritableStream",
        group=_GROUP,
        kind="class",
        parameters="<Chunk = any>",
        doc="A destination for chunks.",
        members=_members(
            "constructor(sink?: UnderlyingSink<Chunk>, strategy?: QueuingStrategy<Chunk>)",
            "readonly locked: boolean",
            "getWriter(): WritableStreamDefaultWriter<Chunk>",
            "abort(reason?: any): Promise<void>",
            "close(): Promise<void>",
        ),
        example=(
            'registerWebHandler("/count", async () => {\n'
            "  let characters = 0;\n"
            "  const counter = new WritableStream({ write: (chunk) => { characters += chunk.length; } });\n"
            '  await ReadableStream.from(["one", "three"]).pipeTo(counter);\n'
            "  return { characters };\n"
            "});"
        ),
    ),
    Global(
        name="WritableStreamDefaultWriter",
        group=_GROUP,
        kind="class",
        parameters="<Chunk = any>",
        doc=("Writes to a stream. `ready` resolves when the stream accepts more; `getWriter()` returns one."),
        members=_members(
            "constructor(stream: WritableStream<Chunk>)",
            "readonly closed: Promise<undefined>",
            "readonly desiredSize: number | null",
            "readonly ready: Promise<undefined>",
            "write(chunk?: Chunk): Promise<void>",
            "abort(reason?: any): Promise<void>",
            "close(): Promise<void>",
            "releaseLock(): void",
        ),
        example=(
            'registerWebHandler("/writer", () => {\n'
            "  const { readable, writable } = new TransformStream();\n"
            "  const writer = new WritableStreamDefaultWriter(writable);\n"
            '  writer.write("written ");\n'
            "  writer.close();\n"
            "  return new Response(readable);\n"
            "});"
        ),
    ),
    Global(
        name="TransformStream",
        group=_GROUP,
        kind="class",
        parameters="<In = any, Out = any>",
        doc="Transforms the chunks that are written to it.",
        members=_members(
            "constructor(transformer?: Transformer<In, Out>, "
            "writing?: QueuingStrategy<In>, reading?: QueuingStrategy<Out>)",
            "readonly readable: ReadableStream<Out>",
            "readonly writable: WritableStream<In>",
        ),
        example=(
            'registerWebHandler("/loud", () => {\n'
            "  const loud = new TransformStream({\n"
            "    transform: (chunk, controller) => controller.enqueue(chunk.toUpperCase()),\n"
            "  });\n"
            '  return new Response(ReadableStream.from(["quiet ", "words"]).pipeThrough(loud));\n'
            "});"
        ),
    ),
    *(
        Global(
            name=name,
            group=_GROUP,
            kind="class",
            parameters="<Chunk = any>" if measured == "any" else "",
            doc=doc,
            members=_members(
                "constructor(init: { highWaterMark: number })",
                "readonly highWaterMark: number",
                f"readonly size: (chunk: {measured}) => number",
            ),
            example=(
                f'registerWebHandler("/{name}", () => {{\n'
                f"  const stream = new ReadableStream({{}}, new {name}({{ highWaterMark: 16 }}));\n"
                "  return { locked: stream.locked };\n"
                "});"
            ),
        )
        for name, measured, doc in (
            ("CountQueuingStrategy", "any", ("Limits the queue of a stream to a number of chunks.")),
            ("ByteLengthQueuingStrategy", "ArrayBufferView", ("Limits the queue of a stream to a number of bytes.")),
        )
    ),
    Global(
        name="TextEncoderStream",
        group=_GROUP,
        kind="class",
        doc="Encodes a stream of strings as UTF-8.",
        members=_members(
            "constructor()",
            "readonly encoding: string",
            "readonly readable: ReadableStream<Uint8Array>",
            "readonly writable: WritableStream<string>",
        ),
        example=(
            'registerWebHandler("/bytes", () =>\n'
            '  new Response(ReadableStream.from(["\u00fc"]).pipeThrough(new TextEncoderStream())));'
        ),
    ),
    Global(
        name="TextDecoderStream",
        group=_GROUP,
        kind="class",
        doc=("Decodes a stream of bytes to strings; a character may be split between chunks."),
        members=_members(
            "constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean })",
            "readonly encoding: string",
            "readonly fatal: boolean",
            "readonly ignoreBOM: boolean",
            "readonly readable: ReadableStream<string>",
            "readonly writable: WritableStream<ArrayBuffer | ArrayBufferView>",
        ),
        example=(
            'registerWebHandler("/text", () =>\n'
            '  new Response(new Blob(["words"]).stream().pipeThrough(new TextDecoderStream())));'
        ),
    ),
    Global(
        name="CompressionStream",
        group=_GROUP,
        kind="class",
        doc="Compresses a stream of bytes.",
        members=_BYTES_TO_BYTES,
        example=(
            'registerWebHandler("/gz", () => {\n'
            '  const body = new Blob(["words ".repeat(50)]).stream().pipeThrough(new CompressionStream("gzip"));\n'
            '  return new Response(body, { headers: { "content-type": "application/gzip" } });\n'
            "});"
        ),
    ),
    Global(
        name="DecompressionStream",
        group=_GROUP,
        kind="class",
        doc=("Decompresses a stream of bytes; data of another format throws a `TypeError`."),
        members=_BYTES_TO_BYTES,
        example=(
            'registerWebHandler("/unzipped", () => {\n'
            '  const compressed = new Blob(["words"]).stream().pipeThrough(new CompressionStream("deflate"));\n'
            '  return new Response(compressed.pipeThrough(new DecompressionStream("deflate")));\n'
            "});"
        ),
    ),
)
"""Every global of streams, in the order of the reference page."""

STREAM_TYPES = """\
/** How much a stream holds before its source is paused: chunks, or what `size` makes of each. */
interface QueuingStrategy<Chunk = any> {
  highWaterMark?: number;
  size?(chunk: Chunk): number;
}
/** What a pipe does not close or abort when one of its ends closes or fails, and what stops it. */
interface StreamPipeOptions {
  preventAbort?: boolean;
  preventCancel?: boolean;
  preventClose?: boolean;
  signal?: AbortSignal;
}
/** Fills a `ReadableStream`. */
interface ReadableStreamDefaultController<Chunk = any> {
  readonly desiredSize: number | null;
  enqueue(chunk?: Chunk): void;
  close(): void;
  error(reason?: any): void;
}
/** Where a `ReadableStream` has its chunks from. */
interface UnderlyingSource<Chunk = any> {
  type?: undefined;
  start?(controller: ReadableStreamDefaultController<Chunk>): unknown;
  pull?(controller: ReadableStreamDefaultController<Chunk>): unknown;
  cancel?(reason?: any): unknown;
}
/** The buffer that a reader of bytes waits for. */
interface ReadableStreamBYOBRequest {
  readonly view: ArrayBufferView | null;
  respond(bytesWritten: number): void;
  respondWithNewView(view: ArrayBufferView): void;
}
/** Fills a `ReadableStream` of bytes. */
interface ReadableByteStreamController {
  readonly byobRequest: ReadableStreamBYOBRequest | null;
  readonly desiredSize: number | null;
  enqueue(chunk: ArrayBufferView): void;
  close(): void;
  error(reason?: any): void;
}
/** Where a `ReadableStream` of bytes has them from. */
interface UnderlyingByteSource {
  type: "bytes";
  autoAllocateChunkSize?: number;
  start?(controller: ReadableByteStreamController): unknown;
  pull?(controller: ReadableByteStreamController): unknown;
  cancel?(reason?: any): unknown;
}
/** What a `WritableStream` gives to its sink. */
interface WritableStreamDefaultController {
  readonly signal: AbortSignal;
  error(reason?: any): void;
}
/** Where the chunks of a `WritableStream` go. */
interface UnderlyingSink<Chunk = any> {
  start?(controller: WritableStreamDefaultController): unknown;
  write?(chunk: Chunk, controller: WritableStreamDefaultController): unknown;
  close?(): unknown;
  abort?(reason?: any): unknown;
}
/** Fills the readable end of a `TransformStream`. */
interface TransformStreamDefaultController<Out = any> {
  readonly desiredSize: number | null;
  enqueue(chunk?: Out): void;
  error(reason?: any): void;
  terminate(): void;
}
/** What a `TransformStream` does to its chunks. */
interface Transformer<In = any, Out = any> {
  start?(controller: TransformStreamDefaultController<Out>): unknown;
  transform?(chunk: In, controller: TransformStreamDefaultController<Out>): unknown;
  flush?(controller: TransformStreamDefaultController<Out>): unknown;
  cancel?(reason?: any): unknown;
}
"""
"""Types of streams that are no globals."""
