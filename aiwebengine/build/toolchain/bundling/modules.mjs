/*
 * Where the modules of a script are, for esbuild: every import of a build passes through here, and every module
 * comes from here, so that esbuild itself looks for nothing and reads nothing.
 *
 *   script:main.ts                        one of the author's files
 *   package:node_modules/zod/index.js     one of an installed package
 *   host:aiwebengine                      the engine's globals as a module
 *   node:buffer                           what stands for a module of Node.js
 *   helpers:/helpers                      what lowered code calls
 *   empty:...                             what a package wants to be empty (`"browser": {"fs": false}`)
 *   absent:...                            what a package asks for and cannot have: throws where it is loaded
 *   refused:...                           a problem of the script's; the build goes on to find the others
 */
import { extname, posix } from 'node:path';

import { addressAdvice, builtIn, insteadOf } from './advice.mjs';
import { nearest } from '../nearest.mjs';
import { packageOf } from './installed.mjs';
import { mentionsBigInt } from '../lowering/bigint/mentions.mjs';
import { mapTo, withMap } from './maps.mjs';
import { targetsOf } from './project.mjs';
import { RUN } from './awaits.mjs';
import { jsonModule } from '../lowering/numbers.mjs';

const TRIED = ['', '.ts', '.tsx', '.js', '.jsx', '.mjs', '.mts', '.cts', '.cjs', '.json', '/index.ts', '/index.tsx', '/index.js', '/index.jsx', '/index.mjs', '/index.mts'];
const CODE = new Set(['.ts', '.tsx', '.js', '.jsx', '.mjs', '.mts', '.cts', '.cjs']);
const LOADERS = { '.ts': 'ts', '.mts': 'ts', '.cts': 'ts', '.tsx': 'tsx', '.jsx': 'jsx' };
const NO_MODULE = new Set(['.node', '.wasm']);
const STYLE = new Set(['.css', '.scss', '.less']);

/** The module of helpers: absolute, unlike every file of a script. */
export const HELPERS = '/helpers';

export class Modules {
  /**
   * @param {object} request - See `Bundler.build`.
   * @param {object} tools - `installed` and `resolver`, of the script's packages; `lowered(path, source, options)`;
   *   `helpers`, a module of those that files are known to call; `problems`, a list to which problems are added;
   *   `unused`, files of packages of which nothing is used, or null to give packages as they are, to find that out;
   *   `outlined(path, source)`; `projects`, what tsconfig.json and package.json say;
   *   `waits`, by file the imports that wait, see waiting.mjs.
   */
  constructor(request, { installed, resolver, nodes, helpers, lowered, problems, unused, outlined, projects, waits = new Map() }) {
    this.request = request;
    this.helpersModule = helpers;
    this.helpers = new Set(); // that files call
    this.installed = installed;
    this.resolver = resolver;
    this.nodes = nodes;
    this.lowered = lowered;
    this.problems = problems;
    this.unused = unused;
    this.outlined = outlined;
    this.projects = projects;
    this.waits = waits;
    this.imports = new Map(); // of the author's files: specifier to place
    this.globals = []; // names that some file makes for all
    this.functions = new Map(); // of every file that has code: what places.mjs notes
    this.awaiting = new Set(); // ids of files that wait at their top level
    this.mentioning = new Set(); // of packages' files, if `unused` is null: those that mention BigInt
    this.first = new Map(); // of packages' files: the module that imported it first
  }

  /** The plug-in. */
  plugin() {
    return {
      name: 'aiwebengine',
      setup: (build) => {
        build.onResolve({ filter: /.*/ }, (args) => this.resolve(args));
        const from = (namespace, load) => build.onLoad({ filter: /.*/, namespace }, load);
        from('script', (args) => this.script(args.path));
        from('package', (args) => this.package(args.path));
        from('host', () => ({ contents: hostModule(Object.keys(this.request.known)), loader: 'js' }));
        from('node', (args) => this.node(args.path));
        from('helpers', () => ({ contents: this.helpersModule, loader: 'js' }));
        from('empty', () => ({ contents: 'module.exports = {};', loader: 'js' }));
        from('refused', () => ({ contents: 'module.exports = {};', loader: 'js' }));
        from('awaits', (args) => ({ contents: args.path === 'run' ? RUN : "import { make } from 'awaits:run'; export var record = /* @__PURE__ */ make();", loader: 'js' }));
        from('text', (args) => ({ contents: this.textOf(args.path), loader: 'text' }));
        from('json', (args) => json(this.textOf(args.path)));
        from('absent', (args) => ({ contents: this.absent(args.path), loader: 'js' }));
      },
    };
  }

  resolve({ path, importer, namespace, kind, with: attributes = {} }) {
    if (kind === 'entry-point') return path === HELPERS ? { path, namespace: 'helpers', sideEffects: false } : { path, namespace: 'script' };
    if (path.startsWith('awaits:')) return this.awaits(path, importer, namespace, kind);
    if (namespace === 'script') return this.asText(path, importer, kind, attributes);
    if (namespace === 'package') return this.fromPackage(path, importer, kind);
    if (path.startsWith('node:')) return this.fromNode(path);
    return { path, namespace: 'refused' };
  }

  /* What awaits.mjs asks for: how modules that wait are run, and the record of one of them. */
  awaits(path, importer, namespace, kind) {
    if (path === 'awaits:run') return { path: 'run', namespace: 'awaits', sideEffects: false };
    if (path === 'awaits:own') return { path: `${namespace}:${importer}`, namespace: 'awaits', sideEffects: false };
    if (path.startsWith('awaits:at ')) return { path: path.slice('awaits:at '.length), namespace: 'awaits', sideEffects: false };
    const found = this.resolve({ path: path.slice('awaits:of '.length), importer, namespace, kind });
    return { path: `${found.namespace}:${found.path}`, namespace: 'awaits', sideEffects: false };
  }

  /* An import that says how a file is read: `./a.html?raw`, `with { type: "text" }`, `with { type: "json" }`. */
  asText(path, importer, kind, attributes) {
    const [, plain, query] = /^(\.{0,2}\/[^?]*|[@\w][^?:]*)\?([\w=&-]+)$/.exec(path) ?? [null, path, null];
    if (query !== null && query !== 'raw') {
      const hint = query.startsWith('url') ? 'Put the file into the folder public/, and write its URL.' : 'Only "?raw" is known, the content of a file as a string.';
      return this.refuse(path, importer, 'not_importable', `"${path.slice(0, 200)}" cannot be imported: "?${query}" belongs to another build tool.`, hint);
    }
    const found = this.fromScript(plain, importer, kind, path);
    const type = query === 'raw' ? 'text' : attributes.type;
    if (type === undefined || !['script', 'package'].includes(found.namespace)) return found;
    if (type === 'text' || type === 'json') return { path: `${found.namespace}:${found.path}`, namespace: type };
    return this.refuse(path, importer, 'not_importable', `"${path.slice(0, 200)}" cannot be imported with the type ${JSON.stringify(type)}.`, 'The types are "json" and "text".');
  }

  textOf(id) {
    const [, namespace, path] = /^(\w+):(.*)$/s.exec(id);
    return namespace === 'script' ? this.request.files[path] : this.installed.read(path);
  }

  fromScript(path, importer, kind, written = path) {
    if (path === 'aiwebengine') return { path, namespace: 'host' };
    if (/^\.{0,2}\//.test(path) || path === '.' || path === '..') return this.ownFile(path, importer, written);
    const own = targetsOf(this.projects.of(importer), path).map((target) => this.fileOf(target)).find((one) => one !== undefined);
    if (own !== undefined) return { path: own, namespace: 'script' };
    if (path.startsWith('#')) return this.named(path, importer, kind);
    return this.bare(path, written, importer, kind);
  }

  /* `#name`, which the script's package.json explains. */
  named(path, importer, kind) {
    const found = this.projects.named(path, importer, kind.startsWith('require'));
    if (found.missing !== undefined) return this.refuse(path, importer, 'missing_import', `"${path}" cannot be imported: ${found.missing}.`, found.hint);
    return found.package === undefined ? this.ownFile(`/${found.file}`, importer, path) : this.bare(found.package, path, importer, kind);
  }

  /* A package; `written` is what stands in the file, if it differs. */
  bare(path, written, importer, kind) {
    if (path === 'aiwebengine') return { path, namespace: 'host' };
    const self = this.projects.selfNamed(path, importer, kind.startsWith('require'));
    if (self !== null) return this.ownFile(`/${self}`, importer, written);
    const { declared } = this.request;
    const advice = addressAdvice(path);
    if (advice !== null) return this.refuse(written, importer, 'not_importable', `"${path.slice(0, 200)}" cannot be imported. ${advice.message}`, advice.hint);
    const name = path.startsWith('@') ? path.split('/').slice(0, 2).join('/') : path.split('/')[0];
    const node = builtIn(path);
    if (this.nodes.named(path) !== null && (path.startsWith('node:') || !declared.includes(name))) return this.fromNode(path);
    if (node !== null && (path.startsWith('node:') || !declared.includes(name))) {
      return this.refuse(written, importer, 'node_module', `"${path}" is part of Node.js and does not exist here.`, insteadOf(node, this.request.advice));
    }
    if (!declared.includes(name)) {
      const suggestion = nearest(name, declared);
      return this.refuse(written, importer, 'undeclared_package', `The package "${name}" is not in the dependencies of package.json.`, suggestion ? `Did you mean "${suggestion}"?` : Object.hasOwn(this.request.files, 'package.json') ? `Add it: "dependencies": { "${name}": "..." }.` : `Deploy a folder, with a package.json that has "dependencies": { "${name}": "..." }.`);
    }
    const resolved = this.resolver.resolve(path, '', kind.startsWith('require'));
    if (resolved.missing !== undefined) {
      return this.refuse(written, importer, 'missing_package', `"${path}" cannot be found in the installed packages: ${resolved.missing}.`, `Look at what the package "${name}" exports.`);
    }
    return this.ofPackage(resolved, `script:${importer}`, written);
  }

  fromPackage(path, importer, kind) {
    if (kind === 'require-resolve') return { path, external: true };
    const resolved = this.resolver.resolve(path, importer, kind.startsWith('require'));
    if (resolved.missing !== undefined && this.nodes.named(path) !== null) return this.fromNode(path);
    if (resolved.missing === undefined) return this.ofPackage(resolved, `package:${importer}`, path);
    // Whoever imports it and uses nothing of it does without it.
    const key = `${path} of ${packageOf(importer)}`;
    if (!this.first.has(`absent:${key}`)) this.first.set(`absent:${key}`, { importer: `package:${importer}`, specifier: path, why: resolved.missing });
    return { path: key, namespace: 'absent', sideEffects: kind === 'import-statement' ? false : undefined };
  }

  /* A module of Node.js that can be had. */
  fromNode(path) {
    return { path: this.nodes.named(path), namespace: 'node', sideEffects: false };
  }

  ofPackage(found, importer, specifier) {
    if (found.disabled !== undefined) return { path: found.disabled, namespace: 'empty', sideEffects: false };
    const id = `package:${found.path}`;
    if (!this.first.has(id)) this.first.set(id, { importer, specifier });
    return { path: found.path, namespace: 'package', sideEffects: this.resolver.hasSideEffects(found.path) };
  }

  ownFile(path, importer, written = path) {
    const { files } = this.request;
    const base = posix.join(path.startsWith('/') ? '.' : posix.dirname(importer), path);
    const found = this.fileOf(base);
    if (found !== undefined) return { path: found, namespace: 'script' };
    if (this.request.other.includes(base)) {
      const hint = 'Put it into the folder public/ if clients need it; a script can import only text files.';
      return this.refuse(written, importer, 'not_text', `The file "${path}" is not text in UTF-8, so it cannot be imported.`, hint);
    }
    const suggestion = nearestFile(base, importer, files);
    const hint = suggestion !== null ? `Did you mean "${suggestion}"?` : 'Deploy the whole folder.';
    return this.refuse(written, importer, 'missing_file', written === path || written.startsWith(`${path}?`) ? `There is no file "${path}".` : `"${written}" means the file "${base}", which does not exist.`, hint);
  }

  /* The own file that a path means, with the ending that it leaves out; undefined if there is none. */
  fileOf(path) {
    const folder = path.replace(/\/$/, '');
    const tried = TRIED.map((ending) => (folder === '.' ? ending.replace(/^\//, '') : folder + ending));
    const swapped = path.replace(/\.([mc]?)jsx?$/, '.$1ts');
    return [...tried, swapped, `${swapped}x`].find((one) => Object.hasOwn(this.request.files, one));
  }

  refuse(path, importer, code, message, hint) {
    this.problems.push({ severity: 'error', code, message, hint, ...this.placeOf(path, importer) });
    return { path, namespace: 'refused' };
  }

  /* Where one of the author's files imports something. */
  placeOf(specifier, file) {
    const at = this.imports.get(file)?.[specifier];
    const text = this.request.files[file] ?? '';
    return { file, line: at?.line ?? null, column: at?.column ?? null, snippet: at ? (text.split('\n')[at.line - 1] || '').slice(0, 200) : null };
  }

  /** The place of an import in a file, or of the import of the package that holds it. */
  wayFrom(id, specifier) {
    if (id.startsWith('script:')) return this.placeOf(specifier, id.slice('script:'.length));
    const { packages: _, ...place } = this.wayTo(id);
    return place;
  }

  /* The packages through which the author's file came to a module, outermost first, and the place of that import. */
  wayTo(id) {
    const packages = [];
    for (let at = this.first.get(id); at !== undefined; at = this.first.get(at.importer)) {
      if (!at.importer.startsWith('package:')) return { packages, ...this.placeOf(at.specifier, at.importer.slice('script:'.length)) };
      const name = packageOf(at.importer);
      if (packages[0] !== name) packages.unshift(name);
    }
    return { packages, file: this.request.entry, line: null };
  }

  absent(key) {
    const { specifier, why } = this.first.get(`absent:${key}`);
    const { packages, file, line, column } = this.wayTo(`absent:${key}`);
    const [outer, inner] = [packages[0], packages.at(-1)];
    const node = builtIn(specifier);
    const what = node !== null ? `"${specifier}", a module of Node.js, which does not exist here` : `"${specifier}", which cannot be resolved (${why})`;
    const remedy = node !== null ? insteadOf(node, this.request.advice) : `Add "${specifier}" to the dependencies of package.json.`;
    const place = `${file}${line === null ? '' : `:${line}`}`;
    const whose = outer === inner ? `, which ${place} imports,` : `, on which "${outer}" depends, which ${place} imports,`;
    const text = `The package "${inner}"${whose} needs ${what}. Use a package or a version that runs in browsers or workers. ${remedy}`;
    return withMap(`throw new Error(${JSON.stringify(text)});`, mapTo(line ?? 1, column ?? 1), `script:${file}`);
  }

  script(path) {
    const text = this.request.files[path];
    const kind = extname(path);
    if (kind === '.json') return json(text);
    if (!CODE.has(kind)) return { contents: text, loader: 'text' };
    const made = this.lowered(path, text, { own: true, entry: path === this.request.entry, waits: this.waits.get(`script:${path}`) });
    this.imports.set(path, made.imports);
    this.note(`script:${path}`, made);
    // Go on in spite of problems, into what the file imports: all of them are told at once.
    this.tell(made.problems);
    return { contents: made.map === null ? '' : withMap(made.code, made.map, `script:${path}`), loader: 'js' };
  }

  package(path) {
    const kind = extname(path);
    if (STYLE.has(kind)) return { contents: '', loader: 'empty' };
    if (NO_MODULE.has(kind)) return { contents: `throw new Error(${JSON.stringify(`${path} is compiled code, which scripts cannot load.`)});`, loader: 'js' };
    const text = this.installed.read(path);
    if (kind === '.json') return json(text);
    if (!CODE.has(kind) && kind !== '') return { contents: text, loader: 'text' };
    if (this.unused === null && mentionsBigInt(text)) this.mentioning.add(path);
    if (this.unused === null) return { contents: text, loader: LOADERS[kind] ?? 'js' };
    if (this.unused.has(path)) return { contents: this.outlined(path, text), loader: 'js' };
    const commonjs = !/^\s*(import|export)\b/m.test(text);
    const made = this.lowered(path, text, { own: false, commonjs, waits: this.waits.get(`package:${path}`) });
    this.note(`package:${path}`, made);
    if (this.tell(made.problems)) return { contents: '', loader: 'js', errors: [{ text: 'problems', detail: 'told' }] };
    return { contents: withMap(made.code, made.map, `package:${path}`), loader: 'js' };
  }

  node(path) {
    const { code, helpers } = this.nodes.load(path);
    this.note(`node:${path}`, { functions: [], globals: [], helpers, awaits: false });
    return { contents: code, loader: 'js' };
  }

  note(id, { functions, globals, helpers, awaits }) {
    if (awaits) this.awaiting.add(id);
    this.functions.set(id, functions);
    this.globals.push(...globals);
    for (const one of helpers) this.helpers.add(one);
  }

  tell(found) {
    for (const one of found) this.problems.push({ severity: 'error', ...one });
    return found.some((one) => one.severity !== 'warning');
  }
}

/* What the engine would read wrongly in a JSON file makes it a program. */
function json(text) {
  const exact = jsonModule(text);
  return exact === null ? { contents: text, loader: 'json' } : { contents: exact, loader: 'js' };
}

/* The engine's globals as a module; what nobody imports is not in the bundle. */
function hostModule(names) {
  const values = names.map((name, index) => `var _${index} = /* @__PURE__ */ read(${JSON.stringify(name)});`);
  const given = names.map((name, index) => `_${index} as ${name}`);
  return `function read(name) { return globalThis[name]; }\n${values.join('\n')}\nexport { ${given.join(', ')} };\n`;
}

/* How the importing file would write the script's file that is nearest to a path; null if none is near. */
function nearestFile(base, importer, files) {
  const plain = (path) => path.replace(/\.[mc]?[jt]sx?$/, '').replace(/\/index$/, '');
  const others = Object.keys(files).filter((one) => one !== importer);
  const byPlain = new Map(others.map((one) => [plain(one), one]));
  const match = nearest(plain(base), [...byPlain.keys()]) ?? [...byPlain.keys()].find((one) => posix.basename(one) === posix.basename(plain(base))) ?? null;
  if (match === null) return null;
  const path = posix.relative(posix.dirname(importer), CODE.has(extname(byPlain.get(match))) ? match : byPlain.get(match));
  return path.startsWith('.') ? path : `./${path}`;
}
