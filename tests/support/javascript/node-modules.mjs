/*
 * What modules of Node.js do: each case is a function whose result, as JSON, is the same in Node.js and in a script.
 */
import assert from 'node:assert';
import strictAssert from 'node:assert/strict';
import { Buffer } from 'node:buffer';
import EventEmitter, { once, on, getEventListeners, errorMonitor } from 'node:events';
import os from 'node:os';
import path, { basename, join } from 'node:path';
import process from 'node:process';
import punycode from 'punycode';
import querystring, { parse, stringify } from 'node:querystring';
import stream, { Duplex, PassThrough, Readable, Transform, Writable, pipeline } from 'node:stream';
import { text as textOf, json as jsonOf } from 'node:stream/consumers';
import { finished, pipeline as piped } from 'node:stream/promises';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as later } from 'node:timers/promises';
import url, { fileURLToPath, pathToFileURL } from 'node:url';
import util, { format, inspect, inherits, promisify, types } from 'node:util';

const told = (run) => {
  try {
    return run();
  } catch (error) {
    return error.name;
  }
};
const bytes = (value) => [...value];

export const cases = {
  'Buffer from text': () => ['utf8', 'hex', 'base64', 'base64url', 'latin1', 'ascii', 'utf16le', 'ucs2', 'binary'].map((name) => bytes(Buffer.from('6162Zg-_', name))),
  'Buffer to text': () => ['utf8', 'hex', 'base64', 'base64url', 'latin1', 'ascii', 'utf16le'].map((name) => Buffer.from([104, 195, 169, 255, 62, 63]).toString(name)),
  'Buffer characters': () => Buffer.from('aé€😀').toString('hex') + Buffer.from('aé€😀').toString() + Buffer.from([0xf0, 0x9f, 0x98, 0x80, 0x80, 0xc3]).toString(),
  'Buffer from others': () => [Buffer.from([1, 2, 300]), Buffer.from(new Uint16Array([1, 513])), Buffer.from(new Uint8Array([1, 2, 3]).buffer, 1, 1), Buffer.from(Buffer.from('x')), Buffer.from({ type: 'Buffer', data: [1, 2] }), Buffer.from(new String('s'))].map(bytes),
  'Buffer is a Uint8Array': () => [Buffer.from('a') instanceof Uint8Array, Buffer.isBuffer(Buffer.alloc(1)), Buffer.isBuffer(new Uint8Array(1)), ArrayBuffer.isView(Buffer.alloc(2)), Array.isArray(Buffer.alloc(1)), Object.prototype.toString.call(Buffer.alloc(1))],
  'Buffer alloc': () => [Buffer.alloc(3), Buffer.alloc(3, 1), Buffer.alloc(5, 'ab'), Buffer.alloc(4, 'YQ', 'base64url'), Buffer.allocUnsafe(2).fill(7)].map(bytes),
  'Buffer sizes': () => [Buffer.byteLength('é€'), Buffer.byteLength('YWI', 'base64'), Buffer.byteLength('YWI', 'base64url'), Buffer.byteLength('6162', 'hex'), Buffer.byteLength(new ArrayBuffer(5))],
  'Buffer concat': () => [Buffer.concat([Buffer.from('ab'), new Uint8Array([99]), Buffer.from('de')]).toString(), Buffer.concat([Buffer.from('abc')], 2).toString(), Buffer.concat([]).length],
  'Buffer compare': () => [Buffer.compare(Buffer.from('a'), Buffer.from('b')), Buffer.from('a').equals(new Uint8Array([97])), Buffer.from('abc').compare(Buffer.from('abd')), ['b', 'a'].map((one) => Buffer.from(one)).sort(Buffer.compare).map(String)],
  'Buffer parts share': () => {
    const whole = Buffer.from('abcdef');
    whole.subarray(1, 3)[0] = 88;
    whole.slice(-2)[1] = 89;
    return [whole.toString(), Buffer.isBuffer(whole.subarray(1)), Buffer.isBuffer(whole.slice(1)), whole.subarray(2, 4).toString()];
  },
  'Buffer numbers': () => {
    const made = Buffer.alloc(36);
    made.writeUInt8(255, 0);
    made.writeInt16BE(-2, 1);
    made.writeUInt32LE(0xdeadbeef, 3);
    made.writeDoubleBE(Math.PI, 8);
    made.writeFloatLE(1.5, 16);
    made.writeIntBE(-123456789012, 20, 6);
    made.writeUIntLE(0x123456, 26, 3);
    return [made.toString('hex'), made.readUInt8(0), made.readInt16BE(1), made.readUInt32LE(3), made.readDoubleBE(8), made.readFloatLE(16), made.readIntBE(20, 6), made.readUIntLE(26, 3), made.readInt8(2), made.readUint16LE(3)];
  },
  'Buffer out of range': () => [told(() => Buffer.alloc(2).writeUInt8(300, 0)), told(() => Buffer.from(5)), told(() => Buffer.from('a').toString('klingon')), told(() => Buffer.alloc(-1)), told(() => Buffer.from('a', 'klingon'))],
  'Buffer search': () => [Buffer.from('hello world').indexOf('wor'), Buffer.from('hello').lastIndexOf('l'), Buffer.from('hello').includes(Buffer.from('ell')), Buffer.from('hello').indexOf(111), Buffer.from('hello').indexOf('x')],
  'Buffer write': () => {
    const made = Buffer.alloc(8, '.');
    return [made.write('abc', 2), made.write('6162', 5, 'hex'), made.write('€', 7), made.toString()];
  },
  'Buffer copy and swap': () => {
    const target = Buffer.alloc(4, 'z');
    return [Buffer.from('abcd').copy(target, 1, 2), target.toString(), Buffer.from([1, 2, 3, 4]).swap16().toString('hex'), Buffer.from([1, 2, 3, 4]).swap32().toString('hex')];
  },
  'Buffer JSON': () => [JSON.stringify(Buffer.from('ab')), [...Buffer.from('ab').entries()], [...Buffer.from('ab').keys()], Buffer.from('abc').at(-1)],
  'base64 of odd texts': () => ['YQ==', 'YQ', 'Y Q\n=', '-_-_', '+/+/', '=', ''].map((text) => Buffer.from(text, 'base64').toString('hex')),
  'StringDecoder': () => {
    const decoder = new StringDecoder('utf8');
    return [decoder.write(Buffer.from([0xe2, 0x82])), decoder.write(Buffer.from([0xac, 0x41])), decoder.end(Buffer.from([0xc3])), new StringDecoder('base64').write(Buffer.from('abcd')), new StringDecoder('utf16le').end(Buffer.from('a\0b'))];
  },

  'events': () => {
    const made = new EventEmitter();
    const seen = [];
    made.on('a', (...given) => seen.push(['on', ...given]));
    made.once('a', (...given) => seen.push(['once', ...given]));
    made.prependListener('a', () => seen.push('first'));
    made.on(errorMonitor, (error) => seen.push(`monitored ${error.message}`));
    const results = [made.emit('a', 1, 2), made.emit('a', 3), made.emit('none'), made.listenerCount('a'), getEventListeners(made, 'a').length];
    made.off('a', made.listeners('a')[0]);
    return [seen, results, made.eventNames().map(String), told(() => made.emit('error', new RangeError('no'))), seen.at(-1), EventEmitter.defaultMaxListeners, EventEmitter.EventEmitter === EventEmitter];
  },
  'events inherited': () => {
    class Ours extends EventEmitter {
      constructor() { super(); this.own = 1; }
    }
    function Old() { EventEmitter.call(this); }
    inherits(Old, EventEmitter);
    const seen = [];
    for (const made of [new Ours(), new Old()]) {
      made.on('x', function (value) { seen.push([this === made, value]); });
      made.emit('x', 5);
    }
    return [seen, new Old() instanceof EventEmitter, Old.super_ === EventEmitter];
  },
  'events once and on': async () => {
    const made = new EventEmitter();
    setTimeout(() => made.emit('go', 1, 2), 1);
    const first = await once(made, 'go');
    const seen = [];
    setTimeout(() => { for (const one of [1, 2, 3]) made.emit('more', one); }, 1);
    for await (const [one] of on(made, 'more')) {
      seen.push(one);
      if (one === 3) break;
    }
    setTimeout(() => made.emit('error', new Error('broken')), 1);
    const failed = await once(made, 'go').catch((error) => error.message);
    const stopped = await once(made, 'go', { signal: AbortSignal.abort() }).catch((error) => error.name);
    return [first, seen, failed, stopped, made.listenerCount('more')];
  },

  'path': () => [join('/a', '..', 'b', './c'), basename('/x/y.txt', '.txt'), path.extname('a.b.c'), path.resolve('/a', 'b', '../c'), path.relative('/a/b', '/a/c/d'), path.normalize('/a//b/../c/.'), path.parse('/some/x.tar.gz'), path.format({ dir: '/a', base: 'b' }), path.isAbsolute('a'), path.dirname('/a/b'), path.sep, path.posix === path || path.posix.sep],
  'querystring': () => [parse('a=1&b=2&a=3&c=%20x+y&d'), stringify({ a: [1, 2], b: 'x y&', c: true, d: null, e: 'é' }), querystring.escape('a b&ü'), querystring.unescape('%41%zz%C3%A9'), parse('a:1;b:2', ';', ':'), stringify({ a: 1 }, ';', ':')],
  'url': () => [fileURLToPath('file:///a%20b/c'), pathToFileURL('/a b/#c?').href, url.format(new URL('http://u:p@h/p?q#f'), { auth: false, fragment: false }), url.resolve('http://a.b/c/d', '../e'), url.parse('http://u:p@host:8080/p/a?x=1&y=2#h', true).query.y, url.parse('/only?x=1').pathname, url.format({ protocol: 'https', host: 'x.y', pathname: '/z', query: { a: 1 } }), url.URL === URL, url.urlToHttpOptions(new URL('http://a:b@c.d:81/e?f')).auth],
  'punycode': () => [punycode.toASCII('mañana.com'), punycode.toUnicode('xn--maana-pta.com'), punycode.encode('ü'), punycode.ucs2.decode('a😀')],
  'os': () => [os.EOL, typeof os.cpus().length, typeof os.platform()],

  'util.format': () => [format('%s %d %i %f %j %o %O %%', 'a', 1.5, '42.9px', '1.5', { a: 1 }, [1], { b: { c: {} } }), format('a', 'b', { c: 1 }), format('%s', null, undefined, 5, Symbol('x')), format('%c%s', 'css', 'x'), format(1, 2, '3')],
  'util.inspect': () => [{ a: 1, b: 'x', c: [1, 2, { d: null }], e: undefined }, [1, , 3], new Map([[1, { a: 2 }]]), new Set(['a']), 'text\n\'"', /x/g, null, -0, [new Date(0)], { get a() { return 1; }, set a(_) {} }, Symbol('s'), [[[[[1]]]]], new Uint8Array([1, 2]), function named() {}, class Named {}, Object.create(null), { 'a-b': 1, [Symbol('k')]: 2 }, 'x'.repeat(10).split(''), new (class Thing { constructor() { this.v = 1; } })()].map((one) => inspect(one)),
  'util.inspect options': () => [inspect({ a: { b: { c: { d: 1 } } } }, { depth: 0 }), inspect({ a: { b: { c: { d: 1 } } } }, false, null), inspect({ a: 1, b: 'x' }, { colors: true }), inspect(Array.from({ length: 120 }, (_, at) => at), { maxArrayLength: 3 }), inspect({ [inspect.custom]: () => 'mine' }), inspect({ b: 1, a: 2 }, { sorted: true, compact: false }), inspect(Array.from({ length: 30 }, (_, at) => ({ at })), { breakLength: 40 })],
  'util.inspect circles': () => { const made = { name: 'a' }; made.self = made; return inspect(made); },
  'util.promisify': async () => {
    const half = promisify((value, done) => setTimeout(() => (value % 2 ? done(new Error('odd')) : done(null, value / 2)), 1));
    const back = await new Promise((resolve) => { util.callbackify(async (value) => value + 1)(1, (error, value) => resolve([error, value])); });
    return [await half(4), await half(3).catch((error) => error.message), back, promisify.custom.toString()];
  },
  'util.types': () => [types.isDate(new Date()), types.isDate({}), types.isRegExp(/x/), types.isMap(new Map()), types.isSet(new Map()), types.isPromise(Promise.resolve()), types.isTypedArray(Buffer.alloc(1)), types.isUint8Array(Buffer.alloc(1)), types.isArrayBuffer(new ArrayBuffer(1)), types.isNativeError(new TypeError()), types.isBoxedPrimitive(Object(1)), types.isNumberObject(1), types.isDataView(new DataView(new ArrayBuffer(1)))],
  'util equality': () => [util.isDeepStrictEqual({ a: [1, new Map([[1, { b: 2 }]])] }, { a: [1, new Map([[1, { b: 2 }]])] }), util.isDeepStrictEqual([1], ['1']), util.isDeepStrictEqual(new Set([1, 2]), new Set([2, 1])), util.isDeepStrictEqual(NaN, NaN), util.isDeepStrictEqual(0, -0), util.isDeepStrictEqual(Buffer.from('a'), Buffer.from('b'))],
  'util others': () => [util.stripVTControlCharacters('\u001b[31mred\u001b[39m'), util.isArray([]), new util.TextEncoder().encode('é').length, util.deprecate((x) => x + 1, 'old')(1), util.toUSVString('a\ud800'), typeof util.debuglog('x')],

  'assert': () => {
    const told = (run) => { try { run(); return 'passed'; } catch (error) { return [error.name, error.code, error.actual, error.expected, error.operator]; } };
    return [told(() => assert(1)), told(() => assert.ok(0, 'no')), told(() => assert.equal(1, '1')), told(() => assert.strictEqual(1, 2)), told(() => assert.deepEqual({ a: 1 }, { a: '1' })), told(() => assert.deepStrictEqual({ a: 1 }, { a: 1 })), told(() => assert.deepStrictEqual([1], ['1'])), told(() => assert.throws(() => { throw new TypeError('x'); }, TypeError)), told(() => assert.notStrictEqual(1, 1)), told(() => assert.match('abc', /b/)), told(() => strictAssert.equal(1, '1')), told(() => assert.fail('f'))];
  },
  'assert rejects': async () => {
    await assert.rejects(Promise.reject(new RangeError('x')), RangeError);
    return assert.rejects(Promise.resolve(1)).catch((error) => error.code);
  },

  'process': async () => {
    const order = [];
    process.nextTick((value) => order.push(value), 'tick');
    await later(1);
    return [order, typeof process.env.PATH === 'string' || process.env.PATH === undefined, typeof process.cwd(), process.hrtime().length, process.argv.length >= 0, typeof process.version, process.env.SURELY_NOT_SET === undefined];
  },
  'timers': async () => {
    const seen = [];
    setImmediate((value) => seen.push(value), 'immediate');
    clearImmediate(setImmediate(() => seen.push('never')));
    seen.push(await later(2, 'later'));
    return [seen, await later(1000, 0, { signal: AbortSignal.abort() }).catch((error) => error.name)];
  },

  'streams': async () => {
    const upper = new Transform({ transform(chunk, _encoding, done) { done(null, String(chunk).toUpperCase()); } });
    const seen = [];
    const end = new Writable({ write(chunk, _encoding, done) { seen.push(String(chunk)); setTimeout(done, 1); } });
    await piped(Readable.from(['a', 'b', 'c']), upper, end);
    return [seen, end.writableFinished, upper.destroyed];
  },
  'streams pushed': async () => {
    let count = 0;
    const numbers = new Readable({ read() { count += 1; this.push(count > 3 ? null : Buffer.from(String(count))); } });
    return [await textOf(numbers), await jsonOf(Readable.from([Buffer.from('{"a":'), Buffer.from('1}')]))];
  },
  'streams fail': async () => {
    const broken = new Readable({ read() { this.destroy(new Error('broken')); } });
    const failed = await new Promise((resolve) => { pipeline(broken, new PassThrough(), (error) => resolve(error.message)); });
    const early = await finished(new Readable({ read() {} }).destroy()).catch((error) => error.code);
    return [failed, early];
  },
  'streams of objects': async () => {
    const seen = [];
    for await (const one of Readable.from([{ a: 1 }, { a: 2 }, { a: 3 }]).filter((one) => one.a > 1).map((one) => one.a * 2)) seen.push(one);
    return [seen, await Readable.from([1, 2, 3]).toArray(), await Readable.from([1, 2, 3]).reduce((sum, one) => sum + one, 0)];
  },
  'streams of the web': async () => {
    const reader = Readable.toWeb(Readable.from([Buffer.from('a'), Buffer.from('b')]));
    const there = [];
    for (const one of reader.getReader ? [reader.getReader()] : []) for (let next = await one.read(); !next.done; next = await one.read()) there.push(...next.value);
    const web = new ReadableStream({ start(controller) { controller.enqueue('x'); controller.enqueue('y'); controller.close(); } });
    return [there, await textOf(Readable.fromWeb(web))];
  },
  'streams old': async () => {
    function Old() { stream.call(this); this.readable = true; }
    util.inherits(Old, stream);
    const made = new Old();
    const seen = [];
    made.pipe(new Writable({ write(chunk, _encoding, done) { seen.push(String(chunk)); done(); } }));
    made.emit('data', 'x');
    made.emit('end');
    await later(1);
    return [seen, made instanceof stream, made instanceof EventEmitter, stream.Readable === Readable, new PassThrough() instanceof stream, new Duplex({ read() {}, write() {} }) instanceof Readable];
  },
  'streams back pressure': () => {
    const slow = new Writable({ highWaterMark: 2, write() {} });
    return [slow.write('a'), slow.write('bc'), slow.writableNeedDrain, slow.writableLength];
  },
};

/** By name, what each gave, or its error. */
export async function results() {
  const made = {};
  for (const [name, run] of Object.entries(cases)) {
    try {
      made[name] = JSON.parse(JSON.stringify((await run()) ?? null));
    } catch (error) {
      made[name] = { error: String(error?.stack ?? error).slice(0, 600) };
    }
  }
  return made;
}
