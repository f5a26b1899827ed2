/* fetch over a network (Fetch standard, 4): requests, answers, redirections, aborts. */
const at = (path) => `${SERVER}${path}`;
async function echo(init, path = '/echo') { return (await fetch(at(path), init)).json(); }

for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) promise_test(async () => assert_equals((await echo({ method })).method, method), `method ${method}`);
promise_test(async () => { const one = await fetch(at('/echo'), { method: 'HEAD' }); assert_equals(one.status, 200); assert_equals(await one.text(), ''); }, 'method HEAD');
promise_test(async () => assert_equals((await echo({ method: 'post' })).method, 'POST'), 'a method in lower case');
for (const [name, body, type, wanted] of [['a string', 'é', 'text/plain;charset=UTF-8', 'é'], ['bytes', new Uint8Array([97]), null, 'a'], ['a Blob', new Blob(['b'], { type: 'a/b' }), 'a/b', 'b'], ['a URLSearchParams', new URLSearchParams({ a: '1 2' }), 'application/x-www-form-urlencoded;charset=UTF-8', 'a=1+2'], ['an empty string', '', 'text/plain;charset=UTF-8', '']]) {
  promise_test(async () => { const seen = await echo({ method: 'POST', body }); assert_equals(seen.body, wanted); assert_equals(seen.headers['content-type'] ?? null, type); assert_equals(seen.headers['content-length'], String(new TextEncoder().encode(wanted).length)); }, `a body of ${name}`);
}
promise_test(async () => { const form = new FormData(); form.append('a', 'x'); const seen = await echo({ method: 'POST', body: form }); assert_regexp_match(seen.headers['content-type'], /^multipart\/form-data; ?boundary=/); assert_regexp_match(seen.body, /name="a"\r\n\r\nx\r\n/); }, 'a body of a FormData');
promise_test(async () => { const seen = await echo({ method: 'POST', duplex: 'half', body: new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode('ab')); c.enqueue(new TextEncoder().encode('cd')); c.close(); } }) }); assert_equals(seen.body, 'abcd'); }, 'a body of a stream');
promise_test(async () => assert_equals((await echo({ method: 'POST' })).headers['content-length'], '0'), 'POST without a body');
promise_test(async () => { const seen = await echo({ headers: { 'X-One': 'a', accept: 'x/y' } }); assert_equals(seen.headers['x-one'], 'a'); assert_equals(seen.headers.accept, 'x/y'); }, 'headers');
promise_test(async () => { const seen = await echo(); assert_equals(seen.headers.accept, '*/*'); assert_true('user-agent' in seen.headers); assert_true('accept-encoding' in seen.headers); }, 'headers that are added');
promise_test(async () => { const seen = await (await fetch(new Request(at('/echo'), { method: 'PUT', body: 'x', headers: { a: '1' } }))).json(); assert_equals(`${seen.method} ${seen.body} ${seen.headers.a}`, 'PUT x 1'); }, 'fetch of a Request');
promise_test(async () => { const seen = await (await fetch(new Request(at('/echo'), { headers: { a: '1' } }), { headers: { b: '2' } })).json(); assert_false('a' in seen.headers); assert_equals(seen.headers.b, '2'); }, 'fetch of a Request with init');
promise_test(async () => { const seen = await (await fetch(new URL(at('/echo?q=é')))).json(); assert_equals(seen.path, '/echo?q=%C3%A9'); }, 'fetch of a URL');

for (const status of [200, 201, 204, 304, 400, 404, 418, 500, 503]) promise_test(async () => { const one = await fetch(at(`/status/${status}`)); assert_equals(one.status, status); assert_equals(one.ok, status < 300); assert_equals(one.type === 'error', false); }, `status ${status}`);
promise_test(async () => { const one = await fetch(at('/echo')); assert_equals(one.url, at('/echo')); assert_false(one.redirected); assert_equals(one.statusText, 'OK'); assert_equals(one.headers.get('content-type'), 'application/json'); assert_true(one.body instanceof ReadableStream); }, 'an answer');
promise_test(async () => { const one = await fetch(at('/echo#part')); assert_equals(one.url, at('/echo')); }, 'the address of an answer has no fragment');
promise_test(async () => { const one = await fetch(at('/cookies')); assert_array_equals(one.headers.getSetCookie(), ['a=1', 'b=2']); assert_equals(one.headers.get('x-two'), 'a, b'); }, 'headers that come twice');
promise_test(async () => { const one = await fetch(at('/gzip')); assert_equals(await one.text(), 'packed '.repeat(100)); }, 'gzip');
promise_test(async () => { const one = await fetch(at('/deflate')); assert_equals(await one.text(), 'packed '.repeat(100)); }, 'deflate');
promise_test(async () => { const one = await fetch(at('/chunks')); let made = ''; for await (const part of one.body) made += new TextDecoder().decode(part); assert_equals(made, 'onetwothree'); assert_true(one.bodyUsed); }, 'an answer in pieces');
promise_test(async () => assert_equals((await (await fetch(at('/bytes/100000'))).arrayBuffer()).byteLength, 100000), 'a hundred thousand bytes');
promise_test(async () => { const one = await fetch(at('/echo')), two = one.clone(); assert_equals(await one.text(), await two.text()); }, 'clone of an answer');
promise_test(async () => { const all = await Promise.all(Array.from({ length: 10 }, (_, i) => fetch(at(`/echo?${i}`)).then((one) => one.json()))); assert_equals(all.map((one) => one.path.slice(-1)).join(''), '0123456789'); }, 'ten at once');
promise_test(async () => { const one = await fetch(at('/status/204')); assert_equals(one.body, null); }, 'no body with 204');

for (const status of [301, 302, 303, 307, 308]) {
  promise_test(async () => { const one = await fetch(at(`/redirect/${status}`)); assert_true(one.redirected); assert_equals(one.status, 200); assert_equals(one.url, at('/echo')); }, `redirected by ${status}`);
  promise_test(async () => { const seen = await echo({ method: 'POST', body: 'x', headers: { 'content-language': 'de' } }, `/redirect/${status}`); const keeps = status > 303; assert_equals(`${seen.method} ${seen.body}`, keeps ? 'POST x' : 'GET '); assert_equals('content-type' in seen.headers, keeps); assert_equals('content-language' in seen.headers, keeps); }, `POST redirected by ${status}`);
  promise_test(async () => { const one = await fetch(at(`/redirect/${status}`), { redirect: 'manual' }); assert_false(one.redirected); assert_in_array(one.status, [0, status]); }, `${status} with redirect manual`);
  promise_test(async (t) => promise_rejects_js(t, TypeError, fetch(at(`/redirect/${status}`), { redirect: 'error' })), `${status} with redirect error`);
}
promise_test(async () => assert_equals((await echo({ method: 'PUT', body: 'x' }, '/redirect/302')).method, 'PUT'), 'PUT redirected by 302');
promise_test(async () => assert_equals((await echo({ method: 'PUT', body: 'x' }, '/redirect/303')).method, 'GET'), 'PUT redirected by 303');
promise_test(async () => assert_equals((await fetch(at('/redirects/20'))).status, 200), 'twenty redirections');
promise_test(async (t) => promise_rejects_js(t, TypeError, fetch(at('/redirects/21'))), 'twenty-one redirections');
promise_test(async (t) => promise_rejects_js(t, TypeError, fetch(at('/redirect/302?to=x:y'))), 'redirected to another scheme');
promise_test(async (t) => promise_rejects_js(t, TypeError, fetch(at('/redirect/302?to=data:,x'))), 'redirected to data:');
promise_test(async () => { const one = await fetch(at('/redirect/302?to=none')); assert_equals(one.status, 302); }, 'redirected to nowhere');
promise_test(async () => assert_equals((await fetch(at('/redirect/302?to=/echo%23f'))).url, at('/echo')), 'nor has one that was redirected');

promise_test(async (t) => { const stop = new AbortController(), one = fetch(at('/never'), { signal: stop.signal }); setTimeout(() => stop.abort(), 20); await promise_rejects_dom(t, 'AbortError', one); }, 'abort while it waits');
promise_test(async (t) => { const stop = new AbortController(), one = fetch(at('/never'), { signal: stop.signal }); setTimeout(() => stop.abort('why'), 20); await promise_rejects_exactly(t, 'why', one); }, 'abort with a reason');
promise_test(async (t) => { const stop = new AbortController(), one = await fetch(at('/half'), { signal: stop.signal }); stop.abort(); await promise_rejects_dom(t, 'AbortError', one.text()); }, 'abort while the body comes');
promise_test(async (t) => promise_rejects_dom(t, 'TimeoutError', fetch(at('/never'), { signal: AbortSignal.timeout(30) })), 'timeout');
promise_test(async (t) => { const stop = new AbortController(), request = new Request(at('/never'), { signal: stop.signal }), one = fetch(request); setTimeout(() => stop.abort(), 20); await promise_rejects_dom(t, 'AbortError', one); }, 'abort of a Request');
promise_test(async () => { const stop = new AbortController(), one = await fetch(at('/echo'), { signal: stop.signal }), text = await one.text(); stop.abort(); assert_regexp_match(text, /GET/); }, 'abort when all is read');
promise_test(async (t) => promise_rejects_js(t, TypeError, fetch(at('/drop'))), 'a connection that breaks');
promise_test(async (t) => { const one = await fetch(at('/short')); await promise_rejects_js(t, TypeError, one.text()); }, 'a body that ends too early');
promise_test(async (t) => promise_rejects_js(t, TypeError, fetch('http://127.0.0.1:1/')), 'a port where nobody listens');
promise_test(async () => { const one = await fetch(at('/integrity'), { integrity: 'sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=' }); assert_equals(await one.text(), 'abc'); }, 'integrity');
promise_test(async (t) => promise_rejects_js(t, TypeError, fetch(at('/integrity'), { integrity: 'sha256-AAAAv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=' })), 'integrity that does not hold');
