/*
 * The string methods that take a pattern: straight to the engine where it is right, by the protocols
 * of regexp.js where it is not, and as plain loops where a function is called for each match (see
 * arrays.js for why).
 */
(function (K) {
    'use strict';

    var prototype = String.prototype, uncurry = Function.prototype.call, nativeReplace = uncurry.bind(K.native.replace);
    var nativeSplit = uncurry.bind(K.native.split), Native = K.native.RegExp;
    var REPLACE = Symbol.replace, SPLIT = Symbol.split, MATCH = Symbol.match, MATCH_ALL = Symbol.matchAll, SEARCH = Symbol.search;

    var plainMatch = K.plainFor('match'), plainSplit = K.plainFor('split');
    var engineReplace = K.native.replace, engineMatch = K.native.match, engineSplit = K.native.split;

    function textOf(value, name) {
        if (typeof value === 'string') return value;
        if (value === null || value === undefined) throw new TypeError('String.prototype.' + name + ' called on null or undefined');
        return String(value);
    }

    function isObject(value) { return value !== null && (typeof value === 'object' || typeof value === 'function'); }

    function replace(pattern, replacement) {
        if (typeof pattern === 'string') {
            if (typeof replacement === 'string' && typeof this === 'string') return engineReplace.call(this, pattern, replacement);
        } else if (isObject(pattern)) {
            if (this === null || this === undefined) textOf(this, 'replace');
            var replacer = pattern[REPLACE];
            if (replacer !== undefined && replacer !== null) return replacer.call(pattern, this, replacement);
        }
        var text = textOf(this, 'replace');
        pattern = String(pattern);
        if (typeof replacement !== 'function') return nativeReplace(text, pattern, replacement);
        var at = text.indexOf(pattern);
        return at < 0 ? text : text.slice(0, at) + String(replacement(pattern, at, text)) + text.slice(at + pattern.length);
    }

    function replaceAll(pattern, replacement) {
        var text;
        if (isObject(pattern)) {
            if (this === null || this === undefined) textOf(this, 'replaceAll');
            if (pattern instanceof Native && !pattern.global) throw new TypeError('replaceAll must be called with a global RegExp');
            var replacer = pattern[REPLACE];
            if (replacer !== undefined && replacer !== null) return replacer.call(pattern, this, replacement);
        }
        text = textOf(this, 'replaceAll');
        pattern = String(pattern);
        var computed = typeof replacement === 'function';
        if (!computed) {
            replacement = String(replacement);
            if (pattern !== '' && replacement.indexOf('$') < 0) return nativeSplit(text, pattern).join(replacement);
        }
        var made = '', from = 0, step = Math.max(1, pattern.length), at = text.indexOf(pattern);
        while (at >= 0) {
            made += text.slice(from, at) + (computed ? String(replacement(pattern, at, text)) : K.substitute(replacement, pattern, at, text, [pattern], undefined));
            from = at + pattern.length;
            at = at + step > text.length ? -1 : text.indexOf(pattern, at + step);
        }
        return made + text.slice(from);
    }

    function split(separator, limit) {
        if (isObject(separator)) {
            if (limit === undefined && typeof this === 'string' && plainSplit(separator)) return engineSplit.call(this, separator);
            if (this === null || this === undefined) textOf(this, 'split');
            var splitter = separator[SPLIT];
            if (splitter !== undefined && splitter !== null) return splitter.call(separator, this, limit);
            separator = String(separator);
        }
        return limit === undefined ? nativeSplit(textOf(this, 'split'), separator) : nativeSplit(textOf(this, 'split'), separator, limit);
    }

    function match(pattern) {
        if (isObject(pattern)) {
            if (typeof this === 'string' && plainMatch(pattern)) return engineMatch.call(this, pattern);
            if (this === null || this === undefined) textOf(this, 'match');
            var matcher = pattern[MATCH];
            if (matcher !== undefined && matcher !== null) return matcher.call(pattern, this);
        }
        return new K.RegExp(pattern)[MATCH](textOf(this, 'match'));
    }

    function matchAll(pattern) {
        if (isObject(pattern)) {
            if (this === null || this === undefined) textOf(this, 'matchAll');
            if (pattern instanceof Native && !pattern.global) throw new TypeError('String.prototype.matchAll called with a non-global RegExp argument');
            var matcher = pattern[MATCH_ALL];
            if (matcher !== undefined && matcher !== null) return matcher.call(pattern, this);
        }
        return new K.RegExp(pattern, 'g')[MATCH_ALL](textOf(this, 'matchAll'));
    }

    function search(pattern) {
        if (isObject(pattern)) {
            if (this === null || this === undefined) textOf(this, 'search');
            var searcher = pattern[SEARCH];
            if (searcher !== undefined && searcher !== null) return searcher.call(pattern, this);
        }
        return new K.RegExp(pattern)[SEARCH](textOf(this, 'search'));
    }

    function padding(text, length, fill) {
        var missing = Math.floor(Number(length)) - text.length, made = fill === undefined ? ' ' : String(fill);
        if (!(missing > 0) || made === '') return '';
        if (missing > 536870888) throw new RangeError('Invalid string length');
        return made.length >= missing ? made.slice(0, missing) : repeat.call(made, Math.ceil(missing / made.length)).slice(0, missing);
    }
    function padStart(length, fill) {
        var text = textOf(this, 'padStart');
        return padding(text, length, fill) + text;
    }
    function padEnd(length, fill) {
        var text = textOf(this, 'padEnd');
        return text + padding(text, length, fill);
    }
    var repeat = prototype.repeat;

    [replace, replaceAll, split, match, matchAll, search, padStart, padEnd].forEach(function (body) { K.define(prototype, body.name, body); });
    [[replace, 2], [replaceAll, 2], [split, 2], [match, 1], [matchAll, 1], [search, 1], [padStart, 1], [padEnd, 1]].forEach(function (pair) {
        Object.defineProperty(pair[0], 'length', { value: pair[1], configurable: true });
    });
}(__kernel));
