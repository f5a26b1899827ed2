/*
 * Keeps the frame of a function that returns what another one returns.
 *
 * The engine makes a tail call of `return f()`: the frame of the caller is gone before f runs.  Then stacks lack it, an
 * awaited call, which is lowered to a `return`, has no line, and endless recursion never meets a limit.  It makes none
 * of `return result = f()`.
 */
const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression', 'ObjectMethod', 'ClassMethod', 'ClassPrivateMethod']);

/**
 * @returns A Babel plugin. Its option `found` is told that the source cannot run as it is.
 */
export function frames({ types: t }, { found }) {
  /* Rewrites the returns of a function, and not those of functions in it; true if there were any. */
  function rewritten(node, name) {
    if (node.type === 'ReturnStatement' && isCall(node.argument)) {
      const { argument } = node;
      node.argument = t.assignmentExpression('=', t.identifier(name), argument);
      node.argument.loc = argument.loc;
      return true;
    }
    let any = false;
    for (const child of childrenOf(node)) if (!FUNCTIONS.has(child.type)) any = rewritten(child, name) || any;
    return any;
  }

  /* What comes last in a sequence is what is called last. */
  function isCall(node) {
    if (node?.type === 'SequenceExpression') return isCall(node.expressions.at(-1));
    return node?.type === 'CallExpression' || node?.type === 'OptionalCallExpression';
  }

  function* childrenOf(node) {
    for (const key of t.VISITOR_KEYS[node.type] ?? []) {
      const value = node[key];
      if (Array.isArray(value)) {
        for (const one of value) if (one) yield one;
      } else if (value) yield value;
    }
  }

  return {
    name: 'aiwebengine-frames',
    // When all else is lowered: much of it becomes functions and returns only then.
    post({ path }) {
      const name = path.scope.generateUid('result');
      const waiting = [path.node];
      while (waiting.length > 0) {
        const node = waiting.pop();
        for (const child of childrenOf(node)) waiting.push(child);
        if (!FUNCTIONS.has(node.type) || node.body.type !== 'BlockStatement' || !rewritten(node.body, name)) continue;
        found.plain = false;
        node.body.body.unshift(t.variableDeclaration('var', [t.variableDeclarator(t.identifier(name))]));
      }
    },
  };
}
