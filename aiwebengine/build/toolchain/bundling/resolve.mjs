/*
 * Which file of the installed packages an import means.
 *
 * This is the algorithm of Node.js (https://nodejs.org/api/esm.html#resolution-algorithm-specification and
 * https://nodejs.org/api/modules.html#all-together) with what bundlers add for programs that do not run in
 * Node.js: the `browser` field of package.json (https://github.com/defunctzombie/package-browser-field-spec),
 * `module`, and `sideEffects`.  It looks at nothing but the installed packages.
 */
import { posix } from 'node:path';

/*
 * What a package may call this environment.  It is most like a server without Node.js, and a package that has a build for
 * those means it before its build for pages; which of several counts, the order in the package decides.  `module` means a
 * module also for require(), so that a package which is reached in both ways is in the bundle once.
 */
const CONDITIONS = ['workerd', 'edge-light', 'worker', 'browser', 'module', 'default'];
const MOST_HOPS = 20;
const ENDINGS = ['.js', '.json', '.cjs', '.mjs', '.jsx', '.ts', '.mts', '.tsx'];

/*
 * What is found: `{ path }`, a file; `{ disabled }`, a module that the package wants to be empty here; or
 * `{ missing }`, why there is none.
 */
export class PackageResolver {
  /** @param {import('./installed.mjs').Installed} installed */
  constructor(installed) {
    this.installed = installed;
    this.effects = new Map();
    this.hops = 0;
  }

  /**
   * Resolve an import.
   *
   * @param {string} specifier - As it is written.
   * @param {string} importer - Path of the file in which it stands; empty for one of the author's.
   * @param {boolean} required - It is a call of require().
   * @returns {{path: string}|{disabled: string}|{missing: string}}
   */
  resolve(specifier, importer, required) {
    const asked = { specifier, importer, required };
    this.hops = 0;
    if (/^\.{1,2}(\/|$)/.test(specifier)) return this.relative(asked);
    if (specifier.startsWith('#')) return this.privately(asked);
    if (specifier.startsWith('node:')) return this.replacedModule(asked) ?? { missing: 'it is a part of Node.js' };
    if (specifier.startsWith('/') || /^[a-z][a-z0-9+.-]+:/i.test(specifier)) return { missing: 'it is not a package' };
    return this.bare(asked);
  }

  /**
   * Return the file of compiler options that `extends` names, as TypeScript finds it; null if there is none.
   *
   * @param {string} specifier - `@tsconfig/node20`, or with a file behind it.
   * @param {string} importer - See `resolve`.
   */
  configuration(specifier, importer) {
    const { name, sub } = parts(specifier);
    const folder = name === null ? null : this.packageFolder(name, importer);
    if (folder === null) return null;
    const manifest = this.installed.manifest(folder) ?? {};
    const table = isTable(manifest.exports ?? null) ? manifest.exports : {};
    const main = typeof manifest.tsconfig === 'string' ? [manifest.tsconfig] : [];
    const mapped = [sub, `${sub}.json`].map((one) => target(table, one, conditions(true)));
    const plain = sub === '.' ? [...main, 'tsconfig.json'] : [sub, `${sub}.json`, posix.join(sub, 'tsconfig.json')];
    for (const one of [...mapped, ...plain]) {
      if (typeof one !== 'string' || posix.normalize(one).startsWith('..')) continue;
      const found = this.installed.look(posix.join(folder, one));
      if (found?.kind === 'file') return found.path;
    }
    return null;
  }

  relative({ specifier, importer, required }) {
    const target = posix.join(posix.dirname(importer), specifier);
    const folderOnly = /(^|\/)\.{0,2}$/.test(specifier);
    const replaced = this.replaced(target, importer, required);
    if (replaced !== null) return replaced;
    const resolved = folderOnly ? this.folder(target, required) : this.file(target) ?? this.folder(target, required);
    return resolved === null ? { missing: 'there is no such file' } : this.final(resolved, importer, required);
  }

  bare(asked) {
    return this.replacedModule(asked) ?? this.installedAt(asked.specifier, asked.importer, asked.required);
  }

  /* What the `browser` field of the importing package puts in the place of a module; null if nothing. */
  replacedModule({ specifier, importer, required }) {
    const scope = importer ? this.installed.enclosing(importer) : null;
    const browser = scope !== null ? browserMap(this.installed.manifest(scope)) : null;
    if (browser !== null && Object.hasOwn(browser, specifier)) {
      const instead = browser[specifier];
      if (instead === false) return { disabled: specifier };
      if (instead.startsWith('.')) return this.inPackage(scope, instead, required);
      if (instead !== specifier) return this.installedAt(instead, importer, required);
    }
    return null;
  }

  /* Look for a package in the node_modules of every folder from the importer's up. */
  installedAt(specifier, importer, required) {
    const { name, sub } = parts(specifier);
    if (name === null) return { missing: 'it is not the name of a package' };
    const scope = importer ? this.installed.enclosing(importer) : null;
    const own = scope !== null ? this.installed.manifest(scope) : null;
    if (own !== null && own.name === name && own.exports != null) return this.exported(scope, own, sub, required);
    const folder = this.packageFolder(name, importer);
    return folder === null ? { missing: 'it is not installed' } : this.ofPackage(folder, sub, required);
  }

  packageFolder(name, importer) {
    for (let folder = importer ? posix.dirname(importer) : '.'; ; folder = posix.dirname(folder)) {
      if (posix.basename(folder) !== 'node_modules') {
        const entry = this.installed.look(posix.join(folder, 'node_modules', name));
        if (entry !== null && entry.kind === 'folder') return entry.path;
      }
      if (folder === '.') return null;
    }
  }

  ofPackage(folder, sub, required) {
    const manifest = this.installed.manifest(folder);
    if (manifest !== null && manifest.exports != null) return this.exported(folder, manifest, sub, required);
    if (sub !== '.') return this.inPackage(folder, sub, required);
    const resolved = this.folder(folder, required);
    return resolved === null ? { missing: 'it has no main file' } : this.final(resolved, posix.join(folder, 'package.json'), required);
  }

  inPackage(folder, sub, required) {
    return this.relative({ specifier: sub.startsWith('.') ? sub : `./${sub}`, importer: posix.join(folder, 'package.json'), required });
  }

  exported(folder, manifest, sub, required) {
    const table = isTable(manifest.exports) ? manifest.exports : { '.': manifest.exports };
    const mapped = target(table, sub, conditions(required));
    if (mapped === null || !mapped.startsWith('./')) {
      const exported = Object.keys(table).filter((one) => !one.includes('*')).slice(0, 20).join(', ');
      return { missing: sub === '.' ? 'it exports nothing for this environment' : `the package does not export "${sub}"; it exports ${exported}` };
    }
    return this.exact(folder, mapped, required);
  }

  /* `#name`, which the package's own `imports` explain. */
  privately({ specifier, importer, required }) {
    const scope = this.installed.enclosing(importer);
    const manifest = scope !== null ? this.installed.manifest(scope) : null;
    if (!manifest || typeof manifest.imports !== 'object' || manifest.imports === null) return { missing: 'the package has no imports' };
    const mapped = target(manifest.imports, specifier, conditions(required));
    if (mapped === null) return { missing: 'the package does not list it in its imports' };
    return mapped.startsWith('./') ? this.exact(scope, mapped, required) : this.installedAt(mapped, importer, required);
  }

  exact(folder, mapped, required) {
    if (mapped.slice(2).split('/').some((one) => one === '..' || one === '.' || one === 'node_modules')) return { missing: 'the package names a file outside of its folder' };
    const path = posix.join(folder, mapped);
    const file = this.file(path, false);
    return file === null ? { missing: `the package names a file that it does not contain: ${mapped}` } : this.final(file, path, required);
  }

  file(path, withEndings = true) {
    for (const ending of withEndings ? ['', ...ENDINGS] : ['']) {
      const entry = this.installed.look(path + ending);
      if (entry !== null && entry.kind === 'file') return entry.path;
    }
    return null;
  }

  folder(path, required) {
    const entry = this.installed.look(path);
    if (entry === null || entry.kind !== 'folder') return null;
    const manifest = this.installed.manifest(entry.path) ?? {};
    const browser = typeof manifest.browser === 'string' ? [manifest.browser] : [];
    const mains = required ? [...browser, manifest.main, manifest.module] : [...browser, manifest.module, manifest.main];
    for (const main of mains) {
      if (typeof main !== 'string') continue;
      const named = posix.join(entry.path, main);
      const file = this.file(named) ?? this.file(posix.join(named, 'index'));
      if (file !== null) return file;
    }
    return this.file(posix.join(entry.path, 'index'));
  }

  /* What was found, unless its package puts another file in its place. */
  final(path, importer, required) {
    return this.replaced(path, path, required) ?? { path };
  }

  /* What the `browser` field of the package that holds `within` says about a path; null if nothing. */
  replaced(path, within, required) {
    const scope = within ? this.installed.enclosing(within) : null;
    const browser = scope !== null ? browserMap(this.installed.manifest(scope)) : null;
    if (browser === null || !path.startsWith(`${scope}/`)) return null;
    const inside = `./${path.slice(scope.length + 1)}`;
    const written = [inside, ...ENDINGS.map((one) => inside + one), ...['.js', '.json', '/index.js'].filter((one) => inside.endsWith(one)).map((one) => inside.slice(0, -one.length))];
    for (const key of written.flatMap((one) => [one, one.slice(2)])) {
      if (!Object.hasOwn(browser, key)) continue;
      const instead = browser[key];
      if (instead === false) return { disabled: path };
      if ((this.hops += 1) > MOST_HOPS) return { missing: 'the browser fields of packages form a cycle' };
      if (!instead.startsWith('.') && !this.file(posix.join(scope, instead))) return this.installedAt(instead, posix.join(scope, 'package.json'), required);
      const file = this.file(posix.join(scope, instead)) ?? this.folder(posix.join(scope, instead), required);
      return file === null ? { missing: `the package names a file that it does not contain: ${instead}` } : { path: file };
    }
    return null;
  }

  /** Whether a file must be kept although nothing that it exports is used; what its package says. */
  hasSideEffects(path) {
    const scope = this.installed.enclosing(path);
    const declared = scope !== null ? this.installed.manifest(scope).sideEffects : undefined;
    if (typeof declared === 'boolean') return declared;
    if (!Array.isArray(declared)) return true;
    if (!this.effects.has(scope)) this.effects.set(scope, declared.filter((one) => typeof one === 'string').slice(0, 1000).map(globPattern));
    const inside = path.slice(scope.length + 1);
    return this.effects.get(scope).some((one) => one.test(inside));
  }
}

/** The conditions of `exports` and `imports` that hold here. */
export function conditions(required) {
  return new Set([...CONDITIONS, required ? 'require' : 'import']);
}

function isTable(exports) {
  return typeof exports === 'object' && exports !== null && !Array.isArray(exports) && Object.keys(exports).some((one) => one.startsWith('.'));
}

function browserMap(manifest) {
  const browser = manifest?.browser;
  if (typeof browser !== 'object' || browser === null || Array.isArray(browser)) return null;
  return Object.fromEntries(Object.entries(browser).filter(([, instead]) => instead === false || typeof instead === 'string'));
}

/** The target of a key in a table of exports or imports, with `*` filled in; null if there is none. */
export function target(table, key, active) {
  if (Object.hasOwn(table, key) && !key.includes('*') && !key.endsWith('/')) return chosen(table[key], active, '');
  let best = null;
  for (const pattern of Object.keys(table)) {
    const star = pattern.indexOf('*');
    const before = star < 0 ? pattern : pattern.slice(0, star);
    const after = star < 0 ? '' : pattern.slice(star + 1);
    if ((star < 0 && !pattern.endsWith('/')) || !key.startsWith(before) || !key.endsWith(after) || key.length < before.length + after.length) continue;
    if (best === null || before.length > best.before.length) best = { pattern, before, match: key.slice(before.length, key.length - after.length) };
  }
  if (best === null) return null;
  const mapped = chosen(table[best.pattern], active, best.match);
  return mapped !== null && !best.pattern.includes('*') ? mapped + best.match : mapped;
}

function chosen(value, active, match) {
  if (typeof value === 'string') return value.split('*').join(match);
  if (Array.isArray(value)) {
    for (const one of value) {
      const mapped = chosen(one, active, match);
      if (mapped !== null) return mapped;
    }
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  for (const [condition, one] of Object.entries(value)) {
    if (!active.has(condition)) continue;
    const mapped = chosen(one, active, match);
    if (mapped !== null) return mapped;
  }
  return null;
}

function parts(specifier) {
  const [, name, sub] = /^(@[^/]+\/[^/]+|[^@/.][^/]*)(?:\/(.*))?$/.exec(specifier) ?? [null, null, ''];
  return { name, sub: sub ? `./${sub}` : '.' };
}

/* `*.css` means any folder, as bundlers read it. */
function globPattern(glob) {
  const plain = glob.replace(/^\.\//, '');
  const anywhere = (plain.includes('/') ? plain : `**/${plain}`).replace(/\*{2,}(?:\/\*{2,})*/g, '**');
  const source = anywhere.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*\*\/|\*\*|\*|\?/g, (one) => ({ '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*', '?': '[^/]' })[one]);
  return new RegExp(`^${source}$`);
}

