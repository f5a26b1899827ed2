/*
 * Headers, and the rules for header names and values that answers share with it.
 *
 * For other files: K.headerName(name) -> the name in lower case, K.headerValue(name, value) -> text;
 * both throw a TypeError that says what is wrong.  K.headerPairs(init) -> [[name, value], ...].
 */
(function (K) {
    'use strict';

    var TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
    var VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
    var test = Function.prototype.call.bind(K.native.test), isArray = Array.isArray, symbolsOf = K.native.symbolsOf;

    K.headerName = function (name) {
        name = String(name);
        if (!test(TOKEN, name)) throw new TypeError('Header name ' + K.quote(name) + " is not allowed: letters, digits and !#$%&'*+-.^_`|~ only.");
        return name.toLowerCase();
    };

    K.headerValue = function (name, value) {
        var text = String(value).replace(/^[\t\r\n ]+|[\t\r\n ]+$/g, '');
        if (!test(VALUE, text)) {
            throw new TypeError('Header ' + name + ' has the value ' + K.quote(text) + ', which no header can hold: no line breaks or control characters, nothing above U+00FF. encodeURIComponent(value) makes any string fit.');
        }
        return text;
    };

    K.headerPairs = function (init) {
        var pairs = [], list;
        if (init === undefined || init === null) return pairs;
        if (init instanceof Headers) {
            list = K.hidden(init);
            for (var i = 0; i < list.length; i++) pairs[i] = [list[i][0], list[i][1]];
            return pairs;
        }
        if (typeof init !== 'object' && typeof init !== 'function') throw new TypeError('Headers: expected an object or a list of [name, value], not ' + K.quote(init));
        if (typeof init[Symbol.iterator] === 'function') {
            list = isArray(init) ? init : Array.from(init);
            for (var j = 0; j < list.length; j++) {
                var pair = isArray(list[j]) ? list[j] : Array.from(list[j]);
                if (pair.length !== 2) throw new TypeError('Headers: item ' + j + ' is not a pair [name, value]');
                addPair(pairs, pair[0], pair[1]);
            }
            return pairs;
        }
        list = Object.keys(init);
        for (var k = 0; k < list.length; k++) {
            var value = init[list[k]];
            if (isArray(value)) for (var m = 0; m < value.length; m++) addPair(pairs, list[k], value[m]);
            else if (value !== undefined && value !== null) addPair(pairs, list[k], value);
        }
        return pairs;
    };

    function addPair(pairs, name, value) {
        name = K.headerName(name);
        pairs[pairs.length] = [name, K.headerValue(name, value)];
    }

    /* As the standard has it: values of an object are strings whatever they are.  K.headerPairs, which reads the headers of
       answers and requests, leaves out what is null or undefined and lists the values of arrays. */
    function strictPairs(init) {
        if (init === null || typeof init !== 'object' && typeof init !== 'function') throw new TypeError('Headers: expected an object or a list of [name, value], not ' + K.quote(init));
        var method = init[Symbol.iterator], pairs = [], i;
        if (method !== undefined && method !== null) {
            var given = isArray(init) ? init : Array.from(init);
            for (i = 0; i < given.length; i++) {
                if (given[i] === null || typeof given[i] !== 'object') throw new TypeError('Headers: item ' + i + ' is not a pair [name, value]');
                var pair = isArray(given[i]) ? given[i] : Array.from(given[i]);
                if (pair.length !== 2) throw new TypeError('Headers: item ' + i + ' is not a pair [name, value]');
                addPair(pairs, pair[0], pair[1]);
            }
            return pairs;
        }
        var plain = !K.isProxy(init), keys = plain ? Object.keys(init) : Reflect.ownKeys(init);
        if (plain && symbolsOf(init).length) refuseSymbols(init);
        for (i = 0; i < keys.length; i++) {
            if (plain) { addPair(pairs, keys[i], init[keys[i]]); continue; }
            var about = Reflect.getOwnPropertyDescriptor(init, keys[i]);
            if (about === undefined || !about.enumerable) continue;
            if (typeof keys[i] === 'symbol') throw new TypeError('Cannot convert a Symbol value to a string');
            // Found before the value is read, as everywhere.
            if (/[^\x00-\xff]/.test(keys[i])) throw new TypeError('Header name ' + K.quote(keys[i]) + ' is not allowed');
            addPair(pairs, keys[i], init[keys[i]]);
        }
        return pairs;
    }

    function refuseSymbols(init) {
        var symbols = Object.getOwnPropertySymbols(init);
        for (var i = 0; i < symbols.length; i++) if (Object.prototype.propertyIsEnumerable.call(init, symbols[i])) throw new TypeError('Cannot convert a Symbol value to a string');
    }

    function isList(init) { return init instanceof Headers && init[Symbol.iterator] === Headers.prototype.entries; }

    function Headers(init) {
        if (!(this instanceof Headers)) throw new TypeError("Class constructor Headers cannot be invoked without 'new'");
        K.hide(this, init === undefined || isList(init) ? K.headerPairs(init) : strictPairs(init));
    }

    function first(list, name) {
        for (var i = 0; i < list.length; i++) if (list[i][0] === name) return i;
        return -1;
    }

    function without(headers, name) {
        return K.hidden(headers).filter(function (pair) { return pair[0] !== name; });
    }

    /* One entry a name, joined by ", ", in the order of names; set-cookie stays apart (Fetch, 5.1). */
    function sorted(headers) {
        var list = K.hidden(headers), entries = [], index = Object.create(null);
        if (list.sorted) return list.sorted;
        for (var i = 0; i < list.length; i++) {
            var name = list[i][0];
            if (name !== 'set-cookie' && index[name] !== undefined) entries[index[name]][1] += ', ' + list[i][1];
            else {
                index[name] = entries.length;
                entries[entries.length] = [name, list[i][1]];
            }
        }
        list.sorted = entries.sort(function (a, b) { return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0; });
        return list.sorted;
    }

    /* Those of an answer of fetch, of Response.error() and of Response.redirect() do not change ("immutable", Fetch, 5.1). */
    function writable(headers) {
        var list = K.hidden(headers);
        if (list.frozen) throw new TypeError('Headers: these are immutable; new Headers(response.headers) is a copy that can be changed.');
        return list;
    }

    function methods(table) {
        Object.keys(table).forEach(function (name) { K.define(Headers.prototype, name, table[name]); });
    }

    methods({
        append: function append(name, value) {
            addPair(writable(this), name, value);
            K.hidden(this).sorted = null;
        },
        'delete': function (name) {
            name = K.headerName(name);
            writable(this);
            K.hide(this, without(this, name));
        },
        get: function get(name) {
            name = K.headerName(name);
            var list = K.hidden(this), found = null;
            for (var i = 0; i < list.length; i++) if (list[i][0] === name) found = found === null ? list[i][1] : found + ', ' + list[i][1];
            return found;
        },
        has: function has(name) { return first(K.hidden(this), K.headerName(name)) >= 0; },
        set: function set(name, value) {
            name = K.headerName(name);
            value = K.headerValue(name, value);
            var at = first(writable(this), name);
            if (at < 0) { this.append(name, value); return; }
            var list = K.hidden(this).filter(function (pair, i) { return pair[0] !== name || i === at; });
            list[at] = [name, value];
            K.hide(this, list);
        },
        getSetCookie: function getSetCookie() {
            return K.hidden(this).filter(function (pair) { return pair[0] === 'set-cookie'; }).map(function (pair) { return pair[1]; });
        }
    });
    K.pairs(Headers.prototype, 'Headers', sorted);
    K.define(Headers.prototype, Symbol.toStringTag, 'Headers', true);

    K.Headers = Headers;
    function Bare() {}
    Bare.prototype = Headers.prototype;
    /* Of what the headers of a request or an answer are given as. */
    K.headersFrom = function (init) { return K.headersOf(K.headerPairs(init)); };
    /* Of pairs that were checked before, with names in lower case. */
    K.headersOf = function (pairs) {
        var headers = new Bare();
        K.hide(headers, pairs);
        return headers;
    };
    K.freezeHeaders = function (headers) {
        K.hidden(headers).frozen = true;
        return headers;
    };
    /* A copy that changes no more if they do not. */
    K.copyHeaders = function (headers) {
        var copy = new Headers(headers);
        return K.hidden(headers).frozen ? K.freezeHeaders(copy) : copy;
    };
    K.global('Headers', Headers);
}(__kernel));
