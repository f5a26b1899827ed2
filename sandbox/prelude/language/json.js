/*
 * JSON.stringify as ECMA-262 has it since 2019: U+2028 and U+2029 stand as they are, lone surrogates
 * are escaped.  The engine does the work; its text is only looked over when it may hold one of them.
 *
 * For other files: K.stringify, K.parseJson.
 */
(function (K) {
    'use strict';

    var exact = K.exactJson, stringify = K.native.stringify, parse = K.native.parse, indexOf = String.prototype.indexOf, byteLength = K.native.byteLength;
    var replace = Function.prototype.call.bind(K.native.replace), ESCAPES = /\\\\|\\u202[89]/g;

    function plain(escape) {
        return escape === '\\u2028' ? '\u2028' : escape === '\\u2029' ? '\u2029' : escape;
    }

    function jsonStringify(value, replacer, space) {
        var text = replacer === undefined && space === undefined ? stringify(value) : stringify(value, replacer, space);
        return text === undefined ? text : restored(text);
    }
    /* The engine's text as the standard's. */
    function restored(text) {
        if (indexOf.call(text, '\\u202') >= 0) text = replace(text, ESCAPES, plain);
        return byteLength(text) === text.length ? text : K.wellFormed(text, true);
    }
    Object.defineProperty(jsonStringify, 'name', { value: 'stringify', configurable: true });

    function jsonParse(text, reviver) {
        text = String(text);
        try {
            var value = parse(exact(text));
        } catch (error) {
            throw error instanceof SyntaxError ? new SyntaxError(K.jsonMessage(text, error.message)) : error;
        }
        return typeof reviver === 'function' ? revived({ '': value }, '', reviver) : value;
    }

    /* In plain loops, so that a reviver may wait for the host (see arrays.js). */
    function revived(holder, key, reviver) {
        var value = holder[key];
        if (value !== null && typeof value === 'object') {
            var names = Object.keys(value);
            for (var i = 0; i < names.length; i++) {
                var member = revived(value, names[i], reviver);
                if (member === undefined) delete value[names[i]];
                else Object.defineProperty(value, names[i], { value: member, writable: true, enumerable: true, configurable: true });
            }
        }
        return reviver.call(holder, key, value);
    }

    /* Where and what instead of the engine's "invalid json (at offset 2)". */
    K.jsonMessage = function (text, message) {
        var match = /offset (\d+)/.exec(message);
        if (text === '') return 'Unexpected end of JSON input';
        if (!match) return message;
        var at = Math.max(0, Number(match[1]) - 1);
        if (at >= text.length) return 'Unexpected end of JSON input';
        var before = text.slice(0, at).split('\n');
        return 'Unexpected token ' + K.quote(text.charAt(at)) + ' in JSON at position ' + at + ' (line ' + before.length + ' column ' + (before[before.length - 1].length + 1) + ')';
    };

    K.restored = restored;
    K.stringify = jsonStringify;
    K.parseJson = jsonParse;
    K.define(JSON, 'stringify', jsonStringify);
    Object.defineProperty(jsonParse, 'name', { value: 'parse', configurable: true });
    Object.defineProperty(jsonStringify, 'length', { value: 3, configurable: true });
    K.define(JSON, 'parse', jsonParse);
}(__kernel));
