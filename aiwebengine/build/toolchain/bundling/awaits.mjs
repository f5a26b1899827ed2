/*
 * Modules that wait at their top level, by `await` or because a module that they import does.
 *
 * What is bundled is one synchronous program, so the statements of such a module become a function that is called when
 * the modules that it imports have finished; its names stay where they are, so that imports mean them as before:
 *
 *     import { a } from "./a";                import { a } from "./a"; import { record as a0 } from "awaits:of ./a";
 *     export const b = await f(a);            var b; start(own, [a0], async () => { b = await f(a); }, true); export { b };
 *
 * `RUN` is the module that calls them, in the order of ECMA-262 (https://tc39.es/ecma262/#sec-async-module-execution-fulfilled):
 * siblings wait at the same time, modules in a cycle do not wait for each other, and an error fails all that wait for it.
 */

/** Returns whether a file may wait at its top level, without parsing it. */
export const mayAwait = (source) => /\bawait\b/.test(source);

export const RUN = `
var count = 0;
export function make() { return { state: 'new', order: 0, pending: 0, waits: false, body: null, error: undefined, parents: [], listeners: [] }; }
export function start(record, needed, body, waits) {
  record.order = count += 1; record.body = body; record.waits = waits; record.state = 'waiting';
  for (var at = 0; at < needed.length; at += 1) {
    if (needed[at].state === 'failed') { fail(record, needed[at].error); return; }
    if (needed[at].state !== 'waiting' || needed[at].parents.indexOf(record) >= 0) continue;
    record.pending += 1; needed[at].parents.push(record);
  }
  if (record.pending > 0) return;
  if (waits) { run(record); return; }
  record.state = 'done';
  try { body(); } catch (error) { record.state = 'failed'; record.error = error; throw error; }
}
export function when(record, value) {
  return new Promise(function (resolve, reject) {
    if (record.state === 'done' || record.state === 'new') resolve(value);
    else if (record.state === 'failed') reject(record.error);
    else record.listeners.push(function () { if (record.state === 'done') resolve(value); else reject(record.error); });
  });
}
function run(record) { record.body().then(function () { finish(record); }, function (error) { fail(record, error); }); }
function settle(record) { record.body = null; for (var at = 0; at < record.listeners.length; at += 1) record.listeners[at](); }
function fail(record, error) {
  if (record.state !== 'waiting') return;
  record.state = 'failed'; record.error = error;
  for (var at = 0; at < record.parents.length; at += 1) fail(record.parents[at], error);
  settle(record);
}
function gather(record, ready) {
  for (var at = 0; at < record.parents.length; at += 1) {
    var parent = record.parents[at];
    if (parent.state !== 'waiting') continue;
    parent.pending -= 1;
    if (parent.pending > 0) continue;
    ready.push(parent);
    if (!parent.waits) gather(parent, ready);
  }
}
function finish(record) {
  var ready = [];
  record.state = 'done';
  gather(record, ready);
  ready.sort(function (one, other) { return one.order - other.order; });
  settle(record);
  for (var at = 0; at < ready.length; at += 1) {
    var next = ready[at];
    if (next.state !== 'waiting') continue;
    if (next.waits) { run(next); continue; }
    try { next.body(); } catch (error) { fail(next, error); continue; }
    next.state = 'done';
    settle(next);
  }
}
`;

/**
 * @returns A Babel plugin, to be run without types and before anything is lowered.  Its options: `waits`, see
 *   waiting.mjs; `entry`; `found`, whose `awaits` is set if the file waits itself.
 */
export function awaits({ types: t }, { waits, entry, found }) {
  const names = (node) => Object.keys(t.getOuterBindingIdentifiers(node));

  function waitsItself(program) {
    let own = false;
    program.traverse({
      Function(path) { path.skip(); },
      ClassProperty(path) { path.skip(); },
      StaticBlock(path) { path.skip(); },
      AwaitExpression(path) { own = true; path.stop(); },
      ForOfStatement({ node }) { own ||= node.await === true; },
      VariableDeclaration({ node }) { own ||= node.kind === 'await using'; },
    });
    return own;
  }

  /* `var a = 1, b` as assignments; null if nothing is assigned. */
  function assigned({ declarations, kind }) {
    const made = declarations.flatMap(({ id, init, loc }) => {
      if (init === null && kind === 'var') return [];
      const assignment = t.assignmentExpression('=', id, init ?? t.unaryExpression('void', t.numericLiteral(0)));
      assignment.loc = loc;
      return [assignment];
    });
    if (made.length === 0) return null;
    return made.length === 1 ? made[0] : t.sequenceExpression(made);
  }

  /* `var` in blocks and loops belongs to the module, too. */
  function hoistNested(program, hoisted) {
    program.traverse({
      Function(path) { path.skip(); },
      VariableDeclaration(path) {
        const { node, parent, key } = path;
        if (node.kind !== 'var' || parent.type === 'Program' || parent.type === 'ExportNamedDeclaration') return;
        for (const name of names(node)) hoisted.add(name);
        if (key === 'left') path.replaceWith(node.declarations[0].id);
        else if (key === 'init') path.replaceWith(assigned(node) ?? t.numericLiteral(0));
        else {
          const expression = assigned(node);
          path.replaceWith(expression === null ? t.emptyStatement() : t.expressionStatement(expression));
        }
      },
    });
  }

  function record(outer, specifier, name) {
    outer.push(t.importDeclaration([t.importSpecifier(t.identifier(name), t.identifier('record'))], t.stringLiteral(specifier)));
    return name;
  }

  function dynamicImports(program, outer, run) {
    program.traverse({
      'ImportExpression|CallExpression'(path) {
        const { node } = path;
        if (node.type === 'CallExpression' && node.callee.type !== 'Import') return;
        const from = node.source ?? node.arguments[0];
        if (from?.type !== 'StringLiteral' || !waits.includes(from.value)) return;
        const [name, value] = [record(outer, `awaits:of ${from.value}`, program.scope.generateUid('record')), program.scope.generateUid('module')];
        const then = t.arrowFunctionExpression([t.identifier(value)], t.callExpression(t.identifier(run.when), [t.identifier(name), t.identifier(value)]));
        path.replaceWith(t.callExpression(t.memberExpression(node, t.identifier('then')), [then]));
        path.skip();
      },
    });
  }

  function change(program, own) {
    const run = { start: program.scope.generateUid('start'), when: program.scope.generateUid('when') };
    const outer = [t.importDeclaration(['start', 'when'].map((name) => t.importSpecifier(t.identifier(run[name]), t.identifier(name))), t.stringLiteral('awaits:run'))];
    const imported = program.node.body.map(({ type, source }) => (/^(Import|Export(Named|All))Declaration$/.test(type) ? source?.value : undefined));
    const needed = [...new Set(imported)].filter((one) => one !== undefined && waits.includes(one)).map((one) => record(outer, `awaits:of ${one}`, program.scope.generateUid('record')));
    needed.push(...waits.filter((one) => one.startsWith('awaits:at ')).map((one) => record(outer, one, program.scope.generateUid('record'))));
    dynamicImports(program, outer, run);
    if (!own && needed.length === 0) {
      program.node.body.unshift(...outer);
      return;
    }
    const hoisted = new Set();
    hoistNested(program, hoisted);
    const { inner, exported } = split(program, outer, hoisted);
    const mine = record(outer, 'awaits:own', program.scope.generateUid('own'));
    const body = t.arrowFunctionExpression([], t.blockStatement(inner), own);
    const started = t.callExpression(t.identifier(run.start), [t.identifier(mine), t.arrayExpression(needed.map((one) => t.identifier(one))), body, t.booleanLiteral(own)]);
    if (hoisted.size > 0) outer.push(t.variableDeclaration('var', [...hoisted].map((name) => t.variableDeclarator(t.identifier(name)))));
    outer.push(t.expressionStatement(started));
    if (exported.length > 0) outer.push(t.exportNamedDeclaration(null, exported.map(([name, as]) => t.exportSpecifier(t.identifier(name), t.identifier(as)))));
    if (entry) outer.push(t.expressionStatement(t.callExpression(t.identifier('__names'), [t.callExpression(t.identifier(run.when), [t.identifier(mine)])])));
    program.node.body = outer;
  }

  /* Which statements wait; what is declared and imported does not. */
  function split(program, outer, hoisted) {
    const [inner, exported] = [[], []];
    const within = (expression, loc) => {
      const statement = t.expressionStatement(expression);
      statement.loc = loc;
      inner.push(statement);
    };
    const declared = (node) => {
      for (const name of names(node)) hoisted.add(name);
      if (node.type === 'ClassDeclaration') within(t.assignmentExpression('=', t.identifier(node.id.name), t.toExpression(node)), node.loc);
      else {
        const expression = assigned(node);
        if (expression !== null) within(expression, node.loc);
      }
    };
    const movable = (node) => node.type === 'ClassDeclaration' || (node.type === 'VariableDeclaration' && !/using/.test(node.kind));
    for (const node of program.node.body) {
      const { declaration } = node;
      if (node.type === 'ExportNamedDeclaration' && declaration && movable(declaration)) {
        exported.push(...names(declaration).map((name) => [name, name]));
        declared(declaration);
      } else if (node.type === 'ExportDefaultDeclaration' && declaration.type !== 'FunctionDeclaration') {
        const name = declaration.id?.name ?? program.scope.generateUid('default');
        hoisted.add(name);
        exported.push([name, 'default']);
        program.node.defaultName = name;
        within(t.assignmentExpression('=', t.identifier(name), t.toExpression(declaration)), node.loc);
      } else if (/^(Import|Export|Function)/.test(node.type) && node.type !== 'ImportExpression') outer.push(node);
      else if (movable(node)) declared(node);
      else inner.push(node);
    }
    return { inner, exported };
  }

  return {
    name: 'aiwebengine-awaits',
    visitor: {
      Program: {
        enter(path) {
          const own = waitsItself(path);
          found.awaits = own;
          if (own || waits.length > 0) change(path, own);
        },
      },
    },
  };
}
