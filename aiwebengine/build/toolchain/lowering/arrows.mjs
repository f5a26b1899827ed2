/*
 * Lowers arrow functions and methods to methods that are taken out of an object literal:
 *
 *     const twice = (n) => n * 2;        var twice = ({ twice(n) { return n * 2; } }).twice;
 *
 * Duktape supports methods, and its methods behave as arrow functions do: they are no constructors and have no
 * `prototype`.  A method has its name without declaring a variable, so no bundler renames it and no body can see it.
 * It is also cheaper to create than a function, which gets a prototype that refers back to it.
 *
 * Babel turns arrow functions into functions first, and replaces `this`, `arguments` and `super`.  For an async
 * function it creates an outer function that starts the inner one: the outer one is the one that others see.
 *
 * Plain functions, generators and declarations stay as they are.
 */
import { givenName, keyName } from './places.mjs';

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
/* Duktape does not parse these as names of methods; a method whose key is a string has an empty name. */
const RESERVED = new Set(('get set break case catch class const continue debugger default delete do else enum export extends false finally for '
  + 'function if implements import in instanceof interface let new null package private protected public return static super switch this '
  + 'throw true try typeof var void while with yield').split(' '));

/** @returns A Babel plugin. */
export function arrows({ types: t }) {
  const names = new WeakMap(); // arrow function or body of a method, which keep their identity, to name

  function asMethod(node, name) {
    const plain = IDENTIFIER.test(name) && !RESERVED.has(name);
    const key = () => (plain ? t.identifier(name) : t.stringLiteral(name));
    const method = t.objectMethod('method', key(), node.params, node.body);
    method.loc = node.loc;
    return t.memberExpression(t.objectExpression([method]), key(), !plain);
  }

  function mentions(node, name) {
    let found = false;
    const properties = new Set(); // which are no names of variables
    t.traverseFast(node, (one) => {
      if (one.property && !one.computed) properties.add(one.property);
      if (one.key && !one.computed) properties.add(one.key);
      found ||= one.type === 'Identifier' && one.name === name && !properties.has(one);
    });
    return found;
  }

  const isHelper = (node) => t.isIdentifier(node) && /^(?:__helper)?_asyncToGenerator\d*$/.test(node.name);

  /* `{ return inner.apply(this, arguments); }`, or `{ ...; return _asyncToGenerator(...)(); }`: Babel's of an async function. */
  function standsForAsync({ body }) {
    const last = body.at(-1);
    const call = last?.type === 'ReturnStatement' && !last.loc ? last.argument : null;
    if (!t.isCallExpression(call)) return false;
    if (t.isCallExpression(call.callee) && isHelper(call.callee.callee)) return true;
    return body.length === 1 && t.isMemberExpression(call.callee) && t.isIdentifier(call.callee.property, { name: 'apply' })
      && t.isThisExpression(call.arguments[0]) && t.isIdentifier(call.arguments[1], { name: 'arguments' });
  }

  /* `function name() { return inner.apply(this, arguments); } return name;`, as Babel ends what stands for an async one. */
  function returned(statements) {
    const [made, last] = statements.slice(-2);
    if (made?.type !== 'FunctionDeclaration' || last?.type !== 'ReturnStatement' || last.loc) return;
    if (!t.isIdentifier(last.argument, { name: made.id.name }) || !standsForAsync(made.body)) return;
    if (statements.slice(0, -2).some((one) => mentions(one, made.id.name))) return; // it calls itself
    last.argument = asMethod(made, made.id.name);
    statements.splice(-2, 1);
  }

  /* Babel's helper, which returns what others see of an async function that has no name and no parameters. */
  function helper({ type, id, loc, body }) {
    if (type !== 'FunctionDeclaration' || loc || !isHelper(id)) return;
    const last = body.body.at(-1);
    if (last?.type === 'ReturnStatement' && last.argument?.type === 'FunctionExpression') last.argument = asMethod(last.argument, '');
  }

  function convert(node) {
    helper(node);
    if (node.type === 'BlockStatement') returned(node.body);
    // esbuild writes `{ set }` for `{ set: set }` where there are methods, which Duktape takes for a setter.
    if (node.type === 'ObjectProperty' && !node.computed && RESERVED.has(node.key.name)) node.key = t.stringLiteral(node.key.name);
    for (const key of t.VISITOR_KEYS[node.type] ?? []) {
      const child = node[key];
      if (Array.isArray(child)) child.forEach((one, at) => { if (one) child[at] = converted(one); });
      else if (child) node[key] = converted(child);
    }
  }

  function converted(node) {
    convert(node);
    if (node.type !== 'FunctionExpression' || node.async || node.generator) return node;
    const name = names.get(node) ?? names.get(node.body) ?? (standsForAsync(node.body) ? node.id?.name ?? '' : undefined);
    return name === undefined ? node : asMethod(node, name);
  }

  return {
    name: 'aiwebengine-arrows',
    visitor: {
      Program: {
        enter(program) {
          program.traverse({
            ArrowFunctionExpression(path) {
              if (!path.node.async) names.set(path.node, givenName(path));
              path.node.extra = { ...path.node.extra, arrow: true };
            },
            'ObjectMethod|ClassMethod'({ node }) {
              if (node.kind === 'method' && !node.computed && !node.generator && !node.async) names.set(node.body, keyName(node));
            },
          });
        },
      },
    },
    post({ ast }) { convert(ast.program); },
  };
}
