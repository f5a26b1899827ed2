/*
 * Code that a script makes while it runs, as ES5: what it passes to `new Function`, or to `eval`.
 *
 * The result is the body of a function that returns the one that was asked for.  It stands alone: all that its code
 * sees beside the globals are names that begin with `__helper_`, and `__generated`.
 */
import * as babel from '@babel/core';

import { mentionsBigInt } from '../lowering/bigint/mentions.mjs';
import { ALONE, lower } from '../lowering/lower.mjs';
import { escaped } from './escaped.mjs';
import { PLAIN } from './project.mjs';

const { types: t } = babel;
const NAME = 'anonymous.js';
const MADE = '__generated';
const VALUE = '__helper_value';
const PARSING = { ...ALONE, filename: NAME, sourceType: 'script' };
const OPTIONS = { own: false, entry: false, commonjs: true, project: PLAIN, known: {}, advice: {} };

/**
 * @param {object} request - `parameters`, their text, or null for the text of a program; `body`.
 * @param {Helpers} helpers - What lowered code calls.
 * @returns {{source: string} | {syntax: {message: string, line: number | null}}}
 */
export function generated({ parameters, body }, helpers) {
  let text;
  try {
    text = parameters === null ? programText(body) : functionText(parameters, body);
  } catch (error) {
    return { syntax: syntaxOf(error) };
  }
  const lowered = lower(NAME, `${MADE} = ${text};`, { ...OPTIONS, bigint: mentionsBigInt(text) });
  if (lowered.map === null) return { syntax: { message: lowered.problems.at(-1).message, line: lowered.problems.at(-1).line } };
  // All on one line in front of it, so that lines are those of the text.
  const first = `${helpers.block(lowered.helpers).replace(/\n/g, ' ')}var ${MADE}; `;
  return { source: escaped(`${first}${lowered.code}\nreturn ${MADE};`) };
}

/*
 * The prelude has one constructor for all kinds of functions, for lowered ones are all of one kind.  What only an
 * async function or a generator may hold therefore makes one.
 */
function functionText(parameters, body) {
  let first = null;
  for (const kind of ['function', 'async function', 'function*', 'async function*']) {
    const whole = (given, inside) => `(${kind} anonymous(${given}\n) {\n${inside}\n})`;
    try {
      alone(whole(parameters, ''), 1);
      alone(whole('', body), 2);
      const text = whole(parameters, body);
      alone(text, 2); // a body's "use strict" says what parameters may be
      return text;
    } catch (error) {
      first ??= error;
    }
  }
  throw first;
}

/* Refuses what is more than one function, such as a body that closes it. */
function alone(text, before) {
  let tree;
  try {
    tree = babel.parseSync(text, PARSING);
  } catch (error) {
    if (error.loc) error.loc = { ...error.loc, line: Math.max(1, error.loc.line - before) };
    throw error;
  }
  const [only, ...others] = tree.program.body;
  const whole = others.length === 0 && only?.type === 'ExpressionStatement' && only.expression.type === 'FunctionExpression' && only.expression.start === 1;
  if (!whole) throw new SyntaxError("Unexpected token '}'");
}

/*
 * A program as a function that returns the value of its last statement.  Its variables and functions are globals, as
 * those of an indirect `eval` are.
 */
function programText(body) {
  const tree = babel.parseSync(body, PARSING);
  const strict = tree.program.directives.some(({ value }) => value.value === 'use strict');
  const made = [];
  babel.traverse(tree, {
    Function(path) { path.skip(); },
    Class(path) { path.skip(); },
    FunctionDeclaration(path) {
      if (!strict && path.parentPath.isProgram()) {
        made.unshift(globalFunction(path.node));
        path.remove();
      }
      path.skip();
    },
    VariableDeclaration(path) {
      if (strict || path.node.kind !== 'var') return;
      made.push(...Object.keys(t.getBindingIdentifiers(path.node)).map(globalVariable));
      replaceDeclaration(path);
    },
    ExpressionStatement(path) {
      if (path.node.made || path.findParent(({ key }) => key === 'finalizer')) return; // the value of `finally` is nobody's
      path.node.expression = t.assignmentExpression('=', t.identifier(VALUE), unnamed(path.node.expression));
    },
    'IfStatement|Loop|SwitchStatement|TryStatement|WithStatement'(path) {
      if (!path.inList || path.node.begun) return;
      path.node.begun = true;
      const [reset] = path.insertBefore(statement(t.assignmentExpression('=', t.identifier(VALUE), t.unaryExpression('void', t.numericLiteral(0)))));
      reset.skip();
    },
  });
  tree.program.body.unshift(...made);
  const { code } = babel.transformFromAstSync(tree, body, { ...ALONE, code: true, retainLines: true, generatorOpts: { jsescOption: { minimal: true } } });
  return `(function () {${strict ? '"use strict";' : ''}var ${VALUE};${code}\nreturn ${VALUE};})`;
}

function statement(expression) {
  return Object.assign(t.expressionStatement(expression), { made: true });
}

function member(name) {
  return t.memberExpression(t.identifier('globalThis'), t.stringLiteral(name), true);
}

function globalFunction(node) {
  return statement(t.assignmentExpression('=', member(node.id.name), t.toExpression(node)));
}

function globalVariable(name) {
  const missing = t.unaryExpression('!', t.binaryExpression('in', t.stringLiteral(name), t.identifier('globalThis')));
  return statement(t.logicalExpression('&&', missing, t.assignmentExpression('=', member(name), t.unaryExpression('void', t.numericLiteral(0)))));
}

/* `var` without `var`: what is left of it assigns. */
function replaceDeclaration(path) {
  const { declarations } = path.node;
  if (path.parentPath.isFor({ left: path.node })) {
    path.replaceWith(declarations[0].id);
    return;
  }
  const assigned = declarations.filter(({ init }) => init !== null).map(({ id, init }) => t.assignmentExpression('=', id, init));
  if (path.parentPath.isFor({ init: path.node })) path.node.declarations.length && path.replaceWith(t.sequenceExpression([...assigned, t.numericLiteral(0)]));
  else path.replaceWithMultiple(assigned.map(statement));
}

/* An anonymous function that is only evaluated has no name; assigned to a variable it would have that of the variable. */
function unnamed(expression) {
  return t.isFunction(expression) || t.isClass(expression) ? t.sequenceExpression([t.numericLiteral(0), expression]) : expression;
}

function syntaxOf(error) {
  const message = String(error.message).split('\n')[0].replace(/^.*?\.js: /, '').replace(/ \(\d+:\d+\)$/, '');
  return { message, line: error.loc?.line ?? null };
}
