/*
 * A script's files, as one ES5 program in ASCII with a source map.
 *
 * Each file is lowered by itself (and kept by content, in memory and on disk), then esbuild bundles what the
 * entry file reaches.  Bundling first and lowering the whole would take minutes for a large package.
 */
import { lower, withoutMade } from '../lowering/lower.mjs';
import { computesWithBigInt, mentionsBigInt } from '../lowering/bigint/mentions.mjs';
import { fromNode } from '../nodejs/globals.mjs';
import { escaped } from './escaped.mjs';
import { generated } from './generated.mjs';
import { Installed, packageOf } from './installed.mjs';
import { Kept } from './kept.mjs';
import { placesOf, placesOnly } from './maps.mjs';
import { HELPERS, Modules } from './modules.mjs';
import { PLAIN, Projects } from './project.mjs';
import { PackageResolver } from './resolve.mjs';
import { asksForFiles } from './surroundings.mjs';
import { waiting } from './waiting.mjs';
import { skeleton } from './skeleton.mjs';

const MOST_FOLDERS = 4;
const TELL_MS = 500;
const CODE = /\.[mc]?[jt]sx?$/;

export class Bundler {
  /**
   * @param {object} esbuild - The module.
   * @param {Kept} kept - Of lowered files.
   * @param {string} version - Of the toolchain; a part of every key.
   * @param {Helpers} helpers - What lowered files call.
   * @param {NodeModules} nodes - Modules of Node.js that can be had.
   */
  constructor(esbuild, kept, version, helpers, nodes) {
    this.esbuild = esbuild;
    this.kept = kept;
    this.version = version;
    this.helpers = helpers;
    this.nodes = nodes;
    this.folders = new Map(); // packages' folders, whose content never changes, to what is known of them
  }

  /**
   * Build.
   *
   * @param {object} request - `entry`, `files` (path to text), `packages` (folder with node_modules, or null),
   *   `declared` (names of declared packages), `known`, `advice`.
   * @param {function({files: number, of: number}): void} tell - Is told now and then how many files are done.
   * @returns {Promise<object>} `source`, `map`, `problems`.
   */
  async build(request, tell = () => {}) {
    const { entry, files } = request;
    const packages = this.packages(request.packages);
    const projects = new Projects(files, packages.resolver);
    const at = { done: 0, of: Object.keys(files).length, told: performance.now() };
    let bigints = Object.entries(files).some(([path, text]) => CODE.test(path) && mentionsBigInt(text));
    const lowered = (path, source, options) => {
      const bigint = bigints ? 'everywhere' : !options.own && mentionsBigInt(source);
      const made = this.lowered(path, source, { ...options, bigint, project: options.own ? projects.of(path).language : PLAIN, known: request.known, advice: request.advice, mode: request.mode, nodes: this.nodes.known, files: options.own && asksForFiles(source) ? Object.keys(files) : [] });
      at.done += 1;
      if (performance.now() - at.told > TELL_MS) {
        at.told = performance.now();
        tell({ files: Math.min(at.done, at.of), of: at.of });
      }
      return made;
    };
    const single = lowered(entry, files[entry], { own: true, entry: true });
    if (single.plain && projects.problems.length === 0 && single.problems.every((one) => one.severity === 'warning')) {
      return { source: escaped(files[entry]), map: '', problems: single.problems };
    }
    const tools = { ...packages, nodes: this.nodes, projects, lowered, outlined: (path, source) => this.outlined(path, source) };
    const { unused: first, reached, computing } = request.packages === null ? { unused: new Set(), reached: at.of } : await this.unused(request, tools);
    let unused = first;
    bigints ||= computing?.some((path) => this.computes(path, tools.installed.read(path)));
    let helpers = new Set(bigints ? [...single.helpers, 'bigEverywhere'] : single.helpers);
    at.of = reached;
    at.done = 0;
    let waits = new Map();
    for (;;) {
      const problems = [];
      const modules = new Modules(request, { ...tools, problems, unused, waits, helpers: this.helpersModule(helpers) });
      const { inputs, graph, ...outcome } = await this.bundled(entry, modules, problems, projects);
      // What is lowered may keep more than what was written; then that is lowered, too.  And other files may call helpers
      // that the entry file does not.  Lowered files are kept, so to bundle them once more costs little.
      const missed = [...unused].filter((path) => inputs?.[`package:${path}`]?.bytesInOutput > 0);
      const found = graph === undefined ? { waits, required: [] } : waiting(graph, modules.awaiting);
      if (found.required.length > 0) return { source: '', map: '', problems: [...problems, ...found.required.map((one) => requiredProblem(one, modules))] };
      const settled = JSON.stringify([...found.waits]) === JSON.stringify([...waits]);
      const known = settled && missed.length === 0 && [...modules.helpers].every((name) => helpers.has(name));
      if (known || outcome.source === undefined) return { source: '', map: '', ...outcome, problems: withoutMade([...projects.problems, ...problems], modules.globals) };
      unused = new Set([...unused].filter((path) => !missed.includes(path)));
      helpers = modules.helpers;
      waits = found.waits;
    }
  }

  /*
   * The files of packages that are reached and of which nothing is used: one import from a package's main file may
   * reach hundreds.  Found by bundling packages as they are, which takes a fraction of lowering them.  Only modules
   * whose packages say that loading them has no effect are among them.
   */
  async unused(request, tools) {
    const modules = new Modules(request, { ...tools, problems: [], unused: null });
    let metafile;
    try {
      ({ metafile } = await this.esbuild.build({ ...this.settings(request.entry, modules), target: 'esnext', format: 'esm', metafile: true }));
    } catch {
      return { unused: new Set(), reached: Object.keys(request.files).length }; // what is wrong is told by the build itself
    }
    const used = Object.values(metafile.outputs)[0].inputs;
    const found = Object.entries(metafile.inputs).filter(([id, { format }]) => id.startsWith('package:') && format === 'esm' && !(used[id]?.bytesInOutput > 0));
    const unused = new Set(found.map(([id]) => id.slice('package:'.length)).filter((path) => !tools.resolver.hasSideEffects(path)));
    return { unused, reached: Object.keys(metafile.inputs).length - unused.size, computing: [...modules.mentioning].filter((path) => used[`package:${path}`]?.bytesInOutput > 0) };
  }

  /**
   * Lower code that a script makes while it runs; see generated.mjs.
   *
   * @param {object} request - `parameters`, `body`.
   */
  generated({ parameters, body }) {
    const key = Kept.key(this.version, 'generated', parameters, body);
    const known = this.kept.get(key);
    if (known !== undefined) return known;
    const made = generated({ parameters, body }, this.helpers);
    if (made.source !== undefined) this.kept.put(key, made);
    return made;
  }

  computes(path, source) {
    const key = Kept.key(this.version, 'bigint', path, source);
    const known = this.kept.get(key);
    if (known !== undefined) return known.computes;
    const computes = computesWithBigInt(path, source);
    this.kept.put(key, { computes });
    return computes;
  }

  outlined(path, source) {
    const key = Kept.key(this.version, 'outline', path, source);
    const known = this.kept.get(key);
    if (known !== undefined) return known.code;
    const code = skeleton(path, source);
    this.kept.put(key, { code });
    return code;
  }

  /* A module of helpers, and of names that are global in Node.js. */
  helpersModule(names) {
    const given = [...names].map(fromNode);
    return [this.helpers.module([...names].filter((_, at) => given[at] === null)), ...given.filter((one) => one !== null)].join('\n');
  }

  packages(folder) {
    const known = this.folders.get(folder);
    if (known !== undefined) return known;
    if (this.folders.size >= MOST_FOLDERS) this.folders.delete(this.folders.keys().next().value);
    const installed = new Installed(folder);
    const made = { installed, resolver: new PackageResolver(installed) };
    this.folders.set(folder, made);
    return made;
  }

  lowered(path, source, options) {
    const key = Kept.key(this.version, path, options.own, Boolean(options.entry), Boolean(options.commonjs), options.bigint || false, options.own ? [options.known, options.project, options.mode, options.files] : null, options.waits ?? null, source);
    const known = this.kept.get(key);
    if (known !== undefined) return known;
    const made = lower(path, source, options);
    // What is refused is not deployed again as it is.
    if (made.map) this.kept.put(key, made);
    return made;
  }

  settings(entry, modules) {
    return {
      entryPoints: [entry],
      bundle: true,
      write: false,
      outfile: 'bundle.js',
      format: 'iife',
      target: 'es5',
      supported: { 'object-extensions': true }, // methods, which Duktape has; see arrows.mjs
      charset: 'ascii',
      platform: 'browser',
      legalComments: 'none',
      logLevel: 'silent',
      define: { 'process.env.NODE_ENV': '"production"', global: 'globalThis' },
      treeShaking: true,
      tsconfigRaw: '{}', // or it would look for tsconfig.json
      plugins: [modules.plugin()],
    };
  }

  async bundled(entry, modules, problems, projects) {
    let result;
    try {
      result = await this.esbuild.build({ ...this.settings(entry, modules), inject: [HELPERS], sourcemap: 'external', sourcesContent: false, metafile: true });
    } catch (error) {
      for (const told of error.errors || [{ text: String(error) }]) {
        if (told.detail !== 'told') problems.push(...problemOf(told, modules.request, problems));
      }
      return {};
    }
    if (withoutMade([...projects.problems, ...problems], modules.globals).some((one) => one.severity !== 'warning')) return {};
    const code = result.outputFiles.find((one) => one.path.endsWith('.js')).text;
    const map = JSON.parse(result.outputFiles.find((one) => one.path.endsWith('.map')).text);
    const places = placesOnly(map, named, (name) => modules.functions.get(name) ?? []);
    const { inputs } = Object.entries(result.metafile.outputs).find(([path]) => path.endsWith('.js'))[1];
    const told = { ...places, sources: places.sources.map(own) };
    return { source: escaped(withNames(code, places)) + forScripts(places, told), map: JSON.stringify(told), inputs, graph: result.metafile.inputs };
  }
}

/*
 * What esbuild found, in the author's words: it names modules as the plug-in does, and shows lowered code, whose
 * lines are the author's and whose columns are not.
 */
function problemOf({ text, location, notes }, { files, entry }, known) {
  const file = location ? own(location.file) : entry;
  // The checks have told it already, with the nearest name.
  if (location && known.some((one) => one.code === 'unknown_name' && one.file === file && one.line === location.line)) return [];
  const line = location?.line ?? null;
  const snippet = line !== null && Object.hasOwn(files, file) ? (files[file].split('\n')[line - 1] ?? '').slice(0, 200) : null;
  const missing = /^No matching export in "(.*)" for import "(.*)"$/.exec(text);
  if (missing === null) {
    // JSON is given as it is, so its columns are the author's.
    const at = location && file.endsWith('.json') ? location.column + 1 : null;
    return [{ severity: 'error', code: 'build', message: text.replace(/\b(?:script|package):/g, ''), file, line, column: at, snippet, hint: null }];
  }
  const column = snippet?.indexOf(missing[2]) ?? -1;
  const suggestion = notes?.map((note) => /^Did you mean to import "(.*)" instead/.exec(note.text)?.[1]).find(Boolean);
  const packaged = missing[1].startsWith('package:');
  const message = `${packaged ? `The package "${packageOf(own(missing[1]))}"` : `"${own(missing[1])}"`} does not export "${missing[2]}".`;
  const otherwise = packaged ? 'Look at what the package exports.' : 'Export it there, or import what that file exports.';
  const hint = suggestion ? `Did you mean "${suggestion}"?` : otherwise;
  return [{ severity: 'error', code: 'missing_export', message, file, line, column: column < 0 ? null : column + 1, snippet, hint }];
}

/* A call of require() for a module that waits: there is nothing to return. */
function requiredProblem({ importer, specifier }, modules) {
  const hint = `Import it instead: import ... from "${specifier}", or await import("${specifier}").`;
  return { severity: 'error', code: 'top_level_await', message: `"${specifier}" waits at its top level, so require() cannot load it.`, hint, ...modules.wayFrom(importer, specifier) };
}

/*
 * Gives functions at top level back the names that bundling has changed because two files have the same: in the first
 * line, since functions are there from the start.
 */
function withNames(code, places) {
  const given = [];
  const lines = code.split('\n');
  const at = placesOf(places);
  lines.forEach((line, number) => {
    const name = /^ {2}function ([A-Za-z_$][\w$]*\d)\(/.exec(line)?.[1];
    const place = name && at(number);
    if (!place) return;
    const [, , , , own] = places.functions[place[0]].find(([first, column]) => first === place[1] + 1 && column === place[2]) ?? [];
    if (own && own !== name && /^[A-Za-z_$][\w$]*$/.test(own) && name.startsWith(own)) given.push(`Object.defineProperty(${name},"name",{value:"${own}",configurable:true});`);
  });
  if (given.length === 0 || lines[0] !== '(function() {') return code;
  lines[0] += given.join('');
  return lines.join('\n');
}

/*
 * The map as a comment, for scripts that read `error.stack`: see `places.js` of the prelude.  Functions of packages
 * are left out.
 */
function forScripts(places, { sources, mappings, functions }) {
  const own = functions.map((all, at) => (places.sources[at].startsWith('script:') ? all : []));
  return `\n//# places=${escaped(JSON.stringify({ sources, mappings, functions: own }))}`;
}

/* esbuild puts a folder before what a map calls its source; null for what is nobody's. */
function named(source) {
  return /(?:script|package):.*$/.exec(source)?.[0] ?? null;
}

function own(name) {
  return name.replace(/^.*?(?:script|package):/, '');
}
