/*
 * What is known not to be a BigInt without running the code, so that its operators stay as they are written.
 *
 * Names are looked at for a whole file: one is known if everything that the file assigns to it is, wherever it stands.
 * Other values than numbers and texts are called `length` in theory only, so such names count as well.
 */

const LITERALS = new Set([
  'NumericLiteral', 'StringLiteral', 'BooleanLiteral', 'NullLiteral', 'RegExpLiteral', 'TemplateLiteral', 'ArrayExpression', 'ObjectExpression',
  'FunctionExpression', 'ArrowFunctionExpression', 'ClassExpression', 'NewExpression', 'JSXElement', 'JSXFragment', 'MetaProperty', 'ImportExpression',
]);
const ARITHMETIC = /^(?:[-+*/%&|^]|\*\*|<<|>>)$/;
const NAMES = new Set(['undefined', 'NaN', 'Infinity', 'Math', 'JSON', 'Object', 'Array', 'Number', 'String', 'Date', 'Symbol', 'Promise', 'globalThis']);
const FUNCTIONS = new Set(['Number', 'String', 'Boolean', 'parseInt', 'parseFloat', 'isNaN', 'isFinite', 'Symbol', 'Array', 'encodeURIComponent', 'require', 'setTimeout']);
const HOLDERS = new Set(['Math', 'Date', 'Number', 'String', 'JSON', 'Array', 'Symbol', 'Promise']);
const METHODS = new Set((
  'toString charCodeAt codePointAt charAt indexOf lastIndexOf findIndex slice substring substr split join trim trimStart trimEnd toLowerCase toUpperCase '
  + 'replace replaceAll padStart padEnd repeat toFixed startsWith endsWith includes has test match getTime push map filter then hasOwnProperty').split(' '));
const SIZES = new Set(['length', 'byteLength', 'byteOffset', 'prototype']);
const NUMBERS = /^(?:charCodeAt|codePointAt|indexOf|lastIndexOf|findIndex|getTime|push)$/;

export class Facts {
  /**
   * @param {object} t - Babel's types.
   * @param {object} program - The tree of a file, as its author wrote it.
   */
  constructor(t, program) {
    this.t = t;
    this.values = new Map(); // name to what is assigned to it
    this.unknown = new Set();
    this.changed = new Set();
    this.declared = new Set();
    this.known = null; // of expressions, when the names are
    t.traverseFast(program, (node) => this.note(node));
    for (const name of this.values.keys()) if (this.unknown.has(name) || !this.declared.has(name)) this.values.delete(name);
    // All are taken to be known, until what is assigned to them shows otherwise.
    for (let before = -1; before !== this.values.size;) {
      before = this.values.size;
      for (const [name, values] of this.values) if (!values.every((one) => this.isOther(one))) this.values.delete(name);
    }
    this.known = new WeakMap();
  }

  note(node) {
    const { t } = this;
    if (node.type === 'VariableDeclarator') this.assign(node.id, node.init);
    else if (node.type === 'AssignmentExpression') {
      if (node.left.type === 'Identifier') this.changed.add(node.left.name);
      if (/^(?:=|\|\|=|&&=|\?\?=)$/.test(node.operator)) this.assign(node.left, node.right, false);
    } else if (node.type === 'UpdateExpression') {
      if (node.argument.type === 'Identifier') this.changed.add(node.argument.name);
    } else if (node.type === 'ForOfStatement' || node.type === 'ForInStatement') {
      const { left } = node;
      const target = left.type === 'VariableDeclaration' ? left.declarations[0].id : left;
      if (target.type === 'Identifier') this.changed.add(target.name);
      if (node.type === 'ForOfStatement' || target.type !== 'Identifier') this.forget(target);
    } else if (node.type === 'CatchClause' && node.param) this.forget(node.param);
    else if (t.isFunction(node)) {
      if (node.type === 'FunctionDeclaration' && node.id) this.assign(node.id, null);
      node.params.forEach((one) => this.forget(one));
    } else if (/^Import.*Specifier$/.test(node.type)) this.forget(node.local);
  }

  assign(target, value, declared = true) {
    if (target.type !== 'Identifier') {
      this.forget(target);
      return;
    }
    if (!this.values.has(target.name)) this.values.set(target.name, []);
    if (value) this.values.get(target.name).push(value);
    if (declared) this.declared.add(target.name);
    else this.changed.add(target.name);
  }

  /* A parameter, or a part of a pattern. */
  forget(target) {
    if (target.type === 'MemberExpression') return;
    for (const name of Object.keys(this.t.getBindingIdentifiers(target))) {
      this.unknown.add(name);
      this.changed.add(name);
    }
  }

  /** Whether a name has one value as long as it has any. */
  isConstant(name) {
    return !this.changed.has(name);
  }

  /** Whether an expression is never a BigInt. */
  isOther(node) {
    if (this.known === null) return this.looksOther(node);
    if (!this.known.has(node)) this.known.set(node, this.looksOther(node));
    return this.known.get(node);
  }

  looksOther(node) {
    if (LITERALS.has(node.type)) return node.type !== 'NewExpression' || node.callee.name !== 'Object';
    switch (node.type) {
      case 'Identifier': return NAMES.has(node.name) || this.values.has(node.name);
      case 'UnaryExpression': return node.operator === '-' || node.operator === '~' ? this.isOther(node.argument) : true;
      case 'UpdateExpression': return this.isOther(node.argument);
      case 'BinaryExpression': return !ARITHMETIC.test(node.operator) || this.isOther(node.left) || this.isOther(node.right);
      case 'LogicalExpression': return this.isOther(node.left) && this.isOther(node.right);
      case 'ConditionalExpression': return this.isOther(node.consequent) && this.isOther(node.alternate);
      case 'SequenceExpression': return this.isOther(node.expressions.at(-1));
      case 'AssignmentExpression': return this.isOther(node.right) || (ARITHMETIC.test(node.operator.slice(0, -1)) && this.isOther(node.left));
      case 'ParenthesizedExpression': return this.isOther(node.expression);
      case 'MemberExpression': case 'OptionalMemberExpression': return !node.computed && (SIZES.has(node.property.name) || node.object.name === 'Math');
      case 'CallExpression': case 'OptionalCallExpression': return this.returnsOther(node);
      default: return false;
    }
  }

  returnsOther({ callee }) {
    if (callee.type === 'Identifier') return FUNCTIONS.has(callee.name);
    if (!/MemberExpression$/.test(callee.type) || callee.computed) return false;
    return METHODS.has(callee.property.name) || HOLDERS.has(callee.object.name);
  }

  /** Whether an expression is never a BigInt and never a text, so that `+` with a BigInt throws. */
  isNumber(node) {
    if (!this.isOther(node)) return false;
    switch (node.type) {
      case 'NumericLiteral': case 'BooleanLiteral': case 'NullLiteral': case 'UpdateExpression': return true;
      case 'UnaryExpression': return node.operator !== 'typeof';
      case 'BinaryExpression': return node.operator !== '+' || (this.isNumber(node.left) && this.isNumber(node.right));
      case 'MemberExpression': return !node.computed && node.property.name !== 'prototype';
      case 'CallExpression': return node.callee.object?.name === 'Math' || node.callee.name === 'Number' || NUMBERS.test(node.callee.property?.name);
      default: return false;
    }
  }
}
