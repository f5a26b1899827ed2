/*
 * JSON of values, which refuses what JSON cannot hold.
 *
 * JSON.stringify makes `{}` of a promise, an error, an iterator, a Map or a Blob, an object with numbers of bytes, and
 * null of NaN and of an invalid Date, without an error.  Every value that is answered, stored or sent is serialized
 * here instead: such a value is refused with its path and a remedy.  JSON.stringify itself stays as the standard
 * has it.
 *
 * K.stringifyChecked(args, name) -> JSON text of the arguments of a host call, which hold no functions and symbols:
 *   JSON leaves them out, and what the script gave would have no effect.
 * K.checkedJson(value, space, about) -> JSON text, undefined if there is none.  `about` is
 *   { start, skip, finite }: how the message begins, how many members of the path are not the author's, and whether
 *   numbers must be finite.
 * Throws K.NotSerializable, a TypeError, for a value that JSON cannot hold.
 */
(function (K) {
    'use strict';

    var stringify = K.native.stringify, keysOf = K.native.keys, isArray = Array.isArray, indexOf = K.captured.indexOf, BaseError = Error;
    var checking = false, strict = false, MOST_LEVELS = 500;

    /* The engine calls these for every promise and error; outside of a check they change nothing. */
    function mark(key) {
        if (checking) throw FOUND_UNSERIALIZABLE;
        return this;
    }
    var FOUND_UNSERIALIZABLE = {};
    K.define(K.Promise.prototype, 'toJSON', { toJSON: function toJSON(key) { return mark.call(this, key); } }.toJSON);
    /* In arguments only: an answer may be made of an object with methods. */
    function markFunction(key) {
        if (checking && strict) throw FOUND_UNSERIALIZABLE;
        return undefined;
    }
    K.define(Function.prototype, 'toJSON', { toJSON: function toJSON(key) { return markFunction.call(this, key); } }.toJSON);
    K.define(BaseError.prototype, 'toJSON', { toJSON: function toJSON(key) { return mark.call(this, key); } }.toJSON);

    /* What map.keys(), generators and their like give; its values are nowhere in its properties. */
    function isIterator(value) {
        return typeof value.next === 'function' && (typeof value[Symbol.iterator] === 'function' || typeof value[Symbol.asyncIterator] === 'function');
    }

    var KINDS = [
        [function (value) { return K.isPromise(value) || typeof value.then === 'function'; }, 'a Promise', 'await it first'],
        [isIterator, 'an iterator', 'write Array.from(iterator), or collect it with for await'],
        [function (value) { return value instanceof BaseError; }, 'an Error', 'give what you need of it, such as { message: error.message }'],
        [function (value) { return value instanceof Map; }, 'a Map', 'write Object.fromEntries(map) or Array.from(map)'],
        [function (value) { return value instanceof Set; }, 'a Set', 'write Array.from(set)'],
        [function (value) { return value instanceof RegExp; }, 'a RegExp', 'write String(pattern)'],
        [function (value) { return value instanceof K.Blob; }, 'a Blob', 'write await blob.text(), or (await blob.bytes()).toBase64()'],
        [function (value) { return K.bytesOf(value) !== null; }, 'bytes', 'write bytes.toBase64() or Array.from(bytes)'],
        [function (value) { return value instanceof K.Headers || value instanceof K.FormData || value instanceof URLSearchParams; }, 'a list of names and values', 'write Object.fromEntries(list)'],
        [function (value) { return value instanceof K.Response || value instanceof K.Request || K.isStream(value); }, 'a body that is still to be read', 'read it first, such as await response.json()'],
        [function (value) { return value instanceof WeakMap || value instanceof WeakSet; }, 'a collection that cannot be listed', 'use a Map or Set']
    ];

    function kindOf(value) {
        for (var i = 0; i < KINDS.length; i++) if (KINDS[i][0](value)) return KINDS[i];
        return null;
    }

    function isInvalidDate(value) { return value instanceof Date && value - value !== 0; }
    function isObject(value) { return value !== null && typeof value === 'object'; }

    /* The first value that JSON cannot hold: [path, what, remedy]; null if there is none. */
    function find(value, path, finite) {
        if (strict && (typeof value === 'function' || typeof value === 'symbol')) return [path, K.quote(value), 'give a value, or leave it out'];
        if (finite && isObject(value) && isInvalidDate(value)) return [path, 'an invalid Date', 'give a valid one, or null'];
        if (isObject(value) && typeof value.toJSON === 'function' && value.toJSON !== BaseError.prototype.toJSON && !K.isPromise(value)) {
            value = value.toJSON(path.length === 0 ? '' : String(path[path.length - 1]));
        }
        if (value instanceof Number) value = Number(value);
        if (typeof value === 'number') return finite && value - value !== 0 ? [path, String(value), 'give a finite number, or null'] : null;
        if (!isObject(value) || path.length > MOST_LEVELS) return null;
        var kind = kindOf(value);
        if (kind !== null) return [path, kind[1], kind[2]];
        var names = keysOf(value), list = isArray(value), length = list ? value.length : names.length;
        for (var i = 0; i < length; i++) {
            var name = list ? i : names[i], found = find(value[name], path.concat([name]), finite);
            if (found !== null) return found;
        }
        return null;
    }

    function notSerializable(found, about) {
        var path = found[0].slice(about.skip).join('.'), error = K.makeError(NotSerializable.prototype, about.start + ' has ' + found[1] + (path === '' ? ' at its top' : ' at ' + K.quote(path)) + ', which JSON cannot hold: ' + found[2] + '.');
        return error;
    }
    function NotSerializable() {}
    NotSerializable.prototype = Object.create(TypeError.prototype);
    K.define(NotSerializable.prototype, 'constructor', TypeError);
    K.NotSerializable = NotSerializable;

    /* Whether the JSON of a value may lack something: most JSON has none of these. */
    function isSuspicious(value, text, about) {
        if (indexOf(text, '{}') >= 0 || indexOf(text, '{"0":') >= 0) return true;
        if (!about.finite) return false;
        // What ends the arguments of a call is an option that was not given.
        var at = indexOf(text, 'null');
        return at >= 0 && (about.skip === 0 || at < text.length - 5) && hasInfinite(value, 0);
    }

    /* Most texts with a null in them have it of a null: looking for numbers alone is quicker than looking for all. */
    function hasInfinite(value, depth) {
        if (typeof value === 'number') return value - value !== 0;
        if (!isObject(value) || depth > MOST_LEVELS) return false;
        if (isInvalidDate(value)) return true;
        if (value instanceof Number) return value - value !== 0;
        if (typeof value.toJSON === 'function') return false;
        if (isArray(value)) {
            for (var i = 0; i < value.length; i++) if (hasInfinite(value[i], depth + 1)) return true;
            return false;
        }
        for (var names = keysOf(value), j = 0; j < names.length; j++) if (hasInfinite(value[names[j]], depth + 1)) return true;
        return false;
    }

    K.checkedJson = function (value, space, about) {
        var text, found, outer = checking, before = strict;
        checking = true;
        strict = about.strict === true;
        try {
            text = space === undefined ? stringify(value) : stringify(value, null, space);
            if (text === undefined || !isSuspicious(value, text, about)) return text;
            found = find(value, [], about.finite);
            if (found !== null) throw notSerializable(found, about);
            return text;
        } catch (error) {
            if (error !== FOUND_UNSERIALIZABLE) throw error;
            found = find(value, [], about.finite) || [[], 'a Promise or an Error', 'await it, or give what you need of it'];
            throw notSerializable(found, about);
        } finally {
            checking = outer;
            strict = before;
        }
    };

    /* The arguments of a host call. */
    K.stringifyChecked = function (args, name) {
        var about = { start: name + ': what was given', skip: 1, finite: true, strict: true }, plain = true;
        for (var i = 0; i < args.length; i++) {
            if (typeof args[i] === 'number' ? args[i] - args[i] !== 0 : isObject(args[i]) && (isInvalidDate(args[i]) || args[i] instanceof Number && args[i] - args[i] !== 0)) throw notSerializable(find(args[i], [i], true), about);
            if (isObject(args[i]) || typeof args[i] === 'function') plain = false;
        }
        if (plain) return K.stringify(args);
        return K.restored(K.checkedJson(args, undefined, about));
    };
}(__kernel));
