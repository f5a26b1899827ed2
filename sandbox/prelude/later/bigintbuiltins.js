/*
 * Built-ins that take BigInt by value: collections, searches, JSON; and its typed arrays and DataView.
 *
 * What compares keys and items is replaced when a script is loaded whose files mention BigInt, so that others do not pay.
 */
(function (K, global) {
    'use strict';

    var big = K.big, Big = big.Big, isBig = big.isBig, equal = big.equal, text = big.text, make = big.make, BASE = 16777216, WORD = 4294967296;
    var apply = K.captured.apply, own = K.own, NativeTypeError = TypeError, NativeRangeError = RangeError, floor = Math.floor, defineProperty = Object.defineProperty, isArray = Array.isArray;
    var KEYS = K.secret('keys that are bigints');
    var done = false, replacing = 0;

    function refuse() { throw new NativeTypeError('Do not know how to serialize a BigInt'); }

    /* A replacer is asked after `toJSON`, and may make something else of it. */
    K.define(big.BigInt.prototype, 'toJSON', function toJSON() {
        return replacing > 0 ? this : refuse();
    });

    function named(holder, name, length, made) {
        defineProperty(made, 'name', { value: name, configurable: true });
        defineProperty(made, 'length', { value: length, configurable: true });
        K.define(holder, name, made);
    }

    /* The object that stands for a value in one collection: the first that was put in. */
    function keyIn(collection, key, wanted) {
        var known = collection[KEYS], name = text(key, 36);
        if (known === undefined) {
            if (!wanted) return key;
            known = K.bare();
            defineProperty(collection, KEYS, { value: known, writable: true });
        }
        if (wanted && known[name] === undefined) known[name] = key;
        return known[name] || key;
    }

    function keyed(Class, names, adding) {
        names.forEach(function (name) {
            var native = Class.prototype[name];
            named(Class.prototype, name, native.length, { f: function (key, value) {
                if (typeof key !== 'object' || !(key instanceof Big) || !(this instanceof Class)) return name === 'set' ? native.call(this, key, value) : native.call(this, key);
                var stands = keyIn(this, key, name === adding);
                if (name === 'delete' && this[KEYS] !== undefined) delete this[KEYS][text(key, 36)];
                return name === 'set' ? native.call(this, stands, value) : native.call(this, stands);
            } }.f);
        });
        var clear = Class.prototype.clear;
        named(Class.prototype, 'clear', 0, { f: function () {
            if (this instanceof Class && this[KEYS] !== undefined) this[KEYS] = undefined;
            return clear.call(this);
        } }.f);
    }

    function weak(Class, name) {
        var native = Class.prototype[name];
        named(Class.prototype, name, native.length, { f: function (key, value) {
            if (key instanceof Big) throw new NativeTypeError(Class === WeakSet ? 'Invalid value used in weak set' : 'Invalid value used as weak map key');
            return name === 'set' ? native.call(this, key, value) : native.call(this, key);
        } }.f);
    }

    /* indexOf, lastIndexOf and includes. */
    function search(name, length, found, missing) {
        var native = Array.prototype[name];
        named(Array.prototype, name, length, { f: function (item) {
            if (typeof item !== 'object' || !(item instanceof Big) || this === null || this === undefined) return apply(native, this, arguments);
            // Where an equal one stands, the engine looks for that one.
            var list = Object(this), at = name === 'lastIndexOf' ? list.length - 1 : 0, step = name === 'lastIndexOf' ? -1 : 1, from = arguments.length > 1 ? floor(Number(arguments[1])) || 0 : at;
            if (from < 0) from += list.length;
            if (step < 0 ? from < at : from > at) at = from;
            for (; at >= 0 && at < list.length; at += step) if (list[at] instanceof Big && equal(list[at], item)) return found === null ? at : found;
            return missing;
        } }.f);
    }

    /* What the methods of Set (ECMA-262, 24.2.4) need of another set. */
    function setLike(other) {
        if (other === null || typeof other !== 'object' && typeof other !== 'function') throw new NativeTypeError(K.quote(other) + ' is not an object');
        var size = Number(other.size);
        if (size !== size) throw new NativeTypeError("The 'size' property must be a number");
        if (size < 0) throw new NativeRangeError('Invalid size');
        if (typeof other.has !== 'function' || typeof other.keys !== 'function') throw new NativeTypeError("The 'has' and 'keys' properties must be functions");
        return size;
    }
    function keysOf(set) {
        var keys = [], iterator = set.keys();
        for (var step = iterator.next(); !step.done; step = iterator.next()) keys[keys.length] = step.value;
        return keys;
    }

    /* They ask each other by what is there at first, which compares objects. */
    function setMethods() {
        var has = Set.prototype.has;
        function method(name, body) {
            named(Set.prototype, name, 1, { f: function (other) {
                has.call(this, 0);
                return body(this, other, setLike(other), keysOf(this));
            } }.f);
        }
        function isIn(other) { return function (key) { return !!other.has(key); }; }
        function isNotIn(other) { return function (key) { return !other.has(key); }; }
        method('union', function (set, other, size, keys) { return new Set(keys.concat(keysOf(other))); });
        method('intersection', function (set, other, size, keys) { return new Set(keys.length <= size ? keys.filter(isIn(other)) : keysOf(other).filter(isIn(set))); });
        method('difference', function (set, other, size, keys) { return new Set(keys.filter(isNotIn(other))); });
        method('symmetricDifference', function (set, other, size, keys) {
            var theirs = new Set(keysOf(other));
            return new Set(keys.filter(isNotIn(theirs)).concat(keysOf(theirs).filter(isNotIn(set))));
        });
        method('isSubsetOf', function (set, other, size, keys) { return keys.length <= size && keys.every(isIn(other)); });
        method('isSupersetOf', function (set, other, size, keys) { return keys.length >= size && keysOf(other).every(isIn(set)); });
        method('isDisjointFrom', function (set, other, size, keys) { return keys.length <= size ? keys.every(isNotIn(other)) : keysOf(other).every(isNotIn(set)); });
    }

    K.bigEverywhere = function () {
        if (done) return;
        done = true;
        keyed(Map, ['get', 'has', 'set', 'delete'], 'set');
        keyed(Set, ['has', 'add', 'delete'], 'add');
        weak(WeakMap, 'set');
        weak(WeakSet, 'add');
        search('indexOf', 1, null, -1);
        search('lastIndexOf', 1, null, -1);
        search('includes', 1, true, false);
        setMethods();
        named(Map, 'groupBy', 2, { f: function (items, callback) {
            var groups = new Map(), all = Array.from(items);
            if (typeof callback !== 'function') throw new NativeTypeError(String(callback) + ' is not a function');
            for (var i = 0; i < all.length; i++) {
                var key = callback(all[i], i), group = groups.get(key);
                if (group === undefined) groups.set(key, [all[i]]);
                else group.push(all[i]);
            }
            return groups;
        } }.f);
        var is = Object.is, stringify = JSON.stringify;
        named(Object, 'is', 2, { f: function (a, b) { return is(a, b) || a instanceof Big && b instanceof Big && equal(a, b); } }.f);
        named(JSON, 'stringify', 3, { f: function (value, replacer, space) {
            if (typeof replacer !== 'function') return isArray(replacer) || space !== undefined ? stringify(value, replacer, space) : stringify(value);
            replacing++;
            try {
                return stringify(value, function (key, item) {
                    item = replacer.call(this, key, item);
                    return item instanceof Big ? refuse() : item;
                }, space);
            } finally {
                replacing--;
            }
        } }.f);
    };

    /* -- 64 bits in buffers ------------------------------------------------------------------ */

    /* The value of 64 bits, of which `high` is signed or not. */
    function ofHalves(high, low, signed) {
        if (signed) high |= 0;
        var negative = high < 0;
        if (negative) {
            // Two's complement of both halves.
            low = low === 0 ? 0 : WORD - low;
            high = (low === 0 ? -high : ~high) >>> 0;
        }
        if (high < 2097152) return big.small(negative ? -(high * WORD + low) : high * WORD + low);
        var middle = high % 65536 * 256 + floor(low / BASE);
        return make([low % BASE, middle, floor(high / 65536)], negative);
    }

    /* [high, low] of the lowest 64 bits. */
    function halvesOf(value) {
        var a = big.limbsOf(big.asUint(64, value)[big.payload]), first = a[0] || 0, second = a[1] || 0;
        return [(a[2] || 0) * 65536 + floor(second / 256), second % 256 * BASE + first];
    }

    ['BigInt64', 'BigUint64'].forEach(function (kind) {
        var signed = kind === 'BigInt64', prototype = DataView.prototype, getWord = prototype.getUint32, setWord = prototype.setUint32;
        named(prototype, 'get' + kind, 1, { f: function (offset, little) {
            var first = getWord.call(this, offset, little), second = getWord.call(this, Number(offset === undefined ? 0 : offset) + 4, little);
            return little ? ofHalves(second, first, signed) : ofHalves(first, second, signed);
        } }.f);
        named(prototype, 'set' + kind, 2, { f: function (offset, value, little) {
            var halves = halvesOf(big.convert(value)), at = Number(offset === undefined ? 0 : offset);
            getWord.call(this, at + 4);
            setWord.call(this, at, halves[little ? 1 : 0], little);
            setWord.call(this, at + 4, halves[little ? 0 : 1], little);
        } }.f);
    });

    K.bigHalves = { ofHalves: ofHalves, halvesOf: halvesOf };
}(__kernel, globalThis));
