/*
 * The build worker: reads requests, one JSON object a line, from standard input, and answers on standard output.
 *
 *   {"id": 1, "op": "build", "entry": "main.ts", "files": [["main.ts", 120]], "packages": null, "declared": [], "other": []}
 *   {"id": 1, "files": 120, "of": 307}                                    now and then
 *   {"id": 1, "ok": {"problems": []}, "follows": {"source": 900, "map": 300}}      or  {"id": 1, "error": "..."}
 *   {"id": 2, "op": "rename", "path": "main.ts", "source": "...", "names": {...}}
 *   {"id": 2, "ok": {"source": "...", "changes": []}}
 *   {"id": 3, "op": "generated", "parameters": "a, b", "body": "return a ** b"}       without parameters: a program
 *   {"id": 3, "ok": {}, "follows": {"source": 90}}                     or  {"id": 3, "ok": {"syntax": {"message": "..."}}}
 *
 * The first line that it reads sets it up: {"cache": folder or null, "known": {...}, "advice": {...}, "mode": "production", "version": "..."}.
 * Files stand behind the line of their request, source and map behind that of the answer: the lines have their bytes.
 * It parses what people wrote and never runs it.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { Bundler } from './bundling/bundle.mjs';
import { Kept } from './bundling/kept.mjs';
import { NodeModules } from './nodejs/available.mjs';
import { Helpers } from './lowering/helpers.mjs';
import { rename } from './rename.mjs';
import { Requests } from './requests.mjs';

const require = createRequire(import.meta.url);
const esbuild = require('./esbuild.cjs'); // beside this file in dist/
const nodes = new NodeModules(() => JSON.parse(readFileSync(new URL('node.json', import.meta.url), 'utf8'))); // and there
const helpers = new Helpers(JSON.parse(readFileSync(new URL('helpers.json', import.meta.url), 'utf8'))); // there too
let bundler = null;
let kept = null;
let setup = null;

function say(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

const MOST_PROBLEMS = 200;

function sayBuilt(id, { source, map, problems }) {
  const [code, places] = [Buffer.from(source), Buffer.from(map)];
  say({ id, ok: { problems: problems.slice(0, MOST_PROBLEMS) }, follows: { source: code.length, map: places.length } });
  process.stdout.write(code);
  process.stdout.write(places);
}

async function answer(request) {
  if (setup === null) {
    setup = request;
    kept = new Kept(setup.cache, setup.cacheBytes ?? Infinity);
    bundler = new Bundler(esbuild, kept, setup.version, helpers, nodes);
    say({ ready: true, node: process.version, esbuild: esbuild.version });
    return;
  }
  try {
    if (request.op === 'rename') {
      say({ id: request.id, ok: rename(request.path, request.source, request.names) });
      return;
    }
    if (request.op === 'generated') {
      const { source, ...outcome } = bundler.generated(request);
      say({ id: request.id, ok: outcome, ...(source === undefined ? {} : { follows: { source: Buffer.byteLength(source) } }) });
      process.stdout.write(source ?? '');
      return;
    }
    const asked = { known: setup.known, mode: setup.mode, advice: setup.advice, ...request };
    sayBuilt(request.id, await bundler.build(asked, (progress) => say({ id: request.id, ...progress })));
  } catch (error) {
    say({ id: request.id, error: String((error && error.stack) || error).slice(0, 4000) });
  }
  kept.trim();
}

const requests = new Requests(answer);
process.stdin.on('data', (chunk) => requests.feed(chunk)).on('end', () => process.exit(0));
