/* URLPattern (URL Pattern standard). */
const BASE = 'https://ex.com/dir/page';
for (const [pattern, input, groups] of [
  [{ pathname: '/a' }, { pathname: '/a' }, {}], [{ pathname: '/a' }, { pathname: '/b' }, null], [{ pathname: '/:id' }, { pathname: '/5' }, { id: '5' }], [{ pathname: '/:id' }, { pathname: '/5/6' }, null], [{ pathname: '/:id' }, { pathname: '/' }, null],
  [{ pathname: '/:id?' }, { pathname: '/' }, null], [{ pathname: '/x/:id?' }, { pathname: '/x' }, { id: undefined }], [{ pathname: '/:path+' }, { pathname: '/a/b' }, { path: 'a/b' }], [{ pathname: '/x/:path*' }, { pathname: '/x' }, { path: undefined }], [{ pathname: '/x/:path*' }, { pathname: '/x/a/b' }, { path: 'a/b' }],
  [{ pathname: '/*' }, { pathname: '/a/b' }, { 0: 'a/b' }], [{ pathname: '*' }, { pathname: '/a' }, { 0: '/a' }], [{ pathname: '/:id(\\d+)' }, { pathname: '/12' }, { id: '12' }], [{ pathname: '/:id(\\d+)' }, { pathname: '/x' }, null], [{ pathname: '/(a|b)' }, { pathname: '/b' }, { 0: 'b' }], [{ pathname: '/a{/b}?' }, { pathname: '/a' }, {}],
  [{ pathname: '/a{/b}?' }, { pathname: '/a/b' }, {}], [{ pathname: '/{:a-}?:b' }, { pathname: '/x-y' }, { a: 'x', b: 'y' }], [{ pathname: '/:a.:b' }, { pathname: '/f.txt' }, { a: 'f', b: 'txt' }], [{ pathname: '/\\:a' }, { pathname: '/:a' }, {}], [{ pathname: '/é' }, { pathname: '/%C3%A9' }, {}], [{ pathname: '/a b' }, { pathname: '/a%20b' }, {}],
  [{ pathname: '/A' }, { pathname: '/a' }, null], [{ hostname: '*.ex.com' }, { hostname: 'a.ex.com' }, { 0: 'a' }], [{ hostname: ':sub.ex.com' }, { hostname: 'a.b.ex.com' }, null], [{ hostname: 'EX.com' }, { hostname: 'ex.com' }, {}], [{ protocol: 'http{s}?' }, { protocol: 'https' }, {}], [{ protocol: 'http{s}?' }, { protocol: 'ftp' }, null],
  [{ port: '80' }, { port: '80' }, {}], [{ protocol: 'https', port: '443' }, { protocol: 'https', port: '443' }, {}], [{ search: 'q=:q' }, { search: 'q=1' }, { q: '1' }], [{ search: '*' }, { search: '' }, { 0: '' }], [{ hash: ':h' }, { hash: 'x' }, { h: 'x' }], [{ username: 'u' }, { username: 'u' }, {}], [{ pathname: '/:a/:a2' }, { pathname: '/1/2' }, { a: '1', a2: '2' }],
]) {
  test(() => {
    const one = new URLPattern(pattern), seen = one.exec(input);
    assert_equals(one.test(input), groups !== null);
    const part = Object.keys(pattern)[Object.keys(pattern).length - 1];
    if (groups === null) { assert_equals(seen, null); return; }
    assert_equals(JSON.stringify(seen[part].groups, (_, value) => value ?? 'none'), JSON.stringify(groups, (_, value) => value ?? 'none'));
  }, `${JSON.stringify(pattern)} and ${JSON.stringify(input)}`);
}
for (const [pattern, base, input, wanted] of [
  ['/a/:b', BASE, 'https://ex.com/a/1', true], ['/a/:b', BASE, 'https://other.com/a/1', false], [':x', BASE, 'https://ex.com/dir/1', true], ['https://*.ex.com/*', undefined, 'https://a.ex.com/p', true], ['https://ex.com/a?q=*', undefined, 'https://ex.com/a?q=1', true], ['https://ex.com/a\\?b', undefined, 'https://ex.com/a?b', true],
  ['http{s}?://ex.com', undefined, 'http://ex.com/', true], ['https://ex.com:8080/', undefined, 'https://ex.com:8080/', true], ['https://ex.com:8080/', undefined, 'https://ex.com/', false], ['data\\:x', undefined, 'data:x', true], ['https://ex.com/#:h', undefined, 'https://ex.com/#z', true], ['https://u\\:p@ex.com', undefined, 'https://u:p@ex.com/', true],
]) test(() => assert_equals(new URLPattern(pattern, base).test(input), wanted), `${pattern} and ${input}`);
test(() => { const one = new URLPattern({ pathname: '/a/:b' }), names = ['protocol', 'username', 'password', 'hostname', 'port', 'pathname', 'search', 'hash']; assert_equals(names.map((name) => one[name]).join(' '), '* * * * * /a/:b * *'); }, 'the parts');
test(() => { const one = new URLPattern('https://ex.com/:a\\?x'); assert_equals([one.protocol, one.hostname, one.port, one.pathname].join(' '), 'https ex.com  /:a'); }, 'the parts of a string');
test(() => { const seen = new URLPattern({ pathname: '/:a' }).exec('https://ex.com/1?q#h'); assert_equals([seen.protocol.input, seen.hostname.input, seen.pathname.input, seen.search.input, seen.hash.input].join(' '), 'https ex.com /1 q h'); assert_equals(seen.inputs[0], 'https://ex.com/1?q#h'); }, 'the result of exec');
test(() => assert_true(new URLPattern({ pathname: '/A' }, { ignoreCase: true }).test({ pathname: '/a' })), 'ignoreCase');
test(() => { assert_true(new URLPattern({ pathname: '/(\\d)' }).hasRegExpGroups); assert_false(new URLPattern({ pathname: '/:a' }).hasRegExpGroups); }, 'hasRegExpGroups');
test(() => { assert_true(new URLPattern().test('https://x/')); assert_true(new URLPattern({}).test({})); }, 'no pattern');
test(() => { assert_true(new URLPattern({ pathname: '/a' }).test('/a', 'https://x/')); assert_false(new URLPattern({ pathname: '/a' }).test('/a')); }, 'an address under a base');
for (const given of [[{ pathname: '/(' }], [{ pathname: '/{' }], [{ pathname: '/:a/:a' }], [{ pathname: '/:' }], [{ pathname: '/(?a)' }], ['/a'], [{ pathname: '/(\\u00e9' }], [{ pathname: '/*?*?(' }], ['https://ex.com/', 'x'], [{ pathname: 'a', baseURL: 'x' }], [{}, 'https://x/']]) test(() => assert_throws_js(TypeError, () => new URLPattern(...given)), `no pattern ${JSON.stringify(given)}`);
test(() => assert_class_string(new URLPattern(), 'URLPattern'), 'class of URLPattern');
