// --- every operator with every kind of operand
const values = [0n, 1n, -1n, 7n, -7n, 255n, 9007199254740993n, -(2n ** 64n), 2n ** 70n + 5n, 0, 1, -3, 2.5, -0, NaN, Infinity, 2 ** 53, 1e30,
  '', '7', ' 0x10 ', '1.5', 'text', true, false, null, undefined, { valueOf() { return 3n; } }, { toString() { return '7'; } }, [5n], new Date(7)];
const show = (made) => { try { const value = made(); return `| ${typeof value} ${Object.is(value, -0) ? '-0' : String(value)}`; } catch (error) { return `| ${error.name}: ${error.message.replace('undefined must be positive', 'Exponent must be non-negative')}`; } };
const two = [
  (a, b) => a + b, (a, b) => a - b, (a, b) => a * b, (a, b) => a / b, (a, b) => a % b, (a, b) => a & b, (a, b) => a | b, (a, b) => a ^ b, (a, b) => a >>> b,
  (a, b) => a < b, (a, b) => a > b, (a, b) => a <= b, (a, b) => a >= b, (a, b) => a == b, (a, b) => a != b, (a, b) => a === b, (a, b) => a !== b,
  (a, b) => a && b, (a, b) => a || b, (a, b) => a ?? b, (a, b) => Object.is(a, b), (a, b) => [a].includes(b), (a, b) => [1, a].indexOf(b), (a, b) => new Set([a]).has(b),
  (a, b) => { a += b; return a; }, (a, b) => { const o = { a }; return (o.a -= b) + '' + o.a; }, (a, b) => { const o = [a]; o[0] *= b; return o[0]; },
  (a, b) => { a ||= b; return a; }, (a, b) => { const o = { a }; o.a &&= b; return o.a; }, (a, b) => (a ? b : 'no'),
];
for (const [at, one] of two.entries()) for (const a of values) out(at, ...values.map((b) => show(() => one(a, b))));
const small = values.filter((value) => typeof value !== 'bigint' || (value < 300n && value > -300n));
for (const one of [(a, b) => a ** b, (a, b) => a << b, (a, b) => a >> b, (a, b) => { a **= b; return a; }, (a, b) => { a <<= b; return a; }]) for (const a of values) out('small', ...small.map((b) => show(() => one(a, b))));
const alone = [
  (a) => -a, (a) => +a, (a) => ~a, (a) => !a, (a) => typeof a, (a) => void a, (a) => { let b = a; return `${typeof b++} ${b}`; }, (a) => { let b = a; return --b; },
  (a) => { const o = { a }; const b = o.a++; return `${typeof b} ${b} ${o.a}`; }, (a) => { const o = [a]; return --o[0]; }, (a) => Number(a), (a) => String(a), (a) => `${a}`, (a) => 'x' + a, (a) => a + 'x',
  (a) => BigInt(a), (a) => BigInt.asIntN(8, a), (a) => BigInt.asUintN(64, a), (a) => parseInt(a), (a) => parseFloat(a), (a) => Boolean(a), (a) => (a ? 1 : 2), (a) => !!a,
  (a) => { if (a) return 1; return 2; }, (a) => { let n = 0; while (a && n < 3) n += 1; return n; }, (a) => ({ [a]: 1 })[a], (a) => Object.keys({ [a]: 1 }).join(), (a) => [a].join(), (a) => Number.isInteger(a),
  (a) => { switch (a) { case 1n: return 'one'; case 0n: case 7n: return 'other'; case 0: return 'zero'; default: return 'none'; } },
  (a) => a < 5, (a) => a == 7, (a) => a === 7n, (a) => a > '6', (a) => (a === 1n) + 1, (a) => Object.prototype.toString.call(a), (a) => typeof a === 'bigint', (a) => typeof a !== 'object', (a) => 'bigint' === typeof a,
  (a) => [1, 2].filter(() => a).length, (a) => [a, 1].filter(Boolean).length, (a) => [a].some((one) => one), (a) => [a].every(function (one) { return one; }), (a) => [a, 3n].map((one) => one).length,
];
for (const [at, one] of alone.entries()) out(at, ...values.map((a) => show(() => one(a))));
// --- literals
out(String(0xFFn), String(0b101n), String(0o17n), String(1_000_000n), String(-5n), String(-0n), String(123456789012345678901234567890n), typeof 1n, typeof -1n);
out({ 1n: 'key' }['1'], String(2n ** 100n), String(-(2n ** 63n)), String((-3n) ** 3n), String(10n ** 30n / 7n), String(-7n / 2n), String(-7n % 2n), String(7n % -2n), String(-5n >> 1n), String(-1n >> 100n), String(5n << 3n), String(1n << 200n));
out(String(-12n & 10n), String(-12n | 10n), String(-12n ^ 10n), String(~0n), String(~(2n ** 65n)), String((2n ** 65n) & -(2n ** 64n)), String(-(2n ** 70n) | 1n));
// --- errors
const told = (made) => { try { return String(made()); } catch (error) { return `${error.name}: ${error.message}`; } };
out(told(() => 1n / 0n), told(() => 1n % 0n), told(() => 2n ** -1n).split(':')[0], told(() => +1n), told(() => 1n >>> 0n), told(() => BigInt(1.5)), told(() => BigInt('x')), told(() => BigInt('1n')), told(() => BigInt(undefined)), told(() => BigInt(null)), told(() => BigInt(Symbol('s'))));
out(told(() => new BigInt(1)), told(() => BigInt(NaN)), told(() => BigInt({})), told(() => (5n).toString(1)), told(() => BigInt.prototype.toString.call(1)), told(() => BigInt.asIntN(-1, 1n)), told(() => BigInt.asIntN(8, 1)), told(() => BigInt.asUintN(8, '300')));
out(told(() => JSON.stringify(1n)), told(() => JSON.stringify({ a: [1n] })), told(() => 1n << (2n ** 64n)), told(() => 2n ** (2n ** 64n)), told(() => [3n, 1n, 2n].sort((a, b) => Number(a - b))), told(() => isNaN(Number(1n))), told(() => new WeakSet().add(1n)));
let mixed = 0; for (const made of [() => Math.max(1n), () => isFinite(1n), () => 1n * 2, () => 1n + 2, () => 2 ** 1n, () => 'a' * 1n, () => Math.pow(1n, 2)]) try { made(); } catch (error) { if (error instanceof TypeError) mixed += 1; }
out(mixed);
// --- as text
out((255n).toString(16), (-255n).toString(2), (2n ** 128n).toString(36), (0n).toString(7), (1234567890123456789n).toLocaleString('en-US'), (1234567n).toLocaleString('de-DE'), new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' }).format(12n), `${10n}`, 'a' + 1n + 2n, 1n + 'b');
out(JSON.stringify({ a: 1n, b: [2n] }, (key, value) => (typeof value === 'bigint' ? `${value}n` : value)), String([1n, [2n]]), String(Symbol.iterator in Object(1n)), (12n).constructor === BigInt, (12n).valueOf() === 12n, Object.prototype.toString.call(1n));
BigInt.prototype.toJSON = function () { return this.toString(); };
out(JSON.stringify({ a: 1n }));
delete BigInt.prototype.toJSON;
// --- in collections
const map = new Map([[1n, 'a'], [1, 'b'], ['1', 'c']]);
map.set(2n ** 80n, 'd'); map.set(2n ** 80n, 'e');
out(map.size, map.get(1n), map.get(1), map.get('1'), map.get(2n ** 80n), map.has(3n), map.delete(1n), map.has(1n), map.size, [...map.keys()].map(String).join());
const set = new Set([1n, 1n, 2n, 1, 3n - 1n]);
out(set.size, set.has(2n), [...set].map((one) => typeof one).join(), set.delete(2n), set.size, [1n, 2n, 3n].includes(2n), [1n, 2n, 1n].lastIndexOf(1n), [1n, 2n].indexOf(3n), [5n, 6n].indexOf(5n, 1));
const counts = {}; for (const one of [1n, 2n, 1n]) counts[one] = (counts[one] ?? 0n) + 1n;
out(Object.entries(counts).map(([key, value]) => `${key}${typeof value}${value}`).join(), [3n, 10n, 2n].sort().join(), [3n, 10n, 2n].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)).join(), [1n, 2n, 3n].reduce((a, b) => a + b, 0n) === 6n);
out(Object.keys(5n).length, JSON.stringify(Object.assign({}, { ...1n })), structuredClone({ a: 5n }).a === 5n, String(structuredClone(new Map([[1n, 2n]])).get(1n)), Array.from({ length: 3 }, (_, i) => BigInt(i)).join(), Object.is(0n, -0n));
const [some, others] = [new Set([1n, 2n, 3]), new Set([2n, 3n])];
for (const made of [some.union(others), some.intersection(others), others.intersection(some), some.difference(others), some.symmetricDifference(others)]) out(made.size, [...made].map((one) => typeof one + one).join());
out(some.isSubsetOf(others), new Set([1n]).isSubsetOf(some), some.isSupersetOf(new Set([2n])), some.isDisjointFrom(new Set([9n])), some.isDisjointFrom(others), [...Map.groupBy([1n, 2n, 1n], (one) => one).values()].map(String).join(';'), JSON.stringify(Object.groupBy([1, 2, 3], (one) => BigInt(one % 2))));
// --- in typed arrays
const signed = new BigInt64Array([1n, -1n, 2n ** 63n, 2n ** 64n + 5n]); const unsigned = new BigUint64Array(signed.buffer);
out(signed.join(), unsigned.join(), signed.length, signed.byteLength, BigInt64Array.BYTES_PER_ELEMENT, signed[1] === -1n, String(signed[9]), ArrayBuffer.isView(signed), signed instanceof BigInt64Array, Object.prototype.toString.call(unsigned));
signed[0] = 2n ** 40n; unsigned.set([7n], 1); signed.fill(3n, 3);
out(signed.join(), unsigned.subarray(1, 3).join(), [...signed.entries()].map(([i, v]) => `${i}=${v}`).join(), signed.map((one) => one * 2n).join(), signed.filter((one) => one & 1n).join(), signed.indexOf(7n), signed.includes(2n ** 40n), [...BigInt64Array.of(3n, 1n, 2n).sort()].join(), BigUint64Array.from([1, 2], (one) => BigInt(one)).join());
for (const made of [() => new BigInt64Array([1]), () => { signed[0] = 1; }, () => new BigInt64Array(new ArrayBuffer(9)), () => BigInt64Array(1)]) try { made(); out('no error'); } catch (error) { out(error.name, error.message); }
const view = new DataView(new ArrayBuffer(24));
view.setBigInt64(0, -2n); view.setBigUint64(8, 0x0102030405060708n, true); view.setBigInt64(16, 2n ** 64n + 1n);
out(view.getBigInt64(0) === -2n, String(view.getBigUint64(0)), view.getUint8(8), String(view.getBigUint64(8)), String(view.getBigUint64(8, true)), String(view.getBigInt64(16)), new Uint8Array(view.buffer).join());
try { view.getBigInt64(17); } catch (error) { out(error.name); }
// --- in all places where code may stand
class Account { balance = 0n; #secret = 2n ** 64n; static unit = 10n ** 18n; limits = [1n, -1n].map((one) => one * Account.unit);
  add(amount = Account.unit + 1n) { this.balance += amount; this.#secret++; return this; } get secret() { return this.#secret; } set secret(value) { this.#secret = value ** 2n; } static { this.unit += 1n; } [`m${1n + 1n}`]() { return -this.balance; } }
const account = new Account().add().add(5n);
out(String(account.balance), String(account.secret), String(Account.unit), account.limits.join(), String(account.m2()));
account.secret = 3n; out(String(account.secret), String(account.secret++), String(account.secret));
function* counting(from, to) { for (let i = from; i < to; i++) yield i * i; }
const later = async (a, b = a * 2n) => { const c = await Promise.resolve(a + b); return c - (await b); };
out([...counting(1n, 5n)].join(), String(await later(5n)));
let [x = 1n + 1n, { y = 2n * 3n } = {}] = []; [x, y] = [y, x]; out(String(x), String(y), String(x-- - --y), String(x), String(y));
const gcd = (a, b) => (b ? gcd(b, a % b) : a); const power = (b, e, m) => { let r = 1n; while (e) { if (e & 1n) r = r * b % m; b = b * b % m; e >>= 1n; } return r; };
out(String(gcd(2n ** 60n * 15n, 2n ** 50n * 21n)), String(power(3n, 2n ** 255n - 21n, 2n ** 255n - 19n)));
let calls = ''; const f = (name, value) => { calls += name; return value; }; const o = { get p() { calls += 'p'; return this.q; }, set p(value) { calls += 'P'; this.q = value; }, q: 1n };
out(String(f('a', 1n) + f('b', 2n) * (f('c', 3n) - f('d', 1n))), String(o.p++), String(++o.p), String(o[f('k', 'p')] += f('v', 5n)), String(f('o', o).p -= 1n), String(f('l', 0n) || f('r', 3n)), String(f('l', 0n) && f('r', 3n)), calls);
const object = { a: 1n, n: null }; object.n ??= 4n; object.a &&= 0n; object.a ||= 9n; out(String(object.n), String(object.a), object?.b === undefined, typeof object?.a, delete object.a, 'a' in object, 5n in { 5: 1 });
let fib = [0n, 1n]; for (let i = 2; i < 120; i++) fib[i] = fib[i - 1] + fib[i - 2]; out(String(fib[119]), typeof undeclared, typeof undeclared === 'bigint', typeof BigInt, typeof BigInt64Array);
label: for (let n = 10n; ; n--) { do { if (n % 3n === 0n) break label; } while (n > 100n); if (!n) break; } out((() => { try { return 5n; } finally { calls = ''; } })() === 5n, (function () { return this + 1n; }).call(1n) == 2, (a => a)`x` ? 1n < 2 : 0, 1n < 2 < 3n);
out(String(((a, b = a + 1n, { c = b * 2n } = {}) => c && -c)(1n)), [0n, 1n, 2n].find((one) => one && one > 1n) === 2n, [5n].findIndex((one) => one === 5n), String([1n, 2n].at(-1)), 1n == 1 ? 'yes' : 'no', null == 0n, 0n == '', 0n == false, String(new Date(Number(0n)).getTime()));
// --- numbers stay numbers
let sum = 0, text = ''; for (let i = 0; i < 5; i++) { sum += i * 2 / 3; text += i + ','; } const list = [3, 1, 2]; list.sort((a, b) => a - b);
out(sum, text, list, -0 === 0, Object.is(-0 * 1, -0), '5' * '4', '5' + 4, [] + {}, +'7', -'7', ~'7', 7 >>> 1, -7 >>> 28, 2 ** 10, 7 % -3, -7 % 7, null + 1, undefined + 1, [2] * [3], '10' < '9', 10 < '9', NaN != NaN, '1' == 1, null == undefined);
let n = '5'; n++; let m = '5'; m += 1; const h = { v: '8' }; const was = h.v++; out(n, m, was, h.v, typeof was, new Date(5) - new Date(3), typeof (new Date(5) + 1));
