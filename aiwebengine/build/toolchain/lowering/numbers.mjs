/*
 * Numbers that Duktape would read wrongly: those whose shortest text lies exactly halfway between two numbers, of
 * which it may take the odd one (see sandbox/prelude/language/numbers.js).  All of them are integers above 2 ** 53, and are
 * written as a product of two that it reads exactly: 1e23 is 5960464477539062 * 16777216.
 *
 * Likewise `+value`, the usual way to convert a string, is `Number(value)`, which the prelude has made exact.
 */

import { contains } from './contains.mjs';

/* Two factors of such a number, the second a power of two; null for any other. */
function factorsOf(value) {
  if (!Number.isInteger(value) || Math.abs(value) < 2 ** 53) return null;
  const shown = decimal(String(Math.abs(value)));
  const exact = BigInt(Math.abs(value));
  let power = 1;
  while (Math.abs(value) / power >= 2 ** 53) power *= 2;
  const off = shown > exact ? shown - exact : exact - shown;
  return off * 2n === BigInt(power) ? [value / power, power] : null;
}

function decimal(text) {
  const [, whole, fraction = '', exponent = '0'] = /^(\d+)(?:\.(\d+))?(?:e\+(\d+))?$/.exec(text);
  return BigInt(whole + fraction.padEnd(Number(exponent), '0'));
}

/** Whether the engine might read the text of a number in a file wrongly. */
export function mayBeHalfway(raw, value) {
  return Math.abs(value) >= 2 ** 53 || raw.replace(/[^0-9]/g, '').length > 15;
}

/**
 * @returns A Babel plugin. Its option `found` is told that the source cannot run as it is.
 */
export function numbers({ types: t }, { found }) {
  /* What cannot be a string: most of what has a plus in front of it in code that computes. */
  function isNumber({ type, operator, callee }) {
    if (type === 'BinaryExpression') return operator !== '+';
    if (type === 'NewExpression') return callee.name === 'Date';
    if (type === 'CallExpression') return callee.object?.name === 'Math' || callee.object?.name === 'Date';
    return type === 'NumericLiteral' || type === 'UnaryExpression' || type === 'UpdateExpression';
  }

  const isConversion = ({ type, operator, argument }) => type === 'UnaryExpression' && operator === '+' && !isNumber(argument);

  return {
    name: 'aiwebengine-numbers',
    visitor: {
      Program: {
        // After all others, which make numbers too.
        exit(path) {
          if (!contains(t, path.node, (node) => isConversion(node) || (node.type === 'NumericLiteral' && factorsOf(node.value) !== null))) return;
          const numeric = new WeakSet();
          path.traverse({
            NumericLiteral(literal) {
              const factors = factorsOf(literal.node.value);
              if (factors === null) return;
              if (literal.key === 'key' && !literal.parent.computed) {
                literal.replaceWith(t.stringLiteral(String(literal.node.value)));
                return;
              }
              literal.replaceWith(t.binaryExpression('*', t.numericLiteral(factors[0]), t.numericLiteral(factors[1])));
              literal.skip();
            },
            UnaryExpression(conversion) {
              const { node: { argument }, scope } = conversion;
              if (!isConversion(conversion.node) || numeric.has(conversion.node) || scope.hasBinding('Number', true)) return;
              found.plain = false;
              const exact = t.callExpression(t.identifier('Number'), [argument]);
              if (argument.type !== 'Identifier') {
                conversion.replaceWith(exact);
                return;
              }
              // A name can be looked at twice, and most are numbers already.
              const other = t.unaryExpression('+', t.cloneNode(argument));
              numeric.add(other);
              conversion.replaceWith(t.conditionalExpression(t.binaryExpression('===', t.unaryExpression('typeof', t.cloneNode(argument)), t.stringLiteral('string')), exact, other));
            },
          });
        },
      },
    },
  };
}

/** A JSON file as a module that holds such numbers as products; null if it has none. */
export function jsonModule(text) {
  let found = false;
  const code = text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.]*(?:[eE][+-]?\d+)?/g, (part) => {
    const factors = part[0] === '"' ? null : factorsOf(Number(part));
    if (factors === null) return part;
    found = true;
    return `(${factors[0]} * ${factors[1]})`;
  });
  return found ? `module.exports = ${code};` : null;
}
