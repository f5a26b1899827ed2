/*
 * Hosts of URLs (URL standard, 3): domains with IDNA, IPv4 and IPv6 addresses, opaque hosts; and percent-encoding.
 *
 * For other files: K.urls.host(text, special) -> the host in its normal form, or null if it is none;
 * K.urls.percent(text, set) with K.urls.sets; K.urls.decode(text) -> text, K.urls.decodeBytes(text) -> Uint8Array.
 */
(function (K) {
    'use strict';

    var captured = K.captured, slice = captured.slice, indexOf = captured.indexOf, code = captured.charCodeAt, split = captured.split;
    var join = captured.join, test = captured.test, replace = captured.replace, exec = captured.exec;
    var lower = K.free(String.prototype.toLowerCase), lastIndexOf = K.free(String.prototype.lastIndexOf);
    var codePointAt = K.free(String.prototype.codePointAt), normalize = K.free(String.prototype.normalize);
    var fromCodePoint = String.fromCodePoint, toText = K.free(Number.prototype.toString);
    var encodeURIComponent = globalThis.encodeURIComponent, decodeURIComponent = globalThis.decodeURIComponent, parse = parseInt;
    var urls = K.urls = K.bare();

    /* -- percent-encoding ---------------------------------------------------------------------- */

    /* What is encoded, of ASCII; what is not ASCII always is. */
    var sets = urls.sets = {
        control: /[\x00-\x1f\x7f]/g,
        fragment: /[\x00-\x20"<>`\x7f]/g,
        query: /[\x00-\x20"#<>\x7f]/g,
        specialQuery: /[\x00-\x20"#'<>\x7f]/g,
        path: /[\x00-\x20"#<>?\^`{}\x7f]/g,
        userinfo: /[\x00-\x20"#\/:;<=>?@\[\\\]\^`{|}\x7f]/g,
        form: /[\x00-\x1f!"#$%&'()+,\/:;<=>?@\[\\\]\^`{|}~\x7f]/g
    };
    var BEYOND_ASCII = /[^\x00-\x7f]+/g;

    function encodedByte(character) {
        var number = code(character, 0);
        return (number < 16 ? '%0' : '%') + toText(number, 16).toUpperCase();
    }

    urls.percent = function (text, set) {
        set.lastIndex = 0;
        if (test(set, text)) {
            set.lastIndex = 0;
            text = replace(text, set, encodedByte);
        }
        return K.isAscii(text) ? text : replace(K.wellFormed(text), BEYOND_ASCII, encodeURIComponent);
    };

    /* Escapes that are no UTF-8 become U+FFFD. */
    urls.decode = function (text) {
        if (indexOf(text, '%') < 0) return text;
        try {
            return decodeURIComponent(text);
        } catch (error) {
            return K.decodeUtf8(urls.decodeBytes(text));
        }
    };

    urls.decodeBytes = function (text) {
        var given = K.utf8(text), bytes = new Uint8Array(given.length), length = 0;
        for (var i = 0; i < given.length; i++) {
            var high = given[i] === 0x25 ? digit(given[i + 1]) : -1, low = high < 0 ? -1 : digit(given[i + 2]);
            if (low >= 0) i += 2;
            bytes[length++] = low < 0 ? given[i] : high * 16 + low;
        }
        return bytes.subarray(0, length);
    };

    function digit(byte) {
        if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
        byte |= 0x20;
        return byte >= 0x61 && byte <= 0x66 ? byte - 0x57 : -1;
    }

    /* -- addresses ----------------------------------------------------------------------------- */

    var LAST_IS_NUMBER = /(?:^|\.)(?:\d+|0[xX][0-9A-Fa-f]*)\.?$/, PIECE = /^[0-9A-Fa-f]{1,4}$/, DECIMAL = /^(?:0|[1-9]\d{0,2})$/;

    function number(part) {
        if (part === '') return -1;
        if (test(/^0[xX][0-9A-Fa-f]*$/, part)) return part.length === 2 ? 0 : parse(slice(part, 2), 16);
        if (test(/^0[0-7]*$/, part)) return parse(part, 8);
        return test(/^[1-9]\d*$/, part) ? parse(part, 10) : -1;
    }

    function ipv4(text) {
        var parts = split(text, '.'), address = 0;
        if (parts.length > 1 && parts[parts.length - 1] === '') parts.length--;
        if (parts.length > 4) return null;
        for (var i = 0; i < parts.length; i++) {
            var value = number(parts[i]), last = i === parts.length - 1;
            if (value < 0 || value >= (last ? Math.pow(256, 5 - parts.length) : 256)) return null;
            address += last ? value : value * Math.pow(256, 3 - i);
        }
        return (address >>> 24) + '.' + (address >>> 16 & 255) + '.' + (address >>> 8 & 255) + '.' + (address & 255);
    }

    /* The pieces of one side of "::", the last of which may be an IPv4 address; null if they are none. */
    function pieces(text, last) {
        var made = [], parts = text === '' ? [] : split(text, ':');
        for (var i = 0; i < parts.length; i++) {
            if (test(PIECE, parts[i])) { made[made.length] = parse(parts[i], 16); continue; }
            var four = split(parts[i], '.');
            if (!last || i < parts.length - 1 || four.length !== 4) return null;
            for (var j = 0; j < 4; j++) if (!test(DECIMAL, four[j]) || four[j] > 255) return null;
            made[made.length] = four[0] * 256 + +four[1];
            made[made.length] = four[2] * 256 + +four[3];
        }
        return made;
    }

    function ipv6(text) {
        var at = indexOf(text, '::'), head = pieces(at < 0 ? text : slice(text, 0, at), at < 0), tail = at < 0 ? [] : pieces(slice(text, at + 2), true);
        if (head === null || tail === null || (at < 0 ? head.length !== 8 : head.length + tail.length > 7)) return null;
        while (head.length + tail.length < 8) head[head.length] = 0;
        var all = head.concat(tail), best = -1, most = 1;
        for (var i = 0; i < 8; i++) {
            for (var run = 0; all[i + run] === 0;) run++;
            if (run > most) { best = i; most = run; }
            if (run) i += run - 1;
        }
        for (i = 0; i < 8; i++) all[i] = toText(all[i], 16);
        return best < 0 ? join(all, ':') : join(all.slice(0, best), ':') + '::' + join(all.slice(best + most), ':');
    }

    /* -- domains ------------------------------------------------------------------------------- */

    var FORBIDDEN_HOST = /[\x00\t\n\r #\/:<>?@\[\\\]\^|]/, FORBIDDEN_DOMAIN = /[\x00-\x20#%\/:<>?@\[\\\]\^|\x7f]/, ENCODED_LABEL = /(?:^|\.)xn--/i;
    var BASE = 36, SKEW = 38, DAMP = 700;

    function adapted(delta, points, first) {
        delta = first ? Math.floor(delta / DAMP) : delta >> 1;
        delta += Math.floor(delta / points);
        for (var k = 0; delta > 455; k += BASE) delta = Math.floor(delta / 35);
        return k + Math.floor(36 * delta / (delta + SKEW));
    }
    function threshold(k, bias) { return k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias; }

    function pointsOf(text) {
        var made = [];
        for (var i = 0; i < text.length; i++) {
            made[made.length] = codePointAt(text, i);
            if (made[made.length - 1] > 0xffff) i++;
        }
        return made;
    }

    /* RFC 3492 */
    function punycode(points) {
        var out = '', n = 128, delta = 0, bias = 72, i;
        for (i = 0; i < points.length; i++) if (points[i] < 128) out += fromCodePoint(points[i]);
        var basic = out.length, handled = basic;
        if (basic) out += '-';
        while (handled < points.length) {
            var next = 0x110000;
            for (i = 0; i < points.length; i++) if (points[i] >= n && points[i] < next) next = points[i];
            delta += (next - n) * (handled + 1);
            n = next;
            for (i = 0; i < points.length; i++) {
                if (points[i] < n) delta++;
                if (points[i] !== n) continue;
                for (var q = delta, k = BASE; ; k += BASE) {
                    var t = threshold(k, bias);
                    if (q < t) break;
                    out += letter(t + (q - t) % (BASE - t));
                    q = Math.floor((q - t) / (BASE - t));
                }
                out += letter(q);
                bias = adapted(delta, handled + 1, handled === basic);
                delta = 0;
                handled++;
            }
            delta++;
            n++;
        }
        return out;
    }
    /* Digits of RFC 3492 are a to z, then 0 to 9. */
    function letter(value) {
        return fromCodePoint(value < 26 ? 97 + value : 22 + value);
    }

    function unpunycode(text) {
        var at = lastIndexOf(text, '-'), points = at > 0 ? pointsOf(slice(text, 0, at)) : [], n = 128, i = 0, bias = 72;
        for (var index = at > 0 ? at + 1 : 0; index < text.length;) {
            var before = i, w = 1;
            for (var k = BASE; ; k += BASE) {
                var byte = index < text.length ? code(text, index++) : 0;
                var value = byte >= 0x30 && byte <= 0x39 ? byte - 22 : byte >= 97 && byte <= 122 ? byte - 97 : BASE;
                var t = threshold(k, bias);
                if (value >= BASE || (i += value * w) > 0x7fffffff) return null;
                if (value < t) break;
                w *= BASE - t;
            }
            bias = adapted(i - before, points.length + 1, before === 0);
            n += Math.floor(i / (points.length + 1));
            i %= points.length + 1;
            if (n > 0x10ffff) return null;
            points.splice(i++, 0, n);
        }
        return points;
    }

    /* Ranges that no domain may hold: controls, spaces, what is private, unassigned or no character at all. */
    var REFUSED = [0x80, 0x9f, 0x600, 0x605, 0x6dd, 0x6dd, 0x70f, 0x70f, 0x1680, 0x1680, 0x180e, 0x180e, 0x200e, 0x200f, 0x2028, 0x202e, 0x2061, 0x2063, 0x2065, 0x206f, 0x2ff0, 0x2fff, 0xd800, 0xf8ff, 0xfdd0, 0xfdef, 0xfff0, 0xffff, 0x1d173, 0x1d17a, 0x1fffe, 0x1ffff, 0x2fffe, 0x2ffff, 0x323b0, 0xe00ff, 0xe01f0, 0x10ffff];
    var IGNORED = /[\u00ad\u034f\u180b-\u180d\u180f\u200b\u2060\u2064\ufe00-\ufe0f\ufeff]/g, DOTS = /[\u3002\uff0e\uff61]/g;
    var MARKS = /^[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0900-\u0903\u093a-\u093c\u093e-\u094f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u302a-\u302f\u3099\u309a\ufe20-\ufe2f]/;

    /* Characters that stand for a digit and a dot; and letters that are written from right to left, which no label mixes with others (RFC 5893). */
    var NUMBERED = /[\u2488-\u249b]/, RIGHT_TO_LEFT = /[\u05d0-\u065f\u066e-\u06ef\u06fa-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

    function mapped(text) {
        return normalize(replace(lower(normalize(replace(replace(text, IGNORED, ''), DOTS, '.'), 'NFKC')), IGNORED, ''), 'NFKC');
    }

    function allowed(points) {
        for (var i = 0; i < points.length; i++) {
            for (var j = 0; j < REFUSED.length; j += 2) if (points[i] >= REFUSED[j] && points[i] <= REFUSED[j + 1]) return false;
            // Joiners: only behind a virama, or within the scripts that join.
            if ((points[i] === 0x200c || points[i] === 0x200d) && (i === 0 || points[i - 1] < 0x600)) return false;
        }
        return true;
    }

    function mixed(text) {
        return test(RIGHT_TO_LEFT, text) && (test(/[a-z]/, text) || !test(RIGHT_TO_LEFT, slice(text, 0, 1)));
    }

    function label(text) {
        var points, decoded = slice(text, 0, 4) === 'xn--';
        if (decoded) {
            points = unpunycode(slice(text, 4));
            if (points === null || points.length === 0) return null;
            var made = '';
            for (var i = 0; i < points.length; i++) made += fromCodePoint(points[i]);
            if (K.isAscii(made) || mapped(made) !== made || indexOf(made, '.') >= 0) return null;
            text = made;
        } else if (K.isAscii(text)) return text;
        points = points || pointsOf(text);
        return allowed(points) && !test(MARKS, text) && !mixed(text) ? 'xn--' + punycode(points) : null;
    }

    /* UTS 46 as the URL standard uses it: nothing is transitional, hyphens and lengths are not checked. */
    function toAscii(domain) {
        if (K.isAscii(domain) && !test(ENCODED_LABEL, domain)) return lower(domain);
        if (test(NUMBERED, domain)) return null;
        var labels = split(mapped(domain), '.');
        for (var i = 0; i < labels.length; i++) if ((labels[i] = label(labels[i])) === null) return null;
        return join(labels, '.');
    }

    urls.host = function (text, special) {
        if (code(text, 0) === 0x5b) {
            var address = slice(text, -1) === ']' ? ipv6(slice(text, 1, -1)) : null;
            return address === null ? null : '[' + address + ']';
        }
        if (!special) return test(FORBIDDEN_HOST, text) ? null : urls.percent(text, sets.control);
        var domain = toAscii(urls.decode(text));
        if (domain === null || domain === '' || test(FORBIDDEN_DOMAIN, domain)) return null;
        return exec(LAST_IS_NUMBER, domain) ? ipv4(domain) : domain;
    };
}(__kernel));
