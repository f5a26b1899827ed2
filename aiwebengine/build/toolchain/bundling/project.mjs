/*
 * What a script's tsconfig.json says, as far as it changes what is built: which decorators, which JSX, and which files
 * stand behind a path.  The rest is for the editor and for `tsc`.
 */
import { parse, printParseErrorCode } from 'jsonc-parser/lib/esm/main.js'; // its main file asks for its parts by names that no bundler can follow
import { posix } from 'node:path';

const NAMES = ['tsconfig.json', 'jsconfig.json'];
const MOST_EXTENDED = 20;
const LIKE_A_FILE = /^\.{0,2}\//;

/** Without a tsconfig.json: decorators of the standard, and JSX that calls `h`. */
export const PLAIN = Object.freeze({ decorators: '2023-11', metadata: false, jsx: null, paths: [], base: null });

/**
 * Read the project of a script.
 *
 * @param {Object<string, string>} files - Path to text.
 * @returns {{project: object, problems: object[]}} `project` has `decorators`, a version of Babel's plugin; `metadata`,
 *   whether types are told to decorators; `jsx`, `{runtime, importSource, factory, fragment}` or null; `paths`, a list of
 *   `{before, after, targets}`; and `base`, the folder in which other paths are looked for, or null.
 */
export function projectOf(files) {
  const path = NAMES.find((name) => Object.hasOwn(files, name));
  if (path === undefined) return { project: PLAIN, problems: [] };
  const problems = [];
  const options = optionsOf(path, files, problems, []);
  return { project: { ...PLAIN, ...decoratorsOf(options), jsx: jsxOf(options), ...pathsOf(options, path, problems) }, problems };
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
  const targets = found === undefined ? [] : found.targets.map((target) => target.replace('*', specifier.slice(found.before.length, specifier.length - (found.after ?? '').length)));
  return [...targets, ...(base === null ? [] : [posix.join(base, specifier)])];
}

/* The compiler options of a file, with those of the files that it extends below them. */
function optionsOf(path, files, problems, above) {
  const text = files[path];
  const faults = [];
  const value = parse(text, faults, { allowTrailingComma: true }) ?? {};
  if (faults.length > 0) {
    problems.push(problem(path, text, faults[0].offset, 'bad_tsconfig', `${path} is not JSON: ${printParseErrorCode(faults[0].error).replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()}.`, 'Comments and a comma at the end of a list may stand there.', 'error'));
    return {};
  }
  const extended = [value.extends ?? []].flat();
  const below = extended.map((one) => {
    const other = typeof one === 'string' ? extendedFile(one, path, files) : undefined;
    if (other === undefined || above.includes(other) || above.length >= MOST_EXTENDED) {
      problems.push(problem(path, text, text.indexOf(JSON.stringify(one)), 'tsconfig_extends', `${path} extends ${JSON.stringify(one)}, which is not among the script's files, so nothing of it is used.`, 'Only files of the script can be extended; write the options that change what is built into this file.', 'warning'));
      return {};
    }
    return optionsOf(other, files, problems, [...above, path]);
  });
  const own = { ...value.compilerOptions };
  // Paths are relative to the file that has them.
  if (typeof own.baseUrl === 'string') own.baseUrl = posix.join(posix.dirname(path), own.baseUrl);
  if (own.paths) own.pathsFrom = own.baseUrl ?? posix.dirname(path);
  return Object.assign({}, ...below, own);
}

function extendedFile(name, importer, files) {
  if (!LIKE_A_FILE.test(name)) return undefined;
  const path = posix.join(posix.dirname(importer), name);
  return [path, `${path}.json`].find((one) => Object.hasOwn(files, one));
}

function decoratorsOf({ experimentalDecorators, emitDecoratorMetadata }) {
  return experimentalDecorators === true ? { decorators: 'legacy', metadata: emitDecoratorMetadata === true } : {};
}

function jsxOf({ jsx, jsxImportSource, jsxFactory, jsxFragmentFactory }) {
  const kind = typeof jsx === 'string' ? jsx.toLowerCase() : '';
  if (kind === 'react-jsx' || kind === 'react-jsxdev') return { runtime: 'automatic', importSource: typeof jsxImportSource === 'string' ? jsxImportSource : 'react' };
  if (typeof jsxFactory !== 'string') return null;
  return { runtime: 'classic', factory: jsxFactory, fragment: typeof jsxFragmentFactory === 'string' ? jsxFragmentFactory : 'React.Fragment' };
}

function pathsOf({ paths, pathsFrom, baseUrl }, path, problems) {
  const table = paths !== null && typeof paths === 'object' ? Object.entries(paths) : [];
  const list = table.map(([pattern, targets]) => {
    const star = pattern.indexOf('*');
    return {
      before: star < 0 ? pattern : pattern.slice(0, star),
      after: star < 0 ? null : pattern.slice(star + 1),
      targets: (Array.isArray(targets) ? targets : []).filter((one) => typeof one === 'string').map((one) => posix.join(pathsFrom, one)),
    };
  });
  for (const { targets, before } of list) {
    if (targets.length === 0) problems.push({ severity: 'warning', code: 'bad_tsconfig', message: `"paths" of ${path} has no files for "${before}".`, hint: 'Write a list of paths: "@/*": ["src/*"].', file: path, line: null, column: null, snippet: null });
  }
  return { paths: list, base: typeof baseUrl === 'string' ? baseUrl : null };
}

function problem(file, text, offset, code, message, hint, severity) {
  const before = text.slice(0, Math.max(0, offset)).split('\n');
  return { severity, code, message, hint, file, line: before.length, column: before.at(-1).length + 1, snippet: (text.split('\n')[before.length - 1] ?? '').slice(0, 200) };
}
