// --- subclasses of Array
class A extends Array { sum() { return this.reduce((a, b) => a + b, 0) } }
const a = A.of(3, 1, 2); const b = new A(); b.push(1, 2);
out(a instanceof A, a.length, a.sum());
out(a.map((x) => x * 2) instanceof A, a.map((x) => x * 2).sum(), a.filter((x) => x > 1) instanceof A, a.filter((x) => x > 1).sum());
out(a.concat([9]) instanceof A, a.concat([9], 4).sum(), a.slice(1) instanceof A, a.slice(1).sum(), b.splice(0, 1) instanceof A, b.length);
out(a.flat() instanceof A, a.flatMap((x) => [x, x]) instanceof A, a.flatMap((x) => [x, x]).sum(), a.toSorted() instanceof A, a.toReversed() instanceof A, a.with(0, 1) instanceof A);
out(A.from([1, 2]) instanceof A, A.from(new Set([4]), (x) => x + 1).sum(), a.reverse() instanceof A, a.sort() instanceof A, a.constructor === A);
out([].concat(a) instanceof A, [...a] instanceof A, Array.isArray(a), JSON.stringify(a), Object.keys(a));
a.length = 1; out(a.length, a.sum()); a[5] = 1; out(a.length);

// --- species
class P extends Array { static get [Symbol.species]() { return Array } } const p = P.of(1, 2);
out(p.map((x) => x) instanceof P, p.map((x) => x) instanceof Array, p.concat(1) instanceof P, p.slice() instanceof P);

// --- constructors and own methods of subclasses
class B extends Array { constructor(...args) { super(...args); this.tag = 't' } } const b = new B(1, 2, 3); out(b.length, b.tag, b.map((x) => x).tag, new B(3).length);
class Q extends B { } out(Q.of(1).concat(2) instanceof Q, Q.of(1, 2).map(String) instanceof B);
class W extends Array { slice() { return 'mine' } concat(...a) { return super.concat(...a).length } } out(new W(1, 2).slice(), new W(1, 2).concat([3]));
out([1].concat({ [Symbol.isConcatSpreadable]: true, length: 1, 0: 'z' }), [].slice.name, [].concat.length, Object.setPrototypeOf.length, Reflect.construct.name);
const odd = Object.setPrototypeOf([1, 2], { x: 1 }); out(Array.isArray(odd), odd.x, odd.length);

// --- the flag v
out(/[\p{L}--[a-z]]/v.test('a'), /[\p{L}--[a-z]]/v.test('É'), /^[\w&&\d]+$/v.test('12'));
out('aXbX'.replace(/[X]/gv, '-'), /[[a-c]--b]/v.exec('bc')[0], /[\q{abc|d}]/v.exec('xabc')[0], new RegExp('[[a-c]&&b]', 'v').test('b'));
out(/(?<y>\d{4})/v.exec('in 2024').groups.y, [...'a1b2'.matchAll(/[\d]/gv)].map((m) => m.index), /./v.exec('😀')[0].length, /^.$/v.test('😀'), /[^\p{L}]/v.test('1'));
