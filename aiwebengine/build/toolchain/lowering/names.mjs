/*
 * Keeps the names of classes.  Those of functions: see arrows.mjs.
 *
 * A lowered class is a function inside a function of the same name, and esbuild renames the inner one
 * (NotFound becomes NotFound2), which shows in `error.constructor.name` and in stacks.  It cannot keep names
 * for an ES5 target, so they are set where the class or function is made.
 */
import { givenName } from './places.mjs';

/** @returns A Babel plugin. */
export function names({ types: t, template }) {
  const nameOf = template.statement(`Object.defineProperty(TARGET, 'name', { value: NAME, configurable: true });`);

  function named(target, name) {
    return nameOf({ TARGET: target, NAME: t.stringLiteral(name) });
  }

  /* Writing to the name of a class within the class throws. */
  function protect(path, name, state) {
    const binding = path.scope.getOwnBinding(name);
    for (const violation of binding?.constantViolations ?? []) {
      const thrown = t.callExpression(state.addHelper('readOnlyError'), [t.stringLiteral(name)]);
      if (violation.isAssignmentExpression({ operator: '=' })) violation.get('right').replaceWith(t.sequenceExpression([violation.node.right, thrown]));
      else if (violation.isAssignmentExpression() || violation.isUpdateExpression()) violation.replaceWith(thrown);
    }
  }

  // Other plugins put a class back into the queue when they have changed it.
  const done = new WeakSet();
  return {
    name: 'names',
    visitor: {
      Class(path, state) {
        if (done.has(path.node.body)) return;
        done.add(path.node.body);
        const { id, body } = path.node;
        if (id) protect(path, id.name, state);
        const name = id ? id.name : path.node.extra?.given ?? givenName(path);
        const taken = body.body.some((member) => member.static && member.key && !member.computed && (member.key.name === 'name' || member.key.value === 'name'));
        if (!taken && !path.node.declare) body.body.unshift(t.staticBlock([named(t.thisExpression(), name)]));
      },
    },
  };
}
