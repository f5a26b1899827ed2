/* The Streams standard and what is made of it: queuing strategies, text streams, compression, bodies. */
const text = (bytes) => new TextDecoder().decode(bytes);

async function all(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

async function joined(stream) {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function sourceOf(...items) {
  return new ReadableStream({
    start(controller) {
      items.forEach((item) => controller.enqueue(item));
      controller.close();
    },
  });
}

function logged(log, fail) {
  return new WritableStream({
    start() { log.push('start'); },
    write(chunk) { log.push(chunk); if (chunk === fail) throw new RangeError('no'); },
    close() { log.push('close'); },
    abort(reason) { log.push('abort', reason instanceof Error ? reason.name : reason); },
  });
}

const name = (promise) => promise.then(() => 'fine', (error) => (error instanceof Error || error instanceof DOMException ? error.name : error));
const bytes = (...values) => new Uint8Array(values);
const pair = (step) => [step.value, step.done];
const pause = () => new Promise((resolve) => { setTimeout(resolve, 5); });

async function squeezed(format, value) {
  return joined(new Blob([value]).stream().pipeThrough(new CompressionStream(format)));
}

export default [
  // Readable streams.
  () => [typeof ReadableStream, ReadableStream.name, ReadableStream.length, String(new ReadableStream())],
  () => ReadableStream(),
  () => new ReadableStream({ type: 'other' }),
  () => new ReadableStream({}, { highWaterMark: -1 }),
  () => new ReadableStream({}, { highWaterMark: NaN }),
  () => all(sourceOf(1, 2, 3)),
  () => { const sizes = []; new ReadableStream({ start(c) { sizes.push(c.desiredSize); c.enqueue('ab'); sizes.push(c.desiredSize); c.enqueue('c'); sizes.push(c.desiredSize); c.close(); } }, { highWaterMark: 5, size: (chunk) => chunk.length }); return sizes; },
  async () => { let c; const s = new ReadableStream({ start(given) { c = given; } }); c.close(); await s.getReader().closed; return c.desiredSize; },
  () => { let c; new ReadableStream({ start(given) { c = given; } }); c.error(new Error('x')); return c.desiredSize; },
  () => { let c; new ReadableStream({ start(given) { c = given; } }); c.close(); c.enqueue(1); },
  () => { let c; new ReadableStream({ start(given) { c = given; } }); c.close(); c.close(); },
  async () => { let pulls = 0; const s = new ReadableStream({ pull(c) { c.enqueue(++pulls); } }, { highWaterMark: 3 }); await pause(); const first = pulls; const r = s.getReader(); await r.read(); await pause(); return [first, pulls]; },
  () => name(sourceOf(1).getReader().read().then(() => { throw new RangeError('own'); })),
  async () => { const s = new ReadableStream({ start() { return Promise.reject(new RangeError('x')); } }); return name(s.getReader().read()); },
  async () => { const s = new ReadableStream({ pull() { throw new RangeError('x'); } }); return [await name(s.getReader().closed)]; },
  () => { const s = new ReadableStream(); s.getReader(); return s.getReader(); },
  () => new ReadableStream().getReader({ mode: 'other' }),
  () => new ReadableStream().getReader({ mode: 'byob' }),
  async () => { const s = sourceOf(1, 2), r = s.getReader(); await r.read(); r.releaseLock(); return [s.locked, await name(r.read()), await name(r.closed), await s.getReader().read()]; },
  async () => { const s = new ReadableStream(), r = s.getReader(), read = name(r.read()); r.releaseLock(); return read; },
  async () => { const s = new ReadableStream(); s.getReader(); return name(s.cancel()); },
  async () => { let why; const s = new ReadableStream({ cancel(reason) { why = reason; } }), r = s.getReader(), read = r.read(); await r.cancel('enough'); return [why, await read, await r.closed]; },
  async () => name(new ReadableStream({ cancel() { throw new RangeError('x'); } }).cancel()),
  async () => { const s = new ReadableStream({ start(c) { c.enqueue(1); c.error(new RangeError('x')); } }); return name(s.getReader().read()); },
  // Iterating.
  async () => { let gone; const s = new ReadableStream({ pull(c) { c.enqueue(1); }, cancel() { gone = true; } }); for await (const _ of s) break; return [gone, s.locked]; },
  async () => { let gone = false; const s = new ReadableStream({ pull(c) { c.enqueue(1); }, cancel() { gone = true; } }); for await (const _ of s.values({ preventCancel: true })) break; return [gone, s.locked, (await s.getReader().read()).done]; },
  async () => { const i = sourceOf('a')[Symbol.asyncIterator](); return [await i.next(), await i.next(), await i.next(), await i.return('r')].map(pair); },
  async () => { const s = sourceOf(1, 2, 3), i = s.values(); return (await Promise.all([i.next(), i.next(), i.return('z'), i.next()])).map(pair); },
  async () => { const s = new ReadableStream({ start(c) { c.error(new RangeError('x')); } }); return name(all(s)); },
  () => all(ReadableStream.from([1, Promise.resolve(2)])),
  () => all(ReadableStream.from((async function* () { yield 'a'; yield 'b'; })())),
  () => all(ReadableStream.from('h\u00e9')),
  () => ReadableStream.from(5),
  async () => { const log = []; const s = ReadableStream.from((async function* () { try { yield 1; yield 2; } finally { log.push('finally'); } })()); const r = s.getReader(); await r.read(); await r.cancel('x'); return log; },
  async () => name(all(ReadableStream.from((function* () { yield 1; throw new RangeError('x'); })()))),
  // Two of one.
  async () => { const [a, b] = sourceOf(1, 2).tee(); return [await all(a), await all(b)]; },
  async () => { let why; const s = new ReadableStream({ cancel(reason) { why = reason; } }); const [a, b] = s.tee(); const both = [a.cancel('x'), b.cancel('y')]; await Promise.all(both); return [why, s.locked]; },
  async () => { const s = new ReadableStream({ start(c) { c.error(new RangeError('x')); } }); const [a, b] = s.tee(); return [await name(all(a)), await name(all(b))]; },
  async () => { const [a, b] = new Blob(['xy']).stream().tee(); return [text(await joined(a)), (await b.getReader({ mode: 'byob' }).read(new Uint8Array(1))).value]; },
  // Byte streams.
  async () => { const s = new ReadableStream({ type: 'bytes', start(c) { c.enqueue(bytes(1, 2, 3)); c.close(); } }), r = s.getReader({ mode: 'byob' }); return [await r.read(new Uint8Array(2)), await r.read(new Uint8Array(2)), await r.read(new Uint8Array(2))]; },
  async () => { const s = new ReadableStream({ type: 'bytes', pull(c) { const v = c.byobRequest.view; v[0] = 7; v[1] = 8; c.byobRequest.respond(2); } }), r = s.getReader({ mode: 'byob' }); return (await r.read(new Uint8Array(4))).value; },
  async () => { const s = new ReadableStream({ type: 'bytes', autoAllocateChunkSize: 8, pull(c) { const v = c.byobRequest.view; v[0] = v.byteLength; c.byobRequest.respond(1); c.close(); } }); return all(s); },
  async () => { const s = new ReadableStream({ type: 'bytes', start(c) { c.enqueue(bytes(1)); c.enqueue(bytes(2)); c.enqueue(bytes(3)); c.close(); } }), r = s.getReader({ mode: 'byob' }); return (await r.read(new Uint8Array(3), { min: 3 })).value; },
  async () => { const s = new ReadableStream({ type: 'bytes', start(c) { c.enqueue(bytes(1, 0, 2, 0)); c.close(); } }), r = s.getReader({ mode: 'byob' }); return (await r.read(new Uint16Array(2))).value; },
  () => { let seen; new ReadableStream({ type: 'bytes', start(c) { seen = [c.desiredSize, c.byobRequest, c.constructor.name]; c.enqueue(bytes(1, 2)); seen.push(c.desiredSize); } }, { highWaterMark: 9 }); return seen; },
  async () => { let c; new ReadableStream({ type: 'bytes', start(given) { c = given; } }); c.enqueue('text'); },
  async () => { let c; new ReadableStream({ type: 'bytes', start(given) { c = given; } }); c.enqueue(new Uint8Array(0)); },
  async () => name(new ReadableStream({ type: 'bytes' }).getReader({ mode: 'byob' }).read(new Uint8Array(0))),
  () => { const given = bytes(1, 2); new ReadableStream({ type: 'bytes', start(c) { c.enqueue(given); } }); return given.byteLength; },
  () => new ReadableStream({ type: 'bytes' }, { size() { return 1; } }),
  // Writable streams.
  async () => { const log = [], w = logged(log).getWriter(); w.write('a'); w.write('b'); await w.close(); return log; },
  () => { const w = new WritableStream({}, { highWaterMark: 2 }).getWriter(), sizes = [w.desiredSize]; w.write(1); sizes.push(w.desiredSize); w.write(2); w.write(3); sizes.push(w.desiredSize); return sizes; },
  async () => { let free; const w = new WritableStream({ write() { return new Promise((resolve) => { free = resolve; }); } }).getWriter(); await w.ready; w.write(1); const order = []; w.ready.then(() => order.push('ready')); await pause(); order.push('freed'); free(); await pause(); return order; },
  async () => { const log = [], w = logged(log, 'bad').getWriter(); await w.write('ok'); const seen = [await name(w.write('bad')), await name(w.write('more')), await name(w.closed), await name(w.ready)]; return [seen, log]; },
  async () => { const log = [], s = logged(log), w = s.getWriter(); await w.ready; await w.abort('stop'); return [log, await name(w.write(1)), await name(w.closed)]; },
  async () => { const s = new WritableStream(); s.getWriter(); return [s.locked, await name(s.close()), await name(s.abort())]; },
  () => { const s = new WritableStream(); s.getWriter(); s.getWriter(); },
  () => new WritableStream({ type: 'bytes' }),
  async () => { let c; const s = new WritableStream({ start(given) { c = given; } }), w = s.getWriter(); c.error(new RangeError('x')); return [await name(w.closed), w.desiredSize]; },
  async () => { let signal; const s = new WritableStream({ start(c) { signal = c.signal; } }); await s.abort('why'); return [signal.aborted, signal.reason]; },
  async () => { const w = new WritableStream().getWriter(); await w.close(); return [w.desiredSize, await name(w.write(1)), await name(w.close())]; },
  async () => { const w = new WritableStream().getWriter(); w.releaseLock(); return [await name(w.closed), await name(w.write(1))]; },
  () => { const w = new WritableStream().getWriter(); w.releaseLock(); return w.desiredSize; },
  // Transform streams.
  async () => all(sourceOf('a', 'b').pipeThrough(new TransformStream({ transform(chunk, c) { c.enqueue(chunk.toUpperCase()); c.enqueue('-'); }, flush(c) { c.enqueue('end'); } }))),
  async () => all(sourceOf(1, 2).pipeThrough(new TransformStream())),
  async () => { const t = new TransformStream({ transform(_, c) { c.error(new RangeError('x')); } }), w = t.writable.getWriter(); const read = name(t.readable.getReader().read()); return [await name(w.write(1)), await read, await name(w.closed)]; },
  async () => { const t = new TransformStream({ transform(chunk, c) { c.enqueue(chunk); if (chunk === 2) c.terminate(); } }); return [await all(sourceOf(1, 2, 3).pipeThrough(t, { preventCancel: true }))]; },
  async () => { const log = []; const t = new TransformStream({ cancel(reason) { log.push('cancel', reason); } }); await t.readable.cancel('r'); return [log, await name(t.writable.getWriter().closed)]; },
  async () => { const t = new TransformStream({ start(c) { c.enqueue(c.desiredSize); } }, undefined, { highWaterMark: 4 }); return (await t.readable.getReader().read()).value; },
  () => [new TransformStream().writable.getWriter().desiredSize, typeof new TransformStream().readable.getReader().read],
  () => new TransformStream({ readableType: 'bytes' }),
  // Pipes.
  async () => { const log = []; await sourceOf(1, 2).pipeTo(logged(log)); return log; },
  async () => { const log = [], out = logged(log); await sourceOf(1).pipeTo(out, { preventClose: true }); const w = out.getWriter(); await w.write(2); return log; },
  async () => { const log = []; const s = new ReadableStream({ start(c) { c.error(new RangeError('x')); } }); return [await name(s.pipeTo(logged(log))), log]; },
  async () => { const log = [], s = new ReadableStream({ start(c) { c.error(new RangeError('x')); } }); return [await name(s.pipeTo(logged(log), { preventAbort: true })), log]; },
  async () => { let gone = 'no'; const s = new ReadableStream({ pull(c) { c.enqueue('bad'); }, cancel() { gone = 'yes'; } }); return [await name(s.pipeTo(logged([], 'bad'))), gone]; },
  async () => { let gone = 'no'; const s = new ReadableStream({ pull(c) { c.enqueue('bad'); }, cancel() { gone = 'yes'; } }); return [await name(s.pipeTo(logged([], 'bad'), { preventCancel: true })), gone]; },
  async () => { const log = [], stop = new AbortController(); let gone; const s = new ReadableStream({ cancel(reason) { gone = reason.name; } }); const piped = name(s.pipeTo(logged(log), { signal: stop.signal })); await pause(); stop.abort(); return [await piped, gone, log]; },
  async () => name(sourceOf(1).pipeTo(new WritableStream(), { signal: AbortSignal.abort('why') })),
  async () => name(sourceOf(1).pipeTo(new WritableStream(), { signal: 'no signal' })),
  async () => { const s = sourceOf(1); s.getReader(); return name(s.pipeTo(new WritableStream())); },
  () => sourceOf(1).pipeThrough({}),
  // Strategies.
  () => [new CountQueuingStrategy({ highWaterMark: 4 }).highWaterMark, new CountQueuingStrategy({ highWaterMark: 4 }).size('abc')],
  () => [new ByteLengthQueuingStrategy({ highWaterMark: 4 }).highWaterMark, new ByteLengthQueuingStrategy({ highWaterMark: 4 }).size(bytes(1, 2, 3))],
  () => new CountQueuingStrategy(),
  () => { const w = new WritableStream({}, new ByteLengthQueuingStrategy({ highWaterMark: 10 })).getWriter(); w.write(bytes(1, 2, 3)); return w.desiredSize; },
  // Text.
  async () => all(sourceOf('a\ud83d', '\ude00b').pipeThrough(new TextEncoderStream())),
  async () => all(sourceOf('x\ud83d').pipeThrough(new TextEncoderStream())),
  async () => all(sourceOf('\ud83d', 'y', '\ud83d', '\ud83d\ude00').pipeThrough(new TextEncoderStream())),
  async () => all(sourceOf(5, null, '').pipeThrough(new TextEncoderStream())),
  async () => all(sourceOf(bytes(0xf0, 0x9f), bytes(0x98, 0x80, 0x61)).pipeThrough(new TextDecoderStream())),
  async () => all(sourceOf(bytes(0x61, 0xf0, 0x9f)).pipeThrough(new TextDecoderStream())),
  async () => name(all(sourceOf(bytes(0xff)).pipeThrough(new TextDecoderStream('utf-8', { fatal: true })))),
  async () => name(all(sourceOf('text').pipeThrough(new TextDecoderStream()))),
  async () => all(sourceOf(bytes(0xef), bytes(0xbb, 0xbf, 0x61)).pipeThrough(new TextDecoderStream())),
  () => { const d = new TextDecoderStream('latin1', { ignoreBOM: true }); return [d.encoding, d.fatal, d.ignoreBOM, new TextEncoderStream().encoding]; },
  () => String(new TextDecoderStream()),
  () => new TextDecoderStream('nonsense'),
  // Compression.
  async () => squeezed('gzip', 'hello hello hello'),
  async () => squeezed('deflate', 'hello hello hello'),
  async () => squeezed('deflate-raw', 'hello hello hello'),
  async () => squeezed('gzip', ''),
  async () => { const value = Array.from({ length: 3000 }, (_, i) => `line ${i * 7919 % 1000}`).join('\n'), small = await squeezed('deflate-raw', value); return [value.length, small.length, small.slice(100, 110), text(await joined(new Blob([small]).stream().pipeThrough(new DecompressionStream('deflate-raw')))) === value]; },
  async () => { const small = await squeezed('gzip', 'in two parts'), t = new DecompressionStream('gzip'), w = t.writable.getWriter(); w.write(small.slice(0, 9)); w.write(small.slice(9)); w.close(); return text(await joined(t.readable)); },
  async () => { const small = await squeezed('gzip', 'cut'); return name(joined(new Blob([small.slice(0, -3)]).stream().pipeThrough(new DecompressionStream('gzip')))); },
  async () => { const small = await squeezed('gzip', 'sum'); small[small.length - 6] ^= 1; return name(joined(new Blob([small]).stream().pipeThrough(new DecompressionStream('gzip')))); },
  async () => { const small = await squeezed('deflate', 'junk'); return name(joined(new Blob([small, 'junk']).stream().pipeThrough(new DecompressionStream('deflate')))); },
  async () => name(joined(new Blob(['not compressed']).stream().pipeThrough(new DecompressionStream('gzip')))),
  async () => { const small = await squeezed('deflate', 'wrong'); return name(joined(new Blob([small]).stream().pipeThrough(new DecompressionStream('gzip')))); },
  async () => name(joined(sourceOf('text').pipeThrough(new CompressionStream('gzip')))),
  () => new CompressionStream('zip'),
  () => new DecompressionStream(),
  () => String(new CompressionStream('gzip')),
  // Bodies.
  async () => text((await new Response('abc').body.getReader().read()).value),
  async () => { const r = new Response('abc'); const before = r.bodyUsed; const reader = r.body.getReader(), locked = [r.bodyUsed, r.body.locked]; await reader.read(); return [before, locked, r.bodyUsed, await name(r.text())]; },
  async () => (await new Response('abc').body.getReader({ mode: 'byob' }).read(new Uint8Array(2))).value,
  async () => { const r = new Response(sourceOf(bytes(97), bytes(98))), copy = r.clone(); return [await r.text(), await copy.text(), r.bodyUsed]; },
  async () => { const r = new Response('x'); await r.text(); return [r.bodyUsed, name(r.text())].concat(await name(r.text())); },
  async () => name(new Response(sourceOf(5)).text()),
  () => { const s = sourceOf(bytes(1)); s.getReader(); return new Response(s); },
  async () => { const s = sourceOf(bytes(1)); await all(s); return new Response(s); },
  async () => new Response(new Response('abc').body.pipeThrough(new TextDecoderStream()).pipeThrough(new TransformStream({ transform(c, o) { o.enqueue(c + c); } })).pipeThrough(new TextEncoderStream())).text(),
  async () => new Request('https://a.b/', { method: 'POST', body: sourceOf(bytes(104, 105)), duplex: 'half' }).text(),
  async () => new Request('https://a.b/', { method: 'POST', body: 'hi' }).body.getReader().read().then((step) => text(step.value)),
  () => [new Response().body, new Response('').body === null, new Request('https://a.b/').body],
  () => structuredClone(new ReadableStream()),
  () => Object.keys(new ReadableStream()).length,
];
