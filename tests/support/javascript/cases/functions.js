// --- names
const o = { a: () => 1, b: function () {}, c() {}, async f() {}, *g() {}, h: class {}, i: class Named {}, nested: { d: () => 1 }, list: [() => 1] };
out(o.a.name, o.b.name, o.c.name, o.f.name, o.g.name, o.h.name, o.i.name, o.nested.d.name, JSON.stringify(o.list[0].name));
const top = () => 1, top2 = function () {}; let top5; top5 = () => 1; var top6 = function named() {}; out(top.name, top2.name, top5.name, top6.name);
function outer() { const nested = () => 1; let nested4; nested4 = () => 2; function inner() {} const curry = (a) => (b) => a + b; return [nested, nested4, inner, curry].map((f) => f.name).concat(JSON.stringify(curry(1).name)) }
out(outer(), outer.name, outer(nested4 => 1)); const nested = () => 0, dup = () => 1, h = { dup: () => dup() }; out(nested.name, h.dup.name, dup.name);
function f(cb = () => 1) { return cb.name } out(f()); let l; l ??= () => 1; out(l.name); for (const fn of [() => 1]) { const inLoop = () => fn; out(inLoop.name) }
class A { m() {} static s() {} field = () => 1; static sf = () => 2; async am() {} } const a = new A(); out(a.m.name, A.s.name, a.field.name, A.sf.name, a.am.name, A.name, a.constructor.name);
out(((a, b) => 1).length, ((a, b = 1, c) => 1).length, ((...r) => 1).length, ({ m(a, b) {} }).m.length, new A().m.length);

// --- what is no constructor
const cases = { arrow: () => new (() => {})(), variable: () => { const f = () => {}; new f() }, method: () => { const o = { m() {} }; new o.m() }, member: () => { class K { m() {} } new (new K().m)() }, async: () => { const k = async () => {}; new k() }, plain: () => { new (function () {})() }, class: () => { class L {} L() }, reflect: () => Reflect.construct(() => {}, []), heir: () => { const B = () => {}; class X extends B {} } };
for (const [name, work] of Object.entries(cases)) { try { work(); out(name, 'fine') } catch (error) { out(name, error.constructor.name) } }
out((() => {}).prototype === undefined, Object.hasOwn(() => 1, 'prototype'), typeof (function () {}).prototype, ({ m() {} }).m.prototype === undefined, (async () => {}).prototype === undefined);

// --- methods and arrows of every name
const o = { get: () => 1, set(x) { return x }, delete() { return 3 }, 'return': () => 4, default() { return 5 }, static: () => 6, async await() { return 7 }, of: () => 8, yield: () => 9, let: () => 10, eval: () => 11, arguments: () => 12, new: () => 13, async: () => 14, constructor() { return 15 }, prototype: () => 16, __proto__() { return 17 }, undefined: () => 18, NaN() { return 19 }, 1: () => 20, 'a b': () => 21, é: () => 22, null: () => 23 };
out(Object.keys(o).map((k) => typeof o[k]() === 'object' ? 'p' : o[k]()));
class K { get() { return 1 } set() { return 2 } static() { return 3 } delete() { return 4 } static default() { return 5 } async get2() { return 6 } toString() { return 'K' } ['x' + 1]() { return 7 } }
const k = new K(); out(k.get(), k.set(), k.static(), k.delete(), K.default(), k.x1(), String(k), k.get.length);
out([1, 2, 3].map((x, i, a) => x + i + a.length), ((...a) => a.length)(1, 2), ((a = 2, { b } = { b: 3 }) => a + b)());
function F() { this.v = 1; this.m = () => this.v; this.n = () => () => arguments.length; this.t = () => new.target === undefined } const f = new F(9, 8); out(f.m(), f.n()(), f.t());
const it = { *[Symbol.iterator]() { yield* [1, 2] }, get x() { return (() => this.y)() }, y: 4, async *z() { yield 1 } }; out([...it], it.x);
const rec = (n) => n < 2 ? 1 : n * rec(n - 1); out(rec(5), rec.name); let re2 = (n) => n > 0 ? re2(n - 1) : 'end'; const keep = re2; re2 = () => 'new'; out(keep(1));
const a = async () => { await null; return (() => typeof this)() !== 'string' }; a().then((x) => out('async', x));
new (class { x = () => { out('field', this.constructor.name.length >= 0) }; constructor() { this.x() } })();
out(typeof (() => {}).call, (() => 5).apply(null, []), (() => 1).bind({})(), [3, 1].sort((x, y) => x - y), 'abc'.replace(/b/, (m) => m.toUpperCase()), JSON.stringify({ toJSON: () => 'j' }));
const p = new Proxy(() => 1, { apply: () => 'applied' }); out(p()); out((() => { 'use strict'; return 1 })());

// --- properties named like keywords
const set = 1, get = 2, of = 3, async = 4, eval2 = 5; const yield2 = 6;
const o = { set, get, of, async, eval2, yield2, static: 7 }; out(o, Object.keys(o));
const { set: s2, get: g2 } = o; out(s2, g2); out({ set: set, get: get });

// --- names used within
const rename = (a) => { const rename = a; return rename }; out(rename(3), rename.name);
const rec = (n) => n < 2 ? 1 : n * rec(n - 1); out(rec(5), rec.name); try { new rec() } catch (x) { out(x.constructor.name) }
let re2 = (n) => n > 0 ? re2(n - 1) : 'end'; const keep = re2; re2 = () => 'new'; out(keep(1), keep.name);
const p = (p) => p; out(p(1), p.name); const q = ({ q }) => q; out(q({ q: 2 }), q.name); const dflt = (x = dflt) => typeof x; out(dflt(), dflt.name);
const outerF = () => { const inner = (inner) => inner + 1; return inner(1) }; out(outerF());
function foo() { return 'outer foo' } const holder = { foo() { return foo() }, bar: () => holder.foo(), async baz() { return foo() } }; out(holder.foo(), holder.foo.name, holder.bar()); holder.baz().then((x) => out('baz', x, holder.baz.name));
class K { foo() { return foo() } static foo() { return foo() + 's' } async foo2() { return foo() } f = () => foo() } out(new K().foo(), K.foo(), new K().f(), new K().foo.name);
const a = async (n) => n > 0 ? a(n - 1) : 'done'; a(2).then((x) => out('a', x, a.name));
const arr = [1, 2, 3].map(function self(x) { return x > 1 ? self(x - 1) : x }); out(arr);
var v = function v2() { return typeof v2 }; out(v(), v.name); const mm = { v: (v) => v, w: function w() { return typeof w } }; out(mm.v(4), mm.w());
for (let i = 0; i < 2; i++) { const step = () => i > 5 ? step() : i; setTimeout(() => out('t', step(), step.name)) }
const typed = (arguments_) => typeof arguments_; out(typed(1)); const eval1 = () => 1; const $ = () => $, _ = ($) => $; out($.name, _.name, _(1));
const o2 = { a: { b: (b) => b, c: (c = () => c) => typeof c } }; out(o2.a.b(1), o2.a.c());
const mutual = (n) => n === 0 ? 'even' : other(n - 1), other = (n) => n === 0 ? 'odd' : mutual(n - 1); out(mutual(3));
export const exported = (n) => n > 0 ? exported(n - 1) : 'x'; out(exported(2), exported.name); export default (n) => n;

// --- names of Object.prototype
const __proto__ = () => 1; out(__proto__.name); const o = { ['__proto__']: () => 1 }; out(Object.keys(o)); const constructor = () => 2; out(constructor.name, constructor()); const hasOwnProperty = () => 3, toString = () => 'x', valueOf = () => 4; out(hasOwnProperty.name, toString.name, valueOf(), toString());
const o3 = { toString: () => 'str', valueOf: () => 5, hasOwnProperty() { return 'own' } }; out(`${o3}`, o3 + 1, o3.hasOwnProperty());
class T { constructor() { } toString() { return 'T' } valueOf() { return 6 } __proto__() { return 7 } hasOwnProperty() { return 8 } } out(`${new T()}`, +new T(), new T().__proto__(), new T().hasOwnProperty());

// --- async that calls itself
const x = async function fact(n) { return n < 2 ? 1 : n * await fact(n - 1) }; x(5).then((v) => out('x', v, x.name));
const y = { async m(n) { return n < 2 ? 1 : n * await y.m(n - 1) }, z: async function zz() { return typeof zz }, async w() { return typeof w } , async fetch() { return this === y }, async remove(a, b = 1) { return [a, b, arguments.length] }, async 'a b'() { return 1 } , async ['c' + 1]() { return 2 } }; var w = 1;
y.m(4).then((v) => out('m', v, y.m.name)); y.z().then((v) => out('z', v, y.z.name)); y.w().then((v) => out('w', v)); y.fetch().then((v) => out('fetch', v, y.fetch.name)); y.remove(3).then((v) => out('del', v, y.remove.name, y.remove.length)); y['a b']().then((v) => out('ab', v)); y.c1().then((v) => out('c1', v));
async function decl(n) { return n > 0 ? decl(n - 1) : [typeof decl, arguments.length] } decl(2).then((v) => out(v)); (async function () { return 1 })().then((v) => out(v)); (async function named(a = 1) { return a + typeof named })().then((v) => out(v));
const _callee = () => 5, _callee2 = async () => _callee(); out(_callee()); _callee2().then((v) => out('c2', v, _callee2.name, _callee.name)); 
class S { static async s(n) { return n ? S.s(n - 1) : this.name } async t(n) { return n ? this.t(n - 1) : super.toString.name } } S.s(1).then((v) => out('S', v)); new S().t(1).then((v) => out('St', v));
try { new y.m(1) } catch (e) { out(e.constructor.name) } try { new S.s(1) } catch (e) { out(e.constructor.name) } out(y.m.prototype === undefined, S.s.prototype === undefined, new S().t.prototype === undefined, y.remove.prototype === undefined);

// --- this, super and arguments
function Outer() { this.v = 7; const f = async () => { await null; return this.v }; const g = async function () { return this && this.v }; this.r = [f(), g.call({ v: 8 }), (async () => arguments.length)()]; }
Promise.all(new Outer(1, 2, 3).r).then((x) => out('r', x));
class P { hi() { return 'P.hi' } async ahi() { return 'P.ahi' } static s() { return 'P.s' } get g() { return 'P.g' } }
class C extends P { hi() { return (() => super.hi() + '!')() } async ahi() { await null; const f = async () => await super.ahi() + '!'; return f() } static s() { return [1].map(() => super.s())[0] } get g() { return (() => super.g)() } constructor() { const f = () => super(); f(); this.x = (() => this)() === this } }
const c = new C(); out(c.hi(), C.s(), c.g, c.x); c.ahi().then((x) => out(x));
const o = { __proto__: { m() { return 'base' } }, m() { return (() => super.m() + '+')() }, async am() { return super.m() } }; out(o.m()); o.am().then((x) => out('am', x));
function* gen(a = () => 5, { b = () => a() } = {}) { const x = yield () => b(); yield [1, 2].map((q) => q + x); return (() => arguments.length)() }
const g = gen(); out(g.next().value(), g.next(10).value, g.next());

// --- default parameters
function d(a, b = () => a, c = () => { a = 9; return b() }, ...rest) { return [b(), c(), a, rest.length, d.length] } out(d(1), d(1, () => 2, undefined, 3, 4));
const e = ({ x = (() => 3)(), ...others } = {}, [y = () => x] = []) => [x, y(), others]; out(e({ z: 1 }), e());
const names = (n = () => {}) => n.name; out(names());
const rename = (a) => { const rename = a; return rename }; out(rename(3), rename.name);
const shadow = function (shadow) { return shadow }; out(shadow(1));
let self = () => self; out(self() === self);
const cc = { cc: () => typeof cc }; out(cc.cc());
var h = 1; const obj = { h: () => h, get: () => obj.h(), k: async () => h }; out(obj.get()); obj.k().then((v) => out('k', v));
const rec = { fact: (n) => n < 2 ? 1 : n * rec.fact(n - 1) }; out(rec.fact(5));

// --- async kinds
(async () => { const a = async (x, y = 2) => x + y; out(await a(1), a.length, a.name, a.prototype === undefined); for await (const v of (async function* () { yield 1; yield* [2, 3]; })()) out(v); const m = { async n() { return arguments.length }, async *o() { yield this.p }, p: 4 }; out(await m.n(1, 2), (await m.o().next()).value, m.n.name, m.o.name, m.n.prototype === undefined);
try { await (async () => { throw new Error('e') })() } catch (x) { out(x.message) } 
try { new m.n() } catch (x) { out(x.constructor.name, 'new m.n') } try { new (async function () {})() } catch (x) { out(x.constructor.name) }
class Q { static async s() { return this === Q } async t() { return this instanceof Q } #p = async () => this.v; v = 3; u() { return this.#p() } async *[Symbol.asyncIterator]() { yield this.v } } const q = new Q(); out(await Q.s(), await q.t(), await q.u()); for await (const z of q) out(z);
})();
