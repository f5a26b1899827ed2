// --- enums: members that use members
enum P { Read = 1, Write = 2, All = Read | Write, X = 1 << 3 }
enum A { A = 1, B = A << 1, C = `${1}` as any }
out(P.All, P.X, A.B, P[3]);

// --- enums: template members
enum E { A = 'a', B = `${A}b` }
out(E.B);

// --- classes: parameter properties
class V { constructor(public x: number, private readonly y = 2, protected z?: string) { this.x = x + y; out(this.x, y, z === undefined) } }
new V(1);

// --- namespaces: merged blocks
namespace N { export const a = 1; }
namespace N { export const b = a + 1; export function f() { return a + b } }
out(N.a, N.b, N.f());

// --- namespaces: dotted names
namespace A.B.C { export const v = 5; export namespace D { export const w = v + 1 } }
out(A.B.C.v, A.B.C.D.w);

// --- modules: exported types
type T = { a: number };
interface I { b: string }
export type { T };
export { I };
const x: T = { a: 1 };
out(x.a);

// --- declaration merging: classes and functions with namespaces
class K { static s = 1 }
namespace K { export const extra = 2 }
function F() { return 1 }
namespace F { export const meta = 'm' }
out(K.s, (K as any).extra, F.meta, F());

// --- declaration merging: enums
enum C { Red = 1 }
enum C { Green = 2 }
enum D { A = 1 }
namespace D { export function parse(s: string) { return D[s as keyof typeof D] } }
out(C.Green, D.parse('A'));

// --- enums: const
const enum X { A = 1, B = A * 10 }
declare const q: number;
out(X.B, typeof q);

// --- declarations: ambient
declare function ext(x: number): string;
declare global { interface Array<T> { foo?: T } }
declare module 'x' { export const y: number }
out(1);

// --- everyday types: assertions
const x = 'a' as const; const y = <number>(5 as unknown); const z = x!; const s = { a: 1 } satisfies Record<string, number>;
out(x, y, z, s);

// --- generics
function id<T,>(x: T): T { return x }
const f = <T extends { a: number }>(o: T) => o.a;
out(id(1), f({ a: 2 }), id<string>('q'));

// --- functions: overloads, abstract and auto-accessors
function o(a: string): string;
function o(a: number): number;
function o(a: any) { return a }
abstract class Q { abstract m(): void; n() { return 1 } declare z: number; static { out('blk') } }
class W extends Q { override m() {} accessor q = 3 }
out(o(1), new W().n(), new W().q);

// --- narrowing: predicates
const conf = { a: 1 };
type C = typeof conf;
let c: C = conf; function isC(x: unknown): x is C { return true } function assertC(x: unknown): asserts x is C {}
assertC(c); out(isC(c));

// --- functions: this parameters
function t(this: { v: number }) { return this.v }
out(t.call({ v: 3 }));

// --- enums: computed members
enum S { A = 'x'.length, B = A + 1, 'q-r' = 7 }
out(S.A, S.B, S['q-r']);

// --- namespaces: of types only
namespace T { export type X = number }
namespace U { interface Y { a: T.X } export const y: Y = { a: 1 } }
out(U.y.a);

// --- decorators
function d(c: any, k?: any, de?: any): any { out('d', typeof c, k) }
@d class Z { @d m() {} @d p = 1 }
new Z();

// --- namespaces: functions, classes and enums
namespace N { function priv() { return 4 } export class K { m() { return priv() } } export enum E { A = 3, B = A } }
out(new N.K().m(), N.E.B);

// --- namespaces: functions, classes and enums
namespace N { function priv() { return 4 } export class K { m() { return priv() } } export enum E { A = 3, B = A } }
out(new N.K().m(), N.E.B);

// --- namespaces: variables that change
namespace C { export let n = 0; export function inc() { n++; ({ n } = { n: n + 1 }); [n] = [n + 1]; for (n of [n]) ; return { n } } export const { a, b: [c] } = { a: 1, b: [2] } }
out(C.inc(), C.n, C.a, C.c); C.n = 9; out(C.inc());

// --- namespaces: names that are nearer
namespace S { export const v = 1; export function f(v: number) { return v } export function g() { const v = 5; return v } export const h = () => v; export namespace I { export const v = 7; export const w = v } }
out(S.f(3), S.g(), S.h(), S.I.w);

// --- namespaces: merged dotted names
namespace A.B { export const x = 1 }
namespace A.B { export const y = x + 1 }
namespace A { export const z = B.y + 1 }
out(A.B.y, A.z);

// --- namespaces: exported
export namespace E { export const q = 1 }
export namespace E { export const r = q }
out(E.r);

// --- namespaces: a class of their name
namespace N { export class N { v = 1 } export const n = new N() }
out(N.n.v, new N.N().v);

// --- namespaces: what a later block exports
namespace F { export function a() { return b } }
namespace F { export const b = 3 }
out(F.a());

// --- namespaces: aliases
namespace L { export namespace M { export const p = 1; export interface T { a: number } } import Q = M; export import R = M.p; const t: Q.T = { a: 2 }; export const s = Q.p + R + t.a }
out(L.s, L.R);

// --- declaration merging: class and namespace
class Album { label!: Album.Label }
namespace Album { export class Label { n = 'l' } }
const a = new Album(); a.label = new Album.Label(); out(a.label.n);

// --- namespaces: ambient
declare namespace D { const x: number }
declare let q: typeof D;
out(typeof q);

// --- namespaces: types beside values
namespace G { export const k = { a: 1 }; export type K = typeof k; export function f(x: K): x is K { return true } }
const z: G.K = { a: 2 }; out(G.f(z));

// --- classes: auto-accessors
class P { accessor a = 1; static accessor s = 2; accessor #p = 3; accessor ['c' + 1] = 4; accessor none: number | undefined; p() { this.#p++; return this.#p } }
const p = new P(); p.a += 5; P.s = 8; out(p.a, P.s, p.p(), (p as any).c1, p.none, Object.keys(p), 'a' in P.prototype);

// --- enums: numbers, strings and reverse names
enum D { Up = 1, Down, Left = 'L', Right = 4 }
enum F { None = 0, A = 1 << 0, B = 1 << 1, AB = A | B, C = '123'.length, D2 = F.A + 10, neg = -1, not = ~A }
out(D[2], D.Left, F.AB, F.C, F.D2, F[-1], F.not); enum Str { X = 'x', Y = 'y' } out(Object.keys(Str), Object.keys(F).length); out(Object.values(D).length);

// --- decorators: of parameters
const seen: any[] = []; function P(t: any, k: any, i: number) { seen.push([typeof t, k, i]) }
class Q { constructor(@P a: number, b: string) {} m(@P x: number, @P y: number) {} static s(@P z: any) {} }
out(seen);

// --- variable declarations: using
class R { [Symbol.dispose]() { out('disposed') } }
{ using r = new R(); out('in') }
out('after');

// --- classes: abstract
abstract class Shape { abstract area(): number; toString() { return 'a' + this.area() } protected constructor(readonly n: string) {} }
class Sq extends Shape { constructor(private s: number) { super('sq'); } area() { return this.s ** 2 } }
out(String(new Sq(3)), new Sq(2).n);

// --- modules: default abstract class
export default abstract class Z { x = 1 }
out(typeof Z);

// --- modules: default interface
export default interface QQ { a: number }
out(1);

// --- mixins
type C<T = {}> = new (...args: any[]) => T;
function Ts<B extends C>(Base: B) { return class extends Base { t = 5 } }
class U { n = 'u' }
const M = Ts(U); const m = new M(); out(m.t, m.n);

// --- object types: index signatures and tuples
interface D { [k: string]: number }
let d: D = { a: 1 }; const tup: [a: string, b?: number, ...rest: boolean[]] = ['x']; const [q, w = 2] = tup; out(d.a, q, w);

// --- everyday types: primitives, unions and literals
let a: string = 'x'; let b: number | string = 1; b = 'y'; let c: 'l' | 'r' = 'l'; let d: boolean[] = [true]; let e: Array<number> = [1]; let f: unknown = 1; let g: any = f; let h: bigint | undefined; let i: symbol = Symbol('s');
function p(x: { a: number; b?: string }): void { out(x.a, x.b?.toUpperCase()) } p({ a: 1 });
out(a, b, c, d, e, g, h, typeof i); const n = null as string | null; out(n!, n ?? 'none');

// --- narrowing: discriminated unions
type Shape = { kind: 'c'; r: number } | { kind: 's'; s: number };
function area(x: Shape): number { switch (x.kind) { case 'c': return x.r; case 's': return x.s ** 2; default: { const never: never = x; return never } } }
out(area({ kind: 's', s: 3 })); function f(x: Date | string) { if (x instanceof Date) return 'd'; if (typeof x === 'string') return 's' } out(f('')); out('r' in ({ r: 1 } as object));

// --- functions: generics, call and construct signatures, optional, rest and destructured parameters
type F = { (x: number): string; d?: string }; const f: F = (x) => `${x}`; f.d = 'd'; class C { constructor(public v: string) {} } type N = { new (s: string): C }; const make = (k: N) => new k('n');
function first<T>(xs: readonly T[], d?: T): T | undefined { return xs[0] ?? d } function sum({ a, b = 2 }: { a: number; b?: number }, ...more: number[]) { return a + b + more.length }
out(f(1), f.d, make(C).v, first([], 4), sum({ a: 1 }, 1, 2));

// --- object types: readonly, extends, intersections and generic objects
interface A { readonly x: number; m?(): void } interface B extends A { y: string } type D = B & { z: boolean }; interface Box<T> { v: T }
const d: D = { x: 1, y: 'y', z: true }; const b: Box<D> = { v: d }; out(b.v.z, d.m === undefined);

// --- type manipulation: keyof, typeof, indexed access, conditional, mapped and template literal types
const o = { a: 1, b: 'x' }; type K = keyof typeof o; type V = (typeof o)['a']; type C<T> = T extends string ? 's' : T extends Array<infer U> ? U : never; type M<T> = { readonly [P in keyof T as `get${Capitalize<P & string>}`]?: () => T[P] }; type L = `on-${K}`;
const k: K = 'a'; const v: V = 2; const m: M<typeof o> = { getA: () => 1 }; const l: L = 'on-a'; const c: C<number[]> = 3; out(k, v, m.getA!(), l, c);

// --- classes: members, heritage and static
class P { name; readonly r: number = 1; private q?: string; protected static count = 0; static #hidden = 5; declare ghost: number; constructor(n: string) { this.name = n; P.count++ } get up() { return this.name.toUpperCase() } set up(v: string) { this.name = v } [k: string]: any; static total() { return P.count + P.#hidden } is(this: P): this is P { return true } }
class Q extends P implements Iterable<number> { override name = 'sub'; *[Symbol.iterator]() { yield 1 } method = <T>(x: T) => [x, this.name] as const }
const q = new Q('n'); q.up = 'z'; out(q.up, P.total(), [...q], q.method(1), 'ghost' in q, 'q' in q, q.is());

// --- classes: initialisation order and definite assignment
class A { a = 1; b = this.a + 1; constructor(readonly p = 3, public q = p + 1) { this.c = this.b + this.q } c!: number }
class B extends A { d = this.c; constructor() { super(5) } } out(new A().c, new B().d, new B().q);

// --- classes: generic, expressions and abstract construct signatures
class S<T> { private xs: T[] = []; push(x: T): this { this.xs.push(x); return this } get n() { return this.xs.length } } const E = class<T> { constructor(public v: T) {} }; function build<T extends abstract new (...a: any[]) => any>(c: T) { return (c as any).name }
out(new S<number>().push(1).push(2).n, new E('v').v, build(S));

// --- modules: exported values
export const a = 1; export function f() { return 2 } export class K {} export enum E { X = 3 } export { a as b }; export default function () { return 4 } export type { T }; type T = 1; out(a, f(), typeof K, E.X);

// --- symbols and iterators
const s: unique symbol = Symbol('s'); class L { *[Symbol.iterator](): Generator<number, void, unknown> { yield* [1, 2] } get [s]() { return 's' } async *go(): AsyncGenerator<number> { yield 3 } }
for (const x of new L()) out(x); out(new L()[s]); (async () => { for await (const y of new L().go()) out(y) })();

// --- jsx-free generics arrows and satisfies
const pick = <T, K extends keyof T>(o: T, k: K): T[K] => o[k]; const c = { a: [1, 2], b: 's' } satisfies Record<string, unknown>; const t = <const T,>(x: T) => x; out(pick(c, 'a'), t(['x']), (pick<typeof c, 'b'>)(c, 'b'));

// --- utility types and triple-slash
/// <reference lib="es2020" />
type U = Partial<Pick<{ a: number; b: string }, 'a'>> & Omit<{ c: 1 }, 'c'>; const u: U = {}; const r: Record<string, Readonly<number[]>> = { x: [1] }; type P = Parameters<(a: string) => void>; const p: P = ['p']; out(u, r, p, (undefined as ReturnType<() => void>) === undefined);

// --- variable declarations: destructuring with types
const { a: renamed, b: { c = 3 } = {}, ...rest }: { a: number; b?: { c?: number }; d: string } = { a: 1, d: 'd' }; let [x, , y = 2, ...z]: [number, number, number?, ...string[]] = [1, 9]; for (const [k, v] of Object.entries({ q: 1 }) as [string, number][]) out(k, v); [x, y] = [y!, x]; out(renamed, c, rest, x, y, z);

// --- async and errors
class Bad extends Error { override name = 'Bad'; constructor(message: string, readonly code: number, options?: ErrorOptions) { super(message, options) } } async function go(): Promise<number> { try { throw new Bad('m', 7) } catch (e: unknown) { if (e instanceof Bad) return e.code; throw e } finally { out('f') } } go().then((n: number) => out(n, String(new Bad('x', 1))));

// --- enums: as objects and in types
enum Dir { Up = 'UP', Down = 'DOWN' } const Odir = { Up: 0, Down: 1 } as const; type O = (typeof Odir)[keyof typeof Odir]; const o: O = Odir.Down; function f(d: Dir.Up | Dir) { return d } out(f(Dir.Up), o, Object.entries(Dir)); declare enum Amb { A = 1 } out(typeof Dir);
