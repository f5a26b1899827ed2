/* Request and Response without a network (Fetch standard, 5). */
const AT = 'http://a.example/x';
for (const [name, body, type, wanted] of [
  ['nothing', undefined, null, ''], ['null', null, null, ''], ['a string', 'é', 'text/plain;charset=UTF-8', 'é'], ['an empty string', '', 'text/plain;charset=UTF-8', ''], ['a number', 5, 'text/plain;charset=UTF-8', '5'], ['an object', {}, 'text/plain;charset=UTF-8', '[object Object]'],
  ['bytes', new Uint8Array([97]), null, 'a'], ['an ArrayBuffer', new Uint8Array([97, 98]).buffer, null, 'ab'], ['a DataView', new DataView(new Uint8Array([97, 98]).buffer, 1), null, 'b'], ['a Blob', new Blob(['x'], { type: 'A/b' }), 'a/b', 'x'], ['a Blob without a type', new Blob(['x']), null, 'x'],
  ['a URLSearchParams', new URLSearchParams('a=1 2'), 'application/x-www-form-urlencoded;charset=UTF-8', 'a=1+2'], ['a lone surrogate', '\ud800', 'text/plain;charset=UTF-8', '\ufffd'],
]) {
  promise_test(async () => {
    const response = new Response(body);
    assert_equals(response.headers.get('content-type'), type);
    assert_equals(response.body === null, body === undefined || body === null);
    assert_false(response.bodyUsed);
    assert_equals(await response.text(), wanted);
    assert_equals(response.bodyUsed, body !== undefined && body !== null);
  }, `Response of ${name}`);
  promise_test(async () => {
    const request = new Request(AT, { method: 'POST', body });
    assert_equals(request.headers.get('content-type'), type);
    assert_equals(await request.text(), wanted);
  }, `Request of ${name}`);
}
promise_test(async () => { const response = new Response('x', { headers: { 'content-type': 'a/b' } }); assert_equals(response.headers.get('content-type'), 'a/b'); }, 'a type that is given');
test(() => { const one = new Response(); for (const [name, wanted] of Object.entries({ status: 200, statusText: '', ok: true, type: 'default', url: '', redirected: false, body: null, bodyUsed: false })) assert_equals(one[name], wanted, name); }, 'a new Response');
for (const status of [200, 204, 299, 300, 404, 500, 599]) test(() => { const one = new Response(null, { status }); assert_equals(one.status, status); assert_equals(one.ok, status < 300); }, `status ${status}`);
for (const status of [0, 100, 199, 600, 1000, NaN, -1, 'x']) test(() => assert_throws_js(RangeError, () => new Response('', { status })), `no status ${status}`);
for (const status of [204, 205, 304]) { test(() => assert_throws_js(TypeError, () => new Response('x', { status })), `no body with ${status}`); test(() => assert_throws_js(TypeError, () => new Response('', { status })), `no empty body with ${status}`); }
for (const statusText of ['', 'OK', 'Not a thing', '\xe9', '\t x']) test(() => assert_equals(new Response('', { statusText }).statusText, statusText), `statusText ${JSON.stringify(statusText)}`);
for (const statusText of ['\n', 'a\r', '\0', 'Ā']) test(() => assert_throws_js(TypeError, () => new Response('', { statusText })), `no statusText ${JSON.stringify(statusText)}`);
for (const init of [5, 'x', true]) test(() => assert_throws_js(TypeError, () => new Response('', init)), `Response refuses ${init} as init`);

test(() => { const one = Response.error(); assert_equals(`${one.type} ${one.status} ${one.ok} ${one.body}`, 'error 0 false null'); }, 'Response.error');
for (const status of [301, 302, 303, 307, 308]) test(() => { const one = Response.redirect('http://a.example/é', status); assert_equals(`${one.status} ${one.headers.get('location')} ${one.type}`, `${status} http://a.example/%C3%A9 default`); }, `Response.redirect ${status}`);
test(() => assert_equals(Response.redirect(AT).status, 302), 'Response.redirect without a status');
for (const status of [200, 300, 304, 309, 400, 500]) test(() => assert_throws_js(RangeError, () => Response.redirect(AT, status)), `no Response.redirect ${status}`);
test(() => assert_throws_js(TypeError, () => Response.redirect('http://a:b')), 'Response.redirect to no address');
promise_test(async () => { const one = Response.json({ a: [1, 'é'] }, { status: 201 }); assert_equals(one.status, 201); assert_equals(one.headers.get('content-type'), 'application/json'); assert_equals(await one.text(), '{"a":[1,"é"]}'); }, 'Response.json');
test(() => assert_equals(Response.json(1, { headers: { 'content-type': 'x/y' } }).headers.get('content-type'), 'x/y'), 'Response.json with a type');
for (const value of [undefined, Symbol('s'), () => {}]) test(() => assert_throws_js(TypeError, () => Response.json(value)), `no JSON of ${typeof value}`);
test(() => assert_throws_js(TypeError, () => Response.json({}, { status: 204 })), 'no JSON with 204');

const READERS = ['text', 'json', 'arrayBuffer', 'blob', 'bytes'];
for (const reader of READERS) {
  promise_test(async (t) => { const one = new Response('1'); await one[reader](); for (const other of READERS) await promise_rejects_js(t, TypeError, one[other]()); }, `nothing is read after ${reader}`);
  promise_test(async () => { const one = new Response('1'); await one[reader](); assert_true(one.bodyUsed); assert_throws_js(TypeError, () => one.clone()); assert_throws_js(TypeError, () => one.body.getReader()); }, `used after ${reader}`);
  promise_test(async (t) => { const one = new Response('1'); one.body.getReader(); await promise_rejects_js(t, TypeError, one[reader]()); assert_false(one.bodyUsed); }, `${reader} of a locked body`);
  promise_test(async () => { const one = new Response(new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode('1')); c.close(); } })); const seen = await one[reader](); assert_equals(reader === 'text' ? seen : reader === 'json' ? String(seen) : await new Response(seen).text(), '1'); }, `${reader} of a stream`);
  promise_test(async (t) => { const wrong = new Error('mine'), one = new Response(new ReadableStream({ start(c) { c.error(wrong); } })); await promise_rejects_exactly(t, wrong, one[reader]()); }, `${reader} of a stream that fails`);
  promise_test(async (t) => promise_rejects_js(t, TypeError, new Response(new ReadableStream({ start(c) { c.enqueue('text'); c.close(); } }))[reader]()), `${reader} of a stream of strings`);
}
promise_test(async (t) => promise_rejects_js(t, SyntaxError, new Response('{').json()), 'json of what is none');
promise_test(async (t) => promise_rejects_js(t, SyntaxError, new Response('').json()), 'json of nothing');
promise_test(async () => assert_equals(await new Response('\ufeff1').json(), 1), 'json drops a byte order mark');
promise_test(async () => assert_equals(await new Response('\ufeffx').text(), 'x'), 'text drops a byte order mark');
promise_test(async () => { const blob = await new Response('x', { headers: { 'content-type': 'Text/Html;Charset=utf-8' } }).blob(); assert_equals(blob.type, 'text/html;charset=utf-8'); assert_equals(blob.size, 1); }, 'blob takes the type');
promise_test(async () => assert_equals((await new Response(null).arrayBuffer()).byteLength, 0), 'arrayBuffer of nothing');
promise_test(async () => { const one = new Response('abc'), two = one.clone(); assert_equals(await one.text() + await two.text(), 'abcabc'); two.headers.set('x', '1'); assert_false(one.headers.has('x')); }, 'clone');
promise_test(async () => { const one = new Response(new ReadableStream({ start(c) { c.enqueue(new Uint8Array([97])); c.close(); } })), two = one.clone(); assert_equals(await two.text() + await one.text(), 'aa'); }, 'clone of a stream');
test(() => { const one = new Response('x'); assert_equals(one.body, one.body); assert_true(one.body instanceof ReadableStream); }, 'body is one stream');
promise_test(async () => { const one = new Response('ab'); await one.body.cancel(); assert_true(one.bodyUsed); }, 'a body that is cancelled is used');
test(() => assert_throws_js(TypeError, () => { const stream = new ReadableStream(); stream.getReader(); return new Response(stream); }), 'a body that is locked');

test(() => { const one = new Request(AT); for (const [name, wanted] of Object.entries({ method: 'GET', url: AT, body: null, bodyUsed: false, redirect: 'follow', credentials: 'same-origin', mode: 'cors', cache: 'default', referrer: 'about:client', referrerPolicy: '', integrity: '', keepalive: false, duplex: 'half', destination: '' })) assert_equals(one[name], wanted, name); assert_true(one.signal instanceof AbortSignal); assert_true(one.headers instanceof Headers); }, 'a new Request');
for (const [given, wanted] of [['get', 'GET'], ['Post', 'POST'], ['pUt', 'PUT'], ['delete', 'DELETE'], ['head', 'HEAD'], ['options', 'OPTIONS'], ['patch', 'patch'], ['X-y', 'X-y']]) test(() => assert_equals(new Request(AT, { method: given }).method, wanted), `method ${given}`);
for (const method of ['', 'CONNECT', 'trace', 'TRACK', 'a b', 'é', 'a\n', '{']) test(() => assert_throws_js(TypeError, () => new Request(AT, { method })), `no method ${JSON.stringify(method)}`);
for (const [given, wanted] of [['HTTP://A.Example', 'http://a.example/'], [new URL(AT), AT], ['http://a.example/é?x#f', 'http://a.example/%C3%A9?x#f'], ['http://a.example:80/', 'http://a.example/']]) test(() => assert_equals(new Request(given).url, wanted), `address ${given}`);
for (const given of ['http://', 'http://u@a.example', 'http://u:p@a.example', 'http://:p@a.example']) test(() => assert_throws_js(TypeError, () => new Request(given)), `no address ${given}`);
for (const [name, values] of Object.entries({ redirect: ['follow', 'error', 'manual'], credentials: ['omit', 'same-origin', 'include'], mode: ['cors', 'no-cors', 'same-origin'], cache: ['default', 'no-store', 'reload', 'no-cache', 'force-cache'], referrerPolicy: ['', 'no-referrer', 'origin', 'unsafe-url'] })) {
  for (const value of values) test(() => assert_equals(new Request(AT, { [name]: value })[name], value), `${name} ${value}`);
  for (const value of ['x', null, 5]) test(() => assert_throws_js(TypeError, () => new Request(AT, { [name]: value })), `no ${name} ${value}`);
}
for (const method of ['GET', 'HEAD']) test(() => assert_throws_js(TypeError, () => new Request(AT, { method, body: '' })), `no body with ${method}`);
test(() => assert_throws_js(TypeError, () => new Request(AT, { mode: 'navigate' })), 'no mode navigate');
test(() => assert_throws_js(TypeError, () => new Request(AT, { cache: 'only-if-cached' })), 'only-if-cached needs a mode');
for (const signal of [5, {}, 'x']) test(() => assert_throws_js(TypeError, () => new Request(AT, { signal })), `no signal ${JSON.stringify(signal)}`);
test(() => assert_throws_js(TypeError, () => new Request()), 'Request needs an address');
test(() => assert_throws_js(TypeError, () => new Request(AT, { method: 'POST', body: new ReadableStream() })), 'a stream needs duplex');
promise_test(async () => { const one = new Request(AT, { method: 'POST', body: new ReadableStream({ start(c) { c.enqueue(new Uint8Array([97])); c.close(); } }), duplex: 'half' }); assert_equals(await one.text(), 'a'); }, 'a stream with duplex');
promise_test(async () => { const one = new Request(AT, { method: 'POST', body: 'x', headers: { a: '1' } }), two = new Request(one); assert_true(one.bodyUsed); assert_equals(two.method, 'POST'); assert_equals(two.headers.get('a'), '1'); assert_equals(await two.text(), 'x'); }, 'a Request of a Request');
test(() => { const one = new Request(AT, { headers: { a: '1' } }), two = new Request(one, { headers: { b: '2' } }); assert_false(two.headers.has('a')); assert_true(one.headers.has('a')); }, 'other headers replace');
test(() => { const stop = new AbortController(), one = new Request(AT, { signal: stop.signal }), two = new Request(one), three = one.clone(); stop.abort(4); assert_equals(`${one.signal.reason} ${two.signal.reason} ${three.signal.reason}`, '4 4 4'); }, 'signals follow');
promise_test(async () => { const one = new Request(AT, { method: 'PUT', body: 'x', redirect: 'manual', credentials: 'omit', cache: 'no-store', integrity: 'i', keepalive: true }), two = one.clone(); for (const name of ['method', 'url', 'redirect', 'credentials', 'cache', 'integrity', 'keepalive']) assert_equals(two[name], one[name], name); assert_equals(await one.text() + await two.text(), 'xx'); }, 'clone of a Request');
promise_test(async (t) => promise_rejects_js(t, TypeError, fetch('x:y')), 'fetch of another scheme');
promise_test(async (t) => promise_rejects_js(t, TypeError, fetch('http://')), 'fetch of no address');
promise_test(async (t) => promise_rejects_js(t, TypeError, fetch()), 'fetch without an argument');
promise_test(async (t) => promise_rejects_dom(t, 'AbortError', fetch(AT, { signal: AbortSignal.abort() })), 'fetch with a signal that is aborted');
promise_test(async (t) => promise_rejects_exactly(t, 7, fetch(AT, { signal: AbortSignal.abort(7) })), 'fetch with a reason');
promise_test(async (t) => promise_rejects_js(t, TypeError, fetch('http://a.example:25/')), 'fetch of a port that is blocked');
for (const [given, type, wanted] of [['data:,a%20b', 'text/plain;charset=US-ASCII', 'a b'], ['data:text/html,<b>é', 'text/html', '<b>é'], ['data:;base64,YWI=', 'text/plain;charset=US-ASCII', 'ab'], ['data:a/b;c=d;base64,YQ', 'a/b;c=d', 'a'], ['data:text/plain;charset=utf-8,%C3%A9', 'text/plain;charset=utf-8', 'é'], ['data:x,1#f', 'text/plain;charset=US-ASCII', '1']]) {
  promise_test(async () => { const one = await fetch(given); assert_equals(one.status, 200); assert_equals(one.headers.get('content-type'), type); assert_equals(await one.text(), wanted); }, `fetch ${given}`);
}
for (const given of ['data:', 'data:x', 'data:;base64,a']) promise_test(async (t) => promise_rejects_js(t, TypeError, fetch(given)), `no fetch ${given}`);
test(() => { assert_class_string(new Request(AT), 'Request'); assert_class_string(new Response(), 'Response'); assert_throws_js(TypeError, () => Request(AT)); assert_throws_js(TypeError, () => Response()); }, 'classes');
