//// yaml
import YAML from 'yaml';
export default () => [YAML.parse('a: 1\nb: [x, {c: d}]\ne: |\n  t\n  u\n'), YAML.stringify({ a: [1, { b: null }], s: 'x: y' })];

//// js-yaml
import * as yaml from 'js-yaml';
export default () => [yaml.load('a: 2024-01-01\nb: &x [1]\nc: *x\n'), yaml.dump({ a: [1, { b: 'y' }] })];

//// toml
import toml from 'toml';
export default () => toml.parse('a = 1\n[b]\nc = ["x", "y"]\nd = 1979-05-27T07:32:00Z');

//// smol-toml
import { parse, stringify } from 'smol-toml';
export default () => [parse('a = 1\n[[b]]\nc = 2.5'), stringify({ a: { b: [1, 2] } })];

//// ini
import ini from 'ini';
export default () => [ini.parse('a=1\n[s]\nb[]=x\nb[]=y'), ini.stringify({ s: { a: true } })];

//// dotenv
import dotenv from 'dotenv';
export default () => dotenv.parse('A=1\nB="x\\ny" # c\nexport C=\'z\'');

//// papaparse
import Papa from 'papaparse';
export default () => [Papa.parse('a,b\n1,"x,y"\n', { header: true, dynamicTyping: true, skipEmptyLines: true }).data, Papa.unparse([{ a: 'x"y', b: 2 }])];

//// csv-parse
import { parse } from 'csv-parse/sync';
export default () => parse('a,b\n1,"x\ny"\n', { columns: true });

//// fast-xml-parser
import { XMLBuilder, XMLParser } from 'fast-xml-parser';
export default () => [new XMLParser({ ignoreAttributes: false }).parse('<a x="1"><b>2</b><b>t&amp;u</b></a>'), new XMLBuilder().build({ a: { b: [1, 2] } })];

//// xml2js
import xml2js from 'xml2js';
export default async () => [await xml2js.parseStringPromise('<a x="1"><b>2</b></a>'), new xml2js.Builder({ headless: true }).buildObject({ a: { b: 1 } })];

//// qs
import qs from 'qs';
export default () => [qs.parse('a[b]=1&c[]=2&c[]=3'), qs.stringify({ a: { b: [1, 2] } })];

//// query-string
import queryString from 'query-string';
export default () => [queryString.parse('a=1&b=2&b=3&c'), queryString.stringify({ b: [1, 2], a: 'é' })];

//// cookie
import * as cookie from 'cookie';
export default () => [(cookie.parse ?? cookie.parseCookie)('a=1; b=%20x')];

//// semver
import semver from 'semver';
export default () => [semver.satisfies('1.2.3', '^1.2.0'), semver.inc('1.2.3', 'minor'), semver.sort(['2.0.0', '1.0.0-beta', '1.0.0'])];

//// pako
import * as pako from 'pako';
export default () => [pako.ungzip(pako.gzip('hello hello'), { to: 'string' }), [...pako.deflate('aaa')]];

//// fflate
import { gunzipSync, strFromU8, strToU8, unzipSync, zipSync } from 'fflate';
export default () => { const z = unzipSync(zipSync({ 'a.txt': strToU8('hé') })); return [strFromU8(z['a.txt'])]; };

//// jszip
import JSZip from 'jszip';
export default async () => { const z = new JSZip(); z.file('a.txt', 'hello'); const b = await z.generateAsync({ type: 'uint8array' }); return (await JSZip.loadAsync(b)).file('a.txt').async('string'); };

//// pdf-lib
import { PDFDocument, StandardFonts } from 'pdf-lib';
export default async () => { const d = await PDFDocument.create(); const p = d.addPage([200, 100]); p.drawText('Hi', { font: await d.embedFont(StandardFonts.Helvetica) }); return (await PDFDocument.load(await d.save())).getPageCount(); };

//// qrcode-generator
import qrcode from 'qrcode-generator';
export default () => { const q = qrcode(0, 'M'); q.addData('hello'); q.make(); return [q.getModuleCount(), q.createSvgTag(2).length]; };

//// acorn
import { parse } from 'acorn';
export default () => parse('const a = b?.c ?? 1', { ecmaVersion: 2022 });

//// protobufjs
import protobuf from 'protobufjs';
export default () => { const T = protobuf.parse('syntax="proto3"; message A { int32 n = 1; string s = 2; }').root.lookupType('A'); const b = T.encode({ n: 5, s: 'é' }).finish(); return [[...b], T.decode(b).toJSON()]; };

//// @msgpack/msgpack
import { decode, encode } from '@msgpack/msgpack';
export default () => { const b = encode({ a: [1, 'x', null, 1.5] }); return [[...b], decode(b)]; };

//// svgo
import { optimize } from 'svgo/browser';
export default () => optimize('<svg xmlns="http://www.w3.org/2000/svg"><g><rect width="10.000" height="10"/></g></svg>').data;
