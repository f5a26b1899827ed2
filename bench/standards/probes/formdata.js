/* FormData (XMLHttpRequest standard, 4), and how it is sent and read. */
function made(...pairs) { const form = new FormData(); for (const pair of pairs) form.append(...pair); return form; }
function shown(form) { return [...form].map(([name, value]) => `${name}=${typeof value === 'string' ? value : `<${value.name} ${value.type} ${value.size}>`}`).join('; '); }

test(() => assert_equals(shown(made(['a', '1'], ['a', '2'])), 'a=1; a=2'), 'append');
test(() => assert_equals(shown(made([1, 2], [null, undefined])), '1=2; null=undefined'), 'names and values become strings');
test(() => assert_equals(shown(made(['\ud800', '\udc00'])), '\ufffd=\ufffd'), 'lone surrogates');
test(() => assert_equals(shown(made(['f', new Blob(['xy'], { type: 'text/x' })])), 'f=<blob text/x 2>'), 'a Blob becomes a File');
test(() => assert_equals(shown(made(['f', new Blob(['xy']), 'n.txt'])), 'f=<n.txt  2>'), 'a Blob with a name');
test(() => assert_equals(shown(made(['f', new File(['x'], 'a.txt')])), 'f=<a.txt  1>'), 'a File');
test(() => assert_equals(shown(made(['f', new File(['x'], 'a.txt'), 'b.txt'])), 'f=<b.txt  1>'), 'a File with another name');
test(() => { const file = new File(['x'], 'a'), form = made(['f', file]); assert_equals(form.get('f'), file); }, 'a File stays what it is');
test(() => { const form = made(['f', new File(['x'], 'a', { lastModified: 123 }), 'b']); assert_equals(form.get('f').lastModified, 123); }, 'another name keeps lastModified');
test(() => assert_throws_js(TypeError, () => made(['a', 'x', 'name'])), 'a string has no file name');
test(() => assert_equals(made(['a', '1'], ['a', '2']).get('a'), '1'), 'get');
test(() => assert_equals(made().get('a'), null), 'get of none');
test(() => assert_array_equals(made(['a', '1'], ['b', '2'], ['a', '3']).getAll('a'), ['1', '3']), 'getAll');
test(() => { assert_true(made(['a', '']).has('a')); assert_false(made().has('a')); }, 'has');
test(() => { const form = made(['a', '1'], ['b', '2'], ['a', '3']); form.set('a', '9'); assert_equals(shown(form), 'a=9; b=2'); }, 'set');
test(() => { const form = made(['b', '2']); form.set('a', new Blob(['q']), 'f'); assert_equals(shown(form), 'b=2; a=<f  1>'); }, 'set of a new one');
test(() => { const form = made(['a', '1'], ['b', '2'], ['a', '3']); form.delete('a'); assert_equals(shown(form), 'b=2'); }, 'delete');
test(() => { const form = made(['b', '1'], ['a', '2']); assert_equals([[...form.keys()], [...form.values()], [...form.entries()]].join(), 'b,a,1,2,b,1,a,2'); }, 'keys, values, entries');
test(() => { const seen = []; made(['a', '1']).forEach(function (value, name, all) { seen.push(value, name, all instanceof FormData, this.x); }, { x: 3 }); assert_equals(seen.join(), '1,a,true,3'); }, 'forEach');
test(() => { const form = made(['a', '1'], ['b', '2']), seen = []; for (const [name] of form) { seen.push(name); if (name === 'a') form.append('c', '3'); } assert_equals(seen.join(), 'a,b,c'); }, 'an iterator follows');
test(() => assert_class_string(made().keys(), 'FormData Iterator'), 'class of the iterator');
test(() => assert_class_string(made(), 'FormData'), 'class of FormData');
test(() => assert_equals(FormData.prototype[Symbol.iterator], FormData.prototype.entries), 'its iterator is entries');
for (const [method, ...given] of [['append', 'a'], ['set', 'a'], ['get'], ['getAll'], ['has'], ['delete'], ['forEach']]) {
  test(() => assert_throws_js(TypeError, () => made()[method](...given)), `${method} with ${given.length} arguments`);
}
test(() => assert_throws_js(TypeError, () => FormData()), 'FormData needs new');
for (const given of [null, 'x', {}]) test(() => assert_throws_js(TypeError, () => new FormData(given)), `FormData refuses ${JSON.stringify(given)}`);

/* What is sent is what is read. */
for (const [name, form] of [
  ['text', made(['a', '1'], ['b', 'é😀'])], ['an empty value', made(['a', ''])], ['an empty name', made(['', 'x'])], ['quotes in a name', made(['a"b', 'x'])], ['a file', made(['f', new File(['abc'], 'x.txt', { type: 'text/plain' })])],
  ['an empty file', made(['f', new File([], 'x', { type: 'a/b' })])], ['bytes', made(['f', new File([new Uint8Array([0, 255, 13, 10])], 'x', { type: 'a/b' })])], ['quotes in a file name', made(['f', new File(['x'], 'a"b.txt', { type: 'a/b' })])], ['letters in a file name', made(['f', new File(['x'], 'é.txt', { type: 'a/b' })])],
  ['many', made(...Array.from({ length: 40 }, (_, i) => [`n${i}`, `v${i}`]))], ['a line break in a value', made(['a', 'x\r\ny'])], ['dashes', made(['a', '--x--'])],
]) {
  promise_test(async () => {
    const response = new Response(form);
    assert_regexp_match(response.headers.get('content-type'), /^multipart\/form-data; ?boundary=/);
    assert_equals(shown(await response.formData()), shown(form));
  }, `there and back: ${name}`);
}
promise_test(async () => { const text = await new Response(made(['a', 'x\ny'])).text(); assert_regexp_match(text, /name="a"\r\n\r\nx\r\ny\r\n--/); }, 'line breaks of values are CR LF');
promise_test(async () => { const text = await new Response(made(['a\n"', new File(['x'], 'b\r\n"')])).text(); assert_regexp_match(text, /name="a%0D%0A%22"; filename="b%0D%0A%22"/); }, 'line breaks and quotes of names are escaped');
promise_test(async () => { const text = await new Response(made(['f', new Blob(['x'])])).text(); assert_regexp_match(text, /filename="blob"\r\nContent-Type: application\/octet-stream\r\n\r\nx\r\n/i); }, 'a file without a type');

function received(type, body) { return new Response(body, { headers: { 'content-type': type } }).formData(); }
for (const [name, body, wanted] of [['pairs', 'a=1&b=2', 'a=1; b=2'], ['escapes', 'a=%C3%A9+x', 'a=é x'], ['nothing', '', ''], ['a byte order mark', '\ufeffa=b', '\ufeffa=b'], ['twice', 'a=1&a=2', 'a=1; a=2'], ['no value', 'a&b', 'a=; b=']]) {
  promise_test(async () => assert_equals(shown(await received('application/x-www-form-urlencoded', body)), wanted), `urlencoded: ${name}`);
}
promise_test(async () => assert_equals(shown(await received('application/x-www-form-urlencoded;charset=UTF-8', 'a=1')), 'a=1'), 'urlencoded with a parameter');
const PART = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n';
for (const [name, body, wanted] of [['one part', `${PART}--x--\r\n`, 'a=1'], ['two parts', `${PART}${PART}--x--`, 'a=1; a=1'], ['a file', '--x\r\nContent-Disposition: form-data; name="f"; filename="n"\r\nContent-Type: a/b\r\n\r\nq\r\n--x--\r\n', 'f=<n a/b 1>'], ['no parts', '--x--\r\n', ''], ['a file without a type', '--x\r\ncontent-disposition: form-data; name="f"; filename="n"\r\n\r\nq\r\n--x--\r\n', 'f=<n text/plain 1>']]) {
  promise_test(async () => assert_equals(shown(await received('multipart/form-data; boundary=x', body)), wanted), `multipart: ${name}`);
}
for (const [name, type, body] of [['another type', 'text/plain', 'a=1'], ['no type', '', 'a=1'], ['no boundary', 'multipart/form-data', PART], ['no end', 'multipart/form-data; boundary=x', PART], ['another boundary', 'multipart/form-data; boundary=y', `${PART}--x--`], ['no name', 'multipart/form-data; boundary=x', '--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--']]) {
  promise_test(async (t) => promise_rejects_js(t, TypeError, received(type, body)), `refused: ${name}`);
}
