/*
 * Numbers as text, both ways, exactly.
 *
 * The engine prints the shortest text of every number, as it should.  Reading, it rounds what lies exactly halfway
 * between two numbers either way, where the standard takes the even one: 9007199254740993 and 1e23 are such texts,
 * and so is one in some 1,500 of those that numbers above 2 ** 53 print.  Such a text is looked at again only if it has
 * 16 digits or an exponent, came to an odd number and ends where what is halfway ends; then it is compared with the
 * numbers halfway to the neighbours, digit by digit.  Of more than 20 digits the engine ignores the others, so these
 * texts are compared with what is halfway to the next number.
 *
 * Texts that become numbers by themselves, as in +text, the engine reads alone; see docs/explain/what-scripts-may-use.md.
 * toFixed, toPrecision and toExponential take up to 100 digits, of which the engine makes the first twenty.
 *
 * K.readNumber(text) is Number(text); K.exactJson(text) is JSON text that the engine reads exactly.
 */
(function (K, global) {
    'use strict';

    var Given = global.Number, native = Given, codeAt = K.captured.charCodeAt, indexOf = K.captured.indexOf, slice = K.captured.slice, exec = K.captured.exec, test = K.captured.test, replace = K.captured.replace;
    var floats = new Float64Array(1), words = new Uint32Array(floats.buffer), isFinite = global.isFinite;
    var prototype = native.prototype, thisNumber = K.free(prototype.valueOf), floor = Math.floor, pow = Math.pow, BASE = 1e7, ZEROS = /^0+(?=\d)/;
    var nativeFixed = K.free(prototype.toFixed), nativePrecision = K.free(prototype.toPrecision), nativeExponential = K.free(prototype.toExponential);
    var SIGNED_BASE = /^\s*[+-]0[a-z]/i, DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

    /* -- reading --------------------------------------------------------------------------- */

    /* The lowest bit of the number in `floats` is 2 ** lowestBit(). */
    function lowestBit() {
        var exponent = words[1] >>> 20 & 0x7ff;
        return (exponent === 0 ? 1 : exponent) - 1075;
    }
    /* The bits of the number in `floats`, doubled and with `more` added, in parts of seven digits. */
    function doubledBits(more) {
        var mantissa = (words[1] & 0xfffff) * 4294967296 + words[0];
        if ((words[1] >>> 20 & 0x7ff) > 0) mantissa += 4503599627370496;
        var parts = [mantissa % BASE, floor(mantissa / BASE) % BASE, floor(mantissa / BASE / BASE)];
        multiply(parts, 2, more);
        return parts;
    }

    /* parts * factor + carry, in place */
    function multiply(parts, factor, carry) {
        for (var i = 0; i < parts.length; i++) {
            var product = parts[i] * factor + carry;
            carry = floor(product / BASE);
            parts[i] = product - carry * BASE;
        }
        for (; carry > 0; carry = floor(carry / BASE)) parts[parts.length] = carry % BASE;
    }

    /* All decimal digits of parts * 2 ** exponent: { whole, fraction }. */
    function expanded(parts, exponent) {
        for (var left = exponent < 0 ? -exponent : exponent; left > 0;) {
            var step = left > 12 ? 12 : left;
            multiply(parts, pow(exponent < 0 ? 5 : 2, step), 0);
            left -= step;
        }
        var text = '';
        for (var j = parts.length - 1; j >= 0; j--) text += slice('' + (BASE + parts[j]), 1);
        if (exponent >= 0) return { whole: replace(text, ZEROS, ''), fraction: '' };
        while (text.length <= -exponent) text = '0' + text;
        return { whole: replace(slice(text, 0, exponent), ZEROS, ''), fraction: slice(text, exponent) };
    }

    /* Digits in front of the point and behind it, of a decimal text that has `places` behind it; null if it has not. */
    function plainDigits(text, places) {
        var match = exec(DECIMAL, text);
        if (match === null || text.length > 2000) return null;
        var whole = match[2], fraction = match[3] === undefined ? '' : replace(match[3], /0+$/, ''), shift = match[4] === undefined ? 0 : +match[4];
        if (fraction === '' && shift < 0) {
            var kept = replace(whole, /0+$/, '');
            shift += whole.length - kept.length;
            whole = kept;
        }
        var behind = fraction.length - shift;
        // Powers of 10 beyond the 23rd have more odd factors than a number has bits.
        if ((behind > 0 ? behind : 0) !== places || behind < -23) return null;
        while (fraction.length < shift) fraction += '0';
        while (whole.length < -shift) whole = '0' + whole;
        var digits = whole + fraction, point = whole.length + shift;
        return { whole: replace('0' + slice(digits, 0, point), ZEROS, ''), fraction: slice(digits, point) };
    }

    /*
     * The number that a text of more than 20 digits means: the engine reads the first 20 only, so it is the next
     * number where the others reach beyond what is halfway.
     */
    function beyondTwenty(text, value) {
        var found = text.length > 2000 || !isFinite(value) ? null : exec(DECIMAL, text);
        if (found === null) return value;
        var given = leading(found[2], found[3] === undefined ? '' : found[3]);
        if (given.digits.length <= 20) return value;
        floats[0] = value < 0 ? -value : value;
        var middle = expanded(doubledBits(1), lowestBit() - 1), other = leading(middle.whole, middle.fraction);
        if (found[4] !== undefined) given.point += +found[4];
        if (given.point === other.point ? given.digits <= other.digits : given.point < other.point) return value;
        words[0] += 1;
        if (words[0] === 0) words[1] += 1;
        return value < 0 ? -floats[0] : floats[0];
    }

    /* The digits from the first to the last that is not 0, and how many of them stand in front of the point. */
    function leading(whole, fraction) {
        var all = whole + fraction, digits = replace(all, /^0+/, '');
        return { digits: replace(digits, /0+$/, ''), point: whole.length - all.length + digits.length };
    }

    /* The number that `text` means, which the engine reads as `value`. */
    function corrected(text, value) {
        if (text.length > 20) {
            var next = beyondTwenty(text, value);
            if (next !== value) return next;
        }
        floats[0] = value;
        if ((words[0] & 1) === 0 || !isFinite(value)) return value;
        // What is halfway has exactly one digit more behind the point than the number has bits there.
        var lowest = lowestBit(), digits = plainDigits(text, lowest > 0 ? 0 : 1 - lowest);
        if (digits === null) return value;
        for (var side = -1; side < 2; side += 2) {
            var middle = expanded(doubledBits(side), lowest - 1);
            if (middle.whole !== digits.whole || middle.fraction !== digits.fraction) continue;
            if (side < 0) words[0] -= 1;
            else if (words[0] === 0xffffffff) { words[0] = 0; words[1] += 1; } else words[0] += 1;
            return floats[0];
        }
        return value;
    }

    /* Whether a text has what it takes to be halfway: 16 digits, or an exponent. */
    function mayBeHalfway(text) {
        return text.length > 15 || text.length > 2 && (indexOf(text, 'e') > 0 || indexOf(text, 'E') > 0);
    }

    function readNumber(text) {
        var value = +text;
        if (value !== value || text.length < 3) return value;
        // The engine takes a sign in front of 0x1f, which is no number.
        if ((indexOf(text, '-0') >= 0 || indexOf(text, '+0') >= 0) && test(SIGNED_BASE, text)) return NaN;
        return mayBeHalfway(text) ? corrected(text.trim(), value) : value;
    }
    K.readNumber = readNumber;

    var PREFIX = /^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/, nativeParseFloat = global.parseFloat;
    function parseFloat(text) {
        if (typeof text !== 'string') text = String(text);
        var value = nativeParseFloat(text);
        if (value !== value || !mayBeHalfway(text)) return value;
        var match = exec(PREFIX, text);
        return match === null ? value : corrected(match[1], value);
    }

    var INTEGER = /^\s*([+-]?\d+)/, nativeParseInt = global.parseInt;
    function parseInt(text, radix) {
        if (typeof text === 'string' ? text.length < 16 : typeof text === 'number' && text < BASE && text > -BASE) return nativeParseInt(text, radix);
        text = String(text);
        var value = nativeParseInt(text, radix);
        if (radix !== undefined && +radix !== 10 && +radix !== 0) return value;
        var match = exec(INTEGER, text);
        return match === null || value !== value ? value : corrected(match[1], value);
    }

    // -- JSON

    var PIECE = 500, STEP = 7, EXPONENTS = ['e+', 'E+', 'e1', 'e2', 'E1', 'E2'];
    /*
     * Whether JSON text may hold a number that is read wrongly.  Most does not, and is not to cost much: exponents
     * are looked for by the engine; seven digits in a row, of numbers of sixteen or with another exponent, are
     * found by looking at every seventh character.
     */
    function maySuffer(text) {
        for (var i = 0; i < 6; i++) if (indexOf(text, EXPONENTS[i]) >= 0) return true;
        for (var at = STEP - 1, length = text.length; at < length; at += STEP) {
            var code = codeAt(text, at);
            if (code < 58 && code > 47 && isLong(text, at)) return true;
        }
        return false;
    }

    function isNumeric(code) { return code < 58 && code > 47 || code === 46; }
    function isLong(text, at) {
        var from = at, to = at;
        while (isNumeric(codeAt(text, from - 1))) from--;
        while (isNumeric(codeAt(text, to + 1))) to++;
        if (to - from >= 15) return true;
        var next = codeAt(text, to + 1);
        return next === 101 || next === 69;
    }

    var JSON_NUMBERS = /-?\d[\d.]*(?:[eE][+-]?\d+)?/g;
    function mendedNumber(text) {
        if (!mayBeHalfway(text)) return text;
        var value = +text, right = corrected(text, value);
        // With so many digits nothing is halfway.
        return right === value ? text : isFinite(right) ? nativePrecision(right, 21) : (right < 0 ? '-' : '') + '1e999';
    }

    K.exactJson = function (text) {
        if (!maySuffer(text)) return text;
        var made = '', at = 0, length = text.length;
        while (at < length) {
            var quote = indexOf(text, '"', at), end = quote < 0 ? length : quote;
            made += numbersMended(text, at, end);
            if (quote < 0) break;
            at = behindString(text, quote + 1);
            made += slice(text, quote, at);
        }
        return made;
    };

    /* In pieces: replacing takes the engine time by the square of the length. */
    function numbersMended(text, at, end) {
        var made = '';
        while (at < end) {
            var to = at + PIECE;
            while (to < end && codeAt(text, to) !== 44) to++;
            if (to > end) to = end;
            made += replace(slice(text, at, to), JSON_NUMBERS, mendedNumber);
            at = to;
        }
        return made;
    }

    function behindString(text, at) {
        for (;;) {
            var quote = indexOf(text, '"', at);
            if (quote < 0) return text.length;
            for (var back = quote - 1, slashes = 0; codeAt(text, back) === 92; back--) slashes++;
            if (slashes % 2 === 0) return quote + 1;
            at = quote + 1;
        }
    }

    // -- Number itself

    /* Until a script has BigInt, no value is one. */
    K.isBigInt = function () { return false; };

    function valueOf(given) {
        if (typeof given === 'string') return readNumber(given);
        if (given !== null && typeof given === 'object') {
            if (K.isBigInt(given)) return K.bigNumber(given);
            var convert = given[Symbol.toPrimitive];
            if (convert !== undefined && convert !== null) given = convert.call(given, 'number');
            else {
                var plain = given.valueOf();
                given = plain !== null && typeof plain === 'object' && !K.isBigInt(plain) ? given.toString() : plain;
            }
            return typeof given === 'string' ? readNumber(given) : K.isBigInt(given) ? K.bigNumber(given) : +given;
        }
        return +given;
    }

    function Number(value) {
        var number = arguments.length === 0 ? 0 : typeof value === 'number' ? value : valueOf(value);
        if (!(this instanceof Number)) return number;
        var made = Object(number), prototype = Object.getPrototypeOf(this);
        if (prototype !== Number.prototype) Object.setPrototypeOf(made, prototype);
        return made;
    }
    Object.getOwnPropertyNames(native).forEach(function (name) {
        if (!Object.prototype.hasOwnProperty.call(Number, name)) Object.defineProperty(Number, name, Object.getOwnPropertyDescriptor(native, name));
    });
    Object.defineProperty(Number, 'length', { value: 1, configurable: true });
    Object.defineProperty(Number, 'prototype', { value: native.prototype, writable: false, enumerable: false, configurable: false });
    K.define(native.prototype, 'constructor', Number);
    K.global('Number', Number);
    K.define(Number, 'parseFloat', parseFloat);
    K.global('parseFloat', parseFloat);
    K.define(Number, 'parseInt', parseInt);
    K.global('parseInt', parseInt);

    /* -- printing -------------------------------------------------------------------------- */

    var MOST = 100;

    function digitsAsked(value, name, least) {
        value = value === undefined ? 0 : +value;
        value = value !== value ? 0 : value < 0 ? Math.ceil(value) : floor(value);
        if (value < least || value > MOST) throw new RangeError(name + '() argument must be between ' + least + ' and ' + MOST);
        return value;
    }

    function digitsOf(value) {
        floats[0] = value;
        return expanded(doubledBits(0), lowestBit() - 1);
    }

    /* The first `count` of these digits, rounded half up; one digit more if that carries over. */
    function roundedDigits(digits, count) {
        while (digits.length <= count) digits += '0';
        var kept = slice(digits, 0, count).split('');
        if (digits.charAt(count) < '5') return kept.join('');
        var at = count - 1;
        while (at >= 0 && kept[at] === '9') kept[at--] = '0';
        if (at < 0) return '1' + kept.join('');
        kept[at] = String.fromCharCode(codeAt(kept[at], 0) + 1);
        return kept.join('');
    }

    function fixed(value, places) {
        var all = digitsOf(value), text = roundedDigits(all.whole + all.fraction, all.whole.length + places);
        return slice(text, 0, text.length - places) + (places > 0 ? '.' + slice(text, text.length - places) : '');
    }

    /* `count` significant digits, and the power of ten of the first. */
    function significant(value, count) {
        var all = digitsOf(value), text = all.whole + all.fraction, exponent = all.whole.length - 1;
        if (value === 0) return { digits: roundedDigits('0', count), exponent: 0 };
        while (text.charAt(0) === '0') { text = slice(text, 1); exponent--; }
        var digits = roundedDigits(text, count);
        if (digits.length > count) { digits = slice(digits, 0, count); exponent++; }
        return { digits: digits, exponent: exponent };
    }

    function exponential(found) {
        return found.digits.charAt(0) + (found.digits.length > 1 ? '.' + slice(found.digits, 1) : '') + 'e' + (found.exponent < 0 ? '-' : '+') + Math.abs(found.exponent);
    }

    function signed(value, text) { return value < 0 ? '-' + text : text; }

    K.define(prototype, 'toFixed', function toFixed(places) {
        var value = thisNumber(this);
        places = digitsAsked(places, 'toFixed', 0);
        if (!isFinite(value) || Math.abs(value) >= 1e21) return String(value);
        return places <= 20 ? nativeFixed(value, places) : signed(value, fixed(Math.abs(value), places));
    });

    K.define(prototype, 'toExponential', function toExponential(places) {
        var value = thisNumber(this), all = places === undefined;
        if (!isFinite(value)) return String(value);
        places = digitsAsked(places, 'toExponential', 0);
        if (all) return nativeExponential(value);
        return places <= 20 ? nativeExponential(value, places) : signed(value, exponential(significant(Math.abs(value), places + 1)));
    });

    K.define(prototype, 'toPrecision', function toPrecision(count) {
        var value = thisNumber(this);
        if (count === undefined || !isFinite(value)) return String(value);
        count = digitsAsked(count, 'toPrecision', 1);
        if (count <= 21) return nativePrecision(value, count);
        var found = significant(Math.abs(value), count), at = found.exponent + 1;
        if (found.exponent < -6 || found.exponent >= count) return signed(value, exponential(found));
        if (at <= 0) return signed(value, '0.' + new Array(1 - at).join('0') + found.digits);
        return signed(value, slice(found.digits, 0, at) + (at < count ? '.' + slice(found.digits, at) : ''));
    });
}(__kernel, globalThis));
