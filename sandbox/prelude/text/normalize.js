/*
 * String.prototype.normalize (UAX 15).  The tables of unicode.js are unpacked at the first call that needs them.
 */
(function (K) {
    'use strict';

    var packed = { decompositions: K.decompositions, classes: K.combiningClasses }, fromCodePoint = String.fromCodePoint, parse = parseInt;
    var canonical = null, compatible, composed, classes;
    var S = 0xac00, L = 0x1100, V = 0x1161, T = 0x11a7, L_COUNT = 19, V_COUNT = 21, T_COUNT = 28, S_COUNT = L_COUNT * V_COUNT * T_COUNT;

    function unpack() {
        canonical = Object.create(null);
        compatible = Object.create(null);
        composed = Object.create(null);
        classes = Object.create(null);
        var entries = packed.decompositions.split(' '), code = 0, i, j;
        for (i = 0; i < entries.length; i++) {
            var found = /^([0-9a-z]+)([:~!])(.*)$/.exec(entries[i]), parts = found[3].split('.');
            code += parse(found[1], 36);
            for (j = 0; j < parts.length; j++) parts[j] = parse(parts[j], 36);
            if (found[2] === '~') compatible[code] = parts;
            else canonical[code] = parts;
            if (found[2] === ':' && parts.length === 2) composed[parts[0] + '.' + parts[1]] = code;
        }
        entries = packed.classes.split(' ');
        for (i = 0, code = 0; i < entries.length; i++) {
            var run = entries[i].split('.'), length = parse(run[1], 36);
            code += parse(run[0], 36);
            for (j = 0; j < length; j++) classes[code + j] = parse(run[2], 36);
            code += length;
        }
    }

    function decompose(code, compat, out) {
        if (code >= S && code < S + S_COUNT) {
            var index = code - S, tail = index % T_COUNT;
            out.push(L + Math.floor(index / (V_COUNT * T_COUNT)), V + Math.floor(index % (V_COUNT * T_COUNT) / T_COUNT));
            if (tail) out.push(T + tail);
            return;
        }
        var parts = canonical[code] || (compat ? compatible[code] : undefined);
        if (parts === undefined) { out.push(code); return; }
        for (var i = 0; i < parts.length; i++) decompose(parts[i], compat, out);
    }

    /* Marks behind a base stand in the order of their classes; equal ones keep theirs. */
    function order(codes) {
        for (var i = 1; i < codes.length; i++) {
            var number = classes[codes[i]], code = codes[i], j = i;
            if (!number) continue;
            while (j > 0 && classes[codes[j - 1]] > number) { codes[j] = codes[j - 1]; j--; }
            codes[j] = code;
        }
    }

    function pair(first, second) {
        if (first >= L && first < L + L_COUNT && second >= V && second < V + V_COUNT) return S + ((first - L) * V_COUNT + second - V) * T_COUNT;
        if (first >= S && first < S + S_COUNT && (first - S) % T_COUNT === 0 && second > T && second < T + T_COUNT) return first + second - T;
        return composed[first + '.' + second];
    }

    function compose(codes) {
        var out = [], base = -1, last = 0;
        for (var i = 0; i < codes.length; i++) {
            var code = codes[i], number = classes[code] || 0, one = base >= 0 && (last === 0 ? out.length - 1 === base : last < number) ? pair(out[base], code) : undefined;
            if (one !== undefined) { out[base] = one; continue; }
            if (number === 0) { base = out.length; last = 0; } else last = number;
            out.push(code);
        }
        return out;
    }

    function normalize(form) {
        if (this === null || this === undefined) throw new TypeError('String.prototype.normalize called on null or undefined');
        var text = String(this);
        form = form === undefined ? 'NFC' : String(form);
        if (form !== 'NFC' && form !== 'NFD' && form !== 'NFKC' && form !== 'NFKD') throw new RangeError('The normalization form should be one of NFC, NFD, NFKC, NFKD.');
        if (K.isAscii(text)) return text;
        if (canonical === null) unpack();
        var codes = [], made = '', compat = form.charAt(2) === 'K';
        for (var i = 0; i < text.length; i++) {
            var code = text.codePointAt(i);
            if (code > 0xffff) i++;
            decompose(code, compat, codes);
        }
        order(codes);
        if (form.charAt(form.length - 1) === 'C') codes = compose(codes);
        for (i = 0; i < codes.length; i++) made += fromCodePoint(codes[i]);
        return made;
    }

    K.define(String.prototype, 'normalize', normalize);
    Object.defineProperty(normalize, 'length', { value: 0, configurable: true });
}(__kernel));
