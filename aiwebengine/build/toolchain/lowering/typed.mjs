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
 * `method(@d value) {}` is `@((target, key) => d(target, key, 0)) method(value) {}`; on a constructor it is the class
 * that is decorated.
 *
 * @returns A Babel plugin, to be run before decorators are lowered.
 */
export function parameterDecorators({ types: t, template }) {
  const wrapped = template.expression('(function (decorate) { return function (target, key) { decorate(target, key, INDEX); }; })(DECORATOR)');
  return {
    name: 'aiwebengine-parameter-decorators',
    visitor: {
      ClassMethod({ node, parentPath }) {
        const found = node.params.flatMap((parameter, index) => {
          const given = [parameter, parameter.parameter, parameter.left].flatMap((one) => one?.decorators ?? []);
          for (const one of [parameter, parameter.parameter, parameter.left]) if (one?.decorators) one.decorators = null;
          return given.map(({ expression }) => t.decorator(wrapped({ INDEX: t.numericLiteral(index), DECORATOR: expression })));
        });
        if (found.length === 0) return;
        const holder = node.kind === 'constructor' ? parentPath.parentPath.node : node;
        holder.decorators = [...(holder.decorators ?? []), ...found];
      },
    },
  };
}
