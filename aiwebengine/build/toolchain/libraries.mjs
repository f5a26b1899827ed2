/*
 * Makes what the sandbox loads when a script first needs it: sandbox/prelude/later/*-library.js.
 *
 * Each is one library of npm as one ES5 file in ASCII, which leaves what it exports on `__kernel`.
 */
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const LIBRARIES = {
  streams: {
    package: 'web-streams-polyfill',
    credit: '(c) Mattias Buelens, Diwank Singh Tomer and others, MIT',
    contents: "export * from 'web-streams-polyfill/es5';",
  },
  compression: {
    package: 'pako',
    credit: '(c) Vitaly Puzrin, Andrei Tuputcyn and others, MIT; zlib (c) Jean-loup Gailly and Mark Adler, Zlib',
    contents: "export { Deflate, Inflate } from 'pako';",
  },
};

/* esbuild lowers neither classes nor default values to ES5: Babel does, before it. */
function lowered(babel, preset) {
  return {
    name: 'lowered',
    setup(build) {
      build.onLoad({ filter: /[\\/]pako[\\/]dist[\\/].*\.mjs$/ }, async ({ path }) => {
        const made = await babel.transformFileAsync(path, {
          babelrc: false,
          configFile: false,
          browserslistConfigFile: false,
          compact: false,
          sourceMaps: false,
          presets: [[preset, { targets: { ie: '11' }, modules: false }]],
          assumptions: { setClassMethods: true, constantReexports: true, noClassCalls: true },
        });
        return { contents: made.code, loader: 'js' };
      });
    },
  };
}

/**
 * @param {string} folder - The folder whose node_modules holds esbuild, Babel and the libraries.
 * @returns {Promise<Object<string, string>>} ES5 in ASCII by name.
 */
export async function librarySources(folder) {
  const require = createRequire(join(resolve(folder), 'package.json'));
  const esbuild = require('esbuild');
  const babel = require('@babel/core');
  const preset = require.resolve('@babel/preset-env');
  const sources = {};
  for (const [name, { package: from, credit, contents }] of Object.entries(LIBRARIES)) {
    const bundled = await esbuild.build({
      stdin: { contents, resolveDir: resolve(folder), sourcefile: `${name}-library.js` },
      bundle: true,
      write: false,
      format: 'iife',
      globalName: '__library',
      footer: { js: `__kernel.${name} = __library;` },
      target: 'es5',
      charset: 'ascii',
      platform: 'neutral',
      mainFields: ['module', 'main'],
      minify: true,
      legalComments: 'none',
      logLevel: 'silent',
      plugins: [lowered(babel, preset)],
    });
    const code = bundled.outputFiles[0].text.replace(
      /[^\n\x20-\x7e]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    const { version } = require(join(resolve(folder), 'node_modules', from, 'package.json'));
    sources[name] = `/* ${from} ${version}, ${credit}; made by libraries.mjs, not edited. */\n${code}`;
  }
  return sources;
}
