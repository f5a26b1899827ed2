/*
 * Namespaces of TypeScript, as TypeScript compiles them: a function that fills an object.
 *
 *     namespace Shapes { export let sides = 4; export function more() { sides++; } }
 *
 *     var Shapes;
 *     (function (_Shapes) { _Shapes.sides = 4; function more() { _Shapes.sides++; } _Shapes.more = more; })(Shapes || (Shapes = {}));
 *
 * Babel's own takes constants only, and does not know that blocks of one name share what they export.
 */

/* Nodes of TypeScript in which a name is a value; in all others it is a type, or declares something. */
const VALUES = new Set(['TSAsExpression', 'TSSatisfiesExpression', 'TSNonNullExpression', 'TSTypeAssertion', 'TSInstantiationExpression', 'TSExportAssignment', 'TSImportEqualsDeclaration', 'TSEnumMember']);

/** @returns A Babel plugin, to be run before types are removed. */
export function namespaces({ types: t }) {
  const isNamespace = (node) => node?.type === 'TSModuleDeclaration' && node.id.type !== 'StringLiteral' && node.kind !== 'global' && !node.declare && !node.global;
  const declarationOf = (statement) => (statement.type === 'ExportNamedDeclaration' && statement.declaration ? statement.declaration : statement);

  /* `namespace A.B {}` is a namespace in a namespace. */
  function nested(node) {
    if (node.id.type === 'Identifier' && node.body.type === 'TSModuleBlock') return node;
    if (node.body.type === 'TSModuleDeclaration') {
      return { ...node, body: t.tsModuleBlock([t.exportNamedDeclaration(nested(node.body))]) };
    }
    const { left, right } = node.id;
    const inner = { ...node, id: right };
    return nested({ ...node, id: left, body: t.tsModuleBlock([t.exportNamedDeclaration(inner)]) });
  }

  function hasValues(node) {
    return nested(node).body.body.some((statement) => {
      const declared = declarationOf(statement);
      if (declared.declare || /^TS(Interface|TypeAlias)/.test(declared.type)) return false;
      return !(declared.type === 'TSModuleDeclaration' && !(isNamespace(declared) && hasValues(declared)));
    });
  }

  function namesOf(declared) {
    if (declared.type === 'VariableDeclaration') return declared.declarations.flatMap((one) => Object.keys(t.getBindingIdentifiers(one.id)));
    return declared.id?.type === 'Identifier' ? [declared.id.name] : [];
  }

  return {
    name: 'aiwebengine-namespaces',
    visitor: {
      Program: {
        enter(program) {
          const exported = new Map(); // path of a namespace, such as "A.B", to every name that a block of it exports
          const made = new Map(); // the function of a block to { parameter, names, locals }
          if (!compileAll(program.node, '', null)) return;
          program.scope.crawl();
          program.traverse({ 'Identifier|JSXIdentifier'(path) { qualify(path); } });
          program.scope.crawl();

          /* Replace the namespaces among the statements of a program or block; true if there were any. */
          function compileAll(holder, prefix, outer) {
            const declared = new Set(holder.body.map(declarationOf).filter((one) => !isNamespace(one) && !one.declare && !/^TS(Interface|TypeAlias)/.test(one.type)).flatMap(namesOf));
            let found = false;
            holder.body = holder.body.flatMap((statement) => {
              const node = declarationOf(statement);
              if (!isNamespace(node)) return [statement];
              found = true;
              if (!hasValues(node)) return [];
              return compiled(nested(node), { prefix, outer, isExported: node !== statement, declared });
            });
            return found;
          }

          function compiled(node, { prefix, outer, isExported, declared }) {
            const { name } = node.id;
            const path = `${prefix}${name}`;
            const parameter = program.scope.generateUid(name);
            const names = exported.get(path) ?? exported.set(path, new Set()).get(path);
            compileAll(node.body, `${path}.`, parameter);
            const body = node.body.body.flatMap((statement) => filled(statement, parameter, names));
            const block = t.functionExpression(null, [t.identifier(parameter)], t.blockStatement(body));
            block.loc = node.loc;
            // Babel's scopes do not know enums.
            const locals = new Set(body.filter((one) => /^(TSEnum|Function|Class)Declaration$/.test(one.type)).flatMap(namesOf));
            made.set(block, { parameter, names, locals });
            const own = () => t.identifier(name);
            const member = () => t.memberExpression(t.identifier(outer), own());
            const empty = t.objectExpression([]);
            const given = outer !== null && isExported
              ? t.assignmentExpression('=', own(), t.logicalExpression('||', member(), t.assignmentExpression('=', member(), empty)))
              : t.logicalExpression('||', own(), t.assignmentExpression('=', own(), empty));
            const call = t.expressionStatement(t.callExpression(block, [given]));
            if (declared.has(name)) return [call];
            declared.add(name);
            const variable = t.variableDeclaration('var', [t.variableDeclarator(own())]);
            if (outer !== null && isExported) exported.get(prefix.slice(0, -1)).add(name);
            return [isExported && outer === null ? t.exportNamedDeclaration(variable) : variable, call];
          }

          /* A statement of a block, with what it exports put into the namespace's object. */
          function filled(statement, parameter, names) {
            if (statement.type === 'TSImportEqualsDeclaration') return [importedName(statement, parameter, names)];
            if (statement.type !== 'ExportNamedDeclaration' || !statement.declaration) return [statement];
            const node = statement.declaration;
            if (node.type === 'TSImportEqualsDeclaration') return [importedName({ ...node, isExport: true }, parameter, names)];
            if (node.declare || /^TS(Interface|TypeAlias)/.test(node.type)) return [node];
            const here = namesOf(node);
            for (const name of here) names.add(name);
            if (node.type !== 'VariableDeclaration') {
              return [node, ...here.map((name) => t.expressionStatement(t.assignmentExpression('=', t.memberExpression(t.identifier(parameter), t.identifier(name)), t.identifier(name))))];
            }
            // A variable is the object's member itself: whoever changes it changes what others see.
            return node.declarations.filter((one) => one.init).map(({ id, init, loc }) => {
              const assigned = t.expressionStatement(t.assignmentExpression('=', id, init));
              assigned.loc = loc;
              return assigned;
            });
          }

          function importedName({ id, moduleReference, isExport }, parameter, names) {
            const value = asExpression(moduleReference);
            if (!isExport) return t.variableDeclaration('var', [t.variableDeclarator(id, value)]);
            names.add(id.name);
            return t.expressionStatement(t.assignmentExpression('=', t.identifier(id.name), value));
          }

          function asExpression(node) {
            return node.type === 'TSQualifiedName' ? t.memberExpression(asExpression(node.left), t.identifier(node.right.name)) : t.identifier(node.name);
          }

          /* A name that some block of an enclosing namespace exports, and that nothing nearer declares, is a member. */
          function qualify(path) {
            const { node, parent } = path;
            if (!isUse(path)) return;
            for (let { scope } = path; scope; scope = scope.parent) {
              const found = made.get(scope.block);
              if (scope.hasOwnBinding(node.name) || found?.locals.has(node.name)) return;
              if (!found?.names.has(node.name)) continue;
              const member = node.type === 'JSXIdentifier' ? t.jsxMemberExpression : t.memberExpression;
              const identifier = node.type === 'JSXIdentifier' ? t.jsxIdentifier : t.identifier;
              if (parent.type === 'ObjectProperty' && parent.shorthand) parent.shorthand = false;
              const [replaced] = path.replaceWith(member(identifier(found.parameter), identifier(node.name)));
              replaced.skip();
              return;
            }
          }

          function isUse(path) {
            const { parent } = path;
            if (/^TS/.test(parent.type) && !VALUES.has(parent.type)) return false;
            if (parent.type === 'TSEnumMember' && path.key !== 'initializer') return false;
            return path.isReferencedIdentifier() || isTarget(path);
          }

          /* It is assigned to, not declared. */
          function isTarget(path) {
            let at = path;
            while (at.parentPath.isArrayPattern() || at.parentPath.isRestElement() || at.parentPath.isObjectPattern() || (at.parentPath.isAssignmentPattern() && at.key === 'left') || (at.parentPath.isObjectProperty() && at.key === 'value')) at = at.parentPath;
            return (at.parentPath.isAssignmentExpression() && at.key === 'left') || at.parentPath.isUpdateExpression() || (at.parentPath.isForXStatement() && at.key === 'left');
          }
        },
      },
    },
  };
}
