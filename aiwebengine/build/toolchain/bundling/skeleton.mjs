/*
 * A module of which nothing is used, without its code: only what it exports and what it hands on, so that others
 * can still be linked with it.  Lowering it would cost much and change nothing.
 */
import { parseSync } from '@babel/core';

/**
 * @param {string} path - Of the file, for what it is written in.
 * @param {string} source - A module in today's language.
 * @returns {string} A module that any engine reads.
 */
export function skeleton(path, source) {
  const { program } = parseSync(source, { filename: path, babelrc: false, configFile: false, browserslistConfigFile: false, sourceType: 'module', parserOpts: { plugins: /\.[mc]?tsx?$/.test(path) ? ['typescript'] : ['jsx'] } });
  const text = (node) => source.slice(node.start, node.end);
  const imports = new Map(); // local name to the statement that imports it
  const needed = new Set();
  const kept = [];
  const names = [];
  for (const statement of program.body) {
    if (statement.type === 'ImportDeclaration') for (const { local } of statement.specifiers) imports.set(local.name, statement);
  }
  for (const statement of program.body) {
    if (statement.type === 'ExportAllDeclaration' || (statement.type === 'ExportNamedDeclaration' && statement.source)) kept.push(text(statement));
    else if (statement.type === 'ExportDefaultDeclaration') names.push('default');
    else if (statement.type === 'ExportNamedDeclaration') exported(statement);
  }

  function exported({ declaration, specifiers }) {
    if (declaration) names.push(...namesOf(declaration));
    for (const { local, exported: given } of specifiers) {
      if (!imports.has(local.name)) {
        names.push(text(given));
        continue;
      }
      needed.add(imports.get(local.name));
      kept.push(`export { ${local.name} as ${text(given)} };`);
    }
  }

  const own = names.length > 0 ? `var __unused;\nexport { ${names.map((name) => `__unused as ${name}`).join(', ')} };` : 'export {};';
  return [...[...needed].map(text), ...kept, own].join('\n');
}

function namesOf(declaration) {
  if (declaration.type !== 'VariableDeclaration') return declaration.id ? [declaration.id.name] : [];
  return declaration.declarations.flatMap(({ id }) => patternNames(id));
}

function patternNames(node) {
  switch (node?.type) {
    case 'Identifier': return [node.name];
    case 'ObjectPattern': return node.properties.flatMap((one) => patternNames(one.value ?? one.argument));
    case 'ArrayPattern': return node.elements.flatMap(patternNames);
    case 'AssignmentPattern': return patternNames(node.left);
    case 'RestElement': return patternNames(node.argument);
    default: return [];
  }
}
