/*
 * One file of a script, from what its author wrote to ES5, with what is wrong with it.
 */
import * as babel from '@babel/core';
import decorators from '@babel/plugin-proposal-decorators';
import presetEnv from '@babel/preset-env';
import presetReact from '@babel/preset-react';
import presetTypeScript from '@babel/preset-typescript';

import { checks } from './checks.mjs';
import { names } from './names.mjs';
import { numbers } from './numbers.mjs';
import { objects } from './objects.mjs';
import { patterns } from './patterns.mjs';
import { places } from './places.mjs';

const PRAGMA = /@jsx(?:Runtime|ImportSource)?\s/;
const REACT = /\bfrom\s*['"](?:react|preact)(?:\/[^'"]*)?['"]|require\(['"](?:react|preact)['"]\)|\b(?:const|let|var|function|class)\s+React\b/;

/**
 * Lower one file.
 *
 * @param {string} path - Path in the script, for messages and the source map.
 * @param {string} source - Its text.
 * @param {object} options - `own`: the author's file, not a package's; `entry`: the file to start with;
 *   `known` and `advice`: the names scripts may use; `script`: parse as a script, not a module.
 * @returns {Promise<{code: string, map: object, problems: object[], imports: object,
 *   functions: Array[], plain: boolean}>} `imports` tells where each module is imported first; `functions` what
 *   places.mjs notes; `plain` that the source is ES5 already.
 */
export async function lower(path, source, options) {
  const problems = [];
  const imports = {};
  const functions = [];
  const found = { plain: true };
  const typed = /\.[mc]?tsx?$/.test(path);
  const jsx = /\.(jsx|tsx)$/.test(path) || (options.own && /\.js$/.test(path) && /<[A-Za-z>]/.test(source));
  const presets = [
    // Duktape has symbols, so typeof tells them; esbuild sees to modules.
    [presetEnv, { targets: 'ie 9', modules: false, exclude: ['transform-typeof-symbol'] }],
  ];
  if (typed) presets.push([presetTypeScript, { onlyRemoveTypeImports: false }]);
  if (jsx) {
    const own = !PRAGMA.test(source) && !REACT.test(source);
    presets.push([presetReact, { runtime: 'classic', pure: false, ...(own ? { pragma: 'h', pragmaFrag: 'Fragment' } : {}), throwIfNamespace: false }]);
  }
  try {
    const result = await babel.transformAsync(source, {
      filename: path,
      sourceFileName: path,
      // Nothing is read but the text itself: no settings in the folders above, no file that a comment names.
      babelrc: false,
      configFile: false,
      browserslistConfigFile: false,
      inputSourceMap: false,
      compact: false,
      sourceType: options.commonjs ? 'unambiguous' : 'module',
      sourceMaps: true,
      retainLines: true,
      highlightCode: false,
      parserOpts: { errorRecovery: false, allowReturnOutsideFunction: options.commonjs },
      generatorOpts: { jsescOption: { minimal: false }, shouldPrintComment: (text) => !/[#@]\s*sourceMappingURL=/.test(text) },
      plugins: [[places, { functions }], [checks, { ...options, problems, imports, found, path, source, typed }], [decorators, { version: 'legacy' }], [names, { own: options.own }], objects, [patterns, { found }], numbers],
      presets,
    });
    return { code: result.code, map: result.map, problems, imports, functions, plain: found.plain && !typed && !jsx };
  } catch (error) {
    problems.push(syntaxProblem(path, source, error));
    return { code: '', map: null, problems, imports, functions, plain: false };
  }
}

/* Babel's message names the file and shows the source; we have places of our own for both. */
function syntaxProblem(path, source, error) {
  const at = error.loc;
  const message = String(error.message).split('\n')[0].replace(/^.*?: /, '').replace(/ \(\d+:\d+\)$/, '');
  return {
    code: 'syntax',
    message: message || 'The file cannot be parsed.',
    file: path,
    line: at ? at.line : null,
    column: at ? at.column + 1 : null,
    snippet: at ? (source.split('\n')[at.line - 1] || '').slice(0, 200) : null,
    hint: null,
  };
}
