/*
 * What the operators of a script that mentions BigInt are lowered to, where an operand might be one (ECMA-262, 13.5 to
 * 13.15).  The lowered code computes with numbers and texts itself, and calls these with objects.
 *
 * Scripts find them as BigInt[Symbol.for('aiwebengine.operators')]; see lowering/bigint/ of the toolchain.
 */
(function (K) {
    'use strict';

    var big = K.big, Big = big.Big, ZERO = big.ZERO, ONE = big.ONE, MIXED = big.MIXED, isBig = big.isBig, isObject = big.isObject, primitive = big.primitive, ofText = big.ofText, order = big.order, equal = big.equal, orderToNumber = big.orderToNumber, text = big.text;
    var NativeTypeError = TypeError, toNumber = Number, pow = Math.pow, nativeObject = Object;
    var literals = K.bare(), operators = K.bare();

    /* ToNumeric; null and what is no object as it is, for the engine to convert. */
    function numeric(value) {
        if (value instanceof Big) return value;
        if (isObject(value)) value = primitive(value, 'number');
        return value instanceof Big ? value : toNumber(value);
    }

    /* An operator for two operands that are both BigInt or both not. */
    function define(name, ofBig, ofNumbers) {
        operators[name] = function (a, b) {
            if (a instanceof Big && b instanceof Big) return ofBig(a, b);
            a = numeric(a);
            b = numeric(b);
            if (a instanceof Big && b instanceof Big) return ofBig(a, b);
            if (a instanceof Big || b instanceof Big) throw new NativeTypeError(MIXED);
            return ofNumbers(a, b);
        };
    }
    define('subtract', big.minus, function (a, b) { return a - b; });
    define('multiply', big.times, function (a, b) { return a * b; });
    define('divide', big.divided, function (a, b) { return a / b; });
    define('remainder', big.rest, function (a, b) { return a % b; });
    define('power', big.power, function (a, b) { return pow(a, b); });
    define('left', big.left, function (a, b) { return a << b; });
    define('right', big.right, function (a, b) { return a >> b; });
    define('unsignedRight', big.unsignedRight, function (a, b) { return a >>> b; });
    define('and', big.and, function (a, b) { return a & b; });
    define('or', big.or, function (a, b) { return a | b; });
    define('xor', big.xor, function (a, b) { return a ^ b; });

    operators.add = function (a, b) {
        if (a instanceof Big && b instanceof Big) return big.plus(a, b);
        if (isObject(a)) a = primitive(a, 'default');
        if (isObject(b)) b = primitive(b, 'default');
        if (a instanceof Big) {
            if (b instanceof Big) return big.plus(a, b);
            if (typeof b === 'string') return text(a, 10) + b;
            throw new NativeTypeError(MIXED);
        }
        if (b instanceof Big) {
            if (typeof a === 'string') return a + text(b, 10);
            throw new NativeTypeError(MIXED);
        }
        return a + b;
    };

    operators.negate = function (a) {
        a = numeric(a);
        return a instanceof Big ? big.negated(a) : -a;
    };
    operators.invert = function (a) {
        a = numeric(a);
        return a instanceof Big ? big.inverted(a) : ~a;
    };
    operators.increment = function (a) {
        a = numeric(a);
        return a instanceof Big ? big.plus(a, ONE) : a + 1;
    };
    operators.decrement = function (a) {
        a = numeric(a);
        return a instanceof Big ? big.minus(a, ONE) : a - 1;
    };
    operators.numeric = numeric;
    /* Unary plus. */
    operators.toNumber = function (a) {
        a = numeric(a);
        if (a instanceof Big) throw new NativeTypeError('Cannot convert a BigInt value to a number');
        return a;
    };

    /* -1, 0 or 1 as a is less, equal or greater; NaN if they cannot be compared. */
    function compared(a, b) {
        if (a instanceof Big) return b instanceof Big ? order(a, b) : toOther(a, b);
        return -toOther(b, a);
    }
    function toOther(a, other) {
        if (typeof other !== 'string') return orderToNumber(a, toNumber(other));
        other = ofText(other);
        return other === undefined ? NaN : order(a, other);
    }

    /* Both operands as primitive values, the left one first. */
    function relation(name, ofBig, native) {
        operators[name] = function (a, b) {
            if (a instanceof Big && b instanceof Big) return ofBig(order(a, b));
            if (isObject(a)) a = primitive(a, 'number');
            if (isObject(b)) b = primitive(b, 'number');
            return a instanceof Big || b instanceof Big ? ofBig(compared(a, b)) : native(a, b);
        };
    }
    relation('less', function (found) { return found < 0; }, function (a, b) { return a < b; });
    relation('greater', function (found) { return found > 0; }, function (a, b) { return a > b; });
    relation('lessOrEqual', function (found) { return found <= 0; }, function (a, b) { return a <= b; });
    relation('greaterOrEqual', function (found) { return found >= 0; }, function (a, b) { return a >= b; });

    operators.same = function (a, b) {
        return a === b || a instanceof Big && b instanceof Big && equal(a, b);
    };
    operators.alike = function (a, b) {
        if (!(a instanceof Big)) {
            if (!(b instanceof Big)) return a == b;
            return operators.alike(b, a);
        }
        if (isObject(b)) b = primitive(b, 'default');
        if (b instanceof Big) return equal(a, b);
        return b !== null && b !== undefined && typeof b !== 'symbol' && toOther(a, b) === 0;
    };

    operators.type = function (a) { return a instanceof Big && isBig(a) ? 'bigint' : typeof a; };
    operators.isBig = isBig;
    operators.isInstance = function (a, b) { return isBig(a) ? false : a instanceof b; };
    /* What a switch compares by `===`: of a BigInt, a text that is equal for equal ones and that nobody else has. */
    operators.key = function (a) { return a instanceof Big && isBig(a) ? '\u0000bigint ' + text(a, 16) : a; };
    operators.toBoolean = function (a) { return a && a !== ZERO ? true : false; };
    /* For what asks only whether a value is true. */
    operators.orFalse = function (a) { return a === ZERO ? false : a; };
    operators.zero = ZERO;

    operators.literal = function (digits) {
        return literals[digits] || (literals[digits] = big.BigInt(digits));
    };

    /* In all of a script's code, values are compared by value; see bigintbuiltins.js. */
    operators.everywhere = function () { K.bigEverywhere(); };

    nativeObject.freeze(operators);
    nativeObject.defineProperty(big.BigInt, Symbol['for']('aiwebengine.operators'), { value: operators });
}(__kernel));
