/*
 * A script's files, as one ES5 program in ASCII with a source map.
 *
 * Each file is lowered by itself (and kept by content, in memory and on disk), then esbuild bundles what the
 * entry file reaches.  Bundling first and lowering the whole would take minutes for a large package.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, extname, join, posix, relative, sep } from 'node:path';

import { nearest } from './checks.mjs';
import { jsonModule } from './numbers.mjs';
import { lower } from './lower.mjs';

const TRIED = ['', '.ts', '.tsx', '.js', '.jsx', '.mjs', '.mts', '.json', '/index.ts', '/index.tsx', '/index.js', '/index.jsx'];
const CODE = new Set(['.ts', '.tsx', '.js', '.jsx', '.mjs', '.mts', '.cts', '.cjs']);
const BUILT_IN = new Set(builtinModules);
const BUILT_IN_ADVICE = {
  fs: 'Keep files as assets, or import them: a script has no disk.',
  path: 'Use text functions; URLs have new URL().',
  crypto: 'Use the global crypto: crypto.randomUUID(), crypto.getRandomValues().',
  http: 'Use registerWebHandler to answer requests.',
  https: 'Use registerWebHandler to answer requests.',
  buffer: 'Use Uint8Array, TextEncoder, atob and btoa.',
  process: 'Plain settings belong into the manifest.',
  events: 'Use EventTarget.',
  url: 'URL and URLSearchParams are globals.',
  timers: 'setTimeout and its like are globals.',
};

export class Bundler {
  /**
   * @param {object} esbuild - The module.
   * @param {string|null} cache - Folder for lowered files; null to keep them in memory only.
   * @param {string} version - Of the toolchain; a part of every key.
   */
  constructor(esbuild, cache, version) {
    this.esbuild = esbuild;
    this.cache = cache;
    this.version = version;
    this.memory = new Map();
  }

  /**
   * Build.
   *
   * @param {object} request - `entry`, `files` (path to text), `packages` (folder with node_modules, or null),
   *   `declared` (names of declared packages), `known`, `advice`.
   * @returns {Promise<object>} `source`, `map`, `problems`.
   */
  async build(request) {
    const { entry, files } = request;
    const problems = [];
    const single = await this.lowered(entry, files[entry], { ...this.options(request), own: true, entry: true });
    if (single.plain && single.problems.every((one) => one.severity === 'warning')) {
      return { source: escaped(files[entry]), map: '', problems: single.problems };
    }
    const seen = new Set();
    // Every file is looked at, so that all problems are told at once; what nobody imports only matters if it is code.
    const outcome = await this.bundled(request, problems, seen);
    return outcome === null ? { source: '', map: '', problems } : { ...outcome, problems };
  }

  options(request) {
    return { known: request.known, advice: request.advice, version: this.version };
  }

  async lowered(path, source, options) {
    const key = createHash('sha256').update(JSON.stringify([this.version, path, options.own, Boolean(options.entry), Boolean(options.commonjs), options.own ? options.known : null])).update('\0').update(source).digest('hex');
    const kept = this.memory.get(key);
    if (kept) return kept;
    const file = this.cache ? join(this.cache, key.slice(0, 2), `${key}.json`) : null;
    if (file) {
      try {
        const read = JSON.parse(readFileSync(file, 'utf8'));
        this.remember(key, read);
        return read;
      } catch { /* not kept, or half-written by a process that died: make it again */ }
    }
    const made = await lower(path, source, options);
    this.remember(key, made);
    if (file && made.map) {
      try {
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(`${file}.${process.pid}`, JSON.stringify(made));
        renameSync(`${file}.${process.pid}`, file);
      } catch { /* a full disk costs time, nothing else */ }
    }
    return made;
  }

  remember(key, made) {
    if (this.memory.size > 2000) this.memory.clear();
    this.memory.set(key, made);
  }

  async bundled(request, problems, seen) {
    const { entry, files } = request;
    let result;
    try {
      result = await this.esbuild.build({
        entryPoints: [entry],
        bundle: true,
        write: false,
        outfile: 'bundle.js',
        format: 'iife',
        target: 'es5',
        charset: 'ascii',
        platform: 'browser',
        mainFields: ['browser', 'module', 'main'],
        conditions: ['worker', 'browser', 'import', 'default'],
        sourcemap: 'external',
        sourcesContent: false,
        legalComments: 'none',
        logLevel: 'silent',
        define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
        treeShaking: true,
        plugins: [this.plugin(request, problems, seen)],
      });
    } catch (error) {
      for (const told of error.errors || [{ text: String(error) }]) {
        if (told.detail === 'told') continue;
        const at = told.location;
        // The checks have told it already, with the nearest name.
        if (at && problems.some((one) => one.code === 'unknown_name' && one.file === own(at.file) && one.line === at.line)) continue;
        problems.push({
          severity: 'error', code: 'build', message: told.text, file: at ? own(at.file) : entry,
          line: at ? at.line : null, column: at ? at.column + 1 : null, snippet: at ? (at.lineText || '').slice(0, 200) : null, hint: null,
        });
      }
      return null;
    }
    if (problems.some((one) => one.severity !== 'warning')) return null;
    const code = result.outputFiles.find((one) => one.path.endsWith('.js')).text;
    const map = JSON.parse(result.outputFiles.find((one) => one.path.endsWith('.map')).text);
    map.sources = map.sources.map(own);
    delete map.sourcesContent;
    return { source: escaped(code), map: JSON.stringify(map) };
  }

  plugin(request, problems, seen) {
    const { entry, files, packages, declared } = request;
    const bundler = this;

    function told(found) {
      for (const one of found) problems.push({ severity: 'error', ...one });
      return found.some((one) => one.severity !== 'warning');
    }

    function placeOf(args) {
      const text = files[args.importer] || '';
      const lines = text.split('\n');
      const line = lines.findIndex((one) => one.includes(`'${args.path}'`) || one.includes(`"${args.path}"`));
      return { file: args.importer || entry, line: line < 0 ? null : line + 1, column: line < 0 ? null : lines[line].indexOf(args.path), snippet: line < 0 ? null : lines[line].slice(0, 200) };
    }

    function refuse(args, code, message, hint) {
      problems.push({ severity: 'error', code, message, hint, ...placeOf(args) });
      return { path: args.path, namespace: 'refused' };
    }

    function ownFile(args) {
      const base = args.path.startsWith('/') ? args.path.slice(1) : posix.join(posix.dirname(args.importer), args.path);
      for (const tried of TRIED) if (Object.hasOwn(files, base + tried)) return base + tried;
      const swapped = base.replace(/\.(m?)js$/, '.$1ts');
      if (Object.hasOwn(files, swapped)) return swapped;
      if (Object.hasOwn(files, `${swapped}x`)) return `${swapped}x`;
      return null;
    }

    return {
      name: 'aiwebengine',
      setup(build) {
        build.onResolve({ filter: /.*/ }, async (args) => {
          if (args.kind === 'entry-point') return { path: args.path, namespace: 'script' };
          if (args.namespace === 'refused') return { path: args.path, namespace: 'refused' };
          if (args.path === 'aiwebengine') return { path: 'aiwebengine', namespace: 'host' };
          const fromPackage = args.namespace === 'file';
          if (!fromPackage && /^\.{0,2}\//.test(args.path)) {
            const found = ownFile(args);
            if (found !== null) return { path: found, namespace: 'script' };
            const near = nearest(posix.join(posix.dirname(args.importer), args.path), Object.keys(files));
            return refuse(args, 'missing_file', `There is no file "${args.path}".`, near ? `Did you mean "./${relative(dirname(args.importer), near).split(sep).join('/')}"?` : 'Deploy the whole folder.');
          }
          const bare = args.path.replace(/^node:/, '');
          if ((args.path.startsWith('node:') || BUILT_IN.has(bare.split('/')[0])) && !declared.includes(bare.split('/')[0])) {
            if (fromPackage) return { path: args.path, namespace: 'absent' };
            return refuse(args, 'node_module', `"${args.path}" is a part of Node.js and does not exist here.`, BUILT_IN_ADVICE[bare.split('/')[0]] || 'Look in the reference for what takes its place.');
          }
          if (args.pluginData === 'packages') return undefined;
          const name = args.path.startsWith('@') ? args.path.split('/').slice(0, 2).join('/') : args.path.split('/')[0];
          if (!fromPackage && !declared.includes(name)) {
            const near = nearest(name, declared);
            return refuse(args, 'undeclared_package', `The package "${name}" is not in the dependencies of package.json.`, near ? `Did you mean "${near}"?` : `Add it: "dependencies": { "${name}": "..." }.`);
          }
          const found = await build.resolve(args.path, { kind: args.kind, importer: fromPackage ? args.importer : '', resolveDir: fromPackage ? args.resolveDir : packages, pluginData: 'packages', namespace: 'file' });
          if (found.errors.length > 0) {
            if (fromPackage) return { path: args.path, namespace: 'absent' };
            return refuse(args, 'missing_package', `"${args.path}" cannot be found in the installed package "${name}".`, 'Look at what the package exports.');
          }
          return { path: found.path, namespace: found.namespace, sideEffects: found.sideEffects };
        });

        build.onLoad({ filter: /.*/, namespace: 'refused' }, () => ({ contents: 'module.exports = {};', loader: 'js' }));
        build.onLoad({ filter: /.*/, namespace: 'absent' }, (args) => ({
          contents: `throw new Error(${JSON.stringify(`The module ${args.path} does not exist here.`)});`,
          loader: 'js',
        }));
        build.onLoad({ filter: /.*/, namespace: 'host' }, () => ({
          contents: hostModule(Object.keys(request.known)),
          loader: 'js',
        }));

        build.onLoad({ filter: /.*/, namespace: 'script' }, async (args) => {
          const text = files[args.path];
          seen.add(args.path);
          const kind = extname(args.path);
          if (kind === '.json') {
            const exact = jsonModule(text);
            return exact === null ? { contents: text, loader: 'json' } : { contents: exact, loader: 'js' };
          }
          if (!CODE.has(kind)) return { contents: text, loader: 'text' };
          const made = await bundler.lowered(args.path, text, { ...bundler.options(request), own: true, entry: args.path === entry });
          // Go on in spite of problems, into what the file imports: all of them are told at once.
          told(made.problems);
          if (made.map === null) return { contents: '', loader: 'js' };
          return { contents: withMap(made, `script:${args.path}`), loader: 'js', resolveDir: packages || undefined };
        });

        build.onLoad({ filter: /\.[mc]?[jt]sx?$/, namespace: 'file' }, async (args) => {
          const text = readFileSync(args.path, 'utf8');
          const shown = packages ? relative(packages, args.path).split(sep).join('/') : args.path;
          const commonjs = !/^\s*(import|export)\b/m.test(text);
          const made = await bundler.lowered(shown, text, { ...bundler.options(request), own: false, commonjs });
          if (told(made.problems)) return { contents: '', loader: 'js', errors: [{ text: 'problems', detail: 'told' }] };
          return { contents: withMap(made, `package:${shown}`), loader: 'js', resolveDir: dirname(args.path) };
        });
      },
    };
  }
}

/* The engine's globals as a module; what nobody imports is not in the bundle. */
function hostModule(names) {
  const values = names.map((name, index) => `var _${index} = /* @__PURE__ */ read(${JSON.stringify(name)});`);
  const given = names.map((name, index) => `_${index} as ${name}`);
  return `function read(name) { return globalThis[name]; }\n${values.join('\n')}\nexport { ${given.join(', ')} };\n`;
}

function withMap(made, name) {
  const map = { ...made.map, sources: [name], sourcesContent: undefined };
  return `${made.code}\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}`;
}

/* esbuild puts a folder before what a map calls its source: for a package's, one of the server. */
function own(source) {
  return source.replace(/^.*(?:script|package):/, '');
}

/* Duktape reads ASCII; outside of texts and patterns nothing else stands in lowered code but comments. */
function escaped(code) {
  return code.replace(/\\?[^\n\r\t\x20-\x7e]/g, (found) => {
    const character = found.length > 1 ? found.slice(1) : found;
    return Array.from({ length: character.length }, (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`).join('');
  });
}
