/*
 * Lowers Babel's helpers like any file, when the package is built: `dist/helpers.json`.  See helpers.mjs.
 */
import * as babel from '@babel/core';

import { arrows } from './arrows.mjs';
import { ALONE, ENVIRONMENT } from './lower.mjs';
import { strict } from './strict.mjs';

/* They write to nothing of the author's, and create functions each time that a generator is called. */
const GENERATORS = /^_regenerator/;

const FILE = { ...ALONE, filename: 'helpers.js', sourceType: 'module' };

/*
 * Ours: operators of BigInt, which are in the sandbox's prelude (later/operators.js), as functions that replace themselves
 * when they are first called, since a bundle may call them before it has evaluated their module; `named`, `defineNamed` for a function under a computed key, and in place of Babel's `_defineProperties` one that
 * names methods, getters and setters as the language does.
 */
const BIG = [
  'add', 'subtract', 'multiply', 'divide', 'remainder', 'power', 'left', 'right', 'unsignedRight', 'and', 'or', 'xor', 'negate', 'invert', 'increment', 'decrement', 'numeric',
  'toNumber', 'less', 'greater', 'lessOrEqual', 'greaterOrEqual', 'same', 'alike', 'type', 'isBig', 'isInstance', 'key', 'toBoolean', 'orFalse', 'literal', 'everywhere',
].map((name) => [name, `big${name[0].toUpperCase()}${name.slice(1)}`]);
const OURS = `
function _named(made, name) { return Object.defineProperty(made, 'name', { value: name, configurable: true }); }
function _namedBy(made, kind, key) {
  const name = kind + (typeof key !== 'symbol' ? key : key.description === undefined ? '' : '[' + key.description + ']');
  if (made.name !== name) _named(made, name);
}
function _defineNamed(target, key, made) {
  key = _toPropertyKey(key);
  if (typeof made === 'function') _namedBy(made, '', key);
  return _defineProperty(target, key, made);
}
function _defineProperties(target, members) {
  for (let at = 0; at < members.length; at++) {
    const member = members[at];
    const key = _toPropertyKey(member.key);
    member.enumerable = member.enumerable || false;
    member.configurable = true;
    if ('value' in member) {
      member.writable = true;
      if (typeof member.value === 'function') _namedBy(member.value, '', key);
    }
    if (member.get) _namedBy(member.get, 'get ', key);
    if (member.set) _namedBy(member.set, 'set ', key);
    Object.defineProperty(target, key, member);
  }
}
function _bigOperators() { return BigInt[Symbol.for('aiwebengine.operators')]; }
${BIG.map(([name, given]) => `function _${given}(a, b) { _${given} = _bigOperators().${name}; return _${given}(a, b); }`).join('\n')}
export { _named as named, _defineNamed as defineNamed, ${BIG.map(([, given]) => `_${given} as ${given}`).join(', ')} };
`;

/** @returns {object} What `Helpers` of helpers.mjs is made with. */
export function loweredHelpers() {
  const source = babel.buildExternalHelpers(undefined, 'module');
  const tree = babel.parseSync(source, FILE);
  tree.program.body = tree.program.body.filter(({ id }) => id?.name !== '_defineProperties').concat(babel.parseSync(OURS, FILE).program.body);
  babel.types.traverseFast(tree, (node) => { node.loc = undefined; }); // nobody wrote it; arrows.mjs looks for that
  const { code } = babel.transformFromAstSync(tree, source, { ...FILE, plugins: [arrows, [strict, { path: FILE.filename, except: GENERATORS }]], presets: [ENVIRONMENT], cloneInputAst: false });
  const { body } = babel.parseSync(code, FILE).program;
  const exported = body.filter(({ type }) => type === 'ExportNamedDeclaration').flatMap(({ specifiers }) => specifiers).map((one) => [one.exported.name, one.local.name]);
  const statements = [];
  for (const one of body.filter(({ type }) => type !== 'ExportNamedDeclaration')) {
    const [text, declares, uses] = [code.slice(one.start, one.end), Object.keys(babel.types.getOuterBindingIdentifiers(one)), namesIn(one)];
    if (declares.length > 0) statements.push({ code: text, declares, uses });
    else finish(statements, text, uses);
  }
  const all = new Set(statements.flatMap((one) => one.declares));
  return { exported: Object.fromEntries(exported), statements: statements.map((one) => ({ ...one, uses: one.uses.filter((name) => all.has(name)) })) };
}

/* A statement that declares nothing is about the function that it names first: `AsyncGenerator.prototype.next = ...`. */
function finish(statements, text, uses) {
  const owner = uses.map((name) => statements.find((one) => one.declares.includes(name))).find(Boolean);
  if (owner === undefined) throw new Error(`This statement of the helpers belongs to none of them: ${text}`);
  owner.code += `\n${text}`;
  owner.uses.push(...uses);
}

/* A variable of a function may have the name of a statement's: then it is taken for more than is needed. */
function namesIn(statement) {
  const names = new Set();
  babel.types.traverseFast(statement, ({ type, name }) => { if (type === 'Identifier') names.add(name); });
  return [...names];
}
