/*
 * Makes what stands for modules of Node.js in scripts: `dist/node.json`, by name of a module its program in ES5 and
 * the helpers that it calls.
 *
 * Each is one file of `modules/`, bundled with the package of npm that it names by `npm:`.  It is lowered here, so that a
 * build need not.
 */
import { createRequire, isBuiltin } from 'node:module';
import { join, resolve } from 'node:path';

const REEXPORTS = { path: 'path-browserify', string_decoder: 'string_decoder', punycode: 'punycode' };
const FILES = ['assert', 'buffer', 'crypto', 'events', 'os', 'process', 'querystring', 'stream', 'timers', 'url', 'util'];

/* What packages need to run in engines that nobody has any more. */
const POLYFILLS = {
  'object-is': 'module.exports = Object.is;',
  'object-is/polyfill': 'module.exports = () => Object.is;',
  'object.assign/polyfill': 'module.exports = () => Object.assign;',
  'is-nan': 'module.exports = Number.isNaN;',
  'call-bind/callBound': 'module.exports = () => (pattern, text) => pattern.test(text);',
  'safe-buffer': "module.exports = require('node:buffer');",
  'abort-controller': 'module.exports = globalThis;',
  qs: "module.exports = require('node:querystring');",
};

/* Finds what a file of `modules/` and the packages in it import. */
function found(folder, names) {
  const { resolve: locate } = createRequire(join(resolve(folder), 'package.json'));
  return {
    name: 'found',
    setup(build) {
      build.onResolve({ filter: /^npm:/ }, ({ path }) => {
        const name = path.slice('npm:'.length);
        return { path: locate(isBuiltin(name) ? `${name}/` : name) }; // with a slash it is no module of the Node.js that builds
      });
      build.onResolve({ filter: /^[\w@]/ }, ({ path }) => {
        const bare = path.replace(/^node:/, '').replace(/\/$/, '');
        if (names.has(bare)) return { path: `node:${bare}`, external: true };
        return Object.hasOwn(POLYFILLS, path) ? { path, namespace: 'polyfill' } : undefined;
      });
      build.onLoad({ filter: /.*/, namespace: 'polyfill' }, ({ path }) => ({ contents: POLYFILLS[path], loader: 'js' }));
    },
  };
}

/**
 * @param {string} folder - The folder whose node_modules holds esbuild and the packages.
 * @param {string} sources - The folder `modules`.
 * @param {function} lowerNodeModule - Of lowered.mjs.
 * @returns {Promise<object>} By name, `code` and `helpers`; `exports`, the names that it exports; `members` of `Buffer` and `process`.
 */
export async function nodeModules(folder, sources, lowerNodeModule) {
  const esbuild = createRequire(join(resolve(folder), 'package.json'))('esbuild');
  const names = new Set([...FILES, ...Object.keys(REEXPORTS)]);
  const made = {};
  for (const name of [...names].sort()) {
    const input = Object.hasOwn(REEXPORTS, name)
      ? { stdin: { contents: `module.exports = require('npm:${REEXPORTS[name]}');`, resolveDir: sources, sourcefile: `${name}.js` } }
      : { entryPoints: [join(sources, `${name}.js`)] };
    const bundled = await esbuild.build({
      ...input,
      bundle: true,
      write: false,
      format: 'cjs',
      target: 'esnext',
      platform: 'neutral',
      mainFields: ['main'],
      minifySyntax: true,
      minifyWhitespace: true,
      legalComments: 'none',
      logLevel: 'error',
      plugins: [found(folder, names)],
    });
    const source = bundled.outputFiles[0].text;
    made[name] = { source, ...lowerNodeModule(name, source) };
  }
  return described(made);
}

/* The names that modules export are found by running them, here where they are made. */
function described(made) {
  const loaded = new Map();
  const load = (name) => {
    if (loaded.has(name)) return loaded.get(name).exports;
    const module = { exports: {} };
    loaded.set(name, module);
    new Function('module', 'exports', 'require', made[name].source)(module, module.exports, (path) => load(path.replace(/^node:/, '')));
    return module.exports;
  };
  const names = (value) => Object.getOwnPropertyNames(value).filter((one) => !(one in Function.prototype)).sort();
  for (const [name, one] of Object.entries(made)) {
    one.exports = names(load(name));
    delete one.source;
  }
  made.buffer.members = names(load('buffer').Buffer);
  made.process.members = [...made.process.exports, ...names(load('events').prototype)];
  return made;
}
