/*
 * node:stream, node:stream/promises and node:stream/consumers: the package `readable-stream`, which is the library of
 * Node.js, with the ways from and to the streams of the web.
 */
const Stream = require('npm:readable-stream/lib/stream.js');

const { Readable, Writable, Duplex, finished } = Stream;

/* The chunks of an asynchronous iterable as a stream of the web. */
Readable.toWeb = (readable) => {
  const chunks = readable[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(typeof value === 'string' || readable.readableObjectMode ? value : new Uint8Array(value));
    },
    cancel(reason) { readable.destroy(reason instanceof Error ? reason : undefined); },
  }, { highWaterMark: 0 });
};

Readable.fromWeb = (stream, options = {}) => {
  const reader = stream.getReader();
  return new Readable({
    ...options,
    async read() {
      try {
        const { value, done } = await reader.read();
        this.push(done ? null : value);
      } catch (error) {
        this.destroy(error);
      }
    },
    destroy(error, done) { reader.cancel(error).then(() => done(error), () => done(error)); },
  });
};

Writable.toWeb = (writable) => new WritableStream({
  write: (chunk) => new Promise((resolve, reject) => { writable.write(chunk, (error) => (error ? reject(error) : resolve())); }),
  close: () => new Promise((resolve, reject) => {
    finished(writable, (error) => (error ? reject(error) : resolve()));
    writable.end();
  }),
  abort: (reason) => { writable.destroy(reason); },
});

Writable.fromWeb = (stream, options = {}) => {
  const writer = stream.getWriter();
  return new Writable({
    ...options,
    write: (chunk, _encoding, done) => { writer.write(chunk).then(() => done(), done); },
    final: (done) => { writer.close().then(() => done(), done); },
    destroy(error, done) { (error ? writer.abort(error) : Promise.resolve()).then(() => done(error), () => done(error)); },
  });
};

Duplex.toWeb = (duplex) => ({ readable: Readable.toWeb(duplex), writable: Writable.toWeb(duplex) });

/* node:stream/consumers. */
async function bytes(stream) {
  const chunks = [];
  for await (const one of stream) chunks.push(typeof one === 'string' ? Buffer.from(one) : one);
  return Buffer.concat(chunks);
}
Stream.consumers = {
  buffer: bytes,
  arrayBuffer: async (stream) => { const { buffer, byteOffset, byteLength } = await bytes(stream); return buffer.slice(byteOffset, byteOffset + byteLength); },
  blob: async (stream) => new Blob([await bytes(stream)]),
  text: async (stream) => new TextDecoder().decode(await bytes(stream)),
  json: async (stream) => JSON.parse(new TextDecoder().decode(await bytes(stream))),
};

module.exports = Stream;
