/*
 * Class fields as TypeScript makes them with `"useDefineForClassFields": false`, or for a target before ES2022: they are
 * assigned, so that a setter of a parent class is called; those without a value do not exist; they come after the
 * parameters that are properties; and a decorator is told of the prototype and may put an accessor there.
 *
 * Babel itself assigns fields by its assumption `setPublicClassFields`; the rest is here.
 */

/**
 * Declares parameters that are properties as fields, before all others, as TypeScript does where fields are defined.
 *
 * @returns A Babel plugin, to be run while types are removed.
 */
export function declaredParameters({ types: t }) {
  return {
    name: 'aiwebengine-declared-parameters',
    visitor: {
      Class({ node: { body } }) {
        const made = body.body.find(({ type, kind }) => type === 'ClassMethod' && kind === 'constructor');
        if (body.declared || made === undefined) return;
        body.declared = true;
        const properties = made.params.filter(({ type }) => type === 'TSParameterProperty').map(({ parameter }) => (parameter.type === 'AssignmentPattern' ? parameter.left : parameter));
        body.body.unshift(...properties.map(({ name }) => t.classProperty(t.identifier(name))));
      },
    },
  };
}

/** @returns A Babel plugin, to be run while types are removed, after `legacyDecorators`; `legacy` tells which decorators. */
export function assignedFields({ types: t, template }, { legacy }) {
  const decorated = template.statement(
    '(function (decorators, target, key, given) { var result = given; for (var at = decorators.length - 1; at >= 0; at--) result = decorators[at](target, key, result) || result;'
    + ' if (result) Object.defineProperty(target, key, result); })(DECORATORS, TARGET, KEY, GIVEN);',
  );
  const described = template.expression('Object.getOwnPropertyDescriptor(TARGET, KEY)');

  const isField = (member) => member.type === 'ClassProperty' && !member.declare && !member.abstract;
  const isPlainKey = (member) => !member.computed || t.isLiteral(member.key);
  const isDecorated = (member) => (isField(member) || (member.type === 'ClassMethod' && member.kind !== 'constructor')) && member.decorators?.length > 0 && isPlainKey(member);

  /* Decorators of a member, as a static block: the member itself stays undecorated. */
  function applied(member) {
    const target = () => (member.static ? t.thisExpression() : t.memberExpression(t.thisExpression(), t.identifier('prototype')));
    const key = () => (t.isIdentifier(member.key) && !member.computed ? t.stringLiteral(member.key.name) : t.cloneNode(member.key));
    const list = t.arrayExpression(member.decorators.map(({ expression }) => expression));
    const given = member.type === 'ClassMethod' ? described({ TARGET: target(), KEY: key() }) : t.unaryExpression('void', t.numericLiteral(0));
    member.decorators = null;
    return t.staticBlock([decorated({ DECORATORS: list, TARGET: target(), KEY: key(), GIVEN: given })]);
  }

  function assigned({ key, computed, value, loc }) {
    const property = t.isIdentifier(key) && !computed ? t.identifier(key.name) : t.cloneNode(key);
    const statement = t.expressionStatement(t.assignmentExpression('=', t.memberExpression(t.thisExpression(), property, !t.isIdentifier(key) || computed), value));
    statement.loc = loc;
    return statement;
  }

  /* Where in a constructor the fields come; -1 if super() is called elsewhere than in a statement of its own. */
  function placeIn(method, hasParent) {
    if (!hasParent) return method.body.body.findIndex(({ directive }) => directive === undefined) < 0 ? method.body.body.length : 0;
    return method.body.body.findIndex(({ type, expression }) => type === 'ExpressionStatement' && expression.type === 'CallExpression' && expression.callee.type === 'Super') + 1 || -1;
  }

  /* Rename what a constructor declares and a field's value means otherwise. */
  function apart(path, values) {
    const names = new Set();
    for (const value of values) {
      t.traverse(value, (node, ancestors) => {
        const parent = ancestors.at(-1)?.node;
        if (node.type === 'Identifier' && (parent === undefined || t.isReferenced(node, parent, ancestors.at(-2)?.node))) names.add(node.name);
      });
    }
    path.scope.crawl();
    for (const name of names) if (path.scope.hasOwnBinding(name)) path.scope.rename(name);
  }

  /* Move the values of fields into the constructor, behind the parameters that are properties. */
  function moveBehindParameters(path) {
    const { node } = path;
    const method = path.get('body.body').find((one) => one.isClassMethod({ kind: 'constructor' }) && one.node.body);
    if (!method?.node.params.some(({ type }) => type === 'TSParameterProperty')) return;
    const moved = node.body.body.filter((member) => isField(member) && !member.static && !member.decorators && member.value && isPlainKey(member));
    const place = placeIn(method.node, node.superClass !== null);
    if (moved.length === 0 || place < 0) return;
    const names = method.node.params.map((parameter) => {
      if (parameter.type !== 'TSParameterProperty') return null;
      const { parameter: inner } = parameter;
      return (inner.type === 'AssignmentPattern' ? inner.left : inner).name;
    });
    method.node.params = method.node.params.map((parameter) => (parameter.type === 'TSParameterProperty' ? parameter.parameter : parameter));
    apart(method, moved.map(({ value }) => value));
    const given = method.node.params.map((parameter) => (parameter.type === 'AssignmentPattern' ? parameter.left : parameter));
    const properties = names.flatMap((name, at) => (name === null ? [] : [assigned({ key: t.identifier(name), computed: false, value: t.identifier(given[at].name), loc: given[at].loc })]));
    method.node.body.body.splice(place, 0, ...properties, ...moved.map(assigned));
    node.body.body = node.body.body.filter((member) => !moved.includes(member));
  }

  return {
    name: 'aiwebengine-assigned-fields',
    visitor: {
      Class(path) {
        const { body } = path.node;
        if (body.assigned) return;
        body.assigned = true;
        const members = legacy ? body.body.filter(isDecorated) : [];
        // Those of instances first, and only then those of the class, as in TypeScript.
        const blocks = [...members.filter((one) => !one.static), ...members.filter((one) => one.static)].map(applied);
        body.body = body.body.filter((member) => !(isField(member) && !member.value && !member.decorators?.length && isPlainKey(member)));
        body.body.push(...blocks);
        moveBehindParameters(path);
      },
    },
  };
}
