/*
 * From the regular expressions of today to the ones the engine has (ECMA-262 5.1).
 *
 * K.translatePattern(source, flags) -> { source, groups }: named groups become numbered ones, `s` and `u`
 * are written out.  `groups` maps a name to its numbers, or is null.  Literals in a script are
 * lowered when it is built; this is for `new RegExp(text, flags)`.
 *
 * A source that was lowered already passes through unchanged: it holds classes of lone surrogates,
 * which therefore keep their literal meaning even under `u`.
 */
(function (K) {
    'use strict';

    var PAIR = '[\\ud800-\\udbff][\\udc00-\\udfff]', LINE = '\\n\\r\\u2028\\u2029';
    /* Of any escape: of a long source only so much is looked at, for each is a text of its own. */
    var LONGEST = 16;
    var SPECIAL = /[\\\[(.\ud800-\udbff]/g, NOT_ONE_UNIT = /[\ud800-\udbff][\udc00-\udfff]|\\u\{|\\u[dD][89abAB]..\\u|\\[pP]\{/;
    var SET = /(?:^|[^\\])(?:\\\\)*(?:\[|&&|--|\\q\{)/;
    var fromCharCode = String.fromCharCode;

    function Reader(source, flags) {
        this.source = source;
        this.at = 0;
        this.unicode = flags.indexOf('u') >= 0 || flags.indexOf('v') >= 0;
        this.sets = flags.indexOf('v') >= 0;
        this.dotAll = flags.indexOf('s') >= 0;
        this.count = 0;
        this.names = null;
        this.references = [];
        this.out = []; // put together at the end: sources of 40 kB are not rare
    }

    function invalid(reader, why) {
        return new SyntaxError('Invalid regular expression: /' + reader.source + '/: ' + why);
    }

    K.translatePattern = function (source, flags) {
        var reader = new Reader(source, flags);
        while (reader.at < source.length) step(reader);
        var out = reader.out.join('');
        for (var i = 0; i < reader.references.length; i++) {
            var numbers = reader.names && reader.names[reader.references[i]];
            if (!numbers) throw invalid(reader, 'there is no group named ' + reader.references[i]);
            out = out.split('\u0000' + i + '\u0000').join('(?:\\' + numbers.join('|\\') + ')');
        }
        return { source: out, groups: reader.names };
    };

    function step(reader) {
        var character = reader.source.charAt(reader.at);
        if (character === '\\') escape(reader);
        else if (character === '[') characterClass(reader);
        else if (character === '(') group(reader);
        else if (character === '.' && (reader.dotAll || reader.unicode)) {
            reader.at++;
            put(reader, anyCharacter(reader));
        } else if (reader.unicode && isHigh(reader.source, reader.at)) {
            put(reader, '(?:' + reader.source.substr(reader.at, 2) + ')');
            reader.at += 2;
        } else {
            SPECIAL.lastIndex = reader.at + 1;
            var next = SPECIAL.exec(reader.source), end = next === null ? reader.source.length : next.index;
            put(reader, reader.source.slice(reader.at, end));
            reader.at = end;
        }
    }

    function put(reader, text) { reader.out[reader.out.length] = text; }

    function anyCharacter(reader) {
        var one = reader.dotAll ? '[\\s\\S]' : '[^' + LINE + ']';
        return reader.unicode ? '(?:' + PAIR + '|' + one + ')' : one;
    }

    function isHigh(text, at) {
        var first = text.charCodeAt(at), second = text.charCodeAt(at + 1);
        return first >= 0xd800 && first < 0xdc00 && second >= 0xdc00 && second < 0xe000;
    }

    function group(reader) {
        var match = reader.source.substr(reader.at, 3) === '(?<' ? /^\(\?<([^=!>][^>]*)>/.exec(reader.source.slice(reader.at)) : null;
        if (match) {
            reader.names = reader.names || Object.create(null);
            (reader.names[match[1]] = reader.names[match[1]] || []).push(++reader.count);
            put(reader, '(');
            reader.at += match[0].length;
            return;
        }
        var ahead = reader.source.substr(reader.at, 4);
        if (ahead.slice(0, 3) === '(?<') throw invalid(reader, 'look-behind is not supported here; match the text before as well and take a group');
        if (ahead.charAt(1) !== '?') reader.count++;
        else if (/^\(\?[a-z-]/.test(ahead)) throw invalid(reader, 'inline flags are not supported here; give the flags to the whole expression');
        put(reader, '(');
        reader.at++;
    }

    function escape(reader) {
        var rest = reader.source.substr(reader.at, LONGEST), found;
        if (rest.substr(0, 3) === '\\k<' && (found = /^\\k<([^>]*)>/.exec(reader.source.slice(reader.at))) && (reader.unicode || /\(\?<[^=!]/.test(reader.source))) {
            put(reader, '\u0000' + (reader.references.push(found[1]) - 1) + '\u0000');
            reader.at += found[0].length;
            return;
        }
        if (reader.unicode) {
            if ((found = codePoint(reader, rest))) {
                put(reader, found.value > 0xffff ? '(?:' + textOf(found.value) + ')' : hex(found.value));
                reader.at += found.length;
                return;
            }
            if (/^\\[SDW]/.test(rest)) {
                put(reader, '(?:' + PAIR + '|' + rest.slice(0, 2) + ')');
                reader.at += 2;
                return;
            }
            if (/^\\[pP]\{/.test(rest)) throw invalid(reader, '\\p{...} is not supported in new RegExp(); write it as a literal, which is lowered when the script is deployed');
        }
        put(reader, rest.slice(0, 2));
        reader.at += 2;
    }

    /* \u{1F600} and \ud83d\ude00, which under `u` are one character. */
    function codePoint(reader, rest) {
        var match = /^\\u\{([0-9A-Fa-f]+)\}/.exec(rest);
        if (match) {
            var value = parseInt(match[1], 16);
            if (value > 0x10ffff) throw invalid(reader, 'there is no character ' + match[0]);
            return { value: value, length: match[0].length };
        }
        match = /^\\u([dD][89abAB][0-9A-Fa-f]{2})\\u([dD][c-fC-F][0-9A-Fa-f]{2})/.exec(rest);
        return match ? { value: (parseInt(match[1], 16) - 0xd800 << 10) + parseInt(match[2], 16) - 0xdc00 + 0x10000, length: 12 } : null;
    }

    function hex(unit) { return '\\u' + ('000' + unit.toString(16)).slice(-4); }
    function high(value) { return 0xd800 + (value - 0x10000 >> 10); }
    function low(value) { return 0xdc00 + (value - 0x10000 & 0x3ff); }
    function textOf(value) { return value > 0xffff ? fromCharCode(high(value), low(value)) : fromCharCode(value); }

    /* -- classes --------------------------------------------------------------------------- */

    function characterClass(reader) {
        var end = K.classEnd(reader.source, reader.at);
        if (end < 0) throw invalid(reader, 'a character class is not closed');
        var inside = reader.source.slice(reader.at + 1, end);
        reader.at = end + 1;
        if (reader.sets && SET.test(inside)) throw invalid(reader, 'sets of characters (&&, --, \\q{...} and classes in classes) are not supported in new RegExp(); write it as a literal, which is lowered when the script is deployed');
        if (!reader.unicode) { put(reader, '[' + inside + ']'); return; }
        var negated = inside.charAt(0) === '^', members = negated ? inside.slice(1) : inside;
        var split = NOT_ONE_UNIT.test(members) ? splitClass(reader, members) : { units: members, astral: [] };
        if (negated) {
            var other = split.units === '' ? '[\\s\\S]' : '[^' + split.units + ']';
            put(reader, (split.astral.length ? '(?!' + split.astral.join('|') + ')' : '') + '(?:' + PAIR + '|' + other + ')');
        } else if (split.astral.length === 0) put(reader, '[' + split.units + ']');
        else put(reader, '(?:' + split.astral.concat(split.units === '' ? [] : ['[' + split.units + ']']).join('|') + ')');
    }

    /* The members of a class that are one unit, as class text, and those that are two, as alternatives. */
    function splitClass(reader, inside) {
        var units = [], astral = [], at = 0;
        while (at < inside.length) {
            var first = member(reader, inside, at);
            at += first.length;
            if (inside.charAt(at) !== '-' || at + 1 >= inside.length) {
                if (first.value > 0xffff) astral.push(textOf(first.value));
                else units[units.length] = first.text;
                continue;
            }
            var last = member(reader, inside, at + 1);
            at += 1 + last.length;
            if (last.value > 0xffff) astral = astral.concat(astralRange(Math.max(first.value, 0x10000), last.value));
            if (first.value <= 0xffff) units[units.length] = first.text + '-' + (last.value > 0xffff ? '\\uffff' : last.text);
            else if (last.value < first.value) throw invalid(reader, 'a range in a character class is out of order');
        }
        return { units: units.join(''), astral: astral };
    }

    function member(reader, inside, at) {
        var rest = inside.substr(at, LONGEST), found = rest.charAt(0) === '\\' && codePoint(reader, rest);
        if (found) return { value: found.value, text: found.value > 0xffff ? '' : hex(found.value), length: found.length };
        if (rest.charAt(0) === '\\') {
            if (/^\\[pP]\{/.test(rest)) throw invalid(reader, '\\p{...} is not supported in new RegExp(); write it as a literal, which is lowered when the script is deployed');
            found = /^\\(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|c[A-Za-z]|[\s\S])/.exec(rest)[0];
            return { value: /^\\[ux]/.test(found) && found.length > 2 ? parseInt(found.slice(2), 16) : 0, text: found, length: found.length };
        }
        if (isHigh(rest, 0)) {
            return { value: (rest.charCodeAt(0) - 0xd800 << 10) + rest.charCodeAt(1) - 0xdc00 + 0x10000, text: '', length: 2 };
        }
        return { value: rest.charCodeAt(0), text: rest.charAt(0) === '[' ? '\\[' : rest.charAt(0), length: 1 };
    }

    function astralRange(from, to) {
        var parts = [], firstHigh = high(from), lastHigh = high(to);
        function add(highFrom, highTo, lowFrom, lowTo) {
            parts.push((highFrom === highTo ? hex(highFrom) : '[' + hex(highFrom) + '-' + hex(highTo) + ']') + '[' + hex(lowFrom) + '-' + hex(lowTo) + ']');
        }
        if (firstHigh === lastHigh) add(firstHigh, firstHigh, low(from), low(to));
        else {
            add(firstHigh, firstHigh, low(from), 0xdfff);
            if (lastHigh - firstHigh > 1) add(firstHigh + 1, lastHigh - 1, 0xdc00, 0xdfff);
            add(lastHigh, lastHigh, 0xdc00, low(to));
        }
        return parts;
    }
}(__kernel));
