// --- this
function self() { return this === undefined } const o = { self, arrow: () => this === undefined, m() { return this === undefined } }; const { self: alone, m } = o;
out(self(), o.self(), alone(), m(), o.arrow(), this === undefined, (function () { return this === undefined })(), (() => this === undefined)());
function kind() { return typeof this } out(kind.call(5), kind.call('a'), kind.call(true), kind.call(null), kind.call(undefined), kind.apply(Symbol.iterator), kind.bind(7)());
[1].forEach(function () { out('callback', this === undefined) }); [1].map(function () { out('given', typeof this) }, 3); 'a'.replace(/a/, function () { out('replace', this === undefined); return '' });
class A { n = 0; inc() { this.n++; return this.n } static make() { return this === undefined } get p() { return 1 } arrow = () => this.n } const { inc } = new A(), { make } = A; try { inc() } catch (error) { out(error.constructor.name) } out(make(), new A().arrow());
async function later() { return this === undefined } later().then((told) => out('async', told)); async function tail() { await null; return this === undefined } tail().then((told) => out('after await', told));
function* steps() { yield this === undefined } out([...steps()]); (async function* () { yield this === undefined })().next().then(({ value }) => out('async generator', value));
Promise.resolve().then(function () { out('then', this === undefined) }); new Promise(function () { out('executor', this === undefined) }); queueMicrotask(function () { out('microtask', this === undefined) });
const getter = { get x() { return typeof this }, set x(given) { out('set', typeof this) } }; out(getter.x); getter.x = 1; Object.defineProperty(Number.prototype, 'own', { get() { return typeof this }, configurable: true }); out((5).own); delete Number.prototype.own;
const tag = function () { return this === undefined }; out(tag`x`, (0, o.self)(), (o.self)(), (1, o).self()); out(typeof globalThis);
export {};

// --- what cannot be written to
const told = (work) => { try { work(); return 'fine' } catch (error) { return error.constructor.name } };
const frozen = Object.freeze({ a: 1, nested: {} }), list = Object.freeze([1, 2]), sealed = Object.seal({ a: 1 }), closed = Object.preventExtensions({ a: 1 });
out(told(() => { frozen.a = 2 }), told(() => { frozen.b = 2 }), told(() => { frozen['a']++ }), told(() => { frozen.a += 1 }), told(() => { delete frozen.a }), told(() => { frozen.nested.x = 1 }), frozen);
out(told(() => { list[0] = 5 }), told(() => { list.push(3) }), told(() => { list.length = 0 }), told(() => { list[9] = 1 }), list);
out(told(() => { sealed.a = 2 }), told(() => { sealed.b = 2 }), told(() => { delete sealed.a }), told(() => { closed.a = 3 }), told(() => { closed.c = 3 }), told(() => { delete closed.a }));
const only = { get a() { return 1 } }; out(told(() => { only.a = 2 }), told(() => { ({ get [Symbol.iterator]() { return 1 } })[Symbol.iterator] = 2 })); class G { get v() { return 1 } static get s() { return 1 } } out(told(() => { new G().v = 2 }), told(() => { G.s = 2 }), told(() => { new G().w = 2 }));
out(told(() => { 'abc'.length = 1 }), told(() => { 'abc'[0] = 'x' }), told(() => { (5).x = 1 }), told(() => { true.y = 1 }), told(() => { Symbol.iterator.x = 1 }), told(() => { undefined.x = 1 }), told(() => { null.x = 1 }));
out(told(() => { [frozen.a] = [3] }), told(() => { ({ a: frozen.a } = { a: 4 }) }), told(() => { for (frozen.a of [1]); }), told(() => { for (frozen.a in { k: 1 }); }), told(() => { frozen.a ??= 2 }), told(() => { frozen.a &&= 2 }), told(() => { frozen.c ||= 2 }), told(() => { frozen.a **= 2 }));
out(told(() => { Math.PI = 3 }), told(() => { (() => {}).length = 1 }), told(() => { (function named() {}).name = 'x' }), told(() => { delete Object.prototype }), told(() => { delete [].length }), told(() => { undefined = 1 }), told(() => { NaN = 1 }), told(() => { Infinity = 1 }));
out(told(() => { Object.defineProperty({}, 'a', { value: 1 }).a = 1 }), told(() => { Object.create(Object.freeze({ a: 1 })).a = 2 }), told(() => { new Proxy({}, { set: () => false }).x = 1 }), told(() => { delete new Proxy({}, { deleteProperty: () => false }).x }));
const c = 1; out(told(() => { c = 2 }), told(() => { (function f() { f = 1 })() }), told(() => { (class K { m() { K = 1 } }).prototype.m() }), told(() => { class L { static m() { L = 1 } } L.m() }));
class Fixed { #m() {} get #g() { return 1 } a() { this.#m = 1 } b() { this.#g = 1 } constructor(on) { if (on) Object.freeze(this).x = 1 } } out(told(() => new Fixed().a()), told(() => new Fixed().b()), told(() => new Fixed(true)));
try { frozen.a = 2; out('not reached') } catch (error) { out('top', error.constructor.name) } for (const one of [1, 2]) { try { frozen[one] = one } catch (error) { out('loop', error.constructor.name) } } let kept; try { kept = frozen.a = 5 } catch (error) { out('let', error.constructor.name, kept === undefined) }
out(Reflect.set(frozen, 'a', 2), Reflect.deleteProperty(frozen, 'a'), delete { x: 1 }.x, delete frozen.missing);
(async () => { frozen.a = 1 })().catch((error) => out('async', error.constructor.name)); (async () => { await null; frozen.a = 1 })().catch((error) => out('after await', error.constructor.name)); (async () => { for await (frozen.a of [1]); })().catch((error) => out('for await', error.constructor.name));
function* g() { try { frozen.a = yield 1 } catch (error) { yield error.constructor.name } } const it = g(); it.next(); out(it.next(2).value); const tpl = ((strings) => strings)`a${1}b`; out(told(() => { tpl[0] = 'x' }), told(() => { tpl.raw[0] = 'x' }));
export {};

// --- names that nobody declared
const told = (work) => { try { return String(work()) } catch (error) { return error.constructor.name } };
globalThis.shared = 1; out(shared, told(() => { shared = 2; return globalThis.shared }), told(() => shared++), told(() => shared += 5), shared); globalThis.gone = 1; delete globalThis.gone; out(told(() => { gone = 2 }), 'gone' in globalThis);
Object.defineProperty(globalThis, 'fixed', { value: 1, configurable: true }); out(told(() => { fixed = 2 }), fixed); for (shared of [7, 8]); out(shared); for (shared in { k: 1 }); out(shared); [shared] = [3]; ({ a: shared, ...globalThis.rest } = { a: 4, b: 5 }); out(shared, globalThis.rest); out(typeof nothing, told(() => typeof nothing));
export {};

// --- arguments
function one(a) { a = 2; return arguments[0] } function two(a) { arguments[0] = 3; return a } function three(a, b = 2) { a = 9; return arguments[0] + arguments.length } out(one(1), two(1), three(1)); const o = { m(a) { a = 5; return arguments[0] }, set v(x) { x = 1; this.was = arguments[0] } }; o.v = 7; out(o.m(4), o.was);
try { (function () { return arguments.callee })() } catch (error) { out(error.constructor.name) } function count() { return (() => arguments.length)() } out(count(1, 2, 3)); class C { constructor(a) { a = 2; this.first = arguments[0] } } out(new C(1).first); async function later(a) { a = 2; await null; return arguments[0] } later(1).then((x) => out('async', x)); function* gen(a) { a = 2; yield arguments[0] } out(gen(1).next().value);
out((function () { return Object.prototype.toString.call(arguments) + arguments.length + [...arguments] })(1, 2)); function swap(a, b) { [a, b] = [b, a]; return [a, b, ...arguments] } out(swap(1, 2)); out(Object.keys((function () { return arguments })(5, 6)), Array.from((function (a) { arguments[1] = 8; arguments.length = 2; return arguments })(7)));
export {};

// --- what functions own
const plain = function () { return this }, writes = (o) => { o.x = 1 }; class K { constructor() { this.a = 1 } m() { return this } static s() { return this } } async function a() { return this } function* g() { yield this }
for (const f of [writes, K.prototype.m, K.s]) out(Reflect.ownKeys(f).filter((key) => key === 'caller' || key === 'arguments'), Object.getOwnPropertyNames(f).includes('caller'), Object.keys(Object.getOwnPropertyDescriptors(f)).includes('arguments'));
for (const name of Object.getOwnPropertyNames(K)) if (!['length', 'name', 'prototype'].includes(name)) Object.defineProperty(plain, name, Object.getOwnPropertyDescriptor(K, name)); out(typeof plain.s); const told = (work) => { try { work(); return 'fine' } catch (error) { return error.constructor.name } }; out(told(() => K.caller), told(() => K.arguments), Object.keys(K), Object.assign({}, K));
export {};

// --- functions in blocks
const told = (work) => { try { return String(work()) } catch (error) { return error.constructor.name } };
{ function inner() { return 1 } out(inner()) } out(typeof inner); if (true) { function other() { return 2 } out(other()) } out(typeof other); function outer() { { function f() { return 3 } } return typeof f } out(outer()); switch (1) { case 1: function inSwitch() { return 4 } out(inSwitch()) } out(typeof inSwitch);
{ function twice() { return 1 } { function twice() { return 2 } out(twice()) } out(twice()) } const early = () => { { out(hoisted()); function hoisted() { return 5 } } }; early(); for (const i of [1, 2]) { function loop() { return i } out(loop()) } try { function inTry() { return 6 } out(inTry()) } catch { } out(typeof inTry);
export {};

// --- code at top level
const o = {}; o.a = 1; o['b'] = o.a + 1; o.c = o.d = 3; o.a++; --o.b; o.n ??= { m: 1 }; delete o.d; out(o); let x = (o.e = 5) + 1, { f = (o.f = 6) } = {}, [g = (o.g = 7)] = []; out(x, f, g, o); for (o.i = 0; o.i < 2; o.i++) { var inLoop = o.i; out('i', inLoop) } out(inLoop, typeof o.i);
for (var v of [1, 2]) { o.v = v; let w = v * 2; setTimeout(() => out('later', w)) } out(v, o.v); for (const k in { p: 1, q: 2 }) o[k] = () => k; out(o.p(), o.q()); if (o.a) { var found = (o.h = 8); const block = found; out(block) } else { var other = 1 } out(found, other); outer: for (let i = 0; i < 3; i++) { for (;;) { o.k = i; if (i > 1) break outer; continue outer } } out(o.k);
switch (o.a) { case 2: o.s = 'two'; break; default: o.s = 'other' } out(o.s); try { o.t = 1; throw new Error('x') } catch ({ message }) { o.t = message; var caught = message } finally { o.u = 1 } out(o.t, o.u, caught); do { o.w = (o.w || 0) + 1 } while (o.w < 3); out(o.w); function F() { this.y = 1 } F.prototype.z = 2; F.count = 0; F.count += 1; out(new F().z, F.count); export const kept = (o.exported = 1); export let bound = o.exported; bound = 2; out(kept, bound); export default (o.last = 9); out(o.last);
const table = []; for (let i = 0; i < 5; i++) table[i] = i * i; out(table); [o.left, o.right] = [1, 2]; ({ l: o.left, ...o.rest } = { l: 3, m: 4 }); out(o.left, o.right, o.rest); class S { static n = 0; static { S.n = S.n + 1; this.made = true } } S.n++; out(S.n, S.made); o.fn = function named() { return typeof named }; o.arrow = () => o.fn(); out(o.fn(), o.fn.name, o.arrow(), o.arrow.name); label: { o.z = 1; break label }
