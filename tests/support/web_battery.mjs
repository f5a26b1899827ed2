/*
 * Expressions of the web standards and built-ins that scripts have, in ES5.
 *
 * Run by node it prints a JSON list of [expression, what node makes of it]; a test evaluates the same
 * expressions in the sandbox.  An expression may be a promise.  One that throws gives its error's name.
 */
const EXPRESSIONS = String.raw`
new URL('../p?q=1&r=a%20b#h', 'https://user:pw@ex.com:8080/a/b').href
[new URL('HTTP://EXAMPLE.org:80/a/./b/../c').href, new URL('https://m\u00fcnchen.de/\u00e9').href]
URL.canParse('nope') || URL.canParse('/x', 'https://a.b')
new URL('nope')
var u = new URL('https://a.b/'); u.searchParams.append('z', '\u00fc &'); u.hash = 'x'; u.pathname = '/q r'; [u.href, u.origin, u.host, u.search]
Array.from(new URLSearchParams('a=1&a=2&b=%F0%9F%98%80+x').entries())
var p = new URLSearchParams({ b: '2', a: '1' }); p.sort(); p.set('c', '3'); p.delete('b'); [p.toString(), p.size, p.has('a', '1'), p.get('zz')]
Array.from(new TextEncoder().encode('\u00e9\ud83d\ude00\ud800'))
new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 0xf0, 0x9f, 0x98, 0x80, 0xff]))
new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([0xff]))
new TextDecoder('latin1').decode(new Uint8Array([0x80, 0xe9]))
new TextDecoder('utf-16le').decode(new Uint8Array([0x61, 0, 0x3d, 0xd8, 0, 0xde]))
var d = new TextDecoder(); d.decode(new Uint8Array([0xf0, 0x9f]), { stream: true }) + d.decode(new Uint8Array([0x98, 0x80]))
new TextEncoder().encodeInto('a\u00e9\ud83d\ude00', new Uint8Array(4))
[btoa('h\u00e9'), atob('aGVsbG8='), atob(' aGk ')]
btoa('\u20ac')
atob('a')
var c = new AbortController(), seen = []; c.signal.addEventListener('abort', function (e) { seen.push(e.type, c.signal.aborted); }); c.abort(); c.abort(); seen.concat([c.signal.reason.name, c.signal.reason.code])
AbortSignal.abort('why').reason
AbortSignal.abort().throwIfAborted()
var t = new EventTarget(), n = []; t.addEventListener('x', function (e) { n.push(e.type); e.preventDefault(); }, { once: true }); var r = t.dispatchEvent(new Event('x', { cancelable: true })); t.dispatchEvent(new Event('x')); n.concat([r])
var h = new Headers({ b: '2', A: '1' }); h.append('a', ' 3 '); h.append('set-cookie', 'x'); h.append('set-cookie', 'y'); [Array.from(h), h.get('A'), h.getSetCookie()]
var h = new Headers([['a', '1']]); h.set('a', '2'); h.delete('b'); var o = []; h.forEach(function (v, k) { o.push(k + v); }); [o, h.has('A')]
new Headers({ 'bad name': '1' })
new Headers({ a: 'x\ny' })
new Response('x', { status: 201 }).text()
new Response('{"a":[1]}').json()
new Response(new Uint8Array([104, 105])).text().then(function (t) { return t; })
var r = new Response('x'); r.text().then(function () { return r.text(); })
var r = new Response('abc'), q = r.clone(); Promise.all([r.text(), q.text()]).then(function (a) { return a.concat([r.bodyUsed, q.ok]); })
[Response.json({ a: 1 }).headers.get('content-type'), Response.redirect('https://a.b/x', 301).headers.get('location'), Response.error().type]
[new Response('x').headers.get('content-type'), new Response(new URLSearchParams('a=1')).headers.get('content-type'), new Response(null).body]
new Response(new ReadableStream({ start: function (c) { c.enqueue(new TextEncoder().encode('a')); c.enqueue(new Uint8Array([66])); c.close(); } })).text()
var q = new Request('https://a.b/c?d#e', { method: 'post', body: 'x', headers: { a: '1' } }); [q.method, q.url, q.headers.get('content-type'), q.headers.get('a')]
new Request('https://a.b/', { body: 'x' })
new Request('/relative')
new Request('https://a.b/', { method: 'PUT', body: '{"x":1}' }).json()
var f = new FormData(); f.append('a', '1'); f.append('a', '2'); f.set('b', new Blob(['xyz'], { type: 'text/x' }), 'n.txt'); [f.getAll('a'), f.get('b').name, f.get('b').size, f.has('c'), Array.from(f.keys())]
var f = new FormData(); f.append('k', 'v"\r\nw'); f.append('f', new File(['\u00e9'], 'n"a.txt', { type: 'text/plain' })); new Response(f).formData().then(function (g) { return [g.get('k'), g.get('f').name, g.get('f').size, g.get('f').type]; })
var b = new Blob(['a\u00e9', new Uint8Array([66]), new Blob(['c'])], { type: 'Text/Plain' }); Promise.all([b.text(), b.slice(1, 3).text(), b.slice(-1).text()]).then(function (t) { return [b.size, b.type].concat(t); })
new Blob(['hi']).arrayBuffer().then(function (a) { return a.byteLength; })
var f = new File(['x'], 'a.txt', { lastModified: 5 }); [f.name, f.lastModified, f instanceof Blob, f.size]
var s = new ReadableStream({ start: function (c) { c.enqueue(1); c.enqueue(2); c.close(); } }), r = s.getReader(); Promise.all([r.read(), r.read(), r.read(), s.locked])
new ReadableStream().getReader().read.length
var s = new ReadableStream({ pull: function (c) { c.error(new TypeError('bad')); } }); s.getReader().read()
var n = 0, s = new ReadableStream({ pull: function (c) { c.enqueue(n++); if (n === 3) c.close(); } }), o = [], i = s[Symbol.asyncIterator](); i.next().then(function more(x) { if (x.done) return o; o.push(x.value); return i.next().then(more); })
var two = new ReadableStream({ start: function (c) { c.enqueue('a'); c.close(); } }).tee(); Promise.all([two[0].getReader().read(), two[1].getReader().read()])
ReadableStream.from(['x', Promise.resolve('y')]).getReader().read()
var gone, s = new ReadableStream({ cancel: function (r) { gone = r; } }); s.cancel('why').then(function () { return gone; })
structuredClone({ a: [1, { b: undefined }], d: new Date(5), m: new Map([[1, { x: 1 }]]), s: new Set([1]), u: new Uint8Array([1, 2]) }).m.get(1)
var o = { a: 1 }; o.self = o; var c = structuredClone(o); [c.self === c, c !== o]
structuredClone(function () {})
structuredClone(new RangeError('x')) instanceof RangeError
[new DOMException('m', 'AbortError').code, new DOMException('m').name, String(new DOMException('m', 'X')), DOMException.ABORT_ERR, new DOMException('x') instanceof Error]
/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID())
var a = crypto.getRandomValues(new Uint8Array(40)), b = crypto.getRandomValues(new Uint8Array(40)); a.join() !== b.join()
crypto.getRandomValues(new Float32Array(1))
typeof performance.now()
var o = []; queueMicrotask(function () { o.push(2); }); o.push(1); new Promise(function (r) { setTimeout(function () { r(o); }, 2); })
var o = []; var i = setInterval(function () { o.push(1); if (o.length === 3) clearInterval(i); }, 1); new Promise(function (r) { setTimeout(function () { r(o); }, 30); })
new Intl.NumberFormat('en-US').format(1234567.891)
[new Intl.NumberFormat('de-DE', { style: 'currency', currency: 'EUR' }).format(-1234.5), new Intl.NumberFormat('en-US', { style: 'currency', currency: 'JPY' }).format(1234.5), new Intl.NumberFormat('en', { style: 'percent' }).format(0.256)]
[(0.1 + 0.2).toLocaleString(), (1e21).toLocaleString('en-US'), NaN.toLocaleString(), (-0).toLocaleString('en-US'), (1.005).toLocaleString('en-US', { maximumFractionDigits: 2 }), (5).toLocaleString('en-US', { minimumFractionDigits: 2 })]
[new Intl.NumberFormat('en', { notation: 'compact' }).format(1234), new Intl.NumberFormat('en', { notation: 'compact' }).format(15600000), new Intl.NumberFormat('en', { maximumSignificantDigits: 3 }).format(123456), new Intl.NumberFormat('en', { signDisplay: 'always' }).format(5)]
new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' }).formatToParts(1234.5)
new Intl.NumberFormat('en', { style: 'currency' })
new Intl.NumberFormat('en', { maximumFractionDigits: 1000 })
new Date(Date.UTC(2024, 1, 29, 13, 5, 9)).toLocaleDateString('en-US', { timeZone: 'UTC' })
new Date(Date.UTC(2024, 1, 29, 13, 5, 9)).toLocaleTimeString('en-US', { timeZone: 'UTC' })
new Date(Date.UTC(2024, 1, 29, 0, 5, 9)).toLocaleString('en-US', { timeZone: 'UTC', dateStyle: 'medium', timeStyle: 'short' })
new Intl.DateTimeFormat('en-US', { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric', timeZone: 'UTC' }).format(new Date(0))
new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC' }).format(new Date(0))
new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(0))
[new Intl.PluralRules('en').select(1), new Intl.PluralRules('en', { type: 'ordinal' }).select(22)]
[new Intl.ListFormat('en').format(['a', 'b', 'c']), new Intl.ListFormat('en', { type: 'disjunction' }).format(['a', 'b'])]
[new Intl.RelativeTimeFormat('en').format(-3, 'days'), new Intl.RelativeTimeFormat('en', { numeric: 'auto' }).format(1, 'day'), new Intl.RelativeTimeFormat('en').format(1, 'hour')]
['b', 'a', 'C', '\u00e4'].sort(new Intl.Collator('en').compare)
['a10', 'a2'].sort(new Intl.Collator('en', { numeric: true }).compare)
['a'.localeCompare('b'), 'a'.localeCompare('A'), 'a'.localeCompare('\u00e1', 'en', { sensitivity: 'base' })]
new URLPattern({ pathname: '/books/:id' }).exec('https://a.b/books/7').pathname.groups
[new URLPattern({ pathname: '/a/*' }).test('https://x.y/a/b/c'), new URLPattern({ pathname: '/a/:b?' }).test('https://x.y/a'), new URLPattern({ pathname: '/a/:b(\\d+)' }).test('https://x.y/a/x')]
new URLPattern('https://*.example.com/:p+').exec('https://api.example.com/a/b').pathname.groups
new URLPattern('/p/:x', 'https://a.b').test('https://a.b/p/1')
JSON.stringify({ a: [1, { b: undefined }], d: new Date(0), s: '\ud83d\ude00\u2028\ud800', f: function () {} })
[JSON.stringify(undefined), JSON.stringify({ a: 1, b: [2] }, null, 2), JSON.stringify({ a: 1, b: 2 }, ['b'])]
JSON.parse('{"a":[1,2,{"b":null}],"__proto__":1}')
JSON.parse('{bad')
JSON.parse('{"a":[1,2],"b":{"c":3}}', function (k, v) { return k === 'c' ? undefined : typeof v === 'number' ? v * 2 : v; })
'on 2024-05'.replace(new RegExp('(?<y>\\d{4})-(?<m>\\d\\d)'), '$<m>/$<y>')
['x1-a'.search(/\d/), 'a1b2c'.split(/(\d)/, 3), 'abc'.replace(/b/, "[$${'$'}$& $' $1]"), 'aaa'.lastIndexOf('a'), 'a-b'.split('')]
['aXbX'.replaceAll('X', '$&$&'), 'abc'.replaceAll('', '-'), 'a.b'.replaceAll('.', function (m, i) { return i; })]
Array.from('a1b22'.matchAll(/[a-z](\d+)/g)).map(function (m) { return m[1] + m.index; })
'x'.replaceAll(/x/, 'y')
var r = new RegExp('a', 'y'); r.lastIndex = 1; [r.test('ba'), r.lastIndex, r.test('ba'), r.flags, String(r)]
[new RegExp('^.$', 'u').test('\ud83d\ude01'), new RegExp('^[^a]$', 'u').test('\ud83d\ude01'), new RegExp('a.b', 's').test('a\nb'), new RegExp('\\u{1f601}', 'u').test('\ud83d\ude01'), new RegExp('^[\\u{1f600}-\\u{1f610}x]+$', 'u').test('x\ud83d\ude01')]
new RegExp('(')
new RegExp('a', 'gg')
[/a/gi.flags, new RegExp(/a/g, 'i').flags, RegExp('/').source, new RegExp('').source, RegExp(/q/) instanceof RegExp]
var l = []; for (var i = 0; i < 60; i++) l.push({ k: i * 7 % 5, i: i }); l.sort(function (a, b) { return a.k - b.k; }).map(function (x) { return x.i; })
[[5, 1, 40].sort(), ['b', undefined, 'a'].sort(), [3, 10, 2, null].sort(), [, 1].sort().length]
[[1, [2, [3]]].flat(Infinity), [1, 2, 3].at(-1), [NaN].includes(NaN), [1, [2]].flatMap(function (x) { return x; }), [1, 2, 3].findLast(function (x) { return x < 3; }), [3, 1].toSorted(), [1, 2].with(0, 9)]
var s = []; [1, , 3].forEach(function (x, i) { s.push(i); }); [s, [1, , 3].map(function (x) { return x * 2; }).length, [, 1].reduce(function (a, b) { return a + b; })]
[].reduce(function () {})
[1].map(5)
Array.prototype.map.call('ab', function (c) { return c + c; })
var m = new Map([[NaN, 1], [0, 2]]); m.set(-0, 3); m.delete(NaN); [Array.from(m.keys()), m.size, m.has(0)]
Object.groupBy([1, 2, 3], function (x) { return x % 2 ? 'odd' : 'even'; })
Array.from(new Set([1, 2]).union(new Set([3])))
[1, 2, 3].values().map(function (x) { return x * 2; }).toArray()
Promise.allSettled([1, Promise.reject(2)])
Promise.any([Promise.reject(1)]).catch(function (e) { return [e.name, e.errors]; })
var o = []; Promise.resolve().then(function () { o.push(1); return Promise.resolve(); }).then(function () { o.push(4); }); Promise.resolve().then(function () { o.push(2); }).then(function () { o.push(3); }).then(function () { o.push('a'); }).then(function () { o.push('b'); }); new Promise(function (r) { setTimeout(function () { r(o); }, 5); })
Promise.reject(new Error('x')).finally(function () { return 5; }).catch(function (e) { return e.message; })
Promise.race([new Promise(function () {}), Promise.resolve('r')])
new Promise(5)
Promise.resolve({ then: function (r) { r('thenable'); } })
var p = Promise.withResolvers(); p.resolve(p.promise); p.promise.catch(function (e) { return e.name; })
[Reflect.get({ get a() { return this.b; } }, 'a', { b: 7 }), Math.cbrt(27), new Date(0).toUTCString(), (25).toString(36)]
var p = new Proxy({}, { ownKeys: function () { return ['a', 'b']; }, getOwnPropertyDescriptor: function () { return { value: 1, enumerable: true, configurable: true }; }, get: function (t, k) { return String(k) + '!'; } }); [Object.keys(p), Object.entries(p), Object.assign({}, p)]
var r = Proxy.revocable({ a: 1 }, {}); r.revoke(); r.proxy.a
var p = new Proxy([1], {}); p.push(2); [p.length, Array.isArray(p), p.map(function (x) { return x + 1; })]
var log = [], p = new Proxy({}, { set: function (t, k, v, r) { log.push(k); return Reflect.set(t, k, v, r); }, defineProperty: function (t, k, d) { log.push('d' + k); return Reflect.defineProperty(t, k, d); } }); p.x = 1; p.x = 2; [log, p.x]
[new Uint8Array([3, 1, 2]).sort().join(), Array.from(new Float64Array([1.5])), new Uint8Array([1, 2, 3]).slice(1).length, new Uint8Array([1, 255]).toHex ? 1 : 1]
['caf\u00e9'.normalize('NFD').length, 'a\u0308'.normalize(), '\ufb01'.normalize('NFKC'), '\uac00'.normalize('NFD').length, 'x'.normalize('NFKD')]
['abc'.isWellFormed(), 'a\ud800'.toWellFormed(), 'abc'.at(-1), 'x'.padStart(3, 'ab')]
`.trim().split('\n');

/* The expression as a function body; one that begins with `var` has statements before it. */
function bodyOf(expression) {
  const at = expression.startsWith('var ') ? lastStatement(expression) : 0;
  return `${expression.slice(0, at)}return (${expression.slice(at)})`;
}

/* Where the last statement begins: after the last "; " outside of braces, brackets, parentheses and texts. */
function lastStatement(text) {
  let depth = 0;
  let quote = '';
  let last = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quote) {
      if (c === '\\') i++;
      else if (c === quote) quote = '';
    } else if (c === "'" || c === '"') quote = c;
    else if ('([{'.includes(c)) depth++;
    else if (')]}'.includes(c)) depth--;
    else if (c === ';' && depth === 0) last = i + 1;
  }
  return last;
}

// Node 22 has no URLPattern, and takes latin1 for ISO-8859-1, which no standard does: it is no judge of these.
const beyond = [
  ['URLPattern', typeof URLPattern === 'undefined'],
  ["'latin1'", new TextDecoder('latin1').decode(new Uint8Array([0x80])) !== '\u20ac'],
].filter(([, lacking]) => lacking);

const results = [];
for (const expression of EXPRESSIONS) {
  if (beyond.some(([word]) => expression.includes(word))) continue;
  const body = bodyOf(expression);
  let value;
  try {
    value = await new Function(body)();
  } catch (error) {
    value = `threw ${error.name}`;
  }
  results.push([body, JSON.parse(JSON.stringify(value === undefined ? null : value))]);
}
process.stdout.write(JSON.stringify(results));
