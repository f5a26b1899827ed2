/*
 * What the engine itself offers, kept before core.js and the rest put their own in place.
 *
 * Runs first.  K.native holds the functions; K.define, K.getter, K.global, K.hide and K.hidden are
 * how the files of the prelude make properties: nothing they add is enumerable.
 */
(function (K, global) {
    'use strict';

    var defineProperty = Object.defineProperty, array = Array.prototype, string = String.prototype;
    var JSON_STRINGIFY = JSON.stringify;
    var secrets = [], symbolsOf = Object.getOwnPropertySymbols, ownKeys = Reflect.ownKeys;

    /* A symbol under which the prelude keeps what is its own; nobody is told that it is there. */
    K.secret = function (description) {
        var made = Symbol(description);
        secrets[secrets.length] = made;
        return made;
    };
    var HIDDEN = K.secret('hidden');

    function isSecret(key) {
        for (var i = 0; i < secrets.length; i++) if (secrets[i] === key) return true;
        return false;
    }

    function visible(keys) {
        if (keys.length === 0 || typeof keys[keys.length - 1] !== 'symbol') return keys;
        var made = [];
        for (var i = 0; i < keys.length; i++) if (typeof keys[i] !== 'symbol' || !isSecret(keys[i])) made[made.length] = keys[i];
        return made;
    }

    K.native = {
        enc: Duktape.enc,
        dec: Duktape.dec,
        stringify: JSON.stringify,
        parse: JSON.parse,
        TextEncoder: TextEncoder,
        TextDecoder: TextDecoder,
        test: RegExp.prototype.test,
        exec: RegExp.prototype.exec,
        replace: string.replace,
        split: string.split,
        match: string.match,
        RegExp: RegExp,
        push: array.push,
        slice: array.slice,
        splice: array.splice,
        concat: array.concat,
        join: array.join,
        sort: array.sort,
        keys: Object.keys,
        reflectSet: Reflect.set,
        symbolsOf: symbolsOf,
        byteLength: Buffer.byteLength
    };

    /* A property scripts can replace but do not see in keys; `fixed` makes it read-only. */
    K.define = function (object, name, value, fixed) {
        defineProperty(object, name, { value: value, writable: !fixed, configurable: true, enumerable: false });
    };
    K.getter = function (object, name, get, set) {
        defineProperty(object, name, { get: get, set: set, configurable: true, enumerable: false });
    };
    K.define(Object, 'getOwnPropertySymbols', function getOwnPropertySymbols(object) { return visible(symbolsOf(object)); });
    K.define(Reflect, 'ownKeys', function ownKeysOf(object) { return visible(ownKeys(object)); });
    defineProperty(Reflect.ownKeys, 'name', { value: 'ownKeys', configurable: true });
    K.global = function (name, value) { K.define(global, name, value); };

    /* A value as error messages show it: short, on one line, never running the author's code. */
    K.quote = function (value) {
        if (typeof value === 'string') {
            var text = value.length > 60 ? value.slice(0, 60) + '...' : value;
            return JSON_STRINGIFY(text);
        }
        if (typeof value === 'function') return 'a function';
        if (typeof value === 'symbol') return 'a symbol';
        if (value === null || typeof value !== 'object') return String(value);
        return Array.isArray(value) ? 'an array' : 'an object';
    };

    /* An error whose prototype is `prototype`. */
    K.makeError = function (prototype, message) {
        var error = new Error(message);
        Object.setPrototypeOf(error, prototype);
        return error;
    };

    /* What an instance keeps for itself: one value under one symbol, which no list of keys shows.
       Assigned, not defined: instances are made often, and that is three times as fast. */
    K.hide = function (object, value) {
        object[HIDDEN] = value;
        return value;
    };
    K.hidden = function (object) { return object[HIDDEN]; };
}(__kernel, globalThis));
