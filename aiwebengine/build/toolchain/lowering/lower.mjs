/*
 * One file of a script, from what its author wrote to ES5, with what is wrong with it.
 */
import * as babel from '@babel/core';
import decorators from '@babel/plugin-proposal-decorators';
import presetEnv from '@babel/preset-env';
import presetReact from '@babel/preset-react';
import presetTypeScript from '@babel/preset-typescript';
import typesForDecorators from 'babel-plugin-transform-typescript-metadata';

import { accessors } from './accessors.mjs';
import { arrows } from './arrows.mjs';
import { checks } from './checks.mjs';
import { bigints } from './bigint/operators.mjs';
import { isCommonJs, requireForms } from '../bundling/commonjs.mjs';
import { awaits, mayAwait } from '../bundling/awaits.mjs';
import { assignedFields, declaredParameters } from './fields.mjs';
import { frames } from './frames.mjs';
import { sharedHelpers } from './helpers.mjs';
import { names } from './names.mjs';
import { namespaces } from './namespaces.mjs';
import { numbers } from './numbers.mjs';
import { objects } from './objects.mjs';
import { patterns } from './patterns.mjs';
import { places } from './places.mjs';
import { strict } from './strict.mjs';
import { nodes } from '../nodejs/globals.mjs';
import { asks, surroundings } from '../bundling/surroundings.mjs';
import { exportedTypes, legacyDecorators } from './typed.mjs';

/* What imports and exports nothing may be an older script. */
const SCRIPT = /\.c?js$/;
const PRAGMA = /@jsx(?:Frag)?\s/;
const IMPORT_PRAGMA = /@jsx(?:ImportSource\s|Runtime\s+automatic\b)/;
const REACT = /\bfrom\s*['"](?:react|preact)(?:\/[^'"]*)?['"]|require\(['"](?:react|preact)['"]\)|\b(?:const|let|var|function|class)\s+React\b/;

/** Babel's settings with which nothing is read but the text itself: no settings in folders, no file that a comment names. */
export const ALONE = { babelrc: false, configFile: false, browserslistConfigFile: false, inputSourceMap: false, highlightCode: false };

// Duktape has symbols, so typeof tells them; esbuild sees to modules.
export const ENVIRONMENT = [presetEnv, { targets: 'ie 9', modules: false, exclude: ['transform-typeof-symbol'] }];

/* Of files with `export =`, which may have imports, too. */
const COMMONJS_ENVIRONMENT = [presetEnv, { targets: 'ie 9', modules: 'commonjs', exclude: ['transform-typeof-symbol'] }];

/* `import data from "./data.json" assert { type: "json" }`: how `with` was called before; Babel no longer reads it. */
const ASSERTED = /(\b(?:from|import)\s*(["'])[^"'\n]*\2\s*)assert(\s*\{\s*["']?type\b)/g;

/* Babel prepares a plugin or preset once for each object of options, so there is one object for all files that have the same. */
const prepared = new Map();
function prepare(plugin, options) {
  if (!prepared.has(plugin)) prepared.set(plugin, new Map());
  const known = prepared.get(plugin);
  const key = JSON.stringify(options);
  if (!known.has(key)) known.set(key, [plugin, options]);
  return known.get(key);
}

const LEGACY_HINT = 'Only the older decorators may stand there: add "experimentalDecorators": true to "compilerOptions" of tsconfig.json.';

/**
 * Lower one file.
 *
 * @param {string} path - Path in the script, for messages and the source map.
 * @param {string} written - Its text.
 * @param {object} options - `own`: the author's file, not a package's; `entry`: the file to start with;
 *   `known` and `advice`: the names scripts may use; `script`: parse as a script, not a module; `project`: the
 *   language that tsconfig.json says, see project.mjs; `waits`: see awaits.mjs;
 *   `mode` and `files`: see surroundings.mjs; `nodes`: see globals.mjs, without it names of Node.js are left as they are;
 *   `bigint`: whether an operand may be a BigInt, and `everywhere` if so in all of the script, see bigint/.
 * @returns {{code: string, map: object, problems: object[], imports: object,
 *   functions: Array[], globals: string[], helpers: string[], plain: boolean, awaits: boolean}} `imports` tells where each module is
 *   imported first; `functions` what places.mjs notes; `globals` the names that it makes for all files; `helpers` those
 *   that it calls, see helpers.mjs; `plain` that the source is ES5 already.
 */
export function lower(path, written, options) {
  const source = written.replace(ASSERTED, '$1with  $3');
  const problems = [];
  const imports = {};
  const functions = [];
  const globals = [];
  const helpers = [];
  const found = { plain: true };
  const typed = /\.[mc]?tsx?$/.test(path);
  const jsx = /\.(jsx|tsx)$/.test(path) || (options.own && /\.js$/.test(path) && /<[A-Za-z>]/.test(source));
  const alone = { ...ALONE, filename: path, sourceFileName: path };
  const { project, waits } = options;
  const html = jsx ? jsxOf(source, project.jsx) : null;
  const commonjs = options.commonjs || (options.own && isCommonJs(path, source));
  const parsing = { sourceType: commonjs || SCRIPT.test(path) ? 'unambiguous' : 'module', parserOpts: { errorRecovery: false, allowReturnOutsideFunction: commonjs } };
  const problem = (node, code, message, hint) => problems.push({ severity: 'error', code, message, hint, ...placeOf(path, source, node) });
  try {
    const untyped = typed ? withoutTypes(source, { ...alone, ...parsing }, { functions, written: html, jsx, project, found }) : null;
    const early = [
      ...(asks(source, options.own) ? [[surroundings, { ...options, path, problem }]] : []),
      ...(waits !== undefined || mayAwait(source) ? [[awaits, { entry: options.entry, waits: waits ?? [], found }]] : []),
    ];
    const tree = early.length > 0 ? changed(untyped, source, { ...alone, ...parsing, plugins: early }, jsx) : untyped;
    const lowering = {
      ...alone,
      ...parsing,
      compact: false,
      sourceMaps: true,
      retainLines: true,
      generatorOpts: { jsescOption: { minimal: false }, shouldPrintComment: (text) => !/[#@]\s*sourceMappingURL=/.test(text) },
      plugins: [
        [sharedHelpers, { helpers }],
        [arrows, { named: true }],
        [strict, { path, commonjs: options.commonjs, own: options.own }],
        [places, { functions: untyped === null ? functions : null, lowered: true }],
        ...(project.decorators === 'legacy' ? [accessors] : []),
        ...(options.nodes === undefined ? [] : [[nodes, { ...options.nodes, own: options.own, helpers, found, problem }]]),
        [checks, { ...options, requires: commonjs || found.exported, problems, imports, globals, found, path, source }],
        ...(options.bigint ? [[bigints, { helpers, everywhere: options.bigint === 'everywhere', found }]] : []),
        prepare(decorators, { version: project.decorators }),
        names,
        objects,
        [patterns, { found }],
        [numbers, { found }],
        [frames, { found }],
      ],
      presets: [found.exported ? COMMONJS_ENVIRONMENT : ENVIRONMENT, ...(jsx ? [prepare(presetReact, { ...html, development: false, pure: false, throwIfNamespace: false })] : [])],
      ...(typed && project.fields === 'set' ? { assumptions: { setPublicClassFields: true } } : {}),
      cloneInputAst: false, // nobody else has it
    };
    const result = tree === null ? babel.transformSync(source, lowering) : babel.transformFromAstSync(tree, source, lowering);
    return { awaits: found.awaits === true, code: result.code, map: result.map, problems: withoutMade(problems, globals), imports, functions, globals, helpers, plain: found.plain && !typed && !jsx };
  } catch (error) {
    problems.push(syntaxProblem(path, source, error, { jsx, project }));
    return { code: '', map: null, problems, imports, functions, globals, helpers: [], plain: false };
  }
}

/*
 * How JSX is written out: by what stands in the file, or in tsconfig.json, or else with `h`, unless the file has React.
 */
function jsxOf(source, given) {
  if (IMPORT_PRAGMA.test(source)) return { runtime: 'automatic' };
  if (PRAGMA.test(source)) return { runtime: 'classic' };
  if (given?.runtime === 'automatic') return { runtime: 'automatic', importSource: given.importSource };
  if (given !== null && given !== undefined) return { runtime: 'classic', pragma: given.factory, pragmaFrag: given.fragment };
  return REACT.test(source) ? { runtime: 'classic' } : { runtime: 'classic', pragma: 'h', pragmaFrag: 'Fragment' };
}

/** Problems without those of names that some file makes: `globalThis.name = ...`. */
export function withoutMade(problems, globals) {
  return problems.filter(({ code, name }) => code !== 'unknown_name' || !globals.includes(name));
}

/*
 * The tree of a file of TypeScript without its types.  What stands for a name is known only then: a parameter that is
 * a property, a member of an enum or of a namespace.
 */
function withoutTypes(source, settings, { functions, written, jsx, project, found }) {
  const { ast } = babel.transformSync(source, {
    ...settings,
    ast: true,
    code: false,
    parserOpts: { ...settings.parserOpts, plugins: [...(project.decorators === 'legacy' ? ['decorators-legacy'] : ['decorators', 'decoratorAutoAccessors']), ...(jsx ? ['jsx'] : [])] },
    plugins: [[places, { functions, lowered: false }], [requireForms, { found }], namespaces, exportedTypes, ...(project.metadata ? [typesForDecorators] : []), ...(project.decorators === 'legacy' ? [[legacyDecorators, { assigned: project.fields === 'set' }], accessors] : []), project.fields === 'set' ? [assignedFields, { legacy: project.decorators === 'legacy' }] : declaredParameters],
    presets: [prepare(presetTypeScript, { onlyRemoveTypeImports: false, ...(written?.pragma ? { jsxPragma: written.pragma, jsxPragmaFrag: written.pragmaFrag } : {}) })],
  });
  return ast;
}

/* The tree of a file after plugins that must have seen the whole of it before anything is lowered. */
function changed(untyped, source, settings, jsx) {
  const reading = { ...settings, ast: true, code: false, cloneInputAst: false };
  if (untyped !== null) return babel.transformFromAstSync(untyped, source, reading).ast;
  return babel.transformSync(source, { ...reading, parserOpts: { ...settings.parserOpts, plugins: ['decorators', 'decoratorAutoAccessors', ...(jsx ? ['jsx'] : [])] } }).ast;
}

function placeOf(file, source, { loc }) {
  return { file, line: loc?.start.line ?? null, column: loc ? loc.start.column + 1 : null, snippet: loc ? (source.split('\n')[loc.start.line - 1] || '').slice(0, 200) : null };
}

/* Babel's message names the file and shows the source; we have places of our own for both. */
function syntaxProblem(path, source, error, { jsx, project }) {
  const at = error.loc;
  const message = String(error.message).split('\n')[0].replace(/^.*?: /, '').replace(/ \(\d+:\d+\)$/, '');
  return {
    code: 'syntax',
    message: message || 'The file cannot be parsed.',
    file: path,
    line: at ? at.line : null,
    column: at ? at.column + 1 : null,
    snippet: at ? (source.split('\n')[at.line - 1] || '').slice(0, 200) : null,
    hint: /\bdecorate parameters/.test(message) && project.decorators !== 'legacy' ? LEGACY_HINT : endingHint(path, source, jsx),
  };
}

/* Whether the text is right and the ending of the file's name is not: types in .js, JSX in .ts. */
function endingHint(path, source, jsx) {
  const parses = (...plugins) => {
    try {
      babel.parseSync(source, { ...ALONE, filename: 'file', sourceType: 'module', parserOpts: { plugins: ['decorators-legacy', ...plugins] } });
      return true;
    } catch {
      return false;
    }
  };
  const [, stem, dialect] = /^(.*)\.[mc]?([jt]s)x?$/.exec(path) ?? [];
  if (stem === undefined) return null;
  if (dialect === 'ts') return !jsx && !parses('typescript') && parses('typescript', 'jsx') ? `This is JSX: name the file ${stem}.tsx.` : null;
  if (parses('typescript')) return `This is TypeScript: name the file ${stem}.ts.`;
  return parses('typescript', 'jsx') ? `This is ${jsx ? 'TypeScript with JSX' : 'JSX'}: name the file ${stem}.tsx.` : null;
}
