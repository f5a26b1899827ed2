/* Text and bytes (Encoding standard). */
function hex(bytes) { return Array.from(bytes, (one) => one.toString(16).padStart(2, '0')).join(' '); }
function bytes(text) { return Uint8Array.from(text.split(' ').filter(Boolean), (one) => parseInt(one, 16)); }

for (const [text, wanted] of [
  ['', ''], ['abc', '61 62 63'], ['\0', '00'], ['\x7f', '7f'], ['\x80', 'c2 80'], ['é', 'c3 a9'], ['\u07ff', 'df bf'], ['\u0800', 'e0 a0 80'], ['€', 'e2 82 ac'], ['\uffff', 'ef bf bf'],
  ['😀', 'f0 9f 98 80'], ['\u{10ffff}', 'f4 8f bf bf'], ['\ud800', 'ef bf bd'], ['\udfff', 'ef bf bd'], ['a\ud800b', '61 ef bf bd 62'], ['\udc00\ud800', 'ef bf bd ef bf bd'], ['\ufeffx', 'ef bb bf 78'],
]) {
  test(() => assert_equals(hex(new TextEncoder().encode(text)), wanted), `encode ${JSON.stringify(text)}`);
  for (const size of [0, 1, 2, 3, 4, 8]) {
    test(() => {
      const target = new Uint8Array(size).fill(0xaa), told = new TextEncoder().encodeInto(text, target);
      assert_equals(hex(target.subarray(0, told.written)), wanted.slice(0, Math.max(0, told.written * 3 - 1)));
      for (let i = told.written; i < size; i++) assert_equals(target[i], 0xaa);
      const whole = wanted === '' ? 0 : wanted.split(' ').length;
      if (whole <= size) assert_equals(told.read, text.length);
      assert_equals(hex(new TextEncoder().encode(text.slice(0, told.read))), hex(target.subarray(0, told.written)));
    }, `encodeInto ${size} bytes of ${JSON.stringify(text)}`);
  }
}

for (const [given, wanted] of [
  ['', ''], ['61', 'a'], ['c3 a9', 'é'], ['e2 82 ac', '€'], ['f0 9f 98 80', '😀'], ['ff', '\ufffd'], ['c0 80', '\ufffd\ufffd'], ['c1 bf', '\ufffd\ufffd'], ['e0 80 80', '\ufffd\ufffd\ufffd'], ['e0 9f bf', '\ufffd\ufffd\ufffd'],
  ['ed a0 80', '\ufffd\ufffd\ufffd'], ['f0 80 80 80', '\ufffd\ufffd\ufffd\ufffd'], ['f4 90 80 80', '\ufffd\ufffd\ufffd\ufffd'], ['f5 80 80 80', '\ufffd\ufffd\ufffd\ufffd'], ['c3', '\ufffd'], ['e2 82', '\ufffd'], ['f0 9f 98', '\ufffd'],
  ['e2 82 41', '\ufffdA'], ['f0 9f 41', '\ufffdA'], ['c3 c3 a9', '\ufffdé'], ['80', '\ufffd'], ['61 80 62', 'a\ufffdb'], ['ef bb bf 61', 'a'], ['ef bb bf ef bb bf 61', '\ufeffa'], ['61 ef bb bf', 'a\ufeff'], ['ef bb', '\ufffd'], ['fe ff', '\ufffd\ufffd'],
]) {
  test(() => assert_equals(new TextDecoder().decode(bytes(given)), wanted), `utf-8 ${given}`);
  if (wanted.includes('\ufffd')) test(() => assert_throws_js(TypeError, () => new TextDecoder('utf-8', { fatal: true }).decode(bytes(given))), `fatal utf-8 ${given}`);
  else test(() => assert_equals(new TextDecoder('utf-8', { fatal: true }).decode(bytes(given)), wanted), `fatal utf-8 ${given}`);
  test(() => {
    const decoder = new TextDecoder(), given1 = bytes(given);
    let made = '';
    for (const one of given1) made += decoder.decode(Uint8Array.of(one), { stream: true });
    assert_equals(made + decoder.decode(), wanted);
  }, `utf-8 byte by byte ${given}`);
}

/* Labels, and what some bytes are in each encoding. */
for (const [labels, name, given, wanted] of [
  ['utf-8 utf8 unicode-1-1-utf-8 x-unicode20utf8 unicode11utf8', 'utf-8', 'c3 a9', 'é'], ['ibm866 866 cp866 csibm866', 'ibm866', '80 f0', 'АЁ'], ['iso-8859-2 latin2 l2 csisolatin2', 'iso-8859-2', 'a1 b1', 'Ąą'],
  ['iso-8859-3 latin3', 'iso-8859-3', 'a1 a2', 'Ħ˘'], ['iso-8859-4 latin4', 'iso-8859-4', 'a1 a2', 'Ąĸ'], ['iso-8859-5 cyrillic', 'iso-8859-5', 'b0 d0', 'Аа'], ['iso-8859-6 arabic', 'iso-8859-6', 'c7 e4', 'ال'],
  ['iso-8859-7 greek', 'iso-8859-7', 'e1 a4', 'α€'], ['iso-8859-8 hebrew visual', 'iso-8859-8', 'e0 fa', 'את'], ['iso-8859-8-i logical', 'iso-8859-8-i', 'e0 fa', 'את'], ['iso-8859-10 latin6', 'iso-8859-10', 'a1 bd', 'Ą―'],
  ['iso-8859-13', 'iso-8859-13', 'a1 c0', '”Ą'], ['iso-8859-14', 'iso-8859-14', 'a1 d0', 'ḂŴ'], ['iso-8859-15 l9', 'iso-8859-15', 'a4 bd', '€œ'], ['iso-8859-16', 'iso-8859-16', 'a4 b4', '€Ž'], ['koi8-r koi koi8', 'koi8-r', 'c1 e1', 'аА'],
  ['koi8-u koi8-ru', 'koi8-u', 'a4 ae', 'єў'], ['macintosh mac x-mac-roman', 'macintosh', '80 db', 'Ä€'], ['windows-874 dos-874 tis-620', 'windows-874', 'a1 80', 'ก€'], ['windows-1250 cp1250', 'windows-1250', '8a a3', 'ŠŁ'],
  ['windows-1251 cp1251', 'windows-1251', 'c0 b8', 'Аё'], ['windows-1252 latin1 ascii iso-8859-1 us-ascii l1 cp1252', 'windows-1252', '80 9f', '€Ÿ'], ['windows-1253', 'windows-1253', 'e1 a1', 'α΅'], ['windows-1254 latin5 iso-8859-9', 'windows-1254', 'd0 fd', 'Ğı'],
  ['windows-1255', 'windows-1255', 'e0 a4', 'א₪'], ['windows-1256', 'windows-1256', 'c7 80', 'ا€'], ['windows-1257', 'windows-1257', 'c0 e0', 'Ąą'], ['windows-1258', 'windows-1258', 'd2 fe', '\u0309₫'], ['x-mac-cyrillic x-mac-ukrainian', 'x-mac-cyrillic', '80 ff', 'А€'],
  ['gbk gb2312 chinese x-gbk', 'gbk', 'c4 e3 ba c3', '你好'], ['gb18030', 'gb18030', '81 30 81 30 c4 e3', '\x80你'], ['big5 big5-hkscs cn-big5', 'big5', 'a7 41 a6 6e', '你好'], ['euc-jp x-euc-jp', 'euc-jp', 'c6 fc cb dc', '日本'],
  ['iso-2022-jp', 'iso-2022-jp', '1b 24 42 46 7c 1b 28 42 61', '日a'], ['shift_jis sjis ms_kanji windows-31j', 'shift_jis', '93 fa 96 7b', '日本'], ['euc-kr korean ks_c_5601-1987 windows-949', 'euc-kr', 'c7 d1 b1 db', '한글'],
  ['utf-16le utf-16 ucs-2 unicode', 'utf-16le', '61 00 3d d8 00 de', 'a😀'], ['utf-16be unicodefffe', 'utf-16be', '00 61 d8 3d de 00', 'a😀'], ['x-user-defined', 'x-user-defined', '61 80 ff', 'a\uf780\uf7ff'],
]) {
  for (const label of labels.split(' ')) {
    test(() => {
      assert_equals(new TextDecoder(label).encoding, name);
      assert_equals(new TextDecoder(` \t${label.toUpperCase()}\n`).encoding, name);
    }, `label ${label}`);
  }
  test(() => assert_equals(new TextDecoder(name).decode(bytes(given)), wanted), `${name} ${given}`);
}
for (const label of ['utf-7', 'utf-32', 'replacement', 'hz-gb-2312', 'iso-2022-kr', 'utf-8\0', '\u00a0utf-8', '', 'x']) {
  test(() => assert_throws_js(RangeError, () => new TextDecoder(label)), `no label ${JSON.stringify(label)}`);
}

for (const [name, given, wanted] of [
  ['utf-16le', '00 d8', '\ufffd'], ['utf-16le', '61', '\ufffd'], ['utf-16le', '00 dc 61 00', '\ufffda'], ['utf-16le', 'ff fe 61 00', 'a'], ['utf-16be', 'fe ff 00 61', 'a'], ['utf-16le', 'fe ff 61 00', '\ufffea'],
  ['gbk', 'ff', '\ufffd'], ['gbk', '81', '\ufffd'], ['gbk', '80', '€'], ['shift_jis', '81 41', '、'], ['shift_jis', '81 20', '\ufffd '], ['euc-jp', 'a1', '\ufffd'], ['euc-jp', '8e b1', 'ｱ'], ['big5', '81 41', '\ufffdA'], ['windows-1252', '81', '\x81'],
  ['iso-8859-6', 'a1', '\ufffd'], ['windows-1253', 'd2', '\ufffd'], ['iso-2022-jp', '1b 24', '\ufffd$'], ['gb18030', '84 31 a4 37', '\ufffd'], ['gb18030', '90 30 81 30', '\u{10000}'],
]) {
  test(() => assert_equals(new TextDecoder(name).decode(bytes(given)), wanted), `${name} ${given}: wrong or rare`);
}

test(() => { const one = new TextDecoder('utf-8', { ignoreBOM: true }); assert_equals(one.decode(bytes('ef bb bf 61')), '\ufeffa'); assert_true(one.ignoreBOM); assert_false(one.fatal); }, 'ignoreBOM');
test(() => { const one = new TextDecoder(); assert_equals(one.decode(bytes('ef bb bf 61')) + one.decode(bytes('ef bb bf 62')), 'ab'); }, 'a byte order mark at each beginning');
test(() => { const one = new TextDecoder('utf-8', { fatal: true }); assert_throws_js(TypeError, () => one.decode(bytes('ff'))); assert_equals(one.decode(bytes('61')), 'a'); }, 'after an error it goes on');
test(() => { const one = new TextDecoder('utf-8', { fatal: true }); one.decode(bytes('e2'), { stream: true }); assert_throws_js(TypeError, () => one.decode()); assert_equals(one.decode(bytes('61')), 'a'); }, 'an end in the middle is an error');
test(() => { const one = new TextDecoder('shift_jis'); assert_equals(one.decode(bytes('93'), { stream: true }), ''); assert_equals(one.decode(bytes('fa')), '日'); }, 'a stream of another encoding');
test(() => assert_equals(new TextDecoder().decode(), ''), 'decode nothing');
test(() => assert_equals(new TextDecoder().decode(bytes('61 62').buffer), 'ab'), 'decode an ArrayBuffer');
test(() => assert_equals(new TextDecoder().decode(new DataView(bytes('61 62 63').buffer, 1, 1)), 'b'), 'decode a DataView');
test(() => assert_equals(new TextDecoder().decode(new Uint16Array([0x6261])), 'ab'), 'decode a view of other numbers');
test(() => assert_throws_js(TypeError, () => new TextDecoder().decode('x')), 'decode refuses a string');
test(() => assert_throws_js(TypeError, () => TextDecoder()), 'TextDecoder needs new');
test(() => assert_equals(new TextEncoder().encoding, 'utf-8'), 'encoding of TextEncoder');
test(() => assert_equals(new TextEncoder('utf-16').encoding, 'utf-8'), 'TextEncoder takes no label');
test(() => assert_equals(new TextEncoder().encode().length, 0), 'encode nothing');
test(() => assert_equals(hex(new TextEncoder().encode(null)), '6e 75 6c 6c'), 'encode null');
test(() => assert_true(new TextEncoder().encode('x') instanceof Uint8Array), 'encode gives a Uint8Array');
test(() => assert_throws_js(TypeError, () => new TextEncoder().encodeInto('x', new Uint16Array(2))), 'encodeInto needs a Uint8Array');
test(() => { const target = new Uint8Array(new ArrayBuffer(6), 2, 3), told = new TextEncoder().encodeInto('abcd', target); assert_equals(told.written, 3); assert_equals(hex(new Uint8Array(target.buffer)), '00 00 61 62 63 00'); }, 'encodeInto a part of a buffer');
test(() => { assert_class_string(new TextEncoder(), 'TextEncoder'); assert_class_string(new TextDecoder(), 'TextDecoder'); }, 'class strings');

for (const [given, wanted] of [['', ''], ['a', 'YQ=='], ['ab', 'YWI='], ['abc', 'YWJj'], ['\0\xff', 'AP8='], [undefined, 'dW5kZWZpbmVk'], [null, 'bnVsbA=='], [12, 'MTI='], [true, 'dHJ1ZQ==']]) {
  test(() => assert_equals(btoa(given), wanted), `btoa ${JSON.stringify(given)}`);
}
for (const [given, wanted] of [['', ''], ['YQ==', 'a'], ['YQ', 'a'], [' Y W\nJ\tj\f\r', 'abc'], ['YWI=', 'ab'], ['YR==', 'a'], ['/+==', '\xff'], ['ab=', null], ['a', null], ['ab=c', null], ['====', null], ['=', null], ['abcde', null], ['abcd=', null], ['ab-_', null], ['YQ===', null], ['\u00a0YQ==', null], ['YQ\v', null], [null, '\x9e\xe9e'], [undefined, null], [NaN, '5\xa3'], [12, '\xd7'], ['AA=\0', null]]) {
  test(() => {
    if (wanted === null) assert_throws_dom('InvalidCharacterError', () => atob(given));
    else assert_equals(atob(given), wanted);
  }, `atob ${JSON.stringify(given)}`);
}
test(() => assert_throws_dom('InvalidCharacterError', () => btoa('Ā')), 'btoa beyond a byte');
test(() => assert_throws_js(TypeError, () => btoa()), 'btoa without an argument');
test(() => assert_throws_js(TypeError, () => atob()), 'atob without an argument');
