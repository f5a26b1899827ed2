/*
 * Makes sandbox/prelude/text/encodings.js of the indexes of the Encoding standard.
 *
 * Run as `node tests/support/tables/encoding_tables.mjs FOLDER > sandbox/prelude/text/encodings.js`, where FOLDER holds the npm
 * package text-encoding 0.7.0.  That is of 2018; what the standard has changed since, for GB 18030-2022, is here.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const folder = resolve(process.argv[2]);
const require = createRequire(join(folder, 'package.json'));
const indexes = require(join(folder, 'lib/encoding-indexes.js'))['encoding-indexes'];
const source = readFileSync(join(folder, 'lib/encoding.js'), 'utf8');
const groups = JSON.parse(/var encodings = (\[[\s\S]*?\n  \]);/.exec(source)[1].replace(/,(\s*[\]}])/g, '$1'));

const DIGITS = ' !#$%&()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|';
const LOW = DIGITS.length / 2;
const NEWER = { 0xa6d9: 0xfe10, 0xa6da: 0xfe12, 0xa6db: 0xfe11, 0xa6dc: 0xfe13, 0xa6dd: 0xfe14, 0xa6de: 0xfe15, 0xa6df: 0xfe16, 0xa6ec: 0xfe17, 0xa6ed: 0xfe18, 0xa6f3: 0xfe19, 0xfe59: 0x9fb4, 0xfe61: 0x9fb5, 0xfe66: 0x9fb6, 0xfe67: 0x9fb7, 0xfe6d: 0x9fb8, 0xfe7e: 0x9fb9, 0xfe90: 0x9fba, 0xfea0: 0x9fbb };
for (const [code, point] of Object.entries(NEWER)) {
  const [lead, trail] = [code >> 8, code & 0xff];
  indexes.gb18030[(lead - 0x81) * 190 + trail - (trail < 0x7f ? 0x40 : 0x41)] = point;
}

/* A number in base 45, lowest digit first; all digits but the last are of the upper half. */
function number(value) {
  let text = '';
  for (; value >= LOW; value = Math.floor(value / LOW)) text += DIGITS[LOW + (value % LOW)];
  return text + DIGITS[value];
}

/*
 * Code points in runs of successors: the distance to where the run before ended (zigzag), doubled, plus 1 if two
 * numbers follow, which are how many pointers are left out and the length of the run; else these are 0 and 1.
 */
function packed(index) {
  let text = '';
  let expected = 0;
  for (let at = 0, last = 0; at < index.length;) {
    if (index[at] === null || index[at] === undefined) { at += 1; continue; }
    let length = 1;
    while (index[at + length] === index[at] + length) length += 1;
    const off = index[at] - expected;
    const zigzag = off < 0 ? -off * 2 - 1 : off * 2;
    text += at === last && length === 1 ? number(zigzag * 2) : number(zigzag * 2 + 1) + number(at - last) + number(length);
    expected = index[at] + length;
    at += length;
    last = at;
  }
  return text;
}

function escaped(text) {
  return text.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

// The standard has added these since.
const MORE = { 'utf-8': ['unicode11utf8', 'unicode20utf8', 'x-unicode20utf8'], 'utf-16le': ['csunicode', 'iso-10646-ucs-2', 'ucs-2', 'unicode', 'unicodefeff'], 'utf-16be': ['unicodefffe'] };
const labels = groups.flatMap(({ encodings }) => encodings).map(({ name, labels: all }) => `${name.toLowerCase()}=${[...all, ...(MORE[name.toLowerCase()] ?? [])].join(',')}`);
const single = Object.entries(indexes).filter(([, index]) => index.length === 128 && Array.isArray(index) && !Array.isArray(index[0]));
const multiple = ['gb18030', 'big5', 'jis0208', 'jis0212', 'euc-kr'];
const ranges = indexes['gb18030-ranges'].flatMap(([pointer, point], i, all) => [pointer - (i ? all[i - 1][0] : 0), point - (i ? all[i - 1][1] : 0)]);

process.stdout.write(`/*
 * The indexes of the Encoding standard, packed; decoder.js reads them when a script asks for one.
 * Made by tests/support/tables/encoding_tables.mjs.
 */
(function (K) {
    'use strict';

    K.encodingLabels = '${labels.join(' ')}';
    K.singleBytes = {
${single.map(([name, index]) => `        '${name}': '${index.map((point) => escaped(String.fromCharCode(point ?? 0xfffd))).join('').replaceAll('\\u00', '\\x')}'`).join(',\n')}
    };
    K.indexDigits = '${DIGITS}';
    K.gb18030Ranges = '${ranges.map(number).join('')}';
    K.multipleBytes = {
${multiple.map((name) => `        '${name}': '${packed(indexes[name])}'`).join(',\n')}
    };
}(__kernel));
`);
