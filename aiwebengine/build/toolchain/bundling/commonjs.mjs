/*
 * Files of CommonJS among the author's: which they are, and what TypeScript writes for them.
 */
const MODULE = /^\s*(?:import|export)\b(?!\s*[.(=]|\s+\w+\s*=)/m;
const USES = { module: /\bmodule\s*\.\s*exports\b/, exports: /\bexports\s*(?:\.|\[)/, require: /\brequire\s*\(/ };

/** Whether a file of the author's is CommonJS: by its ending, or because it exports as such and imports nothing. */
export function isCommonJs(path, source) {
  if (/\.c[jt]s$/.test(path)) return true;
  if (/\.m[jt]s$/.test(path) || MODULE.test(source)) return false;
  return Object.entries(USES).some(([name, use]) => use.test(source) && !declares(name, source));
}

/* A file may give these names to what is its own. */
function declares(name, source) {
  return new RegExp(`\\b(?:const|let|var|function|class)\\s+(?:[\\w$]+\\s*,\\s*)*${name}\\b`).test(source);
}

/**
 * `import a = require("./a")`, `export = value`.
 *
 * @returns A Babel plugin, to be run while types are removed; `found.exported` is set by an `export =`.
 */
export function requireForms({ types: t }, { found }) {
  const asked = (from) => t.callExpression(t.identifier('require'), [from]);
  return {
    name: 'aiwebengine-require-forms',
    visitor: {
      Program: {
        enter({ node }) {
          node.body = node.body.map((statement) => {
            if (statement.type === 'TSImportEqualsDeclaration' && statement.moduleReference.type === 'TSExternalModuleReference' && statement.importKind !== 'type') {
              const made = t.variableDeclaration('const', [t.variableDeclarator(t.identifier(statement.id.name), asked(statement.moduleReference.expression))]);
              made.loc = statement.loc;
              return statement.isExport ? t.exportNamedDeclaration(made) : made;
            }
            if (statement.type !== 'TSExportAssignment') return statement;
            found.exported = true;
            const made = t.expressionStatement(t.assignmentExpression('=', t.memberExpression(t.identifier('module'), t.identifier('exports')), statement.expression));
            made.loc = statement.loc;
            return made;
          });
        },
      },
    },
  };
}
