/*
 * What cannot be had in the sandbox, and names that mean nothing there: found in the syntax tree after types are
 * gone and before anything is lowered, each with its place and what to write instead.
 */

import { HELPER } from './helpers.mjs';
import { nearest } from '../nearest.mjs';
import { mayBeHalfway } from './numbers.mjs';
import { setsPrototype } from './objects.mjs';
import { isStrict } from './strict.mjs';

const US = 'aiwebengine';
const WORLDS = new Set(['globalThis', 'self', 'window', 'global']);
const COMMONJS = new Set(['require', 'module', 'exports']);
const SQL_CALLS = new Set(['query', 'execute']);

/* Syntax that Duktape does not take as it is; a file without any of it runs unchanged. */
const MODERN = new Set([
  'ArrowFunctionExpression', 'ClassDeclaration', 'ClassExpression', 'TemplateLiteral', 'TaggedTemplateExpression', 'SpreadElement',
  'RestElement', 'AssignmentPattern', 'ArrayPattern', 'ObjectPattern', 'ForOfStatement', 'YieldExpression', 'AwaitExpression',
  'OptionalMemberExpression', 'OptionalCallExpression', 'ObjectMethod', 'MetaProperty', 'BigIntLiteral', 'Import', 'ImportExpression',
  'ImportDeclaration', 'ExportNamedDeclaration', 'ExportDefaultDeclaration', 'ExportAllDeclaration', 'JSXElement', 'JSXFragment',
  'Decorator',
]);

export function checks({ types: t }, options) {
  const { problems, imports, globals, found, path: file, source, known, advice, own } = options;
  const lines = source.split('\n');
  const named = new Set();
  let everywhere = false; // whether all code is strict

  function problem(node, code, message, hint = null, severity = 'error', name = undefined) {
    const at = node.loc ? node.loc.start : null;
    problems.push({
      severity, code, message, hint, file, name,
      line: at ? at.line : null,
      column: at ? at.column + 1 : null,
      snippet: at ? (lines[at.line - 1] || '').slice(0, 200) : null,
    });
  }

  function modern() { found.plain = false; }

  /* `typeof name` and what stands behind such a test may name anything. */
  function guarded(path) {
    return Boolean(path.findParent((p) => p.isUnaryExpression({ operator: 'typeof' })));
  }

  function checkName(path) {
    const { node } = path;
    const { name } = node;
    const imported = importedFromUs(path.scope.getBinding(name));
    if (imported) checkMember(path, imported);
    if (path.scope.hasBinding(name, true) || guarded(path)) return;
    if (name === 'eval') madeAtRunTime(node, name);
    if (Object.hasOwn(known, name)) {
      checkMember(path, name);
      return;
    }
    if (!own || path.findParent((p) => p.isWithStatement())) return;
    if (source.includes(`typeof ${name}`)) return;
    if (name === 'arguments' || name === 'undefined' || name === '__names' || name.startsWith(HELPER)) return;
    if ((name === 'require' && path.parent.type === 'CallExpression') || (options.requires && COMMONJS.has(name))) return;
    const member = path.parentPath.isMemberExpression({ object: node }) && !path.parentPath.node.computed ? path.parentPath.node.property.name : null;
    const remedy = (member && advice[`${name}.${member}`]) || advice[name];
    if (named.has(name)) return;
    named.add(name);
    const suggestion = remedy ? null : nearest(name, Object.keys(known));
    problem(node, 'unknown_name', `"${name}" is not defined.${suggestion ? ` Did you mean "${suggestion}"?` : ''}`, remedy || (suggestion ? `Write ${suggestion}, or declare ${name}.` : 'Declare it, import it, or read it from the request.'), 'error', name);
  }

  /* In code that is not strict, writing to a name that nobody has declared makes it a property of the global object. */
  function checkWritten({ node: { left }, scope }) {
    if (!own || left.type === 'VariableDeclaration' || scope.path.findParent((p) => p.isWithStatement())) return;
    for (const [name, node] of Object.entries(t.getAssignmentIdentifiers(left))) {
      if (scope.hasBinding(name, true) || Object.hasOwn(known, name) || named.has(name)) continue;
      if (!everywhere) {
        globals.push(name);
        continue;
      }
      named.add(name);
      problem(node, 'unknown_name', `"${name}" is not defined.`, `Declare it: let ${name}; or, for all files, write to globalThis.${name}.`, 'error', name);
    }
  }

  function checkMember(path, name) {
    const members = known[name];
    const parent = path.parentPath;
    if (!own || !members || !parent.isMemberExpression({ object: path.node }) || parent.node.computed) return;
    const member = parent.node.property.name;
    if (members.includes(member) || Object.prototype[member] !== undefined) return;
    if (parent.parentPath.isAssignmentExpression({ left: parent.node })) return;
    const remedy = advice[`${name}.${member}`];
    const suggestion = remedy ? null : nearest(member, members);
    problem(parent.node.property, 'unknown_member', `${name}.${member} does not exist.${suggestion ? ` Did you mean ${name}.${suggestion}?` : ''}`, remedy || (suggestion ? `Write ${name}.${suggestion}.` : `${name} has ${members.slice(0, 20).join(', ')}.`));
  }

  /* `import { name } from "aiwebengine"` gives the global of that name, and so does `export { name } from`. */
  function checkImport(path) {
    const { node: { source: from } } = path;
    if (!own || from?.value !== US) return;
    for (const { node } of path.get('specifiers')) {
      if (node.type === 'ImportDefaultSpecifier') {
        problem(node, 'unknown_name', `"${US}" has no default export.`, `Import what you use by name: import { registerWebHandler } from "${US}".`);
      } else if (node.type === 'ImportSpecifier' || node.type === 'ExportSpecifier') {
        const given = node.imported ?? node.local;
        checkGiven(node, given.name ?? given.value);
      }
    }
  }

  function checkGiven(node, name) {
    if (Object.hasOwn(known, name)) return;
    const suggestion = advice[name] ? null : nearest(name, Object.keys(known));
    problem(node, 'unknown_name', `"${US}" does not export "${name}".${suggestion ? ` Did you mean "${suggestion}"?` : ''}`, advice[name] || (suggestion ? `Write ${suggestion}.` : 'See the reference for the names that exist.'));
  }

  function checkCall(path) {
    const { callee, arguments: given } = path.node;
    if (callee.type === 'Identifier' && callee.name === 'Function') checkConstructor(path);
    if (own && callee.type === 'Identifier' && callee.name === 'require' && given[0]?.type !== 'StringLiteral' && !path.scope.hasBinding('require')) {
      problem(callee, 'dynamic_import', 'require() of a name that is computed at run time is not available: everything is bundled when it is deployed.', 'Write the name as a string: require("./a"), or import() with a pattern: import(`./pages/${name}.ts`).');
    }
    const name = callee.type === 'MemberExpression' && !callee.computed ? callee.property.name : null;
    const first = given[0];
    if (own && name && SQL_CALLS.has(name) && callee.object.type === 'Identifier' && callee.object.name === 'database' && first) {
      const glued = (first.type === 'TemplateLiteral' && first.expressions.length > 0) || (first.type === 'BinaryExpression' && first.operator === '+');
      if (glued) problem(first, 'sql_text', `database.${name} must not be given SQL that is built from values: the sender of the values could change the statement.`, 'Write database.query("... where id = :id", { id }) or sql`... where id = ${id}`.');
    }
  }

  /* `Function("return this")` is how many packages look for the global object. */
  function checkConstructor(path) {
    const [first, ...others] = path.node.arguments;
    const looks = others.length === 0 && first?.type === 'StringLiteral' && /^\s*return this;?\s*$/.test(first.value);
    if (!looks && !path.scope.hasBinding('Function', true)) madeAtRunTime(path.node, 'new Function');
  }

  /* Whether a script may make code is decided when it does; without a server that lowers it no script may. */
  function madeAtRunTime(node, name) {
    if (named.has(name)) return;
    named.add(name);
    const remedy = advice['new Function'];
    if (remedy !== undefined) problem(node, 'made_code', `${name} makes code while the script runs, for which the script needs the capability.`, remedy, 'warning');
    else problem(node, 'no_eval', `${name} is not available: code that is made at run time is neither compiled nor checked.`, 'Write the function itself, or import it.', own ? 'error' : 'warning');
  }

  /* Where a module is imported, for whoever has something to say about it. */
  function imported(node) {
    const from = node.source ?? (node.type === 'CallExpression' && node.callee.type === 'Identifier' && node.callee.name === 'require' ? node.arguments[0] : null);
    if (from?.type === 'StringLiteral' && from.loc && !Object.hasOwn(imports, from.value)) {
      imports[from.value] = { line: from.loc.start.line, column: from.loc.start.column + 1 };
    }
  }

  const isWorld = (node, scope) => (node?.type === 'Identifier' && WORLDS.has(node.name) && !scope.hasBinding(node.name, true))
    || (node?.type === 'ThisExpression' && !everywhere && scope.getFunctionParent() === null);

  /* Names that a file makes for all: `globalThis.x = 1`, `Object.assign(globalThis, { x: 1 })` and its like. */
  function madeGlobal({ node, scope }) {
    if (node.type === 'AssignmentExpression' && node.left.type === 'MemberExpression' && isWorld(node.left.object, scope)) {
      const { property, computed } = node.left;
      const name = computed ? property.value : property.name;
      if (typeof name === 'string') globals.push(name);
    }
    if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression' || !isWorld(node.arguments[0], scope)) return;
    const [, ...given] = node.arguments;
    if (node.callee.property.name === 'assign') {
      for (const { properties } of given.filter((one) => one.type === 'ObjectExpression')) globals.push(...properties.map((one) => one.key?.name ?? one.key?.value).filter(Boolean));
    } else if (node.callee.property.name === 'defineProperty' && given[0]?.type === 'StringLiteral') globals.push(given[0].value);
  }

  const visitor = {
    enter(path) {
      const { node } = path;
      imported(node);
      madeGlobal(path);
      if (MODERN.has(node.type)) modern();
      if (node.type === 'VariableDeclaration' && node.kind !== 'var') modern();
      if ((node.type === 'FunctionDeclaration' || node.type === 'FunctionExpression') && (node.async || node.generator)) modern();
      if (node.type === 'ObjectProperty' && (node.computed || node.shorthand || setsPrototype(node))) modern();
      if (node.type === 'CatchClause' && !node.param) modern();
      if ((node.type === 'BinaryExpression' || node.type === 'AssignmentExpression') && /^\*\*/.test(node.operator)) modern();
      if (node.type === 'LogicalExpression' && node.operator === '??') modern();
      if (node.type === 'AssignmentExpression' && /^(&&|\|\||\?\?)=$/.test(node.operator)) modern();
      if (node.type === 'NumericLiteral' && (/^0[bo]|_/i.test(node.extra?.raw || '') || mayBeHalfway(node.extra?.raw || '', node.value))) modern();
      if (node.type === 'StringLiteral' && /\\u\{/.test(node.extra?.raw || '')) modern();
      if ((node.type === 'CallExpression' || node.type === 'NewExpression') && node.extra?.trailingComma !== undefined) modern();
    },
    RegExpLiteral(path) {
      const { pattern, flags } = path.node;
      if (/[suy]/.test(flags) || /\(\?<[A-Za-z_$]/.test(pattern) || /\\[pP]\{/.test(pattern)) modern();
      if (/\(\?<[=!]/.test(pattern)) problem(path.node, 'no_look_behind', 'Look-behind in regular expressions is not available in scripts.', 'Match the text before it in a group and keep the rest.', own ? 'error' : 'warning');
      if (flags.includes('d')) problem(path.node, 'no_flag', `The flag "d" of regular expressions is not available in scripts.`, 'Leave the flag out; use match.index.', own ? 'error' : 'warning');
    },
    ImportDeclaration: checkImport,
    ExportNamedDeclaration: checkImport,
    ImportExpression(path) { dynamic(path); },
    Import(path) { dynamic(path.parentPath); },
    'AssignmentExpression|ForXStatement': checkWritten,
    CallExpression: checkCall,
    NewExpression(path) {
      const { callee } = path.node;
      if (callee.type === 'Identifier' && callee.name === 'Function') checkConstructor(path);
    },
    ReferencedIdentifier(path) {
      if (path.node.type === 'JSXIdentifier' && /^[a-z]/.test(path.node.name)) return;
      checkName(path);
    },
  };

  function dynamic(path) {
    const from = path.node.source || path.node.arguments?.[0];
    // Many packages look in this way for where they run, and go on without; their user cannot mend it.
    if (own && (!from || from.type !== 'StringLiteral')) {
      problem(path.node, 'dynamic_import', 'import() of a name that is computed at run time is not available: everything is bundled when it is deployed.', 'Write a pattern of your own files, such as import(`./pages/${name}.ts`), or import the modules by their names and choose among them.');
    }
  }

  return {
    name: 'aiwebengine-checks',
    visitor: {
      Program: {
        enter(path) {
          everywhere = isStrict(t, path.node, { path: file, commonjs: options.commonjs });
          if (path.node.interpreter) {
            path.node.interpreter = null; // #!/usr/bin/env node
            modern();
          }
          path.traverse(visitor);
          if (options.entry) offerNames(t, path, options.requires);
        },
      },
    },
  };
}

/*
 * Puts `__names({...})` at the start of the entry file: bundling drops functions that only a string names,
 * and renames others.
 */
function offerNames(t, path, commonjs) {
  for (const statement of path.get('body')) {
    if (!statement.isExportDefaultDeclaration()) continue;
    const declared = statement.node.declaration;
    if (/^(Function|Class)Declaration$/.test(declared.type)) {
      if (!declared.id) declared.id = path.scope.generateUidIdentifier('default');
      named(t, path, 'default', declared.id.name);
    } else {
      const id = path.scope.generateUidIdentifier('default');
      statement.insertBefore(t.variableDeclaration('const', [t.variableDeclarator(id, declared)]));
      statement.node.declaration = t.identifier(id.name);
      named(t, path, 'default', id.name);
    }
  }
  if (path.node.defaultName !== undefined) named(t, path, 'default', path.node.defaultName);
  for (const [name, binding] of Object.entries(path.scope.bindings)) {
    // What is imported is not this file's own.
    if (binding.kind === 'module') continue;
    named(t, path, name, name);
  }
  const offered = path.node.extraNames || [];
  if (commonjs) {
    for (const name of ['init', 'default']) if (!path.scope.hasOwnBinding(name)) offered.push(t.objectProperty(t.stringLiteral(name), exportedAs(t, name)));
  }
  const call = t.expressionStatement(t.callExpression(t.identifier('__names'), [t.objectExpression(offered)]));
  const at = path.node.body.findIndex((statement) => statement.type !== 'ImportDeclaration');
  path.node.body.splice(at < 0 ? path.node.body.length : at, 0, call);
}

/* What a file of CommonJS exports under a name, when it is asked; by default all that it exports. */
function exportedAs(t, name) {
  const all = () => t.memberExpression(t.identifier('module'), t.identifier('exports'));
  const one = t.memberExpression(all(), t.identifier(name));
  return t.functionExpression(null, [], t.blockStatement([t.returnStatement(name === 'default' ? t.logicalExpression('||', one, all()) : one)]));
}

function named(t, path, key, name) {
  (path.node.extraNames ||= []).push(
    // In a sequence, or Babel would give the function the key's name and rename what it returns.
    t.objectProperty(t.stringLiteral(key), t.sequenceExpression([t.numericLiteral(0), t.functionExpression(null, [], t.blockStatement([t.returnStatement(t.identifier(name))]))])),
  );
}

/* The name under which a binding was imported from the engine; null if it was not. */
function importedFromUs(binding) {
  if (!binding || !binding.path.isImportSpecifier() || binding.path.parent.source.value !== US) return null;
  return binding.path.node.imported.name ?? null;
}
