/*
 * Makes sandbox/prelude/core.js: what the sandbox takes of core-js, as one ES5 file in ASCII.
 *
 * `coreSource(folder)` gives the text; `folder` is where node_modules lies (this file's own folder
 * by default).  From the command line: `node core.mjs OUTPUT [FOLDER]`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));

/**
 * Bundle core-entry.js. core-js is written in ES5; esbuild refuses what it could not lower.
 *
 * @param {string} folder - The folder whose node_modules holds esbuild and core-js.
 * @returns {Promise<string>} ES5 in ASCII, ending with a line break.
 */
export async function coreSource(folder = HERE) {
  const require = createRequire(join(resolve(folder), 'package.json'));
  const esbuild = require('esbuild');
  const { version } = require('core-js/package.json');
  const bundled = await esbuild.build({
    stdin: {
      contents: readFileSync(join(HERE, 'core-entry.js'), 'utf8'),
      resolveDir: resolve(folder),
      sourcefile: 'core-entry.js',
    },
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es5',
    charset: 'ascii',
    platform: 'neutral',
    minify: true,
    legalComments: 'none',
    logLevel: 'silent',
  });
  // esbuild writes control characters of string and regular expression literals as they are.
  const code = bundled.outputFiles[0].text.replace(
    /[^\n\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  const source = `/* core-js ${version}, (c) Denis Pushkarev and others, MIT; made by core.mjs, not edited. */\n${code}`;
  return source;
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [, , output, folder] = process.argv;
  if (!output) {
    process.stderr.write('usage: node core.mjs OUTPUT [FOLDER]\n');
    process.exit(2);
  }
  writeFileSync(output, await coreSource(folder));
}
