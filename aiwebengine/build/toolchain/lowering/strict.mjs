/*
 * Makes modules, classes and TypeScript strict, as the language says they are.
 *
 * esbuild puts the modules of a bundle into one function, next to those of CommonJS, which are not strict unless they
 * say so.  So there is no directive for the whole bundle: the outermost functions of a strict file get one.  Classes in
 * other files get theirs from Babel.
 *
 * Only those get one to whose code it makes a difference: which write to properties, delete them, write to names that
 * nobody has declared, or use `this` or `arguments`.  Duktape gives each strict function two properties, `caller` and
 * `arguments`, so that an arrow function takes twice as long to create.
 *
 * A statement at top level to which it makes a difference becomes a function that is called at once; its name, `__top`,
 * tells that its frame is not the author's.
 */
import { contains } from './contains.mjs';

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression', 'ObjectMethod', 'ClassMethod', 'ClassPrivateMethod']);
const MODULE = /^(?:Import|Export)\w*Declaration$/;
const ALWAYS = /\.(?:mjs|jsx|[mc]?tsx?)$/;
const DIRECTIVE = 'use strict';

/** What a function is called that stands for statements at top level. */
export const TOP = '__top';

function saysSo({ directives }) {
  return directives.some(({ value }) => value.value === DIRECTIVE);
}

function isModule(t, program) {
  return program.body.some(({ type }) => MODULE.test(type)) || contains(t, program, ({ type, meta }) => type === 'MetaProperty' && meta.name === 'import');
}

/**
 * Whether all code of a file is strict.
 *
 * @param {object} t - Babel's types.
 * @param {object} program - The tree of the file, before anything is lowered.
 * @param {object} options - `path` of the file; `commonjs`: whether it may be a module of CommonJS of a package, whose
 *   directive is left to esbuild.
 */
export function isStrict(t, program, { path, commonjs }) {
  return ALWAYS.test(path) || (saysSo(program) && !commonjs) || isModule(t, program);
}

/**
 * @returns A Babel plugin. Its options: those of `isStrict`; `own`: the author's file, not a package's; `except`, a
 *   pattern of names of functions that are left as they are.
 */
export function strict({ types: t }, { path, commonjs, own = false, except = null }) {
  let everywhere = false;

  function* childrenOf(node) {
    for (const key of t.VISITOR_KEYS[node.type] ?? []) {
      const value = node[key];
      if (Array.isArray(value)) {
        for (const one of value) if (one) yield one;
      } else if (value) yield value;
    }
  }

  /* What a function or program declares, and the functions in it; those in them are theirs. */
  function outline(root) {
    const names = new Set(['arguments']);
    const functions = [];
    const look = (node) => {
      if (node !== root && FUNCTIONS.has(node.type)) {
        if (node.type === 'FunctionDeclaration') names.add(node.id?.name);
        if (node.computed) look(node.key);
        functions.push(node);
        return;
      }
      if (node.type === 'VariableDeclarator' || node.type === 'CatchClause') for (const name of boundBy(node.id ?? node.param)) names.add(name);
      else if (/^Import\w*Specifier$/.test(node.type)) names.add(node.local.name);
      else if (node.type === 'ClassDeclaration') names.add(node.id?.name);
      for (const child of childrenOf(node)) look(child);
    };
    for (const one of root.params ?? []) for (const name of boundBy(one)) names.add(name);
    look(root);
    return { names, functions };
  }

  function boundBy(pattern) {
    return pattern ? Object.keys(t.getBindingIdentifiers(pattern)) : [];
  }

  /* Whether strictness makes a difference to a node, without the functions in it. */
  function differs(root, declared, top) {
    const written = (target) => {
      if (target.type === 'MemberExpression') return !isContext(target.object);
      if (target.type === 'Identifier') return !declared.some((names) => names.has(target.name));
      if (target.type === 'VariableDeclaration') return false;
      return [...childrenOf(target)].some(written);
    };
    const found = (node) => {
      if ((top || node !== root) && FUNCTIONS.has(node.type)) return Boolean(node.computed) && found(node.key);
      if (!top && (node.type === 'ThisExpression' || (node.type === 'Identifier' && node.name === 'arguments'))) return true;
      if ((node.type === 'AssignmentExpression' || node.type === 'ForInStatement' || node.type === 'ForOfStatement') && written(node.left)) return true;
      if ((node.type === 'UpdateExpression' || (node.type === 'UnaryExpression' && node.operator === 'delete')) && written(node.argument)) return true;
      for (const child of childrenOf(node)) if (found(child)) return true;
      return false;
    };
    return found(root);
  }

  function isCommonJS({ type, name }) {
    return type === 'Identifier' && (name === 'module' || name === 'exports');
  }

  /* The state of a generator, in what Babel makes of its body. */
  function isContext(node) {
    return node.type === 'Identifier' && !node.loc && /^_context\d*$/.test(node.name);
  }

  /* Give a function the directive, or else those in it that need it. */
  function makeStrict(node, declared) {
    if (saysSo(node.body)) return;
    const { names, functions } = outline(node);
    const inside = [...declared, names];
    if (differs(node, inside, false)) node.body.directives.push(t.directive(t.directiveLiteral(DIRECTIVE)));
    else for (const one of functions) makeStrict(one, inside);
  }

  /* `this` at the top level of an older script is the global object. */
  function showGlobal(node) {
    for (const key of t.VISITOR_KEYS[node.type] ?? []) {
      const value = node[key];
      if (Array.isArray(value)) value.forEach((one, at) => { if (one) value[at] = shown(one); });
      else if (value) node[key] = shown(value);
    }
  }

  function shown(node) {
    if (node.type === 'ThisExpression') return t.inherits(t.identifier('globalThis'), node);
    if (!FUNCTIONS.has(node.type)) showGlobal(node);
    return node;
  }

  function called(statements) {
    return t.callExpression(t.functionExpression(t.identifier(TOP), [], t.blockStatement(statements, [t.directive(t.directiveLiteral(DIRECTIVE))])), []);
  }

  function calledFor(expression) {
    return called([t.inherits(t.returnStatement(expression), expression)]);
  }

  /* A statement at top level, as the statements that take its place. */
  function wrapped(statement, declared) {
    const risky = (node) => node && differs(node, declared, true);
    if (t.isExportNamedDeclaration(statement) && statement.declaration) {
      wrapped(statement.declaration, declared);
    } else if (t.isExportDefaultDeclaration(statement) && t.isExpression(statement.declaration)) {
      if (risky(statement.declaration)) statement.declaration = calledFor(statement.declaration);
    } else if (t.isVariableDeclaration(statement)) {
      for (const one of statement.declarations) if (risky(one.init)) one.init = calledFor(one.init);
    } else if (t.isStatement(statement) && !t.isDeclaration(statement) && risky(statement)) {
      return hoisted(statement);
    }
    return [statement];
  }

  function hoisted(statement) {
    const names = new Set();
    let possible = true;
    const assigned = (declaration) => {
      for (const { id } of declaration.declarations) for (const name of boundBy(id)) names.add(name);
      const set = declaration.declarations.filter(({ init }) => init).map(({ id, init }) => t.inherits(t.assignmentExpression('=', id, init), init));
      return set.length === 0 ? null : set.length === 1 ? set[0] : t.sequenceExpression(set);
    };
    const replace = (node, child, key) => {
      if (child.type === 'FunctionDeclaration' || child.type === 'ClassDeclaration' || (child.type === 'VariableDeclaration' && child.kind !== 'var')) possible = false;
      if (FUNCTIONS.has(child.type)) return child;
      if (child.type !== 'VariableDeclaration') {
        inside(child);
        return child;
      }
      inside(child);
      if (/^For(?:In|Of)Statement$/.test(node.type) && key === 'left') {
        for (const name of boundBy(child.declarations[0].id)) names.add(name);
        return child.declarations[0].id;
      }
      const made = assigned(child);
      if (node.type === 'ForStatement') return made;
      return t.inherits(made === null ? t.emptyStatement() : t.expressionStatement(made), child);
    };
    const inside = (node) => {
      for (const key of t.VISITOR_KEYS[node.type] ?? []) {
        const value = node[key];
        if (Array.isArray(value)) value.forEach((one, at) => { if (one) value[at] = replace(node, one, key); });
        else if (value) node[key] = replace(node, value, key);
      }
    };
    if (contains(t, statement, (node) => node.type === 'ClassDeclaration' || (node.type === 'VariableDeclaration' && node.kind !== 'var'))) possible = false;
    if (!possible) return [statement];
    inside(statement);
    const call = t.expressionStatement(called([statement]));
    call.loc = statement.loc;
    if (names.size === 0) return [call];
    const declared = t.variableDeclaration('var', [...names].map((name) => t.variableDeclarator(t.identifier(name))));
    declared.loc = statement.loc;
    return [declared, call];
  }

  return {
    name: 'aiwebengine-strict',
    visitor: {
      Program: {
        enter(program) {
          const { node } = program;
          everywhere = isStrict(t, node, { path, commonjs });
          if (everywhere) node.directives = node.directives.filter(({ value }) => value.value !== DIRECTIVE);
        },
      },
    },
    post({ ast: { program } }) {
      const alone = own && !isModule(t, program) && !contains(t, program, isCommonJS);
      if (alone && !ALWAYS.test(path)) showGlobal(program);
      if (!everywhere) return;
      const { names, functions } = outline(program);
      names.delete('arguments');
      for (const one of functions) if (!except?.test(one.id?.name)) makeStrict(one, [names]);
      program.body = program.body.flatMap((statement) => wrapped(statement, [names]));
      // What imports and exports nothing is a module all the same, at whose top level `this` is undefined.
      if (alone && ALWAYS.test(path)) program.body.push(t.exportNamedDeclaration(null, []));
    },
  };
}
