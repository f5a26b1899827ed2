/* Blob and File (File API). */
const ab = new Uint8Array([97, 98]);
for (const [name, parts, wanted] of [
  ['nothing', undefined, ''], ['an empty list', [], ''], ['strings', ['a', 'b'], 'ab'], ['bytes', [ab], 'ab'], ['an ArrayBuffer', [ab.buffer], 'ab'], ['a part of a buffer', [new Uint8Array(ab.buffer, 1)], 'b'], ['a DataView', [new DataView(ab.buffer, 1, 1)], 'b'],
  ['other numbers', [new Uint16Array([0x6261])], 'ab'], ['a Blob', [new Blob(['x']), 'y'], 'xy'], ['a number', [1, 2.5], '12.5'], ['null and undefined', [null, undefined], 'nullundefined'], ['an object', [{}], '[object Object]'], ['a list in the list', [[1, [2]]], '1,2'],
  ['a Set', new Set(['a', 'b']), 'ab'], ['a generator', (function* () { yield 'g'; yield ab; }()), 'gab'], ['a lone surrogate', ['\ud800'], '\ufffd'], ['line breaks', ['a\r\nb\n'], 'a\r\nb\n'], ['bytes that iterate', new Uint8Array([1, 23]), '123'], ['a String object', Object('xy'), 'xy'],
]) {
  promise_test(async () => {
    const blob = new Blob(parts);
    assert_equals(await blob.text(), wanted);
    assert_equals(blob.size, new TextEncoder().encode(wanted).length);
  }, `of ${name}`);
}
for (const [name, ...given] of [['null', null], ['a string', 'x'], ['a number', 1], ['true', true], ['an object', {}], ['a Date', new Date()], ['a string as options', [], 'x'], ['a number as options', [], 1], ['an unknown ending', [], { endings: 'x' }], ['a symbol', [Symbol('x')]]]) {
  test(() => assert_throws_js(TypeError, () => new Blob(...given)), `refuses ${name}`);
}
for (const [given, wanted] of [['text/plain', 'text/plain'], ['TEXT/Plain;A=B', 'text/plain;a=b'], [undefined, ''], [null, 'null'], ['', ''], ['é', ''], ['a\n', ''], ['\x7f', ''], ['a\0', ''], [5, '5'], ['x y', 'x y']]) {
  test(() => { assert_equals(new Blob([], { type: given }).type, wanted); assert_equals(new Blob(['x']).slice(0, 1, given).type, wanted); assert_equals(new File([], 'n', { type: given }).type, wanted); }, `type ${JSON.stringify(given)}`);
}
for (const [given, wanted] of [[[], 'abcdef'], [[1], 'bcdef'], [[1, 3], 'bc'], [[-2], 'ef'], [[-3, -1], 'de'], [[0, 99], 'abcdef'], [[9], ''], [[3, 1], ''], [[-99, 2], 'ab'], [[undefined, 2], 'ab'], [[null, 2], 'ab'], [['1', '3'], 'bc'], [[NaN, 2], 'ab'], [[0, null], ''], [[0, Infinity], 'abcdef'], [[-Infinity, 1], 'a']]) {
  promise_test(async () => {
    const blob = new Blob(['abc', 'def'], { type: 'text/x' }), part = blob.slice(...given);
    assert_equals(await part.text(), wanted);
    assert_equals(part.size, wanted.length);
    assert_equals(part.type, '');
    assert_true(part instanceof Blob);
  }, `slice(${given.map(String)})`);
}
promise_test(async () => assert_equals(await new Blob(['abcdef']).slice(1, 5).slice(1, 3).text(), 'cd'), 'a slice of a slice');
promise_test(async () => assert_equals(new Uint8Array(await new Blob([ab]).arrayBuffer()).join(), '97,98'), 'arrayBuffer');
promise_test(async () => { const blob = new Blob([ab]), one = await blob.bytes(); assert_true(one instanceof Uint8Array); one[0] = 0; assert_equals(await blob.text(), 'ab'); }, 'bytes are a copy');
promise_test(async () => { const given = new Uint8Array([97]), blob = new Blob([given]); given[0] = 98; assert_equals(await blob.text(), 'a'); }, 'parts are copied');
promise_test(async () => assert_equals(await new Blob(['\ufeffx']).text(), 'x'), 'text drops a byte order mark');
promise_test(async () => { const reader = new Blob(['ab']).stream().getReader(); let made = ''; for (let step; !(step = await reader.read()).done;) made += new TextDecoder().decode(step.value); assert_equals(made, 'ab'); }, 'stream');
promise_test(async () => { const reader = new Blob([]).stream().getReader(); assert_true((await reader.read()).done); }, 'stream of nothing');
promise_test(async () => { const one = new Blob(['ab']).stream().getReader({ mode: 'byob' }), step = await one.read(new Uint8Array(1)); assert_equals(step.value[0], 97); }, 'stream into a buffer');
promise_test(async () => { let made = ''; for await (const one of new Blob(['ab', 'cd']).stream()) made += new TextDecoder().decode(one); assert_equals(made, 'abcd'); }, 'for await over a stream');
test(() => { for (const name of ['size', 'type', 'slice', 'text', 'arrayBuffer', 'stream', 'bytes']) assert_true(name in Blob.prototype || name in new Blob(), name); }, 'members');
test(() => { assert_class_string(new Blob(), 'Blob'); assert_class_string(new File([], 'x'), 'File'); }, 'class strings');
test(() => assert_throws_js(TypeError, () => Blob()), 'Blob needs new');
test(() => assert_equals(Blob.length, 0), 'Blob.length');
test(() => { assert_readonly(new Blob(['x']), 'size'); assert_readonly(new Blob(['x']), 'type'); }, 'size and type are read-only');
for (const ending of ['transparent', 'native']) {
  promise_test(async () => assert_equals(await new Blob(['a\r\nb\rc\n'], { endings: ending }).text(), ending === 'native' ? 'a\nb\nc\n' : 'a\r\nb\rc\n'), `endings ${ending}`);
}

for (const [given, wanted] of [['a.txt', 'a.txt'], ['a/b', 'a/b'], ['', ''], [null, 'null'], [undefined, 'undefined'], [5, '5'], ['é😀', 'é😀'], ['\ud800', '\ufffd']]) {
  test(() => assert_equals(new File([], given).name, wanted), `name ${JSON.stringify(given)}`);
}
for (const [given, wanted] of [[0, 0], [5, 5], [-1, -1], [1.9, 1], ['7', 7], [null, 0], [NaN, 0], [new Date(9), 9], [true, 1], [Infinity, 0]]) {
  test(() => assert_equals(new File([], 'x', { lastModified: given }).lastModified, wanted), `lastModified ${String(given)}`);
}
test(() => { const before = Date.now(), at = new File([], 'x').lastModified; assert_true(at >= before - 1 && at <= Date.now() + 1); }, 'lastModified is now');
test(() => assert_throws_js(TypeError, () => new File([])), 'File needs a name');
test(() => assert_throws_js(TypeError, () => new File()), 'File needs parts');
test(() => assert_throws_js(TypeError, () => new File('x', 'n')), 'File refuses a string');
test(() => assert_true(new File([], 'x') instanceof Blob), 'a File is a Blob');
promise_test(async () => { const file = new File(['abc'], 'n', { type: 'text/plain' }); assert_equals(await file.text(), 'abc'); assert_equals(file.size, 3); assert_false(file.slice(0, 1) instanceof File); }, 'the bytes of a File');
