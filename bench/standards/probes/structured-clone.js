/* structuredClone (HTML standard, 2.7). */
function kind(value) { return Object.prototype.toString.call(value).slice(8, -1); }
for (const [name, value] of Object.entries({
  undefined, null: null, true: true, false: false, 'the empty string': '', 'a string': 'x', 'a lone surrogate': '\ud800', NUL: 'a\0b', zero: 0, 'minus zero': -0, NaN, Infinity, 'a fraction': 0.2, 'a large number': 1e300,
})) test(() => assert_equals(structuredClone(value), value), name);

for (const [name, value] of Object.entries({ 'a Boolean': Object(true), 'a Number': Object(-0), 'a String': Object('xy'), 'an empty String': Object('') })) {
  test(() => { const copy = structuredClone(value); assert_not_equals(copy, value); assert_equals(kind(copy), kind(value)); assert_equals(copy.valueOf(), value.valueOf()); assert_equals(Object.getPrototypeOf(copy), Object.getPrototypeOf(value)); }, name);
}
for (const at of [0, -1, 8.64e15, NaN]) test(() => { const copy = structuredClone(new Date(at)); assert_true(copy instanceof Date); assert_equals(copy.getTime(), at); }, `a Date at ${at}`);
for (const [number, pattern] of [/a/, /a+b?/gi, /\//y, /[^]/mu, /(?<n>x)/s, new RegExp('')].entries()) test(() => { pattern.lastIndex = 2; const copy = structuredClone(pattern); assert_equals(String(copy), String(pattern)); assert_equals(copy.lastIndex, 0); assert_not_equals(copy, pattern); }, `pattern ${number}`);

test(() => { const copy = structuredClone({ a: 1, b: { c: [1, 2, { d: null }] } }); assert_equals(JSON.stringify(copy), '{"a":1,"b":{"c":[1,2,{"d":null}]}}'); }, 'objects in objects');
test(() => { const value = {}; value.self = value; const copy = structuredClone(value); assert_equals(copy.self, copy); assert_not_equals(copy, value); }, 'a cycle');
test(() => { const shared = {}, copy = structuredClone([shared, shared]); assert_equals(copy[0], copy[1]); }, 'one object twice');
test(() => { const copy = structuredClone([1, , 3]); assert_equals(copy.length, 3); assert_false(1 in copy); }, 'an array with a hole');
test(() => { const value = [1]; value.x = 'y'; const copy = structuredClone(value); assert_equals(copy.x, 'y'); assert_true(Array.isArray(copy)); }, 'an array with a property');
test(() => assert_equals(structuredClone(new Array(100)).length, 100), 'an empty array with a length');
test(() => { class Point { constructor() { this.x = 1; } get y() { return 2; } } const copy = structuredClone(new Point()); assert_equals(JSON.stringify(copy), '{"x":1}'); assert_equals(Object.getPrototypeOf(copy), Object.prototype); }, 'an instance of a class');
test(() => { const copy = structuredClone(Object.assign(Object.create(null), { a: 1 })); assert_equals(Object.getPrototypeOf(copy), Object.prototype); assert_equals(copy.a, 1); }, 'an object without a prototype');
test(() => { let count = 0; const copy = structuredClone({ get a() { return ++count; } }); assert_equals(copy.a, 1); assert_equals(count, 1); assert_true('value' in Object.getOwnPropertyDescriptor(copy, 'a')); }, 'a getter is read once');
test(() => { const value = {}; Object.defineProperty(value, 'hidden', { value: 1, enumerable: false }); assert_false('hidden' in structuredClone(value)); }, 'what is not enumerable');
test(() => { assert_equals(Object.getOwnPropertySymbols(structuredClone({ [Symbol('s')]: 1 })).length, 0); }, 'symbols as keys');
test(() => { const copy = structuredClone(Object.freeze({ a: 1 })); copy.a = 2; assert_equals(copy.a, 2); }, 'a frozen object');
test(() => { const copy = structuredClone({ ['__proto__']: { x: 1 } }); assert_true(Object.prototype.hasOwnProperty.call(copy, '__proto__')); assert_equals(copy.x, undefined); }, 'a property called __proto__');
test(() => assert_equals(Object.keys(structuredClone({ b: 1, a: 2, 1: 3, 0: 4 })).join(), '0,1,b,a'), 'the order of keys');
test(() => { (function () { const copy = structuredClone(arguments); assert_equals(copy[0], 5); assert_equals(kind(copy), 'Object'); }(5)); }, 'arguments');
test(() => { class List extends Array {} const copy = structuredClone(List.of(1, 2)); assert_equals(copy.constructor, Array); assert_equals(copy.join(), '1,2'); }, 'a class of arrays');

test(() => { const copy = structuredClone(new Map([[1, 'a'], [{ k: 1 }, { v: 2 }]])); assert_true(copy instanceof Map); assert_equals(copy.get(1), 'a'); const [key, value] = [...copy][1]; assert_equals(key.k + value.v, 3); }, 'a Map');
test(() => { const copy = structuredClone(new Set([1, 'x', NaN])); assert_true(copy instanceof Set); assert_true(copy.has(NaN)); assert_equals(copy.size, 3); }, 'a Set');
test(() => { const value = new Map(); value.set(value, value); const copy = structuredClone(value); assert_equals(copy.get(copy), copy); }, 'a Map that holds itself');
test(() => { const value = new Set(); value.add(value); const copy = structuredClone(value); assert_true(copy.has(copy)); }, 'a Set that holds itself');
test(() => { const value = new Map([[1, 1]]); value.extra = 1; assert_equals(structuredClone(value).extra, undefined); }, 'properties of a Map');

for (const name of ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'Float32Array', 'Float64Array']) {
  test(() => { const value = new globalThis[name]([1, 2, 3]), copy = structuredClone(value); assert_equals(kind(copy), name); assert_array_equals(copy, [1, 2, 3]); assert_not_equals(copy.buffer, value.buffer); }, name);
  test(() => { const buffer = new ArrayBuffer(24), value = new globalThis[name](buffer, 8, 1), copy = structuredClone(value); assert_equals(copy.byteOffset, 8); assert_equals(copy.length, 1); assert_equals(copy.buffer.byteLength, 24); }, `a part of a buffer as ${name}`);
}
test(() => { const copy = structuredClone(new DataView(new Uint8Array([1, 2, 3]).buffer, 1, 1)); assert_equals(kind(copy), 'DataView'); assert_equals(copy.getUint8(0), 2); assert_equals(copy.byteLength, 1); }, 'DataView');
test(() => { const buffer = new Uint8Array([7]).buffer, copy = structuredClone(buffer); assert_not_equals(copy, buffer); assert_equals(new Uint8Array(copy)[0], 7); }, 'ArrayBuffer');
test(() => { const buffer = new ArrayBuffer(8), copy = structuredClone([new Uint8Array(buffer), new Uint16Array(buffer)]); assert_equals(copy[0].buffer, copy[1].buffer); }, 'views of one buffer');
test(() => { const buffer = new Uint8Array([1, 2]).buffer, copy = structuredClone(buffer, { transfer: [buffer] }); assert_equals(copy.byteLength, 2); }, 'a buffer that is moved arrives');
test(() => { const buffer = new ArrayBuffer(2); structuredClone(buffer, { transfer: [buffer] }); assert_equals(buffer.byteLength, 0); }, 'a buffer that is moved is gone');
test(() => assert_throws_dom('DataCloneError', () => structuredClone(1, { transfer: [{}] })), 'an object cannot be moved');
test(() => { const buffer = new ArrayBuffer(1); assert_throws_dom('DataCloneError', () => structuredClone(1, { transfer: [buffer, buffer] })); }, 'nothing is moved twice');

for (const name of ['Error', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError']) {
  test(() => { const value = new globalThis[name]('why', { cause: { x: 1 } }), copy = structuredClone(value); assert_equals(copy.constructor, globalThis[name]); assert_equals(copy.name, name); assert_equals(copy.message, 'why'); assert_not_equals(copy, value); assert_equals(typeof copy.stack, 'string'); }, name);
}
test(() => { class Mine extends TypeError {} const copy = structuredClone(new Mine('x')); assert_equals(copy.constructor, TypeError); }, 'a class of errors');
test(() => { const value = new Error('x'); value.name = 'Other'; assert_equals(structuredClone(value).name, 'Error'); }, 'an error with another name');
test(() => { const value = new Error('x'); value.name = 'RangeError'; assert_equals(structuredClone(value).constructor, RangeError); }, 'an error with the name of another');
test(() => { const value = new Error('x'); value.extra = 1; assert_equals(structuredClone(value).extra, undefined); }, 'properties of an error');
test(() => { const value = new Error(); assert_false(Object.prototype.hasOwnProperty.call(structuredClone(value), 'message')); }, 'an error without a message');
test(() => { const copy = structuredClone(new DOMException('why', 'AbortError')); assert_true(copy instanceof DOMException); assert_equals(`${copy.name} ${copy.message} ${copy.code}`, 'AbortError why 20'); }, 'DOMException');
promise_test(async () => { const value = new Blob(['x'], { type: 'a/b' }), copy = structuredClone(value); assert_not_equals(copy, value); assert_equals(await copy.text(), 'x'); assert_equals(copy.type, 'a/b'); }, 'Blob');
promise_test(async () => { const copy = structuredClone(new File(['x'], 'n', { lastModified: 5 })); assert_true(copy instanceof File); assert_equals(`${copy.name} ${copy.lastModified} ${await copy.text()}`, 'n 5 x'); }, 'File');

for (const [name, value] of [['a function', () => {}], ['a class', class {}], ['a symbol', Symbol('s')], ['a WeakMap', new WeakMap()], ['a WeakSet', new WeakSet()], ['a promise', Promise.resolve()], ['a Response', new Response()], ['a Request', new Request('http://a/')], ['Headers', new Headers()], ['an Event', new Event('x')], ['an AbortSignal', AbortSignal.abort()], ['a generator', (function* () {}())]]) {
  if (name !== 'a generator') test(() => assert_throws_dom('DataCloneError', () => structuredClone(value)), `refused: ${name}`);
  if (typeof value === 'function' || typeof value === 'symbol' || value instanceof WeakMap || value instanceof Promise) test(() => assert_throws_dom('DataCloneError', () => structuredClone({ a: [value] })), `refused inside: ${name}`);
}
test(() => { const thrown = new Error('mine'); assert_throws_exactly(thrown, () => structuredClone({ get a() { throw thrown; } })); }, 'what a getter throws');
test(() => assert_throws_js(TypeError, () => structuredClone()), 'an argument is needed');
test(() => { let value = {}; for (let i = 0; i < 200; i++) value = { value }; let copy = structuredClone(value), depth = 0; while (copy.value) { copy = copy.value; depth++; } assert_equals(depth, 200); }, 'two hundred levels');
