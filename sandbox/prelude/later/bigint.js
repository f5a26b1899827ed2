/*
 * BigInt (ECMA-262, 6.1.6.2 and 21.2): the values, and what can be done with two of them.
 *
 * The engine has no such type, so a value is an object, of which each operator that a script writes is lowered to a call
 * (operators.js) as soon as one of the script's files mentions BigInt.  Whatever was not lowered throws, as the engine asks
 * the object for a primitive value.
 *
 * A value has a payload: a number if that is exact, or else limbs (limbs.js) and whether it is negative.  There is one
 * zero, so that asking for it is a comparison of objects.
 *
 * For the other files of the group: K.big.  For files outside: K.isBigInt(value), K.bigNumber(value), K.bigText(value).
 */
(function (K) {
    'use strict';

    var limbs = K.limbs, MOST = 9007199254740991, BASE = 16777216, MASK = limbs.MASK, MOST_BITS = limbs.MOST_BITS, MIXED = 'Cannot mix BigInt and other types, use explicit conversions';
    var exec = K.captured.exec, slice = K.captured.slice, textOf = K.free(Number.prototype.toString), floor = Math.floor, pow = Math.pow;
    var NativeTypeError = TypeError, NativeSyntaxError = SyntaxError, NativeRangeError = RangeError, toText = String, toNumber = Number;
    var DECIMAL = /^\s*([+-]?)0*(\d+)\s*$/, BASED = /^\s*0(?:x([0-9a-f]+)|o([0-7]+)|b([01]+))\s*$/i, SOMETHING = /\S/;
    var P = K.secret('bigint'), NEGATIVE = K.secret('negative'), prototype = {};
    var add = limbs.add, subtract = limbs.subtract, multiply = limbs.multiply, compare = limbs.compare, fromNumber = limbs.fromNumber;

    function Big(payload, negative) {
        this[P] = payload;
        this[NEGATIVE] = negative;
    }
    Big.prototype = prototype;
    var ZERO = new Big(0, false);

    function small(value) { return value === 0 ? ZERO : new Big(value, value < 0); }

    /* Of limbs, which nobody else has. */
    function make(a, negative) {
        var n = a.length;
        if (n > 3 || n === 3 && a[2] > 31) return new Big(a, negative);
        if (n === 0) return ZERO;
        var value = n === 1 ? a[0] : n === 2 ? a[1] * BASE + a[0] : (a[2] * BASE + a[1]) * BASE + a[0];
        return new Big(negative ? -value : value, negative);
    }

    function limbsOf(payload) { return typeof payload === 'number' ? fromNumber(payload < 0 ? -payload : payload) : payload; }

    function sum(x, xNegative, y, yNegative) {
        if (xNegative === yNegative) return make(add(x, y), xNegative);
        var order = compare(x, y);
        if (order === 0) return ZERO;
        return order > 0 ? make(subtract(x, y), xNegative) : make(subtract(y, x), yNegative);
    }

    /* -- what operators do ------------------------------------------------------------------- */

    function plus(a, b) {
        var p = a[P], q = b[P];
        if (typeof p === 'number' && typeof q === 'number') {
            var value = p + q;
            if (value <= MOST && value >= -MOST) return value === 0 ? ZERO : new Big(value, value < 0);
            return sum(limbsOf(p), a[NEGATIVE], limbsOf(q), b[NEGATIVE]);
        }
        return sum(typeof p === 'number' ? limbsOf(p) : p, a[NEGATIVE], typeof q === 'number' ? limbsOf(q) : q, b[NEGATIVE]);
    }

    function minus(a, b) {
        var p = a[P], q = b[P];
        if (typeof p === 'number' && typeof q === 'number') {
            var value = p - q;
            if (value <= MOST && value >= -MOST) return value === 0 ? ZERO : new Big(value, value < 0);
        }
        return sum(limbsOf(p), a[NEGATIVE], limbsOf(q), !b[NEGATIVE]);
    }

    function times(a, b) {
        var p = a[P], q = b[P];
        if (typeof p === 'number' && typeof q === 'number') {
            var value = p * q;
            if (value <= MOST && value >= -MOST) return value === 0 ? ZERO : new Big(value, value < 0);
        }
        return make(multiply(limbsOf(p), limbsOf(q)), a[NEGATIVE] !== b[NEGATIVE]);
    }

    function divided(a, b) {
        var p = a[P], q = b[P];
        if (q === 0) throw new NativeRangeError('Division by zero');
        if (typeof p === 'number' && typeof q === 'number') return small((p - p % q) / q);
        return make(limbs.divide(limbsOf(p), limbsOf(q))[0], a[NEGATIVE] !== b[NEGATIVE]);
    }

    function rest(a, b) {
        var p = a[P], q = b[P];
        if (q === 0) throw new NativeRangeError('Division by zero');
        if (typeof p === 'number' && typeof q === 'number') return small(p % q);
        if (typeof p === 'number') return a; // nearer to zero than any that needs limbs
        q = limbsOf(q);
        return compare(p, q) < 0 ? a : make(remainder(p, q), a[NEGATIVE]);
    }

    /* A modulus that comes again soon has its reciprocal kept, and one more beside it. */
    var last = null, repeated = 0, modulus = null, reciprocal = null, other = null, otherReciprocal = null;

    function remainder(a, b) {
        if (a.length === b.length) {
            // Often a sum of two remainders.
            var less = subtract(a, b);
            if (compare(less, b) < 0) return less;
        }
        if (limbs.canReduce(a, b)) {
            if (b === modulus) return limbs.reduce(a, b, reciprocal);
            if (b === other) return limbs.reduce(a, b, otherReciprocal);
            repeated = b === last ? repeated + 1 : 0;
            last = b;
            if (repeated > 2) {
                other = modulus;
                otherReciprocal = reciprocal;
                modulus = b;
                reciprocal = limbs.reciprocal(b);
            }
        }
        return limbs.divide(a, b)[1];
    }

    function power(a, b) {
        var p = a[P], exponent = b[P];
        if (b[NEGATIVE]) throw new NativeRangeError('Exponent must be non-negative');
        if (exponent === 0) return small(1);
        if (p === 0 || p === 1) return a;
        if (p === -1) return typeof exponent === 'number' && exponent % 2 === 1 || typeof exponent !== 'number' && exponent[0] % 2 === 1 ? a : small(1);
        if (typeof exponent !== 'number' || exponent > MOST_BITS) throw limbs.tooLarge();
        if (p === 2) return make(limbs.shiftLeft([1], exponent), false);
        var result = null, base = limbsOf(p), negative = a[NEGATIVE] && exponent % 2 === 1;
        for (;;) {
            if (exponent % 2 === 1) result = result === null ? base : multiply(result, base);
            exponent = floor(exponent / 2);
            if (exponent === 0) return make(result, negative);
            base = multiply(base, base);
        }
    }

    function left(a, b) { return b[NEGATIVE] ? shiftedRight(a, limbsOf(b[P])) : shiftedLeft(a, limbsOf(b[P])); }
    function right(a, b) { return b[NEGATIVE] ? shiftedLeft(a, limbsOf(b[P])) : shiftedRight(a, limbsOf(b[P])); }

    /* By a number of bits, as limbs. */
    function shiftedLeft(a, count) {
        var p = a[P];
        if (p === 0 || count.length === 0) return a;
        if (count.length > 1) throw limbs.tooLarge();
        if (typeof p === 'number' && count[0] < 53) {
            var value = p * pow(2, count[0]);
            if (value <= MOST && value >= -MOST) return new Big(value, value < 0);
        }
        return make(limbs.shiftLeft(limbsOf(p), count[0]), a[NEGATIVE]);
    }

    function shiftedRight(a, count) {
        var p = a[P], negative = a[NEGATIVE];
        if (count.length === 0) return a;
        if (count.length > 1) return small(negative ? -1 : 0);
        if (typeof p === 'number') return small(count[0] > 53 ? negative ? -1 : 0 : floor(p / pow(2, count[0])));
        var result = limbs.shiftRight(p, count[0]);
        if (negative && limbs.hasBelow(p, count[0])) result = limbs.after(result);
        return make(result, negative);
    }

    function unsignedRight() { throw new NativeTypeError('BigInts have no unsigned right shift, use >> instead'); }

    function and(a, b) {
        var p = a[P], q = b[P];
        if (typeof q === 'number') {
            if (typeof p === 'number' && (p | 0) === p && (q | 0) === q) return small(p & q);
            // A mask of the lowest bits, as in loops over bits.
            if (q >= 0 && q < BASE && typeof p !== 'number') return small((a[NEGATIVE] ? BASE - p[0] : p[0]) & q);
        }
        return bitwise('&', a, b);
    }

    function or(a, b) {
        var p = a[P], q = b[P];
        return typeof p === 'number' && typeof q === 'number' && (p | 0) === p && (q | 0) === q ? small(p | q) : bitwise('|', a, b);
    }

    function xor(a, b) {
        var p = a[P], q = b[P];
        return typeof p === 'number' && typeof q === 'number' && (p | 0) === p && (q | 0) === q ? small(p ^ q) : bitwise('^', a, b);
    }

    function bitwise(kind, a, b) {
        var made = limbs.bitwise(kind, limbsOf(a[P]), a[NEGATIVE], limbsOf(b[P]), b[NEGATIVE]);
        return make(made.limbs, made.negative);
    }

    function negated(a) {
        var p = a[P];
        return typeof p === 'number' ? small(-p) : new Big(p, !a[NEGATIVE]);
    }

    var ONE = small(1);
    function inverted(a) { return minus(negated(a), ONE); }

    function order(a, b) {
        var p = a[P], q = b[P], negative = a[NEGATIVE];
        if (typeof p === 'number' && typeof q === 'number') return p < q ? -1 : p > q ? 1 : 0;
        if (negative !== b[NEGATIVE]) return negative ? -1 : 1;
        var found = typeof p === 'number' ? -1 : typeof q === 'number' ? 1 : compare(p, q);
        return negative ? -found : found;
    }

    function equal(a, b) {
        var p = a[P], q = b[P];
        return p === q && a[NEGATIVE] === b[NEGATIVE] || typeof p !== 'number' && typeof q !== 'number' && a[NEGATIVE] === b[NEGATIVE] && compare(p, q) === 0;
    }

    /* -1, 0, 1, or NaN. */
    function orderToNumber(a, number) {
        var p = a[P];
        if (typeof p === 'number') return p < number ? -1 : p > number ? 1 : p === number ? 0 : NaN;
        if (number !== number) return NaN;
        if (number <= MOST && number >= -MOST || number === Infinity || number === -Infinity) return number === Infinity ? -1 : number === -Infinity ? 1 : a[NEGATIVE] ? -1 : 1;
        return order(a, make(fromNumber(number < 0 ? -number : number), number < 0));
    }

    /* -- made of other values ------------------------------------------------------------------ */

    function ofNumber(value) {
        if (value % 1 !== 0) throw new NativeRangeError('The number ' + value + ' cannot be converted to a BigInt because it is not an integer');
        return value <= MOST && value >= -MOST ? small(value) : make(fromNumber(value < 0 ? -value : value), value < 0);
    }

    /* undefined if it is not the text of one. */
    function ofText(text) {
        var match = exec(DECIMAL, text);
        if (match !== null) return match[2].length < 16 ? small(+match[2] * (match[1] === '-' ? -1 : 1)) : make(limbs.fromText(match[2], 10), match[1] === '-');
        match = exec(BASED, text);
        if (match !== null) return make(match[1] !== undefined ? limbs.fromText(match[1], 16) : match[2] !== undefined ? limbs.fromText(match[2], 8) : limbs.fromText(match[3], 2), false);
        return exec(SOMETHING, text) === null ? ZERO : undefined;
    }

    function isBig(value) { return value instanceof Big && value[P] !== undefined; }

    function isObject(value) { return value !== null && (typeof value === 'object' || typeof value === 'function') && !(value instanceof Big); }

    /* ToPrimitive of an object that is no BigInt; the result may be one. */
    function primitive(object, hint) {
        var convert = object[Symbol.toPrimitive], value;
        if (convert !== undefined && convert !== null) {
            value = convert.call(object, hint);
            if (!isObject(value)) return value;
        } else {
            for (var i = 0; i < 2; i++) {
                var method = object[(hint === 'string') === (i === 0) ? 'toString' : 'valueOf'];
                if (typeof method === 'function') {
                    value = method.call(object);
                    if (!isObject(value)) return value;
                }
            }
        }
        throw new NativeTypeError('Cannot convert object to primitive value');
    }

    /* ToBigInt (7.1.13), of which the constructor takes numbers, too. */
    function convert(value) {
        if (isObject(value)) value = primitive(value, 'number');
        if (value instanceof Big) return value;
        if (typeof value === 'boolean') return value ? ONE : ZERO;
        if (typeof value === 'string') {
            var made = ofText(value);
            if (made === undefined) throw new NativeSyntaxError('Cannot convert ' + slice(value, 0, 100) + ' to a BigInt');
            return made;
        }
        throw new NativeTypeError('Cannot convert ' + toText(value) + ' to a BigInt');
    }

    function BigInt(value) {
        if (this !== undefined && this !== null && this instanceof BigInt) throw new NativeTypeError('BigInt is not a constructor');
        if (isObject(value)) value = primitive(value, 'number');
        return typeof value === 'number' ? ofNumber(value) : convert(value);
    }

    function bitsAsked(value) {
        value = toNumber(value);
        value = value !== value ? 0 : value < 0 ? -floor(-value) : floor(value);
        if (value < 0 || value > MOST) throw new NativeRangeError('Invalid value: not (convertible to) a safe integer');
        return value;
    }

    function asUint(bits, a) {
        if (!a[NEGATIVE] && typeof a[P] === 'number' && bits >= 53) return a;
        var x = limbsOf(a[P]);
        if (!a[NEGATIVE]) return make(limbs.low(x, bits), false);
        if (bits > MOST_BITS) throw limbs.tooLarge();
        x = limbs.low(x, bits);
        return x.length === 0 ? ZERO : make(subtract(limbs.shiftLeft([1], bits), x), false);
    }

    function asInt(bits, a) {
        if (bits === 0) return ZERO;
        // One bit more than a value has says its sign.
        if (limbs.bitLength(limbsOf(a[P])) < bits) return a;
        var made = asUint(bits, a), x = limbsOf(made[P]);
        return limbs.bitLength(x) < bits ? made : make(subtract(limbs.shiftLeft([1], bits), x), true);
    }

    function number(a) {
        var p = a[P];
        return typeof p === 'number' ? p : a[NEGATIVE] ? -limbs.toNumber(p) : limbs.toNumber(p);
    }

    function text(a, radix) {
        var p = a[P];
        return typeof p === 'number' ? textOf(p, radix) : (a[NEGATIVE] ? '-' : '') + limbs.toText(p, radix);
    }

    /* -- what scripts see ---------------------------------------------------------------------- */

    function self(value, name) {
        if (!isBig(value)) throw new NativeTypeError('BigInt.prototype.' + name + " requires that 'this' be a BigInt");
        return value;
    }

    BigInt.prototype = prototype;
    Object.defineProperty(BigInt, 'prototype', { writable: false, enumerable: false });
    K.define(prototype, 'constructor', BigInt);
    K.define(prototype, 'toString', function toString(radix) {
        self(this, 'toString');
        radix = radix === undefined ? 10 : floor(toNumber(radix));
        if (!(radix >= 2 && radix <= 36)) throw new NativeRangeError('toString() radix argument must be between 2 and 36');
        return text(this, radix);
    });
    Object.defineProperty(prototype.toString, 'length', { value: 0 });
    K.define(prototype, 'toLocaleString', function toLocaleString(locales, options) {
        return new Intl.NumberFormat(locales, options).format(self(this, 'toLocaleString'));
    });
    Object.defineProperty(prototype.toLocaleString, 'length', { value: 0 });
    K.define(prototype, 'valueOf', function valueOf() { return self(this, 'valueOf'); });
    K.define(prototype, Symbol.toPrimitive, function (hint) {
        if (hint === 'string') return text(self(this, 'toString'), 10);
        throw new NativeTypeError(MIXED);
    });
    K.define(prototype, Symbol.toStringTag, 'BigInt', true);
    K.define(BigInt, 'asIntN', function asIntN(bits, value) {
        bits = bitsAsked(bits);
        return asInt(bits, convert(value));
    });
    K.define(BigInt, 'asUintN', function asUintN(bits, value) {
        bits = bitsAsked(bits);
        return asUint(bits, convert(value));
    });
    K.isBigInt = isBig;
    K.bigNumber = number;
    K.bigText = function (a) { return text(a, 10); };
    K.offer('BigInt', BigInt);
    K.big = {
        Big: Big, BigInt: BigInt, ZERO: ZERO, ONE: ONE, MIXED: MIXED, isBig: isBig, isObject: isObject, primitive: primitive, convert: convert, ofText: ofText, small: small, make: make,
        text: text, number: number, limbsOf: limbsOf, payload: P, asUint: asUint,
        plus: plus, minus: minus, times: times, divided: divided, rest: rest, power: power, left: left, right: right, unsignedRight: unsignedRight,
        and: and, or: or, xor: xor, negated: negated, inverted: inverted, order: order, equal: equal, orderToNumber: orderToNumber
    };
}(__kernel));
