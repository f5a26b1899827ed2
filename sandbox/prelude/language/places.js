/*
 * Shows a stack's places in the author's files, for scripts that read `error.stack`.
 *
 * A bundle ends in a comment, `//# places={"sources":[...],"mappings":"...","functions":[...]}`: the source map that
 * the build makes (one place a line, see `bundling/maps.mjs`), in which `functions` holds those of the author's own
 * files.  It is decoded when a stack is read first, and no further than the lines that are shown.
 *
 *   K.withoutPlaces(source)    the program without that comment, which is kept
 *   K.readableStack(stack)     a raw stack as the author knows it; frames that nobody wrote are left out
 */
(function (K) {
    'use strict';

    var MARK = '\n//# places=', captured = K.captured, split = captured.split, slice = captured.slice, codeAt = captured.charCodeAt, indexOf = captured.indexOf, exec = captured.exec, test = captured.test, join = captured.join;
    var lastIndexOf = K.free(String.prototype.lastIndexOf), parse = K.parse;
    var STANDS_FOR_STATEMENTS = /^__top\d*$/; // see lowering/strict.mjs
    var FRAME = /^    at (?:(.*) )?\(input:(\d{1,9})\)/, COMMA = 44, SEMICOLON = 59, DIGITS = K.bare();
    split('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', '').forEach(function (digit, value) { DIGITS[digit.charCodeAt(0)] = value; });
    var text = '', map = null;

    K.withoutPlaces = function (source) {
        var at = lastIndexOf(source, MARK);
        if (at < 0 || indexOf(source, '\n', at + 1) >= 0) return source;
        text = slice(source, at + MARK.length);
        map = null;
        return slice(source, 0, at);
    };

    /* The map, with how far it is decoded: `places` has source, line and column for each line, null for none. */
    function decoded() {
        if (map !== null || text === '') return map;
        var document = parse(text);
        map = { sources: document.sources, functions: document.functions, mappings: document.mappings, at: 0, places: [], source: 0, line: 0, column: 0 };
        return map;
    }

    /* Decode up to a line, from 0. */
    function decode(upTo) {
        var mappings = map.mappings, numbers, value, shift, code, digit;
        while (map.places.length <= upTo && map.at < mappings.length) {
            numbers = [];
            value = shift = 0;
            for (; map.at < mappings.length && (code = codeAt(mappings, map.at)) !== SEMICOLON; map.at++) {
                if (code === COMMA) continue;
                digit = DIGITS[code];
                value |= (digit & 31) << shift;
                if (digit & 32) { shift += 5; continue; }
                numbers[numbers.length] = value & 1 ? -(value >>> 1) : value >>> 1;
                value = shift = 0;
            }
            map.at++;
            if (numbers.length < 4) { map.places[map.places.length] = null; continue; }
            map.source += numbers[1];
            map.line += numbers[2];
            map.column += numbers[3];
            map.places[map.places.length] = [map.source, map.line + 1, map.column];
        }
        return map.places[upTo] || null;
    }

    /* The innermost of the author's functions around a place; undefined for a file whose functions are not known. */
    function functionAt(source, line, column) {
        var all = map.functions[source], name = '', innerLine = 0, innerColumn = 0;
        if (!all || all.length === 0) return undefined;
        for (var i = 0; i < all.length; i++) {
            var one = all[i];
            if (one[0] > line || one[0] === line && one[1] > column || one[2] < line || one[2] === line && one[3] <= column) continue;
            if (one[0] < innerLine || one[0] === innerLine && one[1] < innerColumn) continue;
            innerLine = one[0];
            innerColumn = one[1];
            name = one[4];
        }
        return name;
    }

    K.readableStack = function (stack) {
        var lines = split(stack, '\n'), shown = [], known = decoded();
        for (var i = 0; i < lines.length; i++) {
            var match = exec(FRAME, lines[i]);
            if (match === null) { shown[shown.length] = lines[i]; continue; }
            // Where the author's code is; the next frame only calls it.
            var ofBuild = match[1] !== undefined && test(STANDS_FOR_STATEMENTS, match[1]);
            if (ofBuild) i++;
            var name = match[1] === '[anon]' || ofBuild || match[1] === undefined ? '' : match[1], where = 'line ' + match[2];
            if (known !== null) {
                var place = decode(match[2] - 1);
                if (place === null) continue;
                var author = functionAt(place[0], place[1], place[2]);
                if (author !== undefined) name = author;
                where = known.sources[place[0]] + ':' + place[1];
            }
            shown[shown.length] = '    at ' + (name === '' ? '(anonymous)' : name) + ' (' + where + ')';
        }
        return join(shown, '\n');
    };
}(__kernel));
