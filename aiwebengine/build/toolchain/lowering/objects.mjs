/*
 * `{ __proto__: p }` sets the prototype of what it makes; the engine would make a property of that name.
 *
 * Only this form does: `['__proto__']`, `{ __proto__ }` and `{ __proto__() {} }` make properties, here as anywhere,
 * and so does the JSON of a file.  Values are evaluated in the order in which they are written.
 */

/* Whose making calls nothing, so that it may be made before or after something else. */
const QUIET = new Set(['FunctionExpression', 'ArrowFunctionExpression', 'StringLiteral', 'NumericLiteral', 'BooleanLiteral', 'NullLiteral', 'ThisExpression', 'RegExpLiteral']);

/** Whether a property of an object literal sets its prototype. */
export function setsPrototype(node) {
  return node.type === 'ObjectProperty' && !node.computed && !node.shorthand && (node.key.name === '__proto__' || node.key.value === '__proto__');
}

/** @returns A Babel plugin. */
export function objects({ types: t }) {
  /* Evaluate `assigned` where the first property that may call something would be evaluated; false if there is none. */
  function evaluateIn(properties, assigned) {
    const inFront = (value) => t.sequenceExpression([assigned, value]);
    for (const property of properties) {
      if (property.computed && !QUIET.has(property.key.type)) property.key = inFront(property.key);
      else if (property.type === 'SpreadElement') property.argument = inFront(property.argument);
      else if (property.type === 'ObjectProperty' && property.shorthand) Object.assign(property, { shorthand: false, value: inFront(property.value) });
      else if (property.type === 'ObjectProperty' && !QUIET.has(property.value.type)) property.value = inFront(property.value);
      else continue;
      return true;
    }
    return false;
  }

  function setPrototype(object, prototype) {
    return t.callExpression(t.memberExpression(t.identifier('Object'), t.identifier('setPrototypeOf')), [object, prototype]);
  }

  return {
    name: 'aiwebengine-objects',
    visitor: {
      ObjectExpression(path) {
        const { node, scope } = path;
        const at = node.properties.findIndex(setsPrototype);
        if (at < 0) return;
        const [{ value }] = node.properties.splice(at, 1);
        if (t.isNullLiteral(value)) {
          path.replaceWith(setPrototype(node, value));
          return;
        }
        const object = scope.generateDeclaredUidIdentifier('object');
        const prototype = scope.generateDeclaredUidIdentifier('prototype');
        const assigned = t.assignmentExpression('=', prototype, value);
        const made = t.assignmentExpression('=', object, node);
        const first = evaluateIn(node.properties.slice(at), assigned) ? [made] : [made, assigned];
        const kind = (name) => t.binaryExpression('===', t.unaryExpression('typeof', t.cloneNode(prototype)), t.stringLiteral(name));
        const set = t.logicalExpression('&&', t.logicalExpression('||', kind('object'), kind('function')), setPrototype(t.cloneNode(object), t.cloneNode(prototype)));
        path.replaceWith(t.sequenceExpression([...first, set, t.cloneNode(object)]));
      },
    },
  };
}
