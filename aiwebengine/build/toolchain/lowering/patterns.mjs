/*
 * Regular expressions as far as they can be had: what the engine would not take, or would match wrongly, is written
 * otherwise when a script is built.
 */
import { contains } from './contains.mjs';
import { boundRepeats } from './repeats.mjs';

/** @returns A Babel plugin; its option `found` is told of a file that is not plain. */
export function patterns({ types: t }) {
  /* The other form of a literal, which still tells the author's text as its source. */
  function withSource(literal, source) {
    const described = t.objectExpression([
      t.objectProperty(t.identifier('value'), t.stringLiteral(source)),
      t.objectProperty(t.identifier('configurable'), t.booleanLiteral(true)),
    ]);
    return t.callExpression(t.memberExpression(t.identifier('Object'), t.identifier('defineProperty')), [literal, t.stringLiteral('source'), described]);
  }

  function textOf(path) {
    const result = path?.evaluate();
    return result?.confident && typeof result.value === 'string' ? result.value : null;
  }

  /* `new RegExp("\\p{L}", "u")` with a text that is known now is as good as a literal, which is lowered. */
  function constructed(path) {
    if (!path.get('callee').isIdentifier({ name: 'RegExp' }) || path.scope.hasBinding('RegExp', true)) return;
    const [pattern, flags] = path.get('arguments').map(textOf);
    if (!pattern || !flags || !(flags.includes('v') || (flags.includes('u') && /\\[pP]\{/.test(pattern)))) return;
    try {
      const { source } = new RegExp(pattern, flags);
      path.replaceWith(t.regExpLiteral(source, flags));
    } catch { /* it throws where it stands, as it would anywhere */ }
  }

  return {
    name: 'aiwebengine-patterns',
    visitor: {
      NewExpression: constructed,
      CallExpression: constructed,
      Program: {
        // After all others, which lower flags and named groups.
        exit(path, state) {
          if (!contains(t, path.node, ({ type }) => type === 'RegExpLiteral')) return;
          path.traverse({
            RegExpLiteral(literal) {
              const { pattern, flags } = literal.node;
              if (/\(\?<[=!]/.test(pattern)) {
                // Not even to be compiled: it throws when it is used, and says why.  See regexp.js of the prelude.
                literal.replaceWith(t.newExpression(t.identifier('RegExp'), [t.stringLiteral(pattern), t.stringLiteral(flags), t.booleanLiteral(true)]));
                return;
              }
              const bounded = boundRepeats(pattern);
              if (bounded === pattern) return;
              state.opts.found.plain = false;
              literal.replaceWith(withSource(t.regExpLiteral(bounded, flags), pattern));
              literal.skip();
            },
          });
        },
      },
    },
  };
}
