/*
 * Bundles GraphiQL, so that the page needs no other server: `graphiql.js`, `graphiql.css`, and the
 * workers of its editor.  Each is compressed once, here, not for every browser.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';

const WORKERS = {
  'editor.worker': 'monaco-editor/esm/vs/editor/editor.worker.js',
  'json.worker': 'monaco-editor/esm/vs/language/json/json.worker.js',
  'graphql.worker': 'monaco-graphql/esm/graphql.worker.js',
};

/* Makes the files in `target`; `esbuild` and `modules` are where npm put them. */
export async function bundleGraphiql({ esbuild, entry, modules, target }) {
  const shared = {
    bundle: true, minify: true, format: 'iife', write: false, legalComments: 'none', logLevel: 'error', target: 'es2022',
    nodePaths: [modules], define: { 'process.env.NODE_ENV': '"production"' },
    loader: { '.ttf': 'dataurl', '.woff': 'dataurl', '.woff2': 'dataurl' },
  };
  const page = await esbuild.build({ ...shared, entryPoints: { graphiql: entry }, outdir: target });
  const workers = await esbuild.build({
    ...shared, outdir: target,
    entryPoints: Object.fromEntries(Object.entries(WORKERS).map(([name, path]) => [name, join(modules, path)])),
  });
  mkdirSync(target, { recursive: true });
  for (const file of [...page.outputFiles, ...workers.outputFiles]) {
    writeFileSync(join(target, `${basename(file.path)}.gz`), gzipSync(file.contents, { level: 9 }));
  }
}
