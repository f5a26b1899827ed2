/*
 * What TypeScript has and Babel's plug-in leaves: names of types that other files hand on, and decorators of
 * parameters.
 */

const isType = (node) => /^TS(Interface|TypeAlias)Declaration$/.test(node.type) || node.declare === true;

/**
 * Exports a value, which is undefined, for every type that a file exports: whoever writes `export { Note } from "./note"`
 * need not say that it is one, and nobody who looks at one file can tell.
 *
 * @returns A Babel plugin, to be run while types are removed.
 */
export function exportedTypes({ types: t }) {
  let names = new Set(); // of one file: Babel makes a plug-in once for all
  const nameOf = (node) => node.name ?? node.value;

  function valuesOf(program) {
    const found = new Set();
    for (const { type, declaration, specifiers } of program.body) {
      if (type === 'ExportDefaultDeclaration') found.add('default');
      if (type !== 'ExportNamedDeclaration') continue;
      for (const one of specifiers) found.add(nameOf(one.exported));
      for (const one of declaration ? Object.keys(t.getBindingIdentifiers(declaration)) : []) found.add(one);
    }
    return found;
  }

  return {
    name: 'aiwebengine-exported-types',
    pre() { names = new Set(); },
    visitor: {
      Program: {
        enter({ node }) {
          const local = new Set();
          for (const statement of node.body) {
            const declared = statement.declaration ?? statement;
            if (isType(declared) && declared.id?.name) (statement.type === 'ExportNamedDeclaration' ? names : local).add(declared.id.name);
          }
          for (const { type, specifiers, exportKind, source } of node.body) {
            if (type !== 'ExportNamedDeclaration') continue;
            for (const one of specifiers) {
              const marked = exportKind === 'type' || one.exportKind === 'type';
              if (one.type === 'ExportSpecifier' && (marked || (!source && local.has(one.local.name)))) names.add(nameOf(one.exported));
            }
          }
        },
      },
    },
    post({ path, ast: { program } }) {
      const values = valuesOf(program);
      const missing = [...names].filter((name) => !values.has(name));
      if (missing.length === 0) return;
      const id = path.scope.generateUid('type');
      program.body.push(
        t.variableDeclaration('var', [t.variableDeclarator(t.identifier(id))]),
        t.exportNamedDeclaration(null, missing.map((name) => t.exportSpecifier(t.identifier(id), t.identifier(name)))),
      );
    },
  };
}

/**
 * Decorators of TypeScript's `experimentalDecorators`, where they are not those of Babel's `legacy`:
 *
 *     method(@d value) {}    @((target, key) => d(target, key, 0)) method(value) {}; of a constructor the class's
 *     @d field               @((target, key) => d(target, key, undefined)) field, which is told of no initial value
 *
 * @returns A Babel plugin, to be run while types are removed and before decorators are lowered; its option `assigned`
 *   leaves decorators of fields to `assignedFields`.
 */
export function legacyDecorators({ types: t, template }, { assigned = false }) {
  const wrapped = template.expression('(function (decorate) { return function (target, key) { decorate(target, key, LAST); }; })(DECORATOR)');
  const wrap = (expression, last) => t.decorator(wrapped({ LAST: last, DECORATOR: expression }));
  const nothing = () => t.unaryExpression('void', t.numericLiteral(0));

  function ofParameters(method) {
    return method.params.flatMap((parameter, index) => {
      const holders = [parameter, parameter.parameter, parameter.left];
      const found = holders.flatMap((one) => one?.decorators ?? []);
      for (const one of holders) if (one?.decorators) one.decorators = null;
      return found.map(({ expression }) => wrap(expression, t.numericLiteral(index)));
    });
  }

  return {
    name: 'aiwebengine-legacy-decorators',
    visitor: {
      // The class, and not its members: Babel makes assignments of parameters that are properties when it comes to it.
      Class({ node }) {
        for (const member of node.body.body) {
          if (!assigned && member.type === 'ClassProperty' && member.decorators) {
            member.decorators = member.decorators.map(({ expression }) => wrap(expression, nothing()));
          }
          if (member.type !== 'ClassMethod') continue;
          const found = ofParameters(member);
          const holder = member.kind === 'constructor' ? node : member;
          if (found.length > 0) holder.decorators = [...(holder.decorators ?? []), ...found];
        }
      },
    },
  };
}
