// --- kinds and contexts
const told = (value: any, { kind, name, static: isStatic, private: isPrivate }: any) => { out(kind, String(name), isStatic, isPrivate, typeof value) };
@told class A { @told m() {} @told static s() {} @told #p = 1; @told get g() { return 1 } @told set t(v: number) {} @told f = 1; @told accessor a = 2; read() { return this.#p } }
out(new A().read(), new A().a);

// --- methods: replaced
function logged(method: any, context: ClassMethodDecoratorContext) { return function (this: any, ...args: any[]) { out('call', String(context.name), args); return method.call(this, ...args) } }
class B { n = 2; @logged add(x: number) { return this.n + x } @logged static make() { return new B() } }
out(B.make().add(3));

// --- methods: bound by an initializer
function bound(_: any, context: ClassMethodDecoratorContext) { context.addInitializer(function (this: any) { this[context.name] = this[context.name].bind(this) }) }
class C { word = 'c'; @bound say() { return this.word } }
const { say } = new C(); out(say());

// --- fields: initial values
const twice = (_: undefined, context: ClassFieldDecoratorContext) => function (this: any, value: number) { out(String(context.name), typeof this); return value * 2 };
class D { @twice a = 1; @twice b = this.a + 1; @twice static c = 10 }
out(new D().a, new D().b, D.c);

// --- accessors: wrapped
function clamped({ get, set }: ClassAccessorDecoratorTarget<any, number>, _: any): ClassAccessorDecoratorResult<any, number> { return { get() { return get.call(this) }, set(v) { set.call(this, Math.min(v, 10)) }, init(v) { return v + 1 } } }
class E { @clamped accessor size = 5 }
const e = new E(); out(e.size); e.size = 50; out(e.size, Object.keys(e));

// --- getters and setters
const plus = (get: () => number, _: any) => function (this: any) { return get.call(this) + 1 };
class F { @plus get v() { return 1 } @plus static get w() { return 2 } }
out(new F().v, F.w);

// --- classes: replaced, and named
const named = (word: string) => <T extends new (...args: any[]) => any>(Base: T, context: ClassDecoratorContext<T>) => { out(context.kind, String(context.name)); return class extends Base { word = word } };
@named('g') class G { v = 1; static self() { return G } }
out(new (G as any)().word, new G().v, G.self() === G);

// --- classes: initializers run last
const late = (_: any, context: any) => { context.addInitializer(function (this: any) { out('initializer', context.kind, typeof this) }) };
@late class H { static made = out('static'); @late static m() {} @late m() {} }
new H(); out('end');

// --- order of evaluation and of application
const at = (word: string) => { out('evaluate', word); return (_: any, context: any) => { out('apply', word, context.kind) } };
@at('class 1') @at('class 2') class I { @at('field') f = 1; @at('method 1') @at('method 2') m() {} @at('static') static s() {} @at('static field') static sf = 1 }

// --- private members reach
let reach: any;
class J { @((_: any, context: any) => { reach = context.access }) #secret = 7; }
out(reach.has(new J()), reach.get(new J()), reach.has({}));

// --- computed names
const key = () => { out('key'); return 'computed' };
class K { @((_: any, context: any) => out(context.name)) [key()]() { return 1 } }
out(new K().computed());

// --- expressions
const ns = { deep: { d: (_: any, context: any) => { out('deep', String(context.name)) } } };
class L { @ns.deep.d m() {} @(true ? ns.deep.d : ns.deep.d) n() {} }
out(typeof new L().m);

// --- inheritance
const count = (method: any, context: any) => { out('decorated', String(context.name)); return method };
class M { @count m() { return 'M' } }
class N extends M { @count override m() { return 'N' + super.m() } }
out(new N().m());

// --- wrong results
try { class O { @((() => 5) as any) m() {} } } catch (error) { out(error instanceof TypeError) }
try { @((() => 'x') as any) class P {} } catch (error) { out(error instanceof TypeError) }

// --- accessors without decorators
class Q { accessor x = 1; static accessor y = 2; accessor #z = 3; z() { return ++this.#z } }
const q = new Q(); q.x += 5; Q.y++; out(q.x, Q.y, q.z(), Object.keys(q));
