/*
 * Makes what a server needs of JavaScript, when the package is built:
 *
 *   dist/worker.mjs, dist/esbuild.cjs, dist/bin/esbuild   the build worker, with everything it imports
 *   dist/helpers.json                                     what lowered code calls; see lowering/helpers.mjs
 *   dist/node.json                                        what stands for modules of Node.js; see nodejs/made.mjs
 *   dist/browser/NAME/*.gz                                what the feature NAME shows in browsers; see browser.mjs
 *   dist/versions.json                                    what it was made of
 *   sandbox/prelude/core.js                               what the sandbox takes of core-js
 *   sandbox/prelude/later/*-library.js                    what it loads when a script first needs it
 *
 * `node assemble.mjs FOLDER`: FOLDER/node_modules is what the toolchain needs of npm, and FOLDER/browser/NAME/node_modules
 * what the feature NAME needs.
 */
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { bundleForBrowsers } from './browser.mjs';
import { coreSource } from './core.mjs';
import { librarySources } from './libraries.mjs';
import { nodeModules } from './nodejs/made.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const FOLDER = process.argv[2] || HERE;
const require = createRequire(join(FOLDER, 'package.json'));
const esbuild = require('esbuild');
const DIST = join(HERE, 'dist');
const FEATURES = join(HERE, '..', '..', 'features');
// Babel looks up properties of regular expressions (\p{L}) by names made at run time, which no bundler can follow.
const BY_NAME = ['regenerate', 'regenerate-unicode-properties'];

rmSync(DIST, { recursive: true, force: true });
mkdirSync(join(DIST, 'bin'), { recursive: true });

/* One module of the toolchain, with everything that it imports. */
function assembled(entry, outfile) {
  return esbuild.build({
    entryPoints: [join(HERE, entry)],
    bundle: true,
    outfile,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: ['./esbuild.cjs', ...BY_NAME],
    inject: [join(HERE, 'lowering', 'kernel.mjs')], // for the file of the prelude that the build shares
    nodePaths: [join(FOLDER, 'node_modules')],
    legalComments: 'none',
    minify: true,
    keepNames: true,
    logLevel: 'error',
    banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url); import { fileURLToPath as __toPath } from 'node:url'; import { dirname as __toDir } from 'node:path'; const __filename = __toPath(import.meta.url); const __dirname = __toDir(__filename);" },
  });
}

await assembled('worker.mjs', join(DIST, 'worker.mjs'));

const MAKER = join(FOLDER, 'helpers-module.mjs');
await assembled(join('lowering', 'helpers-module.mjs'), MAKER);
writeFileSync(join(DIST, 'helpers.json'), JSON.stringify((await import(pathToFileURL(MAKER))).loweredHelpers()));

const LOWERING = join(FOLDER, 'node-module.mjs');
await assembled(join('nodejs', 'lowered.mjs'), LOWERING);
const { lowerNodeModule } = await import(pathToFileURL(LOWERING));
writeFileSync(join(DIST, 'node.json'), JSON.stringify(await nodeModules(FOLDER, join(HERE, 'nodejs', 'modules'), lowerNodeModule)));

// esbuild is a program of its own; its JavaScript finds it by ESBUILD_BINARY_PATH.
copyFileSync(require.resolve('esbuild'), join(DIST, 'esbuild.cjs'));
const native = require.resolve(`@esbuild/${process.platform}-${process.arch}/bin/esbuild`);
copyFileSync(native, join(DIST, 'bin', 'esbuild'));
chmodSync(join(DIST, 'bin', 'esbuild'), 0o755);

for (const name of BY_NAME) cpSync(join(FOLDER, 'node_modules', name), join(DIST, 'node_modules', name), { recursive: true });

for (const name of readdirSync(FEATURES)) {
  const source = join(FEATURES, name, 'browser');
  if (!existsSync(join(source, 'bundle.json'))) continue;
  await bundleForBrowsers({ esbuild, source, modules: join(FOLDER, 'browser', name, 'node_modules'), target: join(DIST, 'browser', name) });
}

const versions = {};
for (const name of ['@babel/core', '@babel/preset-env', '@babel/preset-typescript', 'esbuild', 'core-js']) {
  const path = join(FOLDER, 'node_modules', name, 'package.json');
  versions[name] = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).version : 'unknown';
}
// Our own part of the toolchain: what was lowered by another one is not used again.
versions.worker = createHash('sha256').update(readFileSync(join(DIST, 'worker.mjs'))).update(readFileSync(join(DIST, 'helpers.json'))).update(readFileSync(join(DIST, 'node.json'))).digest('hex').slice(0, 12);
versions.platform = `${process.platform}-${process.arch}`;
writeFileSync(join(DIST, 'versions.json'), `${JSON.stringify(versions, null, 2)}\n`);

const PRELUDE = join(HERE, '..', '..', '..', 'sandbox', 'prelude');
writeFileSync(join(PRELUDE, 'core.js'), await coreSource(FOLDER));
for (const [name, source] of Object.entries(await librarySources(FOLDER))) writeFileSync(join(PRELUDE, 'later', `${name}-library.js`), source);
