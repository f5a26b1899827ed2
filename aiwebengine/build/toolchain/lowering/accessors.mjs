/*
 * `accessor name = value` in a class: a private field with a getter and a setter.
 */

/** @returns A Babel plugin. */
export function accessors({ types: t }) {
  function methods({ node, scope }, field) {
    const { static: isStatic, computed, decorators } = node;
    const stored = () => t.memberExpression(t.thisExpression(), t.privateName(t.identifier(field)));
    const make = (kind, key, parameters, body) => {
      const made = key.type === 'PrivateName'
        ? t.classPrivateMethod(kind, key, parameters, t.blockStatement([body]), isStatic)
        : t.classMethod(kind, key, parameters, t.blockStatement([body]), computed, isStatic);
      made.loc = node.loc;
      return made;
    };
    let [first, second] = [node.key, t.cloneNode(node.key)];
    if (computed && !t.isLiteral(node.key)) {
      // A key is evaluated once.
      second = scope.generateDeclaredUidIdentifier('key');
      first = t.assignmentExpression('=', t.cloneNode(second), node.key);
    }
    const getter = make('get', first, [], t.returnStatement(stored()));
    if (decorators) getter.decorators = decorators;
    return [getter, make('set', second, [t.identifier('value')], t.expressionStatement(t.assignmentExpression('=', stored(), t.identifier('value'))))];
  }

  return {
    name: 'aiwebengine-accessors',
    manipulateOptions(_, parser) { parser.plugins.push('decoratorAutoAccessors'); },
    visitor: {
      ClassAccessorProperty(path) {
        const { node, scope } = path;
        const field = scope.generateUid(node.key.name ?? node.key.id?.name ?? 'accessor');
        const stored = t.classPrivateProperty(t.privateName(t.identifier(field)), node.value, null, node.static);
        path.replaceWithMultiple([stored, ...methods(path, field)]);
      },
    },
  };
}
