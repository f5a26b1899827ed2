/*
 * Writes a file with today's names for calls whose older ones are deprecated; everything else stays as it is written.
 */
import * as babel from '@babel/core';

/**
 * @param {string} path - Of the file, for what it is written in.
 * @param {string} source - Its text.
 * @param {Object<string, string>} names - Older name to today's, such as `register: "registerWebHandler"`.
 * @returns {{source: string, changes: {line: number, from: string, to: string}[]}}
 * @throws {SyntaxError} It cannot be parsed.
 */
export function rename(path, source, names) {
  const plugins = ['decorators-legacy'];
  if (/\.[mc]?tsx?$/.test(path)) plugins.push('typescript');
  if (!/\.[mc]?ts$/.test(path)) plugins.push('jsx');
  const tree = babel.parseSync(source, {
    filename: path,
    babelrc: false,
    configFile: false,
    browserslistConfigFile: false,
    sourceType: 'unambiguous',
    highlightCode: false,
    parserOpts: { plugins, allowReturnOutsideFunction: true },
  });
  const edits = [];
  const put = (node, from, text) => edits.push({ start: node.start, end: node.end, line: node.loc.start.line, from, text });

  function isOurs(found) {
    const binding = found.scope.getBinding(found.node.name);
    if (!binding) return true;
    const { parent } = binding.path;
    return binding.path.isImportSpecifier() && parent.source.value === 'aiwebengine';
  }

  babel.traverse(tree, {
    ReferencedIdentifier(found) {
      const { node, parent } = found;
      const to = names[node.name];
      if (to === undefined || node.type !== 'Identifier' || !isOurs(found)) return;
      const short = parent.type === 'ObjectProperty' && parent.shorthand;
      put(node, node.name, short ? `${node.name}: ${to}` : to);
    },
    MemberExpression({ node, scope }) {
      const { object, property, computed } = node;
      const world = object.type === 'Identifier' && (object.name === 'globalThis' || object.name === 'window') && !scope.hasBinding(object.name, true);
      if (!world || computed || !Object.hasOwn(names, property.name)) return;
      put(property, property.name, names[property.name]);
    },
    ImportSpecifier({ node, parent }) {
      if (parent.source.value !== 'aiwebengine' || node.imported.type !== 'Identifier') return;
      const to = names[node.imported.name];
      // What is a member of something else is imported as that.
      if (to !== undefined) put(node.imported, node.imported.name, to.split('.')[0]);
    },
  });

  let text = source;
  edits.sort((one, other) => other.start - one.start);
  for (const { start, end, text: put } of edits) text = text.slice(0, start) + put + text.slice(end);
  edits.reverse();
  return { source: text, changes: edits.map(({ line, from, text: to }) => ({ line, from, to })) };
}
