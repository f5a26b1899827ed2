/* Text from bytes and bytes from text. */
const text = (label, ...bytes) => new TextDecoder(label).decode(new Uint8Array(bytes));
const fatal = (label, ...bytes) => new TextDecoder(label, { fatal: true }).decode(new Uint8Array(bytes));
const pieces = (label, ...chunks) => { const decoder = new TextDecoder(label); return chunks.map((chunk) => decoder.decode(new Uint8Array(chunk), { stream: true })).concat([decoder.decode()]); };
const ASCII_UP = Array.from({ length: 128 }, (_, i) => i + 128);
const SINGLE = ['ibm866', 'iso-8859-2', 'iso-8859-3', 'iso-8859-4', 'iso-8859-5', 'iso-8859-6', 'iso-8859-7', 'iso-8859-8', 'iso-8859-8-i', 'iso-8859-10', 'iso-8859-13', 'iso-8859-14', 'iso-8859-15', 'iso-8859-16', 'koi8-r', 'koi8-u', 'macintosh', 'windows-874', 'windows-1250', 'windows-1251', 'windows-1253', 'windows-1254', 'windows-1255', 'windows-1256', 'windows-1257', 'windows-1258', 'x-mac-cyrillic'];

export default [
  () => SINGLE.map((label) => text(label, ...ASCII_UP)),
  () => ['latin1', 'ascii', 'iso-8859-1', 'cp1252', 'ISO-8859-9', ' UTF8 ', '\tutf-16\n', 'unicode', 'ucs-2', 'sjis', 'x-sjis', 'ms932', 'gb2312', 'chinese', 'euc_kr', 'korean', 'ks_c_5601-1987', 'cp1251', 'koi', 'koi8', 'logical', 'mac', 'x-user-defined', 'big5-hkscs', 'unicode-1-1-utf-8', 'iso-8859-8-i', 'cp866', 'l9', 'dos-874', 'tis-620'].map((label) => { try { return new TextDecoder(label).encoding; } catch (error) { return error.name; } }),
  () => ['', 'utf', 'utf-32', 'utf-7', 'replacement', 'iso-2022-kr', 'hz-gb-2312', 'cp437', '\u00a0utf-8', 'iso-8859-12', 'null'].map((label) => { try { return new TextDecoder(label).encoding; } catch (error) { return error.name; } }),
  () => [text('windows-1251', 0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2), text('koi8-r', 0xf0, 0xd2, 0xc9, 0xd7, 0xc5, 0xd4), text('iso-8859-2', 0xb1, 0xe6, 0xea), text('windows-1252', 0x80, 0x81, 0x9f)],
  () => [text('shift_jis', 0x82, 0xb1, 0x82, 0xf1, 0xb6, 0x5c), text('euc-jp', 0xa4, 0xb3, 0x8e, 0xb6, 0x8f, 0xb0, 0xa1), text('iso-2022-jp', 0x1b, 0x24, 0x42, 0x24, 0x33, 0x1b, 0x28, 0x42, 0x41)],
  () => [text('gbk', 0xc4, 0xe3, 0xba, 0xc3, 0x80), text('gb18030', 0x81, 0x30, 0x81, 0x30, 0x94, 0x39, 0xda, 0x33, 0xe3, 0x32, 0x9a, 0x35), text('gb18030', 0xa6, 0xd9, 0xfe, 0x59)],
  () => [text('big5', 0xa7, 0x41, 0xa6, 0x6e), text('euc-kr', 0xbe, 0xc8, 0xb3, 0xe7)],
  () => text('big5', 0x88, 0x62),
  () => text('euc-kr', 0x81, 0x41),
  () => [text('gbk', 0x81), text('gbk', 0x81, 0x20), text('gbk', 0xff, 0x41), text('gb18030', 0x81, 0x30, 0x41), text('gb18030', 0x81, 0x30, 0x81, 0x41), text('gb18030', 0x81, 0x30, 0x81)],
  () => text('shift_jis', 0x81, 0x20),
  () => [fatal('windows-1253', 0x41, 0xaa), 1],
  () => fatal('gbk', 0x81),
  () => fatal('windows-1253', 0x41, 0xb1),
  () => [text('utf-16le', 0x00, 0xd8), text('utf-16le', 0x00, 0xd8, 0x41, 0x00), text('utf-16le', 0x00, 0xdc, 0x41, 0x00), text('utf-16le', 0x3d, 0xd8, 0x00, 0xde), text('utf-16be', 0xd8, 0x3d, 0xde, 0x00), text('utf-16be', 0xdc, 0x00), text('utf-16le', 0x41)],
  () => [text('utf-16le', 0xff, 0xfe, 0x41, 0), text('utf-16be', 0xfe, 0xff, 0, 0x41), text('utf-16le', 0xfe, 0xff), new TextDecoder('utf-16le', { ignoreBOM: true }).decode(new Uint8Array([0xff, 0xfe, 0x41, 0]))],
  () => fatal('utf-16le', 0x00, 0xd8, 0x41, 0x00),
  () => fatal('utf-16le', 0x00, 0xdc),
  () => [pieces('utf-16le', [0x3d], [0xd8, 0x00], [0xde]), pieces('utf-16le', [0x3d, 0xd8]), pieces('utf-16le', [0xff], [0xfe, 0x41], [0])],
  () => [pieces('gbk', [0xc4], [0xe3, 0xba], [0xc3]), pieces('gb18030', [0x94], [0x39], [0xda], [0x33]), pieces('shift_jis', [0x82], [0xb1]), pieces('gbk', [0x81]), pieces('windows-1251', [0xcf], [0xf0])],
  () => [pieces('utf-8', [0xf0], [0x9f, 0x98], [0x80]), pieces('utf-8', [0xf0, 0x9f]), pieces('utf-8', [0xef, 0xbb], [0xbf, 0x41]), pieces('utf-8', [0xc3], [0x41])],
  () => { const decoder = new TextDecoder('utf-8', { fatal: true }); try { decoder.decode(new Uint8Array([0xff])); } catch (error) { return decoder.decode(new Uint8Array([0x41])); } return null; },
  () => { const decoder = new TextDecoder('gbk', { fatal: true }); try { decoder.decode(new Uint8Array([0xff])); } catch (error) { return decoder.decode(new Uint8Array([0x41])); } return null; },
  () => [text('utf-8', 0xc0, 0x80), text('utf-8', 0xed, 0xa0, 0x80), text('utf-8', 0xf4, 0x90, 0x80, 0x80), text('utf-8', 0xe2, 0x82), text('utf-8', 0xe2, 0x82, 0x41), text('utf-8', 0xf0, 0x9f, 0x98, 0x41), text('utf-8', 0x80, 0xbf), text('utf-8', 0xf8, 0x88, 0x80, 0x80, 0x80)],
  () => [text('utf-8', 0xef, 0xbb, 0xbf, 0x41), new TextDecoder('utf-8', { ignoreBOM: true }).decode(new Uint8Array([0xef, 0xbb, 0xbf, 0x41])), text('utf-8', 0x41, 0xef, 0xbb, 0xbf), text('utf-8', 0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf), text('utf-8', 0, 0x41)],
  () => { const decoder = new TextDecoder('shift-jis', { fatal: true, ignoreBOM: true }); return [decoder.encoding, decoder.fatal, decoder.ignoreBOM, Object.keys(decoder), Object.prototype.toString.call(decoder)]; },
  () => [new TextDecoder().decode(), new TextDecoder().decode(undefined), new TextDecoder().decode(new ArrayBuffer(2)), new TextDecoder().decode(new DataView(new Uint8Array([65, 66, 67]).buffer, 1)), new TextDecoder().decode(new Uint16Array([0x4241]))],
  () => new TextDecoder().decode('x'),
  () => new TextDecoder().decode([65]),
  () => TextDecoder(),
  () => [new TextEncoder().encode('a\ud800b'), new TextEncoder().encode('\udc00'), new TextEncoder().encode(), new TextEncoder().encode(undefined), new TextEncoder().encode(null), new TextEncoder().encode('\u0000\u07ff\uffff\ud83d\ude00'), new TextEncoder().encoding],
  () => [new TextEncoder().encodeInto('\ud83d\ude00a', new Uint8Array(3)), new TextEncoder().encodeInto('ab\ud800', new Uint8Array(9)), new TextEncoder().encodeInto('\u20ac', new Uint8Array(2))],
  () => [encodeURIComponent('\u00e9 &\ud83d\ude00'), decodeURIComponent('%C3%A9%F0%9F%98%80'), encodeURI('/a b?c=\u00e9#d'), escape('\u00e9\u20ac'), unescape('%E9%u20AC')],
  () => encodeURIComponent('\ud800'),
  () => decodeURIComponent('%C3'),
  () => decodeURIComponent('%'),
  () => [btoa(''), btoa('\u00ff\u0000'), atob('AAE='), atob('AAE'), atob(' A A E = ')],
  () => atob('AAE=='),
];
