/*
 * BigInt, as far as packages need it that only mention it: exact integers that can be made and shown.
 *
 * The engine has no such type and operators cannot be given one, so computing and comparing throws.
 */
(function (K) {
    'use strict';

    var LIMIT = 'large integers can be made and shown here, not computed with; use numbers up to Number.MAX_SAFE_INTEGER, or a package that computes with text';
    var exec = K.captured.exec, slice = K.captured.slice, charCodeAt = K.captured.charCodeAt, toFixed = K.free(Number.prototype.toFixed);
    var DECIMAL = /^\s*([+-]?)0*(\d+)\s*$/, BASED = /^\s*0(?:x([0-9a-f]+)|o([0-7]+)|b([01]+))\s*$/i;
    var NativeTypeError = TypeError, NativeSyntaxError = SyntaxError, NativeRangeError = RangeError, create = Object.create;
    var prototype = {};

    function BigInt(value) {
        if (this !== undefined && this !== null && this instanceof BigInt) throw new NativeTypeError('BigInt is not a constructor');
        if (typeof value === 'object' && value !== null && K.hidden(value) !== undefined && value instanceof BigInt) return value;
        var made = create(prototype);
        K.hide(made, textOf(value));
        return made;
    }

    function textOf(value) {
        if (typeof value === 'boolean') return value ? '1' : '0';
        if (typeof value === 'number') {
            if (value % 1 !== 0) throw new NativeRangeError('The number ' + value + ' cannot be converted to a BigInt because it is not an integer');
            if (value > -1e21 && value < 1e21) return toFixed(value, 0);
            throw new NativeRangeError('BigInt: numbers from 1e21 are not exact; give their digits as a string');
        }
        if (typeof value === 'string') return fromText(value);
        throw new NativeTypeError('Cannot convert ' + K.quote(value) + ' to a BigInt');
    }

    function fromText(text) {
        var match = exec(DECIMAL, text);
        if (match !== null) return (match[1] === '-' && match[2] !== '0' ? '-' : '') + match[2];
        match = exec(BASED, text);
        if (match !== null) return match[1] !== undefined ? decimal(match[1], 16) : match[2] !== undefined ? decimal(match[2], 8) : decimal(match[3], 2);
        if (exec(/\S/, text) === null) return '0';
        throw new NativeSyntaxError('Cannot convert ' + slice(text, 0, 100) + ' to a BigInt');
    }

    /* Digits of another base as decimal ones, by sevens, the last first. */
    function decimal(digits, base) {
        var parts = [0], text = '';
        if (digits.length > 4000) throw new NativeRangeError('BigInt: more than 4000 digits');
        for (var i = 0; i < digits.length; i++) {
            var code = charCodeAt(digits, i), carry = code < 58 ? code - 48 : (code | 32) - 87;
            for (var j = 0; j < parts.length; j++) {
                carry += parts[j] * base;
                parts[j] = carry % 1e7;
                carry = (carry - parts[j]) / 1e7;
            }
            if (carry > 0) parts[j] = carry;
        }
        for (var k = parts.length - 1; k >= 0; k--) text += text === '' ? parts[k] : slice(parts[k] + 1e7 + '', 1);
        return text;
    }

    function refused(what) {
        return function () { throw new NativeTypeError(what + ': ' + LIMIT); };
    }

    BigInt.prototype = prototype;
    K.define(prototype, 'constructor', BigInt);
    K.define(prototype, 'toString', function toString(radix) {
        if (radix !== undefined && radix !== 10) throw new NativeRangeError('BigInt: toString of another base than 10: ' + LIMIT);
        return K.hidden(this);
    });
    K.define(prototype, 'toLocaleString', function toLocaleString() { return K.hidden(this); });
    K.define(prototype, 'valueOf', refused('BigInt'));
    K.define(prototype, 'toJSON', function toJSON() { throw new NativeTypeError('Do not know how to serialize a BigInt'); });
    K.define(prototype, Symbol.toPrimitive, function (hint) {
        if (hint !== 'string') throw new NativeTypeError('BigInt: ' + LIMIT);
        return K.hidden(this);
    });
    K.define(prototype, Symbol.toStringTag, 'BigInt', true);
    K.define(BigInt, 'asIntN', refused('BigInt.asIntN'));
    K.define(BigInt, 'asUintN', refused('BigInt.asUintN'));
    K.global('BigInt', BigInt);
}(__kernel));
