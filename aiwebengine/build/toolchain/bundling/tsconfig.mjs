/*
 * The compiler options of a tsconfig.json or jsconfig.json, with those of the files that it extends, checked as far as
 * they change what is built.
 *
 * Comments and trailing commas may stand in it.  A file may extend others of the script, or of a package, as TypeScript
 * finds them: `"extends": "@tsconfig/node20/tsconfig.json"`.
 */
import { findNodeAtLocation, parse, parseTree, printParseErrorCode } from 'jsonc-parser/lib/esm/main.js'; // its main file asks for its parts by names that no bundler can follow
import { posix } from 'node:path';

import { nearest } from '../nearest.mjs';

const MOST_EXTENDED = 20;
const LIKE_A_FILE = /^\.{0,2}\//;
const NAME = /^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*$/;
const JSX = ['preserve', 'react', 'react-native', 'react-jsx', 'react-jsxdev'];
const TARGETS = ['es3', 'es5', 'es6', 'es2015', 'es2016', 'es2017', 'es2018', 'es2019', 'es2020', 'es2021', 'es2022', 'es2023', 'es2024', 'es2025', 'es2026', 'esnext'];

const boolean = { fits: (value) => typeof value === 'boolean', wanted: 'true or false' };
const string = { fits: (value) => typeof value === 'string', wanted: 'a string' };
const name = { fits: (value) => typeof value === 'string' && NAME.test(value), wanted: 'a name such as "h" or "React.createElement"' };
const oneOf = (names) => ({ fits: (value) => typeof value === 'string' && names.includes(value.toLowerCase()), wanted: names.map((one) => `"${one}"`).join(', ') });

/* The options that change what is built; null removes one that an extended file has. */
const OPTIONS = {
  experimentalDecorators: boolean,
  emitDecoratorMetadata: boolean,
  useDefineForClassFields: boolean,
  jsx: oneOf(JSX),
  jsxFactory: name,
  jsxFragmentFactory: name,
  jsxImportSource: string,
  target: oneOf(TARGETS),
  baseUrl: string,
  paths: { fits: (value) => typeof value === 'object' && !Array.isArray(value), wanted: 'an object of patterns and lists of paths: { "@/*": ["./src/*"] }' },
};
const FAMILY = { strict: boolean, noUncheckedIndexedAccess: boolean, isolatedModules: boolean, verbatimModuleSyntax: boolean };

export class ConfigReader {
  /**
   * @param {Object<string, string>} files - The author's, by path.
   * @param {import('./resolve.mjs').PackageResolver|null} resolver - Of the installed packages; null if there are none.
   */
  constructor(files, resolver) {
    this.files = files;
    this.resolver = resolver;
    this.problems = [];
  }

  /**
   * Read the options of a file, with those of the files that it extends below them.
   *
   * @param {string} path - Of one of the author's files.
   * @returns {object} Compiler options; `baseUrl` is a path in the script, and `pathsFrom` the folder from which `paths` count.
   */
  options(path) {
    return this.read({ path, packaged: false }, posix.dirname(path), []);
  }

  read(file, folder, above) {
    const text = file.packaged ? this.resolver.installed.read(file.path) : this.files[file.path];
    const faults = [];
    const value = parse(text, faults, { allowTrailingComma: true });
    const written = { ...file, text, tree: parseTree(text, [], { allowTrailingComma: true }) };
    if (faults.length > 0) {
      this.tell(written, faults[0].offset, 'error', `${file.path} is not JSON: ${printParseErrorCode(faults[0].error).replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()}.`, 'Comments and a comma at the end of a list may stand there.');
      return {};
    }
    if (value === undefined) return {}; // an empty file, as in TypeScript
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.tell(written, 0, 'error', `${file.path} is not an object.`, 'Write { "compilerOptions": { ... } }.');
      return {};
    }
    const below = this.extended(value, written, folder, above);
    return Object.assign({}, ...below, this.own(value.compilerOptions, written, folder));
  }

  extended(value, written, folder, above) {
    const list = value.extends === undefined ? [] : [value.extends].flat();
    return list.map((one, at) => {
      const keys = Array.isArray(value.extends) ? ['extends', at] : ['extends'];
      const found = typeof one === 'string' && one !== '' ? this.find(one, written) : { missing: 'is neither a path nor a package', hint: 'Write a path such as "./tsconfig.base.json", or a package.' };
      if (found.path !== undefined && [...above, written.path].includes(found.path)) Object.assign(found, { path: undefined, missing: 'extends it', hint: 'Remove one of the two.' });
      if (found.path === undefined || above.length >= MOST_EXTENDED) {
        this.tellAt(written, keys, found.severity ?? 'error', 'tsconfig_extends', `${written.path} extends ${JSON.stringify(one)}, which ${found.missing ?? 'is extended too deeply'}.`, found.hint ?? null);
        return {};
      }
      return this.read(found, folder, [...above, written.path]);
    });
  }

  /* Where an extended file lies, or why there is none. */
  find(wanted, { path, packaged }) {
    if (LIKE_A_FILE.test(wanted)) {
      const target = posix.join(posix.dirname(path), wanted);
      if (!packaged && (wanted.startsWith('/') || target.startsWith('..'))) {
        return { missing: 'lies outside of the script, so nothing of it is used', hint: 'Only files of the script and packages can be extended; write the options that change what is built into this file.', severity: 'warning' };
      }
      const there = (one) => (packaged ? this.resolver.installed.look(one)?.kind === 'file' : Object.hasOwn(this.files, one));
      const found = [target, `${target}.json`].find(there);
      return found === undefined ? { missing: `is not among the ${packaged ? 'files of the package' : "script's files"}`, hint: packaged ? 'Use another version of the package.' : 'Deploy that file too, or write its options into this one.' } : { path: found, packaged };
    }
    const found = this.resolver?.configuration(wanted, packaged ? path : '') ?? null;
    const [, named] = /^(@[^/]+\/[^/]+|[^/]+)/.exec(wanted);
    if (found === null) return { missing: 'is not among the installed packages', hint: `Add the package to package.json: "devDependencies": { "${named}": "..." }.` };
    return { path: found, packaged: true };
  }

  /* The options of one file itself, without those that are wrong. */
  own(options, written, folder) {
    if (options === undefined) return {};
    if (typeof options !== 'object' || options === null || Array.isArray(options)) {
      this.tellAt(written, ['compilerOptions'], 'error', 'bad_tsconfig', `"compilerOptions" of ${written.path} is not an object.`, 'Write "compilerOptions": { ... }.');
      return {};
    }
    const own = {};
    for (const [option, value] of Object.entries(options)) {
      const { fits, wanted } = OPTIONS[option] ?? FAMILY[option] ?? {};
      if (fits === undefined) this.misspelled(option, written);
      else if (value === null || fits(value)) own[option] = value;
      else this.tellAt(written, ['compilerOptions', option], 'error', 'bad_tsconfig', `"${option}" of ${written.path} is ${shown(value)}.`, `It must be ${wanted}.`);
    }
    if (own.paths) own.paths = this.paths(own.paths, written, folder);
    const here = posix.dirname(written.path);
    const rooted = (path) => (path.startsWith('${configDir}') ? posix.join(folder, path.slice('${configDir}'.length) || '.') : posix.join(here, path));
    if (typeof own.baseUrl === 'string') own.baseUrl = rooted(own.baseUrl);
    // Paths are relative to the file that has them.
    if (own.paths) own.pathsFrom = own.baseUrl ?? here;
    return own;
  }

  paths(table, written, folder) {
    const kept = {};
    for (const [pattern, targets] of Object.entries(table)) {
      const wrong = wrongPath(pattern, targets);
      if (wrong !== null) this.tellAt(written, ['compilerOptions', 'paths', pattern], 'error', 'bad_tsconfig', `"paths" of ${written.path} has ${wrong} for ${JSON.stringify(pattern)}.`, 'Write a pattern with at most one star, and a list of paths: "@/*": ["./src/*"].');
      else kept[pattern] = targets.map((one) => one.replace('${configDir}', `/${folder}`));
    }
    return kept;
  }

  misspelled(option, written) {
    const meant = nearest(option, Object.keys(OPTIONS));
    if (meant !== null && (meant.toLowerCase() === option.toLowerCase() || meant.length > 6)) {
      this.tellAt(written, ['compilerOptions', option], 'warning', 'bad_tsconfig', `${written.path} has an option "${option}", which does not exist.`, `Did you mean "${meant}"?`);
    }
  }

  tellAt(written, keys, severity, code, message, hint) {
    const node = written.tree === undefined ? undefined : findNodeAtLocation(written.tree, keys);
    const property = node?.parent?.type === 'property' && keys[0] !== 'extends' ? node.parent : node;
    this.tell(written, property?.offset ?? 0, severity, message, hint, code);
  }

  tell({ path, text }, offset, severity, message, hint, code = 'bad_tsconfig') {
    const before = text.slice(0, offset).split('\n');
    const snippet = (text.split('\n')[before.length - 1] ?? '').slice(0, 200);
    this.problems.push({ severity, code, message, hint, file: path, line: before.length, column: before.at(-1).length + 1, snippet });
  }
}

/* What is wrong with one of `paths`; null if nothing is. */
function wrongPath(pattern, targets) {
  if (pattern.split('*').length > 2) return 'two stars';
  if (!Array.isArray(targets)) return `${shown(targets)}, which is no list,`;
  if (targets.length === 0) return 'an empty list';
  const odd = targets.find((one) => typeof one !== 'string' || one.split('*').length > 2);
  return odd === undefined ? null : shown(odd);
}

function shown(value) {
  return JSON.stringify(value).slice(0, 80);
}
