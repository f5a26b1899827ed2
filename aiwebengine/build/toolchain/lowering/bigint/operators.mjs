/*
 * Lowers operators whose operands might be BigInts:
 *
 *     a + b        typeof a !== "object" && typeof b !== "object" ? a + b : __helper_bigAdd(a, b)
 *     if (a)       if (a && a !== __bigZero)
 *     a === b      a === b || typeof a === "object" && __helper_bigSame(a, b)
 *     10n          __big0 || (__big0 = __helper_bigLiteral("10"))
 *
 * A BigInt is an object in the sandbox (sandbox/prelude/later/bigint.js), so that whatever is no object is left to the
 * engine.  What facts.mjs knows not to be one stays as it is; an operator that would throw for a BigInt and the other
 * operand as well: the engine throws for it.
 *
 * The tree is walked without Babel's paths, before anything else is lowered: what Babel makes needs none of this.  What is
 * used twice is kept in a variable of the function: one for each depth of nesting.  Where there is no body for it, the
 * operator becomes a call.
 */
import { helperName } from '../helpers.mjs';
import { Facts } from './facts.mjs';

const ARITHMETIC = {
  '+': 'Add', '-': 'Subtract', '*': 'Multiply', '/': 'Divide', '%': 'Remainder', '**': 'Power', '<<': 'Left', '>>': 'Right', '>>>': 'UnsignedRight', '&': 'And', '|': 'Or', '^': 'Xor',
};
const RELATIONS = { '<': 'Less', '>': 'Greater', '<=': 'LessOrEqual', '>=': 'GreaterOrEqual' };
const PREDICATES = new Set(['filter', 'some', 'every', 'find', 'findIndex', 'findLast', 'findLastIndex']);
/* Types that `typeof` gives for no BigInt, neither here nor elsewhere. */
const OTHER_TYPES = new Set(['string', 'number', 'boolean', 'undefined', 'function', 'symbol']);

/**
 * @returns A Babel plugin. Its options: `helpers`, a list to which the names of those are added that the file calls;
 *   `everywhere`, whether all of the script is lowered, so that its built-ins compare by value; `found` is told that the
 *   source cannot run as it is.
 */
export function bigints({ types: t }, { helpers, everywhere, found }) {
  return {
    name: 'aiwebengine-bigints',
    visitor: {
      Program: {
        enter(path) {
          found.plain = false;
          const lowering = new Lowering(t, helpers, new Facts(t, path.node));
          lowering.program(path.node);
          // In each file, before its own code: others that are loaded earlier may not be lowered at all.
          if (everywhere) path.node.body.unshift(t.expressionStatement(lowering.call('Everywhere')));
          path.scope.crawl();
        },
      },
    },
  };
}

class Lowering {
  constructor(t, helpers, facts) {
    this.t = t;
    this.helpers = helpers;
    this.facts = facts;
    this.literals = new Map(); // digits to name
    this.room = null; // of the variables of the function that is walked
    this.depth = 0;
    this.zero = null; // the name of the only zero, if it is asked for
  }

  program(node) {
    this.room = new Set();
    node.body = node.body.map((one) => this.walk(one));
    const { t } = this;
    const made = [...this.room].map((name) => t.variableDeclarator(t.identifier(name)));
    if (this.zero !== null) made.push(t.variableDeclarator(t.identifier(this.zero), t.addComment(this.call('Literal', t.stringLiteral('0')), 'leading', '#__PURE__')));
    for (const name of this.literals.values()) made.push(t.variableDeclarator(t.identifier(name)));
    if (made.length > 0) node.body.unshift(t.variableDeclaration('var', made));
  }

  helper(name) {
    const whole = `big${name}`;
    if (!this.helpers.includes(whole)) this.helpers.push(whole);
    return this.t.identifier(helperName(whole));
  }

  call(name, ...given) {
    return this.t.callExpression(this.helper(name), given);
  }

  /* -- walking ---------------------------------------------------------------------------------- */

  walk(node) {
    const own = this[node.type];
    if (own !== undefined) return own.call(this, node);
    return this.inside(node);
  }

  inside(node) {
    for (const key of this.t.VISITOR_KEYS[node.type] ?? []) {
      const child = node[key];
      if (Array.isArray(child)) {
        for (let at = 0; at < child.length; at++) if (child[at]) child[at] = this.walk(child[at]);
      } else if (child) node[key] = this.walk(child);
    }
    return node;
  }

  /* With other variables than what is around it. */
  deeper(node) {
    this.depth += 1;
    const made = this.walk(node);
    this.depth -= 1;
    return made;
  }

  /* Where no variables can be declared. */
  without(node) {
    if (!node) return node;
    const { room } = this;
    this.room = null;
    const made = this.walk(node);
    this.room = room;
    return made;
  }

  function(node) {
    const { t, room, depth } = this;
    this.room = null;
    if (node.computed) node.key = this.walk(node.key);
    node.params = node.params.map((one) => this.walk(one));
    this.room = new Set();
    this.depth = 0;
    node.body = this.walk(node.body);
    if (this.room.size > 0) {
      if (node.body.type !== 'BlockStatement') {
        const { loc } = node.body;
        node.body = t.blockStatement([Object.assign(t.returnStatement(node.body), { loc })]);
        node.expression = false;
      }
      node.body.body.unshift(t.variableDeclaration('var', [...this.room].map((name) => t.variableDeclarator(t.identifier(name)))));
    }
    this.room = room;
    this.depth = depth;
    return node;
  }

  FunctionDeclaration(node) { return this.function(node); }
  FunctionExpression(node) { return this.function(node); }
  ArrowFunctionExpression(node) { return this.function(node); }
  ObjectMethod(node) { return this.function(node); }
  ClassMethod(node) { return this.function(node); }
  ClassPrivateMethod(node) { return this.function(node); }

  property(node) {
    if (node.computed) node.key = this.without(node.key);
    node.value = this.without(node.value);
    node.decorators = node.decorators?.map((one) => this.without(one));
    return node;
  }

  ClassProperty(node) { return this.property(node); }
  ClassPrivateProperty(node) { return this.property(node); }
  ClassAccessorProperty(node) { return this.property(node); }
  StaticBlock(node) {
    const { room } = this;
    this.room = null;
    this.inside(node);
    this.room = room;
    return node;
  }

  ObjectProperty(node) {
    if (node.computed || node.key.type !== 'BigIntLiteral') node.key = node.computed ? this.walk(node.key) : node.key;
    node.value = this.walk(node.value);
    if (node.shorthand && node.value.type !== 'Identifier' && node.value.type !== 'AssignmentPattern') node.shorthand = false;
    return node;
  }

  MemberExpression(node) { return this.member(node); }
  OptionalMemberExpression(node) { return this.member(node); }
  member(node) {
    node.object = this.walk(node.object);
    if (node.computed) node.property = this.walk(node.property);
    return node;
  }

  BigIntLiteral(node) {
    const digits = String(BigInt(String(node.value).replaceAll('_', '')));
    if (!this.literals.has(digits)) this.literals.set(digits, `__big${this.literals.size}`);
    // Functions may be called before the top of their file, if modules import each other.
    const { t } = this;
    const name = () => t.identifier(this.literals.get(digits));
    return this.at(node, t.logicalExpression('||', name(), t.assignmentExpression('=', name(), this.call('Literal', t.stringLiteral(digits)))));
  }

  /* -- operands --------------------------------------------------------------------------------- */

  at(node, made) {
    made.loc = node.loc;
    return made;
  }

  isPlain({ type }) {
    return type === 'Identifier' || type === 'ThisExpression' || /^(?:Numeric|String|Boolean|Null)Literal$/.test(type);
  }

  copy(node) {
    return this.t.cloneNode(node, true);
  }

  variable(which) {
    const name = `__t${this.depth}${which}`;
    this.room.add(name);
    return this.t.identifier(name);
  }

  isObject(node, not) {
    const { t } = this;
    return t.binaryExpression(not ? '!==' : '===', t.unaryExpression('typeof', this.copy(node)), t.stringLiteral('object'));
  }

  /*
   * Two operands, each looked at more than once, in order: `make(left, right)` is what becomes of them, `call(left, right)`
   * where they cannot be kept.
   */
  operands(node, left, right, make, call) {
    const { t } = this;
    const [plainLeft, plainRight] = [this.isPlain(left), this.isPlain(right)];
    if (plainLeft && plainRight) return this.at(node, make(left, right));
    if (this.room === null) return this.at(node, call(left, right));
    const first = [];
    const keep = (one, which) => {
      const name = this.variable(which);
      first.push(t.assignmentExpression('=', name, one));
      return t.identifier(name.name);
    };
    // What the right one does might change the left one.
    const stays = plainLeft && (plainRight || left.type !== 'Identifier' || this.facts.isConstant(left.name));
    const one = stays ? left : keep(left, 'a');
    const other = plainRight ? right : keep(right, 'b');
    return this.at(node, t.sequenceExpression([...first, this.at(node, make(one, other))]));
  }

  BinaryExpression(node) {
    const { operator } = node;
    if (operator === 'in' || operator === '|>') return this.inside(node);
    if (operator === 'instanceof') return this.instance(node);
    if (/^[!=]==?$/.test(operator)) return this.equality(node);
    const [knownLeft, knownRight] = [this.facts.isOther(node.left), this.facts.isOther(node.right)];
    const throws = Object.hasOwn(ARITHMETIC, operator) && operator !== '+';
    const native = (knownLeft && knownRight) || (throws && (knownLeft || knownRight))
      || (operator === '+' && (this.facts.isNumber(node.left) || this.facts.isNumber(node.right)));
    if (native) return this.inside(node);
    return this.arithmetic(node, operator, this.deeper(node.left), this.deeper(node.right), knownLeft, knownRight);
  }

  arithmetic(node, operator, left, right, knownLeft, knownRight) {
    const { t } = this;
    const name = ARITHMETIC[operator] ?? RELATIONS[operator];
    return this.operands(node, left, right, (a, b) => {
      const tests = [...(knownLeft ? [] : [this.isObject(a, true)]), ...(knownRight ? [] : [this.isObject(b, true)])];
      const test = tests.length === 2 ? t.logicalExpression('&&', ...tests) : tests[0];
      return t.conditionalExpression(test, this.at(node, t.binaryExpression(operator, this.copy(a), this.copy(b))), this.at(node, this.call(name, this.copy(a), this.copy(b))));
    }, (a, b) => this.call(name, a, b));
  }

  equality(node) {
    const { t } = this;
    if (node.left.type === 'StringLiteral' && node.right.type === 'UnaryExpression' && node.right.operator === 'typeof') [node.left, node.right] = [node.right, node.left];
    const { operator, left, right } = node;
    if (left.type === 'UnaryExpression' && left.operator === 'typeof' && right.type === 'StringLiteral') return this.typeTest(node);
    const [knownLeft, knownRight] = [this.facts.isOther(left), this.facts.isOther(right)];
    const strict = operator.length === 3;
    const nothing = (one) => one.type === 'NullLiteral' || (one.type === 'Identifier' && one.name === 'undefined') || (one.type === 'UnaryExpression' && one.operator === 'void');
    if (strict ? knownLeft || knownRight : (knownLeft && knownRight) || nothing(left) || nothing(right)) return this.inside(node);
    const not = operator.startsWith('!');
    const result = (one) => (not ? t.unaryExpression('!', one) : one);
    if (!strict) {
      return this.operands(node, this.deeper(left), this.deeper(right), (a, b) => {
        const tests = [...(knownLeft ? [] : [this.isObject(a, true)]), ...(knownRight ? [] : [this.isObject(b, true)])];
        const test = tests.length === 2 ? t.logicalExpression('&&', ...tests) : tests[0];
        return t.conditionalExpression(test, t.binaryExpression(operator, this.copy(a), this.copy(b)), result(this.call('Alike', this.copy(a), this.copy(b))));
      }, (a, b) => result(this.call('Alike', a, b)));
    }
    return this.operands(node, this.deeper(left), this.deeper(right), (a, b) => {
      const same = t.binaryExpression(operator, this.copy(a), this.copy(b));
      return not
        ? t.logicalExpression('&&', same, t.logicalExpression('||', this.isObject(a, true), t.unaryExpression('!', this.call('Same', this.copy(a), this.copy(b)))))
        : t.logicalExpression('||', same, t.logicalExpression('&&', this.isObject(a, false), this.call('Same', this.copy(a), this.copy(b))));
    }, (a, b) => result(this.call('Same', a, b)));
  }

  instance(node) {
    this.inside(node);
    const { left, right } = node;
    return right.type === 'Identifier' && (right.name === 'BigInt' || right.name === 'Object') ? this.at(node, this.call('IsInstance', left, right)) : node;
  }

  /* -- typeof ----------------------------------------------------------------------------------- */

  /* `typeof value === "bigint"`. */
  typeTest(node) {
    const { t } = this;
    const { operator, left: { argument }, right: { value } } = node;
    if (OTHER_TYPES.has(value) || this.facts.isOther(argument)) return this.inside(node);
    const not = operator.startsWith('!');
    if (value === 'bigint') {
      const made = this.walk(argument);
      // A global may not be there.
      const asked = made.type === 'Identifier' ? t.logicalExpression('&&', this.isObject(made, false), this.call('IsBig', made)) : this.call('IsBig', made);
      return this.at(node, not ? t.unaryExpression('!', asked) : asked);
    }
    if (value !== 'object') return this.inside(node);
    return this.operands(node, this.deeper(argument), t.nullLiteral(), (a) => (not
      ? t.logicalExpression('||', this.isObject(a, true), this.call('IsBig', this.copy(a)))
      : t.logicalExpression('&&', this.isObject(a, false), t.unaryExpression('!', this.call('IsBig', this.copy(a))))
    ), (a) => t.binaryExpression(operator, this.call('Type', a), t.stringLiteral('object')));
  }

  UnaryExpression(node) {
    const { t } = this;
    const { operator, argument } = node;
    if (operator === '!') {
      node.argument = this.test(argument);
      return node;
    }
    if (operator === 'delete' || operator === 'void' || this.facts.isOther(argument)) return this.inside(node);
    if (operator === 'typeof') {
      const made = this.walk(argument);
      if (made.type !== 'Identifier') return this.at(node, this.call('Type', made));
      return this.at(node, t.conditionalExpression(this.isObject(made, false), this.call('Type', made), t.unaryExpression('typeof', this.copy(made))));
    }
    if (operator !== '-' && operator !== '~' && operator !== '+') return this.inside(node);
    if (operator === '-' && argument.type === 'BigIntLiteral') return this.BigIntLiteral({ ...argument, value: -BigInt(String(argument.value).replaceAll('_', '')) });
    const name = { '-': 'Negate', '~': 'Invert', '+': 'ToNumber' }[operator];
    return this.operands(node, this.deeper(argument), t.nullLiteral(), (a) => t.conditionalExpression(
      this.isObject(a, true), t.unaryExpression(operator, this.copy(a)), this.call(name, this.copy(a)),
    ), (a) => this.call(name, a));
  }

  /* -- conditions ------------------------------------------------------------------------------- */

  /* An expression of which only its truth is used. */
  test(node) {
    const { t } = this;
    if (this.facts.isOther(node)) return this.walk(node);
    if (node.type === 'LogicalExpression' && node.operator !== '??') {
      node.left = this.test(node.left);
      node.right = this.test(node.right);
      return node;
    }
    if (node.type === 'ConditionalExpression') {
      for (const key of ['test', 'consequent', 'alternate']) node[key] = this.test(node[key]);
      return node;
    }
    if (node.type === 'SequenceExpression') {
      const last = node.expressions.pop();
      node.expressions = [...node.expressions.map((one) => this.walk(one)), this.test(last)];
      return node;
    }
    const zero = (one) => this.notZero(one);
    if (this.isPlain(node)) return this.at(node, t.logicalExpression('&&', node, zero(this.copy(node))));
    const made = this.deeper(node);
    if (this.room === null) return this.at(node, this.call('ToBoolean', made));
    const kept = this.variable('a');
    return this.at(node, t.logicalExpression('&&', t.assignmentExpression('=', kept, made), zero(t.identifier(kept.name))));
  }

  notZero(node) {
    this.zero = '__bigZero';
    return this.t.binaryExpression('!==', node, this.t.identifier(this.zero));
  }

  tested(node) {
    const { test } = node;
    node.test = null;
    this.inside(node);
    node.test = test && this.test(test);
    return node;
  }

  IfStatement(node) { return this.tested(node); }
  WhileStatement(node) { return this.tested(node); }
  DoWhileStatement(node) { return this.tested(node); }
  ConditionalExpression(node) { return this.tested(node); }

  /* `&&` and `||`, which have the value of one of their operands. */
  LogicalExpression(node) {
    const { operator, left, right } = node;
    if (operator === '??' || this.facts.isOther(left)) return this.inside(node);
    const first = this.deeper(left);
    const second = this.walk(right);
    return this.either(node, operator, first, second);
  }

  /* `a && b` as `a && a !== zero ? b : a`. */
  either(node, operator, first, second) {
    const { t } = this;
    const choose = (test, value) => (operator === '&&' ? t.conditionalExpression(test, second, value) : t.conditionalExpression(test, value, second));
    const zero = (one) => this.notZero(one);
    if (this.isPlain(first)) return this.at(node, choose(t.logicalExpression('&&', first, zero(this.copy(first))), this.copy(first)));
    if (this.room === null) {
      const name = t.identifier('__value');
      return this.at(node, t.callExpression(t.arrowFunctionExpression([name], this.either(node, operator, t.identifier('__value'), second)), [first]));
    }
    const kept = this.variable('a');
    const test = t.logicalExpression('&&', t.assignmentExpression('=', kept, first), zero(t.identifier(kept.name)));
    // What is on the right has no need of it any more, or is not evaluated.
    return this.at(node, choose(test, t.identifier(kept.name)));
  }

  SwitchStatement(node) {
    const { facts } = this;
    const mixed = !facts.isOther(node.discriminant) && node.cases.some(({ test }) => test && !facts.isOther(test));
    const unknown = node.cases.map(({ test }) => test && !facts.isOther(test));
    this.inside(node);
    if (!mixed) return node;
    node.discriminant = this.call('Key', node.discriminant);
    node.cases.forEach((one, at) => { if (unknown[at]) one.test = this.call('Key', one.test); });
    return node;
  }

  /* -- assignments ------------------------------------------------------------------------------ */

  AssignmentExpression(node) {
    const operator = node.operator.slice(0, -1);
    const { left, right } = node;
    if (Object.hasOwn(ARITHMETIC, operator)) return this.computed(node, operator, left, right);
    if ((operator === '&&' || operator === '||') && !this.facts.isOther(left)) return this.decided(node, operator, left, right);
    return this.inside(node);
  }

  /*
   * What is assigned to, so that it can be read and written: `[read, write, first]`, of which `first` is evaluated before;
   * null if it cannot be kept.
   */
  target(node) {
    const { t } = this;
    if (node.type === 'Identifier') return [this.copy(node), node, []];
    if (node.type !== 'MemberExpression') return null;
    const first = [];
    const keep = (one, which) => {
      if (this.isPlain(one) && (one.type !== 'Identifier' || this.facts.isConstant(one.name)) || one.type === 'Super') return one;
      if (this.room === null) return null;
      const name = this.variable(which);
      first.push(t.assignmentExpression('=', name, one));
      return t.identifier(name.name);
    };
    const object = keep(node.object.type === 'Super' ? node.object : this.deeper(node.object), 'o');
    const key = node.computed ? keep(this.deeper(node.property), 'k') : node.property;
    if (object === null || key === null) return null;
    const made = () => this.at(node, t.memberExpression(this.copy(object), this.copy(key), node.computed));
    return [made(), made(), first];
  }

  sequence(node, first, last) {
    return this.at(node, first.length > 0 ? this.t.sequenceExpression([...first, last]) : last);
  }

  computed(node, operator, left, right) {
    const { t, facts } = this;
    const [knownLeft, knownRight] = [facts.isOther(left), facts.isOther(right)];
    const native = (knownLeft && knownRight) || (operator !== '+' && (knownLeft || knownRight)) || (operator === '+' && facts.isNumber(right));
    if (native) return this.inside(node);
    const found = this.target(left);
    if (found === null) {
      // Nobody knows how to write it twice: it throws for a BigInt.
      return this.inside(node);
    }
    const [read, write, first] = found;
    this.depth += 1;
    const value = this.deeper(right);
    const made = this.arithmetic(node, operator, read, value, knownLeft, knownRight);
    this.depth -= 1;
    return this.sequence(node, first, this.at(node, t.assignmentExpression('=', write, made)));
  }

  /* `&&=` and `||=`. */
  decided(node, operator, left, right) {
    const { t } = this;
    const found = this.target(left);
    if (found === null) return this.inside(node);
    const [read, write, first] = found;
    this.depth += 1;
    const made = this.either(node, operator, read, t.assignmentExpression('=', write, this.deeper(right)));
    this.depth -= 1;
    return this.sequence(node, first, made);
  }

  UpdateExpression(node) {
    const { t, facts } = this;
    const { operator, argument, prefix } = node;
    if (facts.isOther(argument)) return this.inside(node);
    const found = this.target(argument);
    if (found === null) return this.inside(node);
    const [read, write, first] = found;
    const [forth, back] = operator === '++' ? ['Increment', 'Decrement'] : ['Decrement', 'Increment'];
    if (argument.type === 'Identifier') {
      const assigned = t.assignmentExpression('=', write, this.call(forth, read));
      return this.at(node, t.conditionalExpression(this.isObject(argument, true), t.updateExpression(operator, this.copy(argument), prefix), prefix || node.unused ? assigned : this.call(back, assigned)));
    }
    const used = !prefix && !node.unused;
    if (this.room === null) {
      const assigned = t.assignmentExpression('=', write, this.call(forth, read));
      return this.sequence(node, first, used ? this.call(back, assigned) : assigned);
    }
    const kept = this.variable('v');
    const again = () => t.identifier(kept.name);
    const isNumber = (one) => t.binaryExpression('===', t.unaryExpression('typeof', one), t.stringLiteral('number'));
    const next = (one) => t.assignmentExpression('=', write, t.conditionalExpression(isNumber(one), t.binaryExpression(operator[0], again(), t.numericLiteral(1)), this.call(forth, again())));
    const taken = t.assignmentExpression('=', kept, read);
    if (!used) return this.sequence(node, first, next(taken));
    const number = t.logicalExpression('||', isNumber(taken), t.assignmentExpression('=', again(), this.call('Numeric', again())));
    return this.sequence(node, [...first, number, next(again())], again());
  }

  ExpressionStatement(node) {
    if (node.expression.type === 'UpdateExpression') node.expression.unused = true;
    return this.inside(node);
  }

  ForStatement(node) {
    if (node.update?.type === 'UpdateExpression') node.update.unused = true;
    return this.tested(node);
  }

  /* -- calls ------------------------------------------------------------------------------------ */

  CallExpression(node) { return this.called(node); }
  OptionalCallExpression(node) { return this.called(node); }

  called(node) {
    const { t } = this;
    const { callee } = node;
    const [first] = node.arguments;
    if (callee.type === 'Identifier' && callee.name === 'Boolean' && node.arguments.length === 1 && first.type !== 'SpreadElement') {
      return this.at(node, t.unaryExpression('!', t.unaryExpression('!', this.test(first))));
    }
    const asked = /MemberExpression$/.test(callee.type) && PREDICATES.has(callee.property.name) && first !== undefined;
    if (asked && first.type === 'Identifier' && first.name === 'Boolean') node.arguments[0] = this.helper('ToBoolean');
    else if (asked && (first.type === 'ArrowFunctionExpression' || first.type === 'FunctionExpression') && !first.async && !first.generator) this.predicate(first);
    return this.inside(node);
  }

  /* A function whose result is used as a condition by a built-in: a BigInt that is zero is false there, too. */
  predicate(node) {
    const { t, facts } = this;
    const asked = (value) => (facts.isOther(value) ? value : this.call('OrFalse', value));
    if (node.body.type !== 'BlockStatement') {
      node.body = asked(node.body);
      return;
    }
    const look = (one) => {
      if (t.isFunction(one) || t.isClass(one)) return;
      if (one.type === 'ReturnStatement' && one.argument) one.argument = asked(one.argument);
      for (const key of t.VISITOR_KEYS[one.type] ?? []) [one[key]].flat().forEach((child) => { if (child) look(child); });
    };
    node.body.body.forEach(look);
  }
}
