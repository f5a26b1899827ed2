/* Headers (Fetch standard, 5.1). */
function shown(headers) { return [...headers].map(([name, value]) => `${name}=${value}`).join('; '); }

for (const [name, init, wanted] of [
  ['nothing', undefined, ''], ['an empty object', {}, ''], ['an empty list', [], ''], ['an object', { B: '1', a: '2' }, 'a=2; b=1'], ['pairs', [['a', '1'], ['A', '2']], 'a=1, 2'], ['a Map', new Map([['x', 'y']]), 'x=y'],
  ['other Headers', new Headers({ q: '1' }), 'q=1'], ['null as a value', { a: null }, 'a=null'], ['undefined as a value', { a: undefined }, 'a=undefined'], ['a number', { a: 5 }, 'a=5'], ['a list as a value', { a: [1, 2] }, 'a=1,2'],
  ['spaces around', { a: ' \t x y \r\n' }, 'a=x y'], ['an empty value', { a: '' }, 'a='], ['bytes', { a: '\xff' }, 'a=\xff'], ['pairs that are iterable', [new Set(['a', 'b'])], 'a=b'], ['a URLSearchParams', new URLSearchParams('k=v'), 'k=v'],
  ['two cookies', [['set-cookie', 'a=1'], ['x', 'y'], ['Set-Cookie', 'b=2']], 'set-cookie=a=1; set-cookie=b=2; x=y'], ['an inherited property', Object.create({ a: '1' }), ''],
]) test(() => assert_equals(shown(new Headers(init)), wanted), `of ${name}`);

for (const [name, init] of [['null', null], ['a string', 'ab'], ['a number', 1], ['a boolean', true], ['a pair of one', [['a']]], ['a pair of three', [['a', 'b', 'c']]], ['no pairs', [1]], ['a symbol as a key', { [Symbol('s')]: 'x' }], ['a name with a space', { 'a b': '1' }], ['an empty name', { '': '1' }], ['a name beyond ASCII', { é: '1' }], ['a line break in a value', { a: 'x\ny' }], ['NUL in a value', { a: 'x\0' }], ['a value beyond bytes', { a: 'Ā' }]]) {
  test(() => assert_throws_js(TypeError, () => new Headers(init)), `refuses ${name}`);
}

const BAD_NAMES = ['', ' a', 'a ', 'a:', 'a\n', 'a\0', 'é', 'a,b', '[a]', '{', '"', '(', '\\', '/', '<', '@', '?', '='];
const GOOD_NAMES = ['a', 'A-1', "!#$%&'*+-.^_`|~", '0'];
for (const method of ['append', 'set', 'get', 'has', 'delete']) {
  for (const name of BAD_NAMES) test(() => assert_throws_js(TypeError, () => new Headers()[method](name, 'v')), `${method} refuses the name ${JSON.stringify(name)}`);
  for (const name of GOOD_NAMES) test(() => { new Headers()[method](name, 'v'); }, `${method} takes the name ${JSON.stringify(name)}`);
}
for (const value of ['\n a\nb', 'a\rb', '\0', 'Ā', '💩', '\ud800']) {
  test(() => { assert_throws_js(TypeError, () => new Headers().append('a', value)); assert_throws_js(TypeError, () => new Headers().set('a', value)); }, `no value ${JSON.stringify(value)}`);
}
for (const [value, wanted] of [[' x ', 'x'], ['\tx\t', 'x'], ['\r\nx\r\n', 'x'], ['x \t y', 'x \t y'], ['', ''], ['\u00e9', '\u00e9'], ['\x7f', null], ['\x0b', null], [{}, '[object Object]'], [NaN, 'NaN']]) {
  test(() => {
    const headers = new Headers();
    if (wanted === null) { headers.append('a', value); return; }
    headers.append('a', value);
    assert_equals(headers.get('A'), wanted);
  }, `the value ${JSON.stringify(String(value)).replace('\x7f', '\\u007f')}`);
}

test(() => { const one = new Headers({ a: '1' }); one.append('A', '2'); assert_equals(one.get('a'), '1, 2'); }, 'append joins');
test(() => { const one = new Headers([['a', '1'], ['b', '2'], ['a', '3']]); one.set('A', '9'); assert_equals(shown(one), 'a=9; b=2'); }, 'set replaces all');
test(() => { const one = new Headers({ a: '1', b: '2' }); one.delete('A'); assert_equals(shown(one), 'b=2'); }, 'delete');
test(() => assert_equals(new Headers().get('a'), null), 'get of none');
test(() => { assert_true(new Headers({ a: '' }).has('A')); assert_false(new Headers().has('a')); }, 'has');
test(() => assert_array_equals(new Headers([['set-cookie', 'a'], ['set-cookie', 'b, c']]).getSetCookie(), ['a', 'b, c']), 'getSetCookie');
test(() => assert_array_equals(new Headers().getSetCookie(), []), 'getSetCookie of none');
test(() => assert_equals(new Headers([['set-cookie', 'a'], ['set-cookie', 'b']]).get('set-cookie'), 'a, b'), 'get of cookies');
test(() => { const one = new Headers([['set-cookie', 'a'], ['set-cookie', 'b']]); one.set('set-cookie', 'c'); assert_array_equals(one.getSetCookie(), ['c']); }, 'set of cookies');
test(() => assert_equals([...new Headers({ c: '1', a: '2', B: '3' }).keys()].join(), 'a,b,c'), 'keys are sorted and in lower case');
test(() => assert_equals([...new Headers({ c: '1', a: '2' }).values()].join(), '2,1'), 'values');
test(() => assert_equals(Headers.prototype[Symbol.iterator], Headers.prototype.entries), 'its iterator is entries');
test(() => { const seen = []; new Headers({ a: '1' }).forEach(function (value, name, all) { seen.push(value, name, all instanceof Headers, this); }, 7); assert_equals(seen.slice(0, 3).join(), '1,a,true'); }, 'forEach');
test(() => assert_throws_js(TypeError, () => new Headers().forEach()), 'forEach needs a function');
test(() => { const one = new Headers({ a: '1', c: '3' }), seen = []; for (const [name] of one) { seen.push(name); if (name === 'a') one.append('b', '2'); } assert_equals(seen.join(), 'a,b,c'); }, 'an iterator follows what is added');
test(() => { const one = new Headers({ a: '1', b: '2', c: '3' }), seen = []; for (const [name] of one) { seen.push(name); if (name === 'a') one.delete('b'); } assert_equals(seen.join(), 'a,c'); }, 'an iterator follows what is deleted');
test(() => { const keys = new Headers({ a: '1' }).keys(), prototype = Object.getPrototypeOf(keys); assert_true(Object.getOwnPropertyDescriptor(prototype, 'next').enumerable); assert_equals(Object.getPrototypeOf(prototype), Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()))); }, 'the prototype of iterators');
test(() => assert_class_string(new Headers().keys(), 'Headers Iterator'), 'class of the iterator');
test(() => assert_class_string(new Headers(), 'Headers'), 'class of Headers');
test(() => assert_throws_js(TypeError, () => Headers()), 'Headers needs new');
test(() => assert_throws_js(TypeError, () => Headers.prototype.get.call({}, 'a')), 'get of another object');
test(() => { const one = new Headers({ a: '1' }); one[Symbol.iterator] = function* () { yield ['z', '9']; }; assert_equals(shown(new Headers(one)), 'z=9'); }, 'an iterator of its own counts');
test(() => { const seen = []; new Headers(new Proxy({ a: '1' }, { ownKeys(t) { seen.push('ownKeys'); return Reflect.ownKeys(t); }, get(t, k) { seen.push(String(k)); return t[k]; }, getOwnPropertyDescriptor(t, k) { seen.push(`own ${String(k)}`); return Reflect.getOwnPropertyDescriptor(t, k); } })); assert_equals(seen.join(), 'Symbol(Symbol.iterator),ownKeys,own a,a'); }, 'an object is read in the order of Web IDL');
