/*
 * Where in the author's file: for stacks, which know lines of the program and names that lowering and bundling gave.
 *
 * Two things are noted.  Before anything is lowered: every function, from where to where, and its name as the
 * language has it; so a frame is named by its place, whatever has become of the function.  And after everything
 * is lowered: each statement leads to the author's place that it came from, or, if Babel has added it, to no
 * place (`ADDED`), so that frames of helpers can be left out.
 */

/** The source of what nobody wrote. */
export const ADDED = 'added';

const NOWHERE = { start: { line: 1, column: 0 }, end: { line: 1, column: 0 }, filename: ADDED };

/**
 * @returns A Babel plugin. Its option `functions` is a list that is filled with `[line, column, line, column, name]`, or
 *   null if that was done; `lowered` tells that what it leaves is lowered.
 */
export function places({ types: t }, { functions, lowered }) {
  function note(path) {
    const { loc } = path.node;
    if (loc) functions.push([loc.start.line, loc.start.column, loc.end.line, loc.end.column, nameOf(path)]);
  }

  /* The first place of the author's in a node, without what functions in it hold. */
  function firstPlace(node) {
    if (node.loc && node.loc.filename !== ADDED) return node.loc;
    if (t.isFunction(node)) return null;
    for (const key of t.VISITOR_KEYS[node.type] ?? []) {
      const child = node[key];
      const found = Array.isArray(child) ? firstOf(child) : child ? firstPlace(child) : null;
      if (found !== null) return found;
    }
    return null;
  }

  function firstOf(nodes) {
    for (const node of nodes) {
      const found = node ? firstPlace(node) : null;
      if (found !== null) return found;
    }
    return null;
  }

  function place(node) {
    if (t.isStatement(node) && !t.isBlockStatement(node) && !node.loc) {
      const found = firstPlace(node);
      node.loc = found === null ? NOWHERE : { start: found.start, end: found.end };
    }
    for (const key of t.VISITOR_KEYS[node.type] ?? []) {
      const child = node[key];
      if (Array.isArray(child)) {
        for (const one of child) if (one) place(one);
      } else if (child) place(child);
    }
  }

  return {
    name: 'aiwebengine-places',
    visitor: { Program: { enter(path) { if (functions !== null) path.traverse({ Function: note }); } } },
    post(file) { if (lowered) place(file.ast.program); },
  };
}

/* As node names it in a stack; empty if it has no name. */
function nameOf(path) {
  const { node } = path;
  if (path.isObjectMethod() || path.isClassMethod() || path.isClassPrivateMethod()) return methodName(path);
  return node.id?.name ?? [ownerName(path), givenName(path)].filter(Boolean).join('.');
}

/* The class of a function that is the value of a field. */
function ownerName({ parentPath }) {
  return /^Class(Private)?Property$/.test(parentPath.node.type) ? className(parentPath.parentPath.parentPath) : '';
}

function methodName(path) {
  const { node } = path;
  const owner = path.isObjectMethod() ? '' : className(path.parentPath.parentPath);
  if (node.kind === 'constructor') return `new ${owner || '(anonymous)'}`;
  const kind = node.kind === 'get' || node.kind === 'set' ? `${node.kind} ` : '';
  return kind + [owner, keyName(node)].filter(Boolean).join('.');
}

function className(path) {
  return path.node.id?.name ?? givenName(path);
}

/** The name that the language gives to a function or class without one: that of what it is first given to. */
export function givenName({ node, parent, parentPath }) {
  switch (parent.type) {
    case 'VariableDeclarator': return parent.init === node && parent.id.type === 'Identifier' ? parent.id.name : '';
    case 'AssignmentExpression':
    case 'AssignmentPattern': return parent.right === node && parent.left.type === 'Identifier' ? parent.left.name : '';
    case 'ObjectProperty': return keyName(parent);
    case 'ClassProperty':
    case 'ClassPrivateProperty': return keyName(parent);
    case 'ExportDefaultDeclaration': return 'default';
    case 'TSAsExpression':
    case 'TSSatisfiesExpression':
    case 'TSNonNullExpression':
    case 'TSTypeAssertion': return givenName(parentPath);
    default: return '';
  }
}

/** The name of a property; empty if it is computed. */
export function keyName({ key, computed }) {
  if (key.type === 'PrivateName') return `#${key.id.name}`;
  if (key.type === 'StringLiteral' || key.type === 'NumericLiteral') return String(key.value);
  return computed ? '' : key.name ?? '';
}
