/*
 * Natural numbers of any size, below BigInt: arrays of limbs of 24 bits, the lowest first, the last not zero.
 *
 * The engine has only numbers that are doubles.  Products of two limbs have 48 bits, so that 31 of them and a carry are
 * exact in one; a product of two numbers of equal length, as cryptography makes them, is one expression for each limb of
 * the result, written out when a length is first used.  That is three times as fast as a loop.
 *
 * For the other files of the group: K.limbs.
 */
(function (K) {
    'use strict';

    var BASE = 16777216, PART = 1 / BASE, MASK = BASE - 1, LIFT = 67108864, LIFTED = LIFT * BASE;
    var MOST_WRITTEN_OUT = 22, MOST_UNEQUAL = 3, MOST_LIMBS = 43691, TEXT_BASE = 10000000;
    var construct = K.captured.construct, slice = K.free(K.native.slice), charCodeAt = K.captured.charCodeAt, replace = K.captured.replace, textOf = K.free(Number.prototype.toString), NativeRangeError = RangeError, pow = Math.pow;
    var products = [], sums = [], differences = [], remainders = [];

    function tooLarge() { return new NativeRangeError('Maximum BigInt size exceeded'); }

    /* Without zeros at the end. */
    function trimmed(a) {
        var n = a.length;
        while (n > 0 && a[n - 1] === 0) n--;
        a.length = n;
        return a;
    }

    function compare(a, b) {
        var n = a.length;
        if (n !== b.length) return n < b.length ? -1 : 1;
        while (--n >= 0) if (a[n] !== b[n]) return a[n] < b[n] ? -1 : 1;
        return 0;
    }

    function add(a, b) {
        var n = b.length, m = a.length, carry = 0, i = 0, r, t;
        if (n === m && n > 1 && n <= MOST_WRITTEN_OUT) return (sums[n] || (sums[n] = sumOf(n)))(a, b);
        if (m < n) return add(b, a);
        r = slice(a);
        for (; i < n; i++) {
            t = r[i] + b[i] + carry;
            carry = t >>> 24;
            r[i] = t & 16777215;
        }
        for (; carry !== 0 && i < m; i++) {
            t = r[i] + 1;
            carry = t >>> 24;
            r[i] = t & 16777215;
        }
        if (carry !== 0) {
            if (m >= MOST_LIMBS) throw tooLarge();
            r[m] = 1;
        }
        return r;
    }

    /* a - b, of which a is not the smaller one. */
    function subtract(a, b) {
        var n = b.length, borrow = 0, i = 0, r, t;
        if (n === a.length && n > 1 && n <= MOST_WRITTEN_OUT) return trimmed((differences[n] || (differences[n] = differenceOf(n)))(a, b));
        r = slice(a);
        for (; i < n; i++) {
            t = r[i] - b[i] + borrow;
            borrow = t >> 24;
            r[i] = t & 16777215;
        }
        for (; borrow !== 0; i++) {
            t = r[i] - 1;
            borrow = t >> 24;
            r[i] = t & 16777215;
        }
        return trimmed(r);
    }

    /* -- written out for `n` limbs, as texts of functions ----------------------------------------- */

    /* One limb after the other: what makes it, and what is carried. */
    function sumOf(n) {
        var text = 'var t=a[0]+b[0],r=[t&16777215]';
        for (var i = 1; i < n; i++) text += ';t=a[' + i + ']+b[' + i + ']+(t>>>24);r[' + i + ']=t&16777215';
        return construct('a', 'b', text + ';if(t>16777215)r[' + n + ']=1;return r');
    }

    function differenceOf(n) {
        var text = 'var t=a[0]-b[0],r=[t&16777215]';
        for (var i = 1; i < n; i++) text += ';t=a[' + i + ']-b[' + i + ']+(t>>24);r[' + i + ']=t&16777215';
        return construct('a', 'b', text + ';return r');
    }

    /* All products of limbs whose places add up to `k`: `+x0*y2+x1*y1+x2*y0`. */
    function column(x, y, n, k, sign) {
        var text = '';
        for (var i = k < n ? 0 : k - n + 1; i < n && i <= k; i++) text += sign + x + i + '*' + y + (k - i);
        return text;
    }

    function productOf(n) {
        var text = 'var r=[],t,c=0', k;
        for (k = 0; k < n; k++) text += ',x' + k + '=a[' + k + '],y' + k + '=b[' + k + ']';
        for (k = 0; k < 2 * n - 1; k++) text += ';t=c' + column('x', 'y', n, k, '+') + ';c=t/' + BASE + '|0;r[' + k + ']=t-c*' + BASE;
        return construct('a', 'b', text + ';r[' + k + ']=c;return r');
    }

    /*
     * The remainder of `a`, of at most 2n limbs, by Barrett's method: with the highest limbs of a product with the reciprocal,
     * and the lowest of one with the modulus.  It may be a few times the modulus too large.
     */
    function remainderOf(n) {
        var m = n + 1, text = 'var r=[],t,c=0', k;
        for (k = 0; k < 2 * n; k++) text += ',a' + k + '=a[' + k + ']|0';
        text += ',a' + k + '=0';
        for (k = 0; k < m; k++) text += ',u' + k + '=mu[' + k + ']|0,q' + k + ',b' + k + '=' + (k < n ? 'b[' + k + ']' : '0');
        for (k = n - 1; k < 2 * m; k++) {
            text += ';t=c' + shifted(column('a', 'u', m, k, '+'), n - 1) + ';c=t/' + BASE + '|0';
            if (k >= m) text += ';q' + (k - m) + '=t-c*' + BASE;
        }
        text += ';c=0';
        for (k = 0; k < m; k++) text += ';t=a' + k + '+c' + column('q', 'b', m, k, '-') + ';c=t/' + BASE + '|0;t-=c*' + BASE + ';c+=t>>31;r[' + k + ']=t&16777215';
        return construct('a', 'b', 'mu', text + ';return r');
    }

    /* The names of limbs that begin with `a`, as many places on. */
    function shifted(text, places) {
        return replace(text, /a(\d+)/g, function (all, place) { return 'a' + (Number(place) + places); });
    }

    function padded(a, n) {
        var r = slice(a);
        for (var i = r.length; i < n; i++) r[i] = 0;
        return r;
    }

    /* In ascending order, or the engine would take the array for a sparse one. */
    function zeros(n) {
        var r = [];
        for (var i = 0; i < n; i++) r[i] = 0;
        return r;
    }

    function multiply(a, b) {
        var n = a.length, m = b.length;
        if (n < m) return multiply(b, a);
        if (m === 1) return byOne(a, b[0]);
        if (m === 0) return [];
        if (n <= MOST_WRITTEN_OUT && n - m <= MOST_UNEQUAL) return trimmed((products[n] || (products[n] = productOf(n)))(a, n === m ? b : padded(b, n)));
        return byEights(a, b);
    }

    function byOne(a, factor) {
        var r = [], n = a.length, carry = 0, t;
        for (var i = 0; i < n; i++) {
            t = a[i] * factor + carry;
            carry = t * PART | 0;
            r[i] = t - carry * BASE;
        }
        if (carry !== 0) {
            if (n >= MOST_LIMBS) throw tooLarge();
            r[n] = carry;
        }
        return r;
    }

    /* Eight limbs of b at a time. */
    function byEights(a, b) {
        var n = a.length, m = b.length, r = zeros(n + m + 8), i, j, k;
        if (n + m > MOST_LIMBS + 1) throw tooLarge();
        for (j = 0; j < m; j += 8) {
            var b0 = b[j], b1 = b[j + 1] || 0, b2 = b[j + 2] || 0, b3 = b[j + 3] || 0, b4 = b[j + 4] || 0, b5 = b[j + 5] || 0, b6 = b[j + 6] || 0, b7 = b[j + 7] || 0;
            var a0, a1 = 0, a2 = 0, a3 = 0, a4 = 0, a5 = 0, a6 = 0, a7 = 0, carry = 0, t;
            for (i = 0, k = j; i < n + 8; i++, k++) {
                a0 = i < n ? a[i] : 0;
                t = r[k] + carry + a0 * b0 + a1 * b1 + a2 * b2 + a3 * b3 + a4 * b4 + a5 * b5 + a6 * b6 + a7 * b7;
                carry = t * PART | 0;
                r[k] = t - carry * BASE;
                a7 = a6; a6 = a5; a5 = a4; a4 = a3; a3 = a2; a2 = a1; a1 = a0;
            }
        }
        r = trimmed(r);
        if (r.length > MOST_LIMBS) throw tooLarge();
        return r;
    }

    /* [quotient, remainder]: a number of one limb. */
    function divideByOne(a, divisor) {
        var q = zeros(a.length), remainder = 0, t, digit;
        for (var i = a.length - 1; i >= 0; i--) {
            t = remainder * BASE + a[i];
            digit = t / divisor | 0;
            remainder = t - digit * divisor;
            // Of 48 bits the quotient is rounded, now and then to the next integer.
            if (remainder < 0) { digit--; remainder += divisor; }
            q[i] = digit;
        }
        return [trimmed(q), remainder === 0 ? [] : [remainder]];
    }

    /* Knuth's algorithm D: [quotient, remainder]. */
    function divide(a, b) {
        if (compare(a, b) < 0) return [[], a];
        var n = b.length;
        if (n === 1) return divideByOne(a, b[0]);
        var shift = 0, top = b[n - 1];
        while (top < 8388608) { top *= 2; shift++; }
        var u = shift === 0 ? slice(a) : shiftLeft(a, shift), v = shift === 0 ? b : shiftLeft(b, shift), m = a.length - n, q = zeros(m + 1);
        if (u.length === a.length) u[a.length] = 0;
        var v1 = v[n - 1], v2 = v[n - 2];
        for (var j = m; j >= 0; j--) {
            var high = u[j + n] * BASE + u[j + n - 1], digit = high / v1 | 0, rest = high - digit * v1;
            if (rest < 0) { digit--; rest += v1; }
            while (digit >= BASE || digit * v2 > rest * BASE + u[j + n - 2]) {
                digit--;
                rest += v1;
                if (rest >= BASE) break;
            }
            if (digit > 0 && takeAway(u, v, digit, j, n) < 0) {
                digit--;
                giveBack(u, v, j, n);
            }
            q[j] = digit;
        }
        u.length = n;
        u = trimmed(u);
        return [trimmed(q), shift === 0 ? u : shiftRight(u, shift)];
    }

    /* u -= digit * v, from limb j on; what is missing. */
    function takeAway(u, v, digit, j, n) {
        var carry = 0, t, k = j;
        for (var i = 0; i < n; i++, k++) {
            t = u[k] - digit * v[i] + carry + LIFTED;
            carry = (t * PART | 0) - LIFT;
            t -= LIFTED;
            u[k] = t - carry * BASE;
        }
        t = u[k] + carry;
        u[k] = t < 0 ? t + BASE : t;
        return t;
    }

    function giveBack(u, v, j, n) {
        var carry = 0, t, k = j;
        for (var i = 0; i < n; i++, k++) {
            t = u[k] + v[i] + carry;
            carry = t >>> 24;
            u[k] = t & 16777215;
        }
        u[k] = u[k] + carry & 16777215;
    }

    /* What Barrett's method needs of a modulus: BASE ** (2n) / modulus. */
    function reciprocal(modulus) {
        var one = zeros(2 * modulus.length + 1);
        one[2 * modulus.length] = 1;
        return divide(one, modulus)[0];
    }

    /* Whether a remainder can be had by `reduce`. */
    function canReduce(a, modulus) {
        var n = modulus.length;
        return n > 1 && n < MOST_WRITTEN_OUT && a.length <= 2 * n && a.length >= n;
    }

    function reduce(a, modulus, mu) {
        var n = modulus.length;
        if (mu.length > n + 1) return divide(a, modulus)[1];
        var r = trimmed((remainders[n] || (remainders[n] = remainderOf(n)))(a, modulus, mu));
        while (compare(r, modulus) >= 0) r = subtract(r, modulus);
        return r;
    }

    function shiftLeft(a, count) {
        var n = a.length;
        if (n === 0) return a;
        var limbs = count / 24 | 0, bits = count - limbs * 24, r, carry = 0, i;
        if (n + limbs > MOST_LIMBS) throw tooLarge();
        r = zeros(limbs);
        if (bits === 0) for (i = 0; i < n; i++) r[limbs + i] = a[i];
        else {
            var rest = 24 - bits, mask = (1 << rest) - 1, limb;
            for (i = 0; i < n; i++) {
                limb = a[i];
                r[limbs + i] = (limb & mask) << bits | carry;
                carry = limb >>> rest;
            }
            if (carry !== 0) {
                if (limbs + n >= MOST_LIMBS) throw tooLarge();
                r[limbs + n] = carry;
            }
        }
        return r;
    }

    function shiftRight(a, count) {
        var limbs = count / 24 | 0, bits = count - limbs * 24, n = a.length - limbs;
        if (n <= 0) return [];
        if (bits === 0) return slice(a, limbs);
        var r = [], rest = 24 - bits, mask = (1 << bits) - 1, limb = a[limbs], last = n - 1, next;
        for (var i = 0; i < last; i++) {
            next = a[limbs + i + 1];
            r[i] = limb >>> bits | (next & mask) << rest;
            limb = next;
        }
        if ((limb >>>= bits) !== 0) r[last] = limb;
        return r;
    }

    /* Whether one of the lowest bits is set. */
    function hasBelow(a, count) {
        var limbs = count / 24 | 0, bits = count - limbs * 24;
        for (var i = 0; i < limbs && i < a.length; i++) if (a[i] !== 0) return true;
        return limbs < a.length && (a[limbs] & (1 << bits) - 1) !== 0;
    }

    function bitLength(a) {
        var n = a.length;
        if (n === 0) return 0;
        for (var top = a[n - 1], bits = 0; top > 0; bits++) top >>>= 1;
        return (n - 1) * 24 + bits;
    }

    /* The lowest bits. */
    function low(a, count) {
        var limbs = count / 24 | 0, bits = count - limbs * 24;
        if (a.length <= limbs) return a;
        var r = slice(a, 0, bits === 0 ? limbs : limbs + 1);
        if (bits !== 0) r[limbs] &= (1 << bits) - 1;
        return trimmed(r);
    }

    /* a - 1 and a + 1. */
    function before(a) { return subtract(a, [1]); }
    function after(a) { return add(a, [1]); }

    function complement(a, n) {
        var r = [], length = a.length;
        for (var i = 0; i < n; i++) r[i] = (i < length ? a[i] : 0) ^ 16777215;
        return r;
    }

    /* `&`, `|` and `^` of numbers in two's complement; `negative` of the result: its complement is what is wanted. */
    function bitwise(kind, a, aNegative, b, bNegative) {
        var n = (a.length > b.length ? a.length : b.length) + 1, r = [], i;
        var x = aNegative ? complement(before(a), n) : padded(a, n), y = bNegative ? complement(before(b), n) : padded(b, n);
        if (kind === '&') for (i = 0; i < n; i++) r[i] = x[i] & y[i];
        else if (kind === '|') for (i = 0; i < n; i++) r[i] = x[i] | y[i];
        else for (i = 0; i < n; i++) r[i] = x[i] ^ y[i];
        return r[n - 1] === 0 ? { limbs: trimmed(r), negative: false } : { limbs: after(trimmed(complement(r, n))), negative: true };
    }

    /* Of an integer that is not negative. */
    function fromNumber(value) {
        var r = [];
        while (value > 0) {
            var rest = value % BASE;
            r[r.length] = rest;
            value = (value - rest) / BASE;
        }
        return r;
    }

    /* The nearest number; of two the even one. */
    function toNumber(a) {
        var bits = bitLength(a), value = 0, i;
        if (bits > 1024) return Infinity;
        var drop = bits > 53 ? bits - 53 : 0, head = drop === 0 ? a : shiftRight(a, drop);
        for (i = head.length - 1; i >= 0; i--) value = value * BASE + head[i];
        if (drop === 0) return value;
        var half = (a[(drop - 1) / 24 | 0] >>> (drop - 1) % 24 & 1) === 1;
        if (half && (hasBelow(a, drop - 1) || value % 2 === 1)) value += 1;
        return value * pow(2, drop);
    }

    function toText(a, radix) {
        if (a.length === 0) return '0';
        // As many digits at a time as a limb and they fit into a number.
        var size = 0, unit = 1;
        while (unit * radix <= TEXT_BASE) { unit *= radix; size++; }
        var rest = slice(a), text = '';
        while (rest.length > 0) {
            var remainder = 0, t;
            for (var i = rest.length - 1; i >= 0; i--) {
                t = remainder * BASE + rest[i];
                rest[i] = (t - t % unit) / unit;
                remainder = t % unit;
            }
            trimmed(rest);
            var part = textOf(remainder, radix);
            if (rest.length > 0) while (part.length < size) part = '0' + part;
            text = part + text;
        }
        return text;
    }

    /* Of digits that are known to be right. */
    function fromText(digits, radix) {
        var r = [], size = 0, unit = 1, at = 0, end, value, carry, t;
        while (unit * radix <= TEXT_BASE) { unit *= radix; size++; }
        for (end = digits.length % size || size; at < digits.length; end += size) {
            for (value = 0; at < end; at++) {
                var code = charCodeAt(digits, at);
                value = value * radix + (code < 58 ? code - 48 : (code | 32) - 87);
            }
            for (var i = 0, n = r.length, factor = n === 0 ? 0 : unit; i < n; i++) {
                t = r[i] * factor + value;
                carry = t * PART | 0;
                r[i] = t - carry * BASE;
                value = carry;
            }
            if (value > 0) {
                if (r.length >= MOST_LIMBS) throw tooLarge();
                r[r.length] = value;
            }
        }
        return r;
    }

    K.limbs = {
        compare: compare, add: add, subtract: subtract, multiply: multiply, divide: divide, reciprocal: reciprocal, canReduce: canReduce, reduce: reduce,
        shiftLeft: shiftLeft, shiftRight: shiftRight, hasBelow: hasBelow, bitLength: bitLength, low: low, before: before, after: after, bitwise: bitwise,
        fromNumber: fromNumber, toNumber: toNumber, toText: toText, fromText: fromText, tooLarge: tooLarge, MOST_BITS: MOST_LIMBS * 24, MASK: MASK
    };
}(__kernel));
