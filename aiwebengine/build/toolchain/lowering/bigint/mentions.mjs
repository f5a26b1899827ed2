/*
 * Which files mention BigInt, and which packages compute with it.
 *
 * All code of a script is lowered for BigInt if one of the author's files mentions it, or a file of a package computes
 * with it, since its values may then go everywhere.  A package that only asks for it, converts to it or compares, as zod
 * does, has just those files lowered that mention it.
 */
import * as babel from '@babel/core';

const LITERAL = /\b(?:0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|\d[\d_]*)n\b/;
// Not in SQL, where a type is called so as well.
const WORD = /\bBigInt|\bBigU?[Ii]nt64|[gs]etBigU?[Ii]nt64|(["'`])bigint\1|\.bigint\b|(?:[<|&=]|(?<!:):|\bas)\s*bigint\b/;
const ARITHMETIC = new Set(['+', '-', '*', '/', '%', '**', '<<', '>>', '&', '|', '^']);

/** Whether a text may be that of a file in which there are BigInts; seldom true where there are none. */
export function mentionsBigInt(text) {
  return WORD.test(text) || LITERAL.test(text);
}

/**
 * Whether a file of a package computes with BigInts and other values than constants.
 *
 * @param {string} path - Of the file.
 * @param {string} source - Its text.
 */
export function computesWithBigInt(path, source) {
  let tree;
  try {
    tree = babel.parseSync(source, {
      babelrc: false, configFile: false, browserslistConfigFile: false, filename: path, sourceType: 'unambiguous', highlightCode: false,
      parserOpts: { plugins: /\.[mc]?tsx?$/.test(path) ? ['typescript'] : ['jsx'], allowReturnOutsideFunction: true },
    });
  } catch {
    return false; // the build tells what is wrong
  }
  const named = new Set();
  const isMade = (node) => node?.type === 'BigIntLiteral'
    || (node?.type === 'UnaryExpression' && isMade(node.argument))
    || (node?.type === 'Identifier' && named.has(node.name))
    || (node?.type === 'CallExpression' && (node.callee.name === 'BigInt' || node.callee.object?.name === 'BigInt'))
    || (node?.type === 'BinaryExpression' && ARITHMETIC.has(node.operator) && isMade(node.left) && isMade(node.right));
  babel.types.traverseFast(tree, (node) => {
    if (node.type === 'VariableDeclarator' && node.id.type === 'Identifier' && isMade(node.init)) named.add(node.id.name);
  });
  let found = false;
  babel.types.traverseFast(tree, (node) => {
    const binary = node.type === 'BinaryExpression' && ARITHMETIC.has(node.operator);
    if (binary || (node.type === 'AssignmentExpression' && ARITHMETIC.has(node.operator.slice(0, -1)))) found ||= isMade(node.left) !== isMade(node.right);
  });
  return found;
}
