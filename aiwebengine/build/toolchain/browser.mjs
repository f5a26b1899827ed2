/*
 * Bundles what a feature shows in browsers, so that its pages need no other server.
 *
 * The folder `browser` of a feature holds `package.json` and `package-lock.json` with what it needs of npm, and
 * `bundle.json`: by name of a bundle, the module that it begins with, `./file.js` for one of that folder.  Of a
 * bundle `x` come `x.js` and, if it imports style sheets, `x.css`.  Each is compressed once, here, not for every
 * browser.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';

/* Makes the files of the folder `source` in `target`; `modules` is where npm has put what it needs. */
export async function bundleForBrowsers({ esbuild, source, modules, target }) {
  const entries = JSON.parse(readFileSync(join(source, 'bundle.json'), 'utf8'));
  const { outputFiles } = await esbuild.build({
    entryPoints: Object.fromEntries(
      Object.entries(entries).map(([name, path]) => [name, join(path.startsWith('./') ? source : modules, path)]),
    ),
    outdir: target,
    bundle: true, minify: true, format: 'iife', write: false, legalComments: 'none', logLevel: 'error', target: 'es2022',
    nodePaths: [modules], define: { 'process.env.NODE_ENV': '"production"' },
    loader: { '.ttf': 'dataurl', '.woff': 'dataurl', '.woff2': 'dataurl' },
  });
  mkdirSync(target, { recursive: true });
  for (const file of outputFiles) {
    writeFileSync(join(target, `${basename(file.path)}.gz`), gzipSync(file.contents, { level: 9 }));
  }
}
