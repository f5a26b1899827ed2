/*
 * Names that are global in Node.js and not in scripts: `Buffer`, `process`, `setImmediate`.  A file that uses one gets it
 * from the module that has it, as helpers are got: see helpers.mjs.
 *
 * A file that asks `typeof Buffer` does without it where there is none, and is left to do so: what it does without is
 * what it does in browsers.
 */
import { helperName } from '../lowering/helpers.mjs';
import { nearest } from '../nearest.mjs';

/* Names to modules; of `process` the module is the object itself. */
const MODULES = { Buffer: 'buffer', process: 'process', setImmediate: 'timers', clearImmediate: 'timers' };
const PREFIX = 'node_';

/** The statement of the module of helpers that gives a name of Node.js; null if a helper is none. */
export function fromNode(helper) {
  if (!helper.startsWith(PREFIX)) return null;
  const name = helper.slice(PREFIX.length);
  return `export { ${name === MODULES[name] ? 'default' : name} as ${helperName(helper)} } from "node:${MODULES[name]}";`;
}

/**
 * @returns A Babel plugin, to be run before the checks.  Its options: `own`; `helpers` and `found`, as in lower.mjs;
 *   `members`: what `Buffer` and `process` have; `exports`: what each module exports; `problem(node, code, message, hint)`.
 */
export function nodes({ types: t }, { own, helpers, found, members, exports, problem }) {
  const isMode = ({ parentPath: env }) => env.matchesPattern('process.env') && env.parentPath.isMemberExpression({ object: env.node }) && nameOf(env.parentPath.node) === 'NODE_ENV';
  const nameOf = ({ property, computed }) => (computed ? property.value : property.name);

  function free(program) {
    const used = [];
    const asked = new Set();
    program.traverse({
      ReferencedIdentifier(path) {
        const { name } = path.node;
        if (!path.isIdentifier() || !(Object.hasOwn(MODULES, name) || (own && name === 'global')) || path.scope.hasBinding(name, true)) return;
        if (path.parentPath.isUnaryExpression({ operator: 'typeof' })) asked.add(name);
        else if (name !== 'process' || !isMode(path)) used.push(path);
      },
    });
    return used.filter(({ node }) => !asked.has(node.name));
  }

  function checkMember({ node, parentPath }) {
    const known = members[node.name];
    if (!own || known === undefined || !parentPath.isMemberExpression({ object: node }) || parentPath.node.computed) return;
    const { name } = parentPath.node.property;
    if (known.includes(name) || name in Function.prototype || parentPath.parentPath.isAssignmentExpression({ left: parentPath.node })) return;
    const suggestion = nearest(name, known);
    problem(parentPath.node.property, 'unknown_member', `${node.name}.${name} does not exist.${suggestion ? ` Did you mean ${node.name}.${suggestion}?` : ''}`, suggestion ? `Write ${node.name}.${suggestion}.` : `See the documentation for what of ${node.name} there is.`);
  }

  function checkImport({ source, specifiers }) {
    const known = exports[source.value.replace(/^node:/, '')];
    if (known === undefined) return;
    for (const one of specifiers) {
      if (one.type !== 'ImportSpecifier') continue;
      const name = one.imported.name ?? one.imported.value;
      if (name === 'default' || known.includes(name)) continue;
      const suggestion = nearest(name, known);
      problem(one, 'missing_export', `"${source.value}" does not export "${name}" here.`, suggestion ? `Did you mean "${suggestion}"?` : 'See the documentation for what of this module there is.');
    }
  }

  return {
    name: 'aiwebengine-nodes',
    visitor: {
      Program: {
        enter(program) {
          if (own) for (const one of program.node.body) if (one.type === 'ImportDeclaration' && one.source.value.startsWith('node:')) checkImport(one);
          for (const path of free(program)) {
            const { name } = path.node;
            found.plain = false;
            checkMember(path);
            const helper = PREFIX + name;
            if (name !== 'global' && !helpers.includes(helper)) helpers.push(helper);
            const written = t.inherits(t.identifier(name === 'global' ? 'globalThis' : helperName(helper)), path.node);
            if (path.parentPath.isObjectProperty({ shorthand: true, value: path.node })) path.parent.shorthand = false;
            path.replaceWith(written);
          }
        },
      },
    },
  };
}
