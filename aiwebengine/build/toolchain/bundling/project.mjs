/*
 * What a script's tsconfig.json files and its package.json say, as far as it changes what is built: which decorators,
 * which class fields, which JSX, and which files stand behind a path or a name with `#`.  The rest is for the editor
 * and for the type check.
 *
 * As for TypeScript's editor and for esbuild, the nearest tsconfig.json above a file counts for it, and no other.
 */
import { posix } from 'node:path';

import { conditions, target } from './resolve.mjs';
import { ConfigReader } from './tsconfig.mjs';
import { nearest } from '../nearest.mjs';

const NAMES = ['tsconfig.json', 'jsconfig.json'];
const LIKE_A_FILE = /^\.{0,2}\//;
const DEFINES = /^(es202[2-9]|es20[3-9]\d|esnext)$/;

/** Without a tsconfig.json: decorators of the standard, fields that are defined, and JSX that calls `h`. */
export const PLAIN = Object.freeze({ decorators: '2023-11', metadata: false, fields: 'define', jsx: null });

const NO_PROJECT = Object.freeze({ language: PLAIN, paths: [], base: null });

export class Projects {
  /**
   * @param {Object<string, string>} files - The author's, by path.
   * @param {import('./resolve.mjs').PackageResolver|null} resolver - Of the installed packages.
   */
  constructor(files, resolver) {
    this.files = files;
    this.reader = new ConfigReader(files, resolver);
    this.known = new Map(); // path of a tsconfig.json to what it says
    this.manifests = new Map(); // path of a package.json to its value
    // The one at the top is read also if no file needs it.
    const top = NAMES.find((name) => Object.hasOwn(files, name));
    if (top !== undefined) this.read(top);
  }

  /** What is wrong with the files that were read so far. */
  get problems() {
    return this.reader.problems;
  }

  /**
   * Return what counts for a file.
   *
   * @param {string} path - Of one of the author's files.
   * @returns {object} `language`, which changes how it is lowered: `decorators`, a version of Babel's plugin; `metadata`,
   *   whether types are told to decorators; `fields`, `define` or `set`; `jsx`, `{runtime, importSource, factory, fragment}`
   *   or null.  `paths`, a list of `{before, after, targets}`; and `base`, the folder in which other paths are looked for,
   *   or null.
   */
  of(path) {
    const config = this.nearest(NAMES, path);
    return config === undefined ? NO_PROJECT : this.read(config);
  }

  read(config) {
    if (!this.known.has(config)) {
      const options = this.reader.options(config);
      const language = { ...PLAIN, ...decoratorsOf(options), fields: fieldsOf(options), jsx: jsxOf(options) };
      this.known.set(config, { language, paths: pathsOf(options), base: typeof options.baseUrl === 'string' ? options.baseUrl : null });
    }
    return this.known.get(config);
  }

  /* The file with one of some names in the folder of a file, or in the nearest one above; undefined if there is none. */
  nearest(names, path) {
    for (let folder = posix.dirname(path); ; folder = posix.dirname(folder)) {
      const found = names.map((name) => posix.join(folder, name)).find((one) => Object.hasOwn(this.files, one));
      if (found !== undefined || folder === '.' || folder === '/') return found;
    }
  }

  /**
   * Return what an import of `#name` means by the `imports` of the nearest package.json.
   *
   * @param {string} specifier - Begins with `#`.
   * @param {string} importer - The author's file in which it stands.
   * @param {boolean} required - It is a call of require().
   * @returns {{file: string}|{package: string}|{missing: string, hint: string}} A path in the script, or what to import
   *   instead.
   */
  named(specifier, importer, required) {
    const { path, manifest } = this.packageOf(importer);
    const imports = manifest?.imports;
    if (typeof imports !== 'object' || imports === null || Array.isArray(imports)) {
      return { missing: path === undefined ? 'there is no package.json' : `${path} has no "imports"`, hint: `Add it to package.json: "imports": { "${specifier}": "./..." }.` };
    }
    const mapped = target(imports, specifier, conditions(required));
    if (mapped === null) {
      const meant = nearest(specifier, Object.keys(imports));
      return { missing: `${path} does not have it in its "imports"`, hint: meant !== null ? `Did you mean "${meant}"?` : `It has ${Object.keys(imports).slice(0, 20).join(', ')}.` };
    }
    const file = posix.join(posix.dirname(path), mapped);
    if (/^[./]/.test(mapped) && (!mapped.startsWith('./') || file.startsWith('..'))) return { missing: `"imports" of ${path} leads to "${mapped}"`, hint: 'Write the path of a file of the script, which begins with "./", or a package.' };
    return mapped.startsWith('./') ? { file } : { package: mapped };
  }

  /**
   * Return the file that an import of the script's own name means by the `exports` of its package.json, or null.
   */
  selfNamed(specifier, importer, required) {
    const { path, manifest } = this.packageOf(importer);
    const { name, exports } = manifest ?? {};
    if (typeof name !== 'string' || exports == null || (specifier !== name && !specifier.startsWith(`${name}/`))) return null;
    const table = typeof exports === 'object' && Object.keys(exports).some((one) => one.startsWith('.')) ? exports : { '.': exports };
    const mapped = target(table, `.${specifier.slice(name.length)}`, conditions(required));
    return mapped?.startsWith('./') ? posix.join(posix.dirname(path), mapped) : null;
  }

  packageOf(file) {
    const path = this.nearest(['package.json'], file);
    if (path === undefined) return { path, manifest: null };
    if (!this.manifests.has(path)) {
      let value = null;
      try {
        value = JSON.parse(this.files[path]);
      } catch { /* what is wrong with it is told where it is read for the server */ }
      this.manifests.set(path, value);
    }
    return { path, manifest: this.manifests.get(path) };
  }
}

/**
 * Return the own files that an import may mean by the paths of a project, the likeliest first.
 *
 * @param {string} specifier - As it is written.
 */
export function targetsOf({ paths, base }, specifier) {
  if (LIKE_A_FILE.test(specifier)) return [];
  const fits = ({ before, after }) => specifier.length >= before.length + (after ?? '').length && (after === null ? specifier === before : specifier.startsWith(before) && specifier.endsWith(after));
  // As in TypeScript the pattern with the longest text before its star wins.
  const [found] = paths.filter(fits).sort((a, b) => (b.after === null) - (a.after === null) || b.before.length - a.before.length);
  const targets = found === undefined ? [] : found.targets.map((one) => one.replace('*', specifier.slice(found.before.length, specifier.length - (found.after ?? '').length)));
  return [...targets, ...(base === null ? [] : [posix.join(base, specifier)])];
}

function decoratorsOf({ experimentalDecorators, emitDecoratorMetadata }) {
  return experimentalDecorators === true ? { decorators: 'legacy', metadata: emitDecoratorMetadata === true } : {};
}

/* As in TypeScript: fields are those of the standard from ES2022 on, and without a target, which means the newest. */
function fieldsOf({ useDefineForClassFields, target: version }) {
  if (typeof useDefineForClassFields === 'boolean') return useDefineForClassFields ? 'define' : 'set';
  return typeof version !== 'string' || DEFINES.test(version.toLowerCase()) ? 'define' : 'set';
}

function jsxOf({ jsx, jsxImportSource, jsxFactory, jsxFragmentFactory }) {
  const kind = typeof jsx === 'string' ? jsx.toLowerCase() : '';
  if (kind === 'react-jsx' || kind === 'react-jsxdev') return { runtime: 'automatic', importSource: typeof jsxImportSource === 'string' ? jsxImportSource : 'react' };
  if (typeof jsxFactory !== 'string') return null;
  return { runtime: 'classic', factory: jsxFactory, fragment: typeof jsxFragmentFactory === 'string' ? jsxFragmentFactory : 'React.Fragment' };
}

function pathsOf({ paths, pathsFrom }) {
  return Object.entries(paths ?? {}).map(([pattern, targets]) => {
    const star = pattern.indexOf('*');
    return {
      before: star < 0 ? pattern : pattern.slice(0, star),
      after: star < 0 ? null : pattern.slice(star + 1),
      targets: targets.map((one) => (one.startsWith('/') ? posix.join('.', one) : posix.join(pathsFrom, one))),
    };
  });
}
