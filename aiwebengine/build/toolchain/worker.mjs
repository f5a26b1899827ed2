/*
 * The build worker: reads requests, one JSON object a line, from standard input, and answers on standard output.
 *
 *   {"id": 1, "op": "build", "entry": "main.ts", "files": {...}, "packages": null, "declared": []}
 *   {"id": 1, "files": 120, "of": 307}                                    now and then
 *   {"id": 1, "ok": {"source": "...", "map": "...", "problems": []}}      or  {"id": 1, "error": "..."}
 *   {"id": 2, "op": "rename", "path": "main.ts", "source": "...", "names": {...}}
 *   {"id": 2, "ok": {"source": "...", "changes": []}}
 *
 * The first line that it reads sets it up: {"cache": folder or null, "known": {...}, "advice": {...}, "version": "..."}.
 * It parses what people wrote and never runs it.
 */
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

import { Bundler } from './bundling/bundle.mjs';
import { Kept } from './bundling/kept.mjs';
import { rename } from './rename.mjs';

const require = createRequire(import.meta.url);
const esbuild = require('./esbuild.cjs'); // beside this file in dist/
let bundler = null;
let kept = null;
let setup = null;

function say(told) {
  process.stdout.write(`${JSON.stringify(told)}\n`);
}

async function answer(line) {
  const request = JSON.parse(line);
  if (setup === null) {
    setup = request;
    kept = new Kept(setup.cache, setup.cacheBytes ?? Infinity);
    bundler = new Bundler(esbuild, kept, setup.version);
    say({ ready: true, node: process.version, esbuild: esbuild.version });
    return;
  }
  try {
    if (request.op === 'rename') {
      say({ id: request.id, ok: rename(request.path, request.source, request.names) });
      return;
    }
    say({ id: request.id, ok: await bundler.build({ known: setup.known, advice: setup.advice, ...request }, (progress) => say({ id: request.id, ...progress })) });
  } catch (error) {
    say({ id: request.id, error: String((error && error.stack) || error).slice(0, 4000) });
  }
  kept.trim();
}

createInterface({ input: process.stdin, crlfDelay: Infinity }).on('line', answer).on('close', () => process.exit(0));
