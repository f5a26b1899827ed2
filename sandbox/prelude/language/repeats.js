/*
 * Repeats of what may match nothing, such as (?:a*)*, for an engine that would repeat the nothing for ever.
 *
 * K.boundRepeats(source) -> source: an optional repetition that matches nothing fails (ECMA-262,
 * RepeatMatcher); the engine lacks this rule.  So X* is written as (?:Y)* and X+ as X(?:Y)*, where Y is
 * X without its empty matches, in the same order: [ \t]*(?:\n|$) becomes [ \t]+(?:\n|$)|\n.
 * Groups keep their numbers; a pattern for which that cannot be done is given back as it is.
 *
 * Takes what patterns.js writes: no named groups, no flag u.  The build bundles this file too, for literals.
 */
(function (K) {
    'use strict';

    var LARGEST = 20000, GROWTH = 4, MOST_COPIES = 12, MOST_PARTS = 200, UNBOUNDED = Infinity;
    var ESCAPE = /^\\(?:[bB]|([1-9]\d*)|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|c[A-Za-z]|[\s\S])/, OPENING = /^\((?:\?[:=!])?/;
    var TIMES = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})(\??)/, CANDIDATE = /\)[*+?{]/, SPECIAL = /[\\\[\](){}.*+?|^$]/g;
    var NOTHING = { kind: 'sequence', parts: [] }, GIVE_UP = { give: 'up' };

    var exec = K.captured.exec, test = K.captured.test, slice = K.captured.slice;
    var indexOf = K.captured.indexOf, charCodeAt = K.captured.charCodeAt;

    function mapped(list, change) {
        var made = [];
        for (var i = 0; i < list.length; i++) made[i] = change(list[i]);
        return made;
    }

    function has(list, asked) {
        for (var i = 0; i < list.length; i++) if (asked(list[i])) return true;
        return false;
    }

    function append(list, added) {
        for (var i = 0; i < added.length; i++) list[list.length] = added[i];
        return list;
    }

    /* Where the class that begins there ends, -1 if it does not. */
    K.classEnd = function (source, from) {
        for (var end = indexOf(source, ']', from + 1); end >= 0; end = indexOf(source, ']', end + 1)) {
            for (var before = end; charCodeAt(source, before - 1) === 92;) before--;
            if ((end - before) % 2 === 0) return end;
        }
        return -1;
    };

    /* -- reading --------------------------------------------------------------------------- */

    function Reader(source) {
        this.source = source;
        this.at = 0;
        this.groups = 0;
        this.highest = 0;
    }

    function readChoice(reader) {
        var options = [readSequence(reader)];
        while (reader.source.charAt(reader.at) === '|') {
            reader.at++;
            options[options.length] = readSequence(reader);
        }
        return options.length === 1 ? options[0] : { kind: 'choice', parts: options };
    }

    function readSequence(reader) {
        var parts = [], character;
        while (reader.at < reader.source.length && (character = reader.source.charAt(reader.at)) !== '|' && character !== ')') {
            parts[parts.length] = readRepeat(reader, readAtom(reader, character));
        }
        return { kind: 'sequence', parts: parts };
    }

    function readAtom(reader, character) {
        var source = reader.source, from = reader.at;
        if (character === '(') return readGroup(reader);
        if (character === '*' || character === '+' || character === '?') throw GIVE_UP;
        if (character === '[') {
            reader.at = K.classEnd(source, from) + 1;
            if (reader.at === 0) throw GIVE_UP;
            return { kind: 'one', text: slice(source, from, reader.at) };
        }
        if (character === '\\') {
            var match = exec(ESCAPE, slice(source, from, from + 12));
            if (match === null) throw GIVE_UP;
            reader.at += match[0].length;
            if (match[0] === '\\b' || match[0] === '\\B') return { kind: 'place', text: match[0] };
            if (match[1] === undefined) return { kind: 'one', text: match[0] };
            if (+match[1] > reader.highest) reader.highest = +match[1];
            return { kind: 'back', text: match[0] };
        }
        reader.at++;
        if (character === '^' || character === '$') return { kind: 'place', text: character };
        // Characters as far as none is special, but for the last, which may be repeated.
        SPECIAL.lastIndex = reader.at;
        var next = exec(SPECIAL, source), end = next === null ? source.length : next.index;
        if (end - 1 > reader.at) reader.at = end - 1;
        return { kind: 'one', text: slice(source, from, reader.at) };
    }

    function readGroup(reader) {
        var sign = exec(OPENING, slice(reader.source, reader.at, reader.at + 3))[0], number = 0;
        if (sign === '(') {
            if (reader.source.charAt(reader.at + 1) === '?') throw GIVE_UP;
            number = ++reader.groups;
        }
        reader.at += sign.length;
        var body = readChoice(reader);
        if (reader.source.charAt(reader.at) !== ')') throw GIVE_UP;
        reader.at++;
        if (sign === '(?:') return { kind: 'group', body: body };
        return sign === '(' ? { kind: 'capture', number: number, body: body } : { kind: 'look', sign: sign, body: body };
    }

    function readRepeat(reader, atom) {
        var match = exec(TIMES, slice(reader.source, reader.at, reader.at + 40));
        if (match === null) return atom;
        var sign = match[0].charAt(0), least = sign === '+' ? 1 : 0, most = sign === '?' ? 1 : UNBOUNDED;
        if (sign === '{') {
            least = +match[1];
            most = match[3] !== '' ? +match[3] : match[2] === '' ? least : UNBOUNDED;
        }
        if (most < least) throw GIVE_UP;
        reader.at += match[0].length;
        return { kind: 'repeat', body: atom, least: least, most: most, lazy: match[4] === '?' };
    }

    /* -- what a part may match ------------------------------------------------------------- */

    function mayBeEmpty(node) {
        switch (node.kind) {
        case 'one': return false;
        case 'repeat': return node.least === 0 || mayBeEmpty(node.body);
        case 'group': case 'capture': return mayBeEmpty(node.body);
        case 'choice': return has(node.parts, mayBeEmpty);
        case 'sequence': return !has(node.parts, isNeverEmpty);
        default: return true;
        }
    }

    function isNeverEmpty(node) { return !mayBeEmpty(node); }

    /*
     * A part as an ordered list of parts that match either something or nothing, never the one or the other:
     * together they match what it matches, in its order.
     */
    function split(node) {
        if (!mayBeEmpty(node)) return [{ empty: false, node: node }];
        switch (node.kind) {
        case 'group': return split(node.body);
        case 'capture': return mapped(split(node.body), function (one) { return { empty: one.empty, node: { kind: 'capture', number: node.number, body: one.node } }; });
        case 'choice': return splitChoice(node.parts);
        case 'sequence': return splitSequence(node.parts, 0);
        case 'repeat': return splitRepeat(node);
        case 'back': throw GIVE_UP;
        default: return [{ empty: true, node: node }];
        }
    }

    function splitChoice(parts) {
        var made = [];
        for (var i = 0; i < parts.length; i++) append(made, split(parts[i]));
        return made;
    }

    function splitSequence(parts, from) {
        if (from === parts.length) return [{ empty: true, node: NOTHING }];
        var firsts = split(parts[from]), made = [], ends = null;
        for (var i = 0; i < firsts.length; i++) {
            if (!firsts[i].empty) {
                var whole = [firsts[i].node];
                for (var j = from + 1; j < parts.length; j++) whole[whole.length] = parts[j];
                made[made.length] = { empty: false, node: { kind: 'sequence', parts: whole } };
                continue;
            }
            if (ends === null) ends = splitSequence(parts, from + 1);
            for (var k = 0; k < ends.length; k++) made[made.length] = { empty: ends[k].empty, node: { kind: 'sequence', parts: [firsts[i].node, ends[k].node] } };
        }
        if (made.length > MOST_PARTS) throw GIVE_UP;
        return made;
    }

    /* Only repeats that are bounded already come here: with a body that may be empty they have a fixed count. */
    function splitRepeat(node) {
        if (mayBeEmpty(node.body)) return splitSequence(copies(node.body, node.least), 0);
        var none = { empty: true, node: NOTHING };
        if (node.most === 0) return [none];
        var some = { empty: false, node: { kind: 'repeat', body: node.body, least: 1, most: node.most, lazy: node.lazy } };
        return node.lazy ? [none, some] : [some, none];
    }

    function copies(node, count) {
        if (count > MOST_COPIES) throw GIVE_UP;
        var made = [];
        while (made.length < count) made[made.length] = node;
        return made;
    }

    /* -- rewriting ------------------------------------------------------------------------- */

    function bound(node) {
        switch (node.kind) {
        case 'sequence': case 'choice': return { kind: node.kind, parts: mapped(node.parts, bound) };
        case 'group': return { kind: 'group', body: bound(node.body) };
        case 'capture': return { kind: 'capture', number: node.number, body: bound(node.body) };
        case 'look': return { kind: 'look', sign: node.sign, body: bound(node.body) };
        case 'repeat': return boundRepeat(node, bound(node.body));
        default: return node;
        }
    }

    function boundRepeat(node, body) {
        var repeat = { kind: 'repeat', body: body, least: node.least, most: node.most, lazy: node.lazy };
        if (node.least === node.most || !mayBeEmpty(body)) return repeat;
        var all = split(body), full = [];
        for (var i = 0; i < all.length; i++) if (!all[i].empty) full[full.length] = all[i].node;
        var first = node.least === 0 ? [] : node.least === 1 ? [body] : [{ kind: 'repeat', body: body, least: node.least, most: node.least, lazy: false }];
        if (full.length > 0) {
            first[first.length] = { kind: 'repeat', body: full.length === 1 ? full[0] : { kind: 'choice', parts: full }, least: 0, most: node.most - node.least, lazy: node.lazy };
        }
        return { kind: 'group', body: { kind: 'sequence', parts: first } };
    }

    /* -- writing --------------------------------------------------------------------------- */

    function Writer(most) {
        this.most = most;
        this.out = '';
        this.groups = 0;
    }

    function write(writer, node) {
        if (writer.out.length > writer.most) throw GIVE_UP;
        switch (node.kind) {
        case 'sequence': case 'choice':
            for (var i = 0; i < node.parts.length; i++) {
                if (node.kind === 'choice' && i > 0) writer.out += '|';
                if (node.kind === 'sequence' && node.parts[i].kind === 'choice') bracketed(writer, '(?:', node.parts[i]);
                else write(writer, node.parts[i]);
            }
            return;
        case 'group': bracketed(writer, '(?:', node.body); return;
        case 'look': bracketed(writer, node.sign, node.body); return;
        case 'capture':
            // Groups that would be doubled, dropped or in another order cannot keep their numbers.
            if (node.number !== ++writer.groups) throw GIVE_UP;
            bracketed(writer, '(', node.body);
            return;
        case 'repeat':
            if (node.body.kind === 'sequence' || node.body.kind === 'choice' || node.body.kind === 'repeat') bracketed(writer, '(?:', node.body);
            else write(writer, node.body);
            writer.out += times(node.least, node.most) + (node.lazy && node.least !== node.most ? '?' : '');
            return;
        default: writer.out += node.text;
        }
    }

    function bracketed(writer, sign, body) {
        writer.out += sign;
        write(writer, body);
        writer.out += ')';
    }

    function times(least, most) {
        if (most === UNBOUNDED) return least === 0 ? '*' : least === 1 ? '+' : '{' + least + ',}';
        if (least === 0 && most === 1) return '?';
        if (least === 1 && most === 1) return '';
        return least === most ? '{' + least + '}' : '{' + least + ',' + most + '}';
    }

    /* True if a group is repeated whose body may be empty, which is rare; the tree is read once. */
    function needsBound(node) {
        if (node.kind === 'repeat' && node.least !== node.most && mayBeEmpty(node.body)) return true;
        return node.parts ? has(node.parts, needsBound) : node.body ? needsBound(node.body) : false;
    }

    K.boundRepeats = function (source) {
        if (!test(CANDIDATE, source)) return source;
        try {
            var reader = new Reader(source), tree = readChoice(reader);
            if (reader.at < source.length || reader.highest > reader.groups || !needsBound(tree)) return source;
            var writer = new Writer(LARGEST + GROWTH * source.length);
            write(writer, bound(tree));
            return writer.groups === reader.groups ? writer.out : source;
        } catch (error) {
            if (error === GIVE_UP) return source;
            throw error;
        }
    };
}(__kernel));
