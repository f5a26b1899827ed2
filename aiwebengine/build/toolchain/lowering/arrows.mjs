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
import { helperName } from './helpers.mjs';
import { givenName, keyName } from './places.mjs';

const DEFINE = helperName('defineProperty');
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
/* Duktape does not parse these as names of methods; a method whose key is a string has an empty name. */
const RESERVED = new Set(('get set break case catch class const continue debugger default delete do else enum export extends false finally for '
  + 'function if implements import in instanceof interface let new null package private protected public return static super switch this '
  + 'throw true try typeof var void while with yield').split(' '));

/**
 * @returns A Babel plugin. Its option `named` tells to keep the names that the language gives, by calls of a helper where
 *   nothing cheaper does.
 */
export function arrows({ types: t }, { named = false }) {
  let file;

  const names = new WeakMap(); // arrow function or body of a method, which keep their identity, to name

  function asMethod(node, name) {
    const plain = IDENTIFIER.test(name) && !RESERVED.has(name);
    const key = () => (plain ? t.identifier(name) : t.stringLiteral(name));
    const method = t.objectMethod('method', key(), node.params, node.body);
    method.loc = node.loc;
    const holder = t.objectExpression([method]);
    holder.extra = { computed: node.extra?.computed };
    return t.memberExpression(holder, key(), !plain);
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
    if (named && node.type === 'CallExpression') defines(node);
    if (node.type !== 'FunctionExpression' || node.async || node.generator) return node;
    const given = node.extra?.arrow ? node.extra.given : undefined;
    const name = names.get(node) ?? given ?? names.get(node.body) ?? (standsForAsync(node.body) ? node.id?.name ?? '' : undefined);
    if (name === undefined) return plainly(node);
    const method = asMethod(node, name);
    return name === '' || !method.computed ? method : called(method, name);
  }

  /* A function without a name of its own: Babel gives it one that bundling changes, and that its body could see. */
  function plainly(node) {
    const given = node.extra?.given;
    if (!named || !given) return node;
    if (node.id && !node.extra.own && !mentions(node.body, node.id.name)) node.id = null;
    return called(node, given);
  }

  function called(made, name) {
    const call = t.callExpression(file.addHelper('named'), [made, t.stringLiteral(name)]);
    return t.addComment(call, 'leading', '#__PURE__');
  }

  /* What defines a function under a key that is computed names it, too. */
  function defines(call) {
    const [, , value] = call.arguments;
    if (t.isIdentifier(call.callee, { name: DEFINE }) && (value?.extra?.computed || value?.object?.extra?.computed)) call.callee = file.addHelper('defineNamed');
  }

  /* The name that a function or class gets from where it is, which is kept when Babel copies it. */
  function note(path) {
    const { node, parent } = path;
    const given = givenName(path);
    if (!node.id) {
      const computed = parent.computed && parent.value === node && /^(?:Object|Class)Property$/.test(parent.type) && !/Literal$/.test(parent.key.type);
      node.extra = { ...node.extra, computed, given: computed ? '' : given };
    } else if (node.type !== 'ClassExpression' && node.id.name === given) {
      // Bundling changes the inner one of two names that are the same.
      node.extra = { ...node.extra, own: true, given };
    }
  }

  return {
    name: 'aiwebengine-arrows',
    visitor: {
      Program: {
        enter(program) {
          program.traverse({
            'FunctionExpression|ArrowFunctionExpression|ClassExpression'(path) {
              const { node } = path;
              if (node.type === 'ArrowFunctionExpression') {
                if (!node.async) names.set(node, givenName(path));
                node.extra = { ...node.extra, arrow: true };
              }
              if (named && !node.async) note(path);
            },
            'ObjectMethod|ClassMethod'({ node }) {
              if (node.kind === 'method' && !node.computed && !node.generator && !node.async) names.set(node.body, keyName(node));
            },
          });
        },
      },
    },
    post(given) {
      file = given;
      convert(file.ast.program);
    },
  };
}
