// --- prototypes in literals
const p = { hi() { return 'p' }, n: 1 };
const a = { __proto__: p, x: 1 };
out(Object.keys(a), a.hi(), Object.getPrototypeOf(a) === p, Object.hasOwn(a, '__proto__'));
const b = { "__proto__": p }; out(b.n, Object.keys(b));
const n = { __proto__: null }; out(Object.getPrototypeOf(n) === null, 'toString' in n);
const z = { __proto__: 5 }; out(Object.getPrototypeOf(z) === Object.prototype, Object.keys(z));

// --- names that only look like it
const p = {n: 1}, __proto__ = 7;
const a = { ['__proto__']: p }; out(Object.keys(a), a.n, Object.getPrototypeOf(a) === Object.prototype);
const b = { __proto__ }; out(Object.keys(b));
const c = { __proto__() { return 3 } }; out(Object.keys(c), typeof c.__proto__);
const d = { get __proto__() { return 4 } }; out(Object.keys(d), d.__proto__);
const e = JSON.parse('{"__proto__": {"n": 5}, "a": 1}'); out(Object.keys(e), e.n, Object.getPrototypeOf(e) === Object.prototype);
const f = { ...e }; out(Object.keys(f), f.n, Object.getPrototypeOf(f) === Object.prototype);
const g = { async __proto__() {} }; out(Object.keys(g)); const h = { *__proto__() {} }; out(Object.keys(h));
const i = Object.fromEntries([['__proto__', 1]]); out(Object.keys(i));
const { __proto__: q, ...rest } = e; out(q, rest);
const j = Object.assign({}, { x: 1 }); out(j);
let k = {}; k.__proto__ = p; out(k.n, Object.keys(k));
class K { ['__proto__'] = 5 } out(Object.keys(new K()));
class L { static __proto__ = 5 } out(Object.keys(L));
out(JSON.stringify({ ['__proto__']: 1 }), structuredClone(e));

// --- super in literals
const base = { hi() { return 'base ' + this.name }, get who() { return 'w' + this.name }, set v(x) { this._v = x } };
const o = { __proto__: base, name: 'o', hi() { return 'o>' + super.hi() }, get who() { return 'g' + super.who }, set v(x) { super.v = x * 2 }, arrow() { return (() => super.hi())() }, async later() { return super.hi() }, *gen() { yield super.hi() }, ['comp' + 1]() { return super['h' + 'i']() }, field: 1 };
out(o.hi(), o.who, o.arrow(), o.comp1(), [...o.gen()]); o.v = 4; out(o._v, base._v);
o.later().then(out);
const t = { toString() { return 'T' + super.toString() } }; out(String(t));
const u = { m() { return super.nothing } }; out(u.m() === undefined);
const s = { f() { super.x = 5; return this.x } }; out(s.f(), Object.keys(s));
const y = { hasOwnProperty(k) { return super.hasOwnProperty(k) } }; out(y.hasOwnProperty('hasOwnProperty'));
Object.setPrototypeOf(u, { nothing: 9 }); out(u.m());

// --- order of evaluation
const log = []; const f = (x) => (log.push(x), x);
const o = { a: f(1), __proto__: { z: f(2) }, b: f(3), m() {}, c: f(4) }; out(log, o.z, Object.keys(o));
const o2 = { [f('k')]: f(5), __proto__: f({}), ...f({ q: 1 }), get g() { return 1 } }; out(log.length, Object.keys(o2));
const o3 = { a: () => 1, __proto__: {}, b: () => 2 }; out(o3.b.name, o3.a.name);
const o4 = { ['__proto__']: 1, __proto__: { w: 1 }, x: 2 }; out(Object.keys(o4), o4.w);

// --- Object.assign
const s = Symbol('s'); const src = { [s]: 1, a: 2 };
Object.defineProperty(src, 'hidden', { value: 1, enumerable: false });
Object.defineProperty(src, Symbol('h'), { value: 1, enumerable: false });
const o = Object.assign({}, src, null, undefined, 'ab', [9]); out(Object.keys(o), o[s], Object.getOwnPropertySymbols(o).length);
const order = []; Object.assign({ set x(v) { order.push('x' + v) } }, { x: 1 }); out(order);
try { Object.assign(null, {}); } catch (e) { out(e.constructor.name) }
try { Object.assign(Object.freeze({ a: 1 }), { a: 2 }); out('no') } catch (e) { out(e.constructor.name) }
out(Object.assign(1, { a: 1 }) instanceof Number);
const j = JSON.parse('{"__proto__": {"n": 5}}'); const t = Object.assign({}, j); out(Object.keys(t), t.n);
const proto = {}; proto[s] = 1; out(Object.assign({}, Object.create(proto))[s]);
out(Object.assign.length, Object.assign.name);
out({ ...src }[s], Object.entries(src).length);
const { a, ...r } = src; out(r[s], Object.keys(r));
out(Object.getOwnPropertyNames(src).join(), Reflect.ownKeys(src).length);

// --- super in classes
class A { m() { return 'A' } static s() { return 'sA' } get g() { return 'gA' } }
class B extends A { m() { return 'B' + super.m() } static s() { return 'B' + super.s() } get g() { return 'B' + super.g } set q(v) { super.q = v } x = super.m(); static y = super.s(); #p = () => super.m(); pp() { return this.#p() } }
const b = new B(); b.q = 3; out(b.m(), B.s(), b.g, b.q, b.x, B.y, b.pp());
const C = class extends B { constructor() { super(); this.z = super.m() } }; out(new C().z);
const o = { m() { class X { n() { return 1 } } return super.toString.name + new X().n() } }; out(o.m());
const F = function () {}; F.prototype = { __proto__: A.prototype, extra() { return super.m() } }; out(new F().extra(), new F() instanceof A);

// --- nothing of the prelude shows
const s = Symbol('s');
out(Object.getOwnPropertySymbols(Promise.resolve(1)).length, Object.getOwnPropertySymbols(new Map()).length, Object.getOwnPropertySymbols(new Proxy({}, {})).length, Object.getOwnPropertySymbols(new URL('http://a/')).length,Object.getOwnPropertySymbols(new Headers()).length, Object.keys(Object.assign({}, new Error('x'))), Object.keys(Object.assign({}, [1,2])));

// --- symbols as keys
const s = Symbol('s');
const d = Object.defineProperties({}, { [s]: { value: 1, enumerable: true }, a: { value: 2 } }); out(d[s], d.a);
const c = Object.create({}, { [s]: { value: 3 } }); out(c[s]);
out(Reflect.ownKeys(Object.getOwnPropertyDescriptors({ [s]: 1, b: 2 })).length);
out(Object.fromEntries([[s, 5]])[s], { ...{ [s]: 6 } }[s]);
out(Object.getOwnPropertySymbols(Object.assign(() => 1, { [s]: 1 })).length);
class A { [s] = 1; static [s] = 2; get [Symbol.toStringTag]() { return 'AA' } } 
out(new A()[s], A[s], String(new A()));
out(Object.keys(Object.assign([], { 5: 1, x: 2 })), Object.assign([1, 2], [3]));
const e = Object.entries({ [s]: 1, a: 1 }); out(e);
let n = 0; for (const k in { [s]: 1, a: 1 }) n++; out(n);
out(JSON.stringify({ [s]: 1, a: 1 }), structuredClone({ a: 1, [s]: 2 })[s]);
out(Object.hasOwn({ [s]: 1 }, s), s in { [s]: 1 }, delete { [s]: 1 }[s], ({ [s]: 1 }).propertyIsEnumerable(s));
const p = new Proxy({ [s]: 1, a: 2 }, {}); out(Object.assign({}, p)[s], { ...p }[s], Object.keys(Object.assign({}, p)));
const q = Object.assign({ set a(v) { out('set', v) } }, { [s]: 1, a: 4 }, null, { a: 5 }); out(q[s]);
const { [s]: got, ...others } = { [s]: 1, [Symbol('o')]: 2, z: 3 }; out(got, Object.getOwnPropertySymbols(others).length, others);
out(Object.isFrozen(Object.freeze({ [s]: 1 })));
Object.groupBy && out(Object.groupBy([1], () => s)[s]);
const m = new Map([[s, 1]]); out(m.get(s)); const g = Object.assign(Object.create(null), { [s]: 7 }); out(g[s]);
out(Array.from(Object.getOwnPropertySymbols({ [Symbol.iterator]: 1 })).map(String));

// --- an older script
var base = { n: 1 }, made = { __proto__: base, own: 2 };
out(made.n, Object.keys(made), Object.getPrototypeOf(made) === base);
