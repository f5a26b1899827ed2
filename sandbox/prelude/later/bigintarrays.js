/*
 * BigInt64Array and BigUint64Array (ECMA-262, 23.2): proxies over 64 bits for each element, as the engine's typed arrays
 * hold only numbers.  An element is about a hundred times as slow as one of another typed array.
 */
(function (K, global) {
    'use strict';

    var big = K.big, ofHalves = K.bigHalves.ofHalves, halvesOf = K.bigHalves.halvesOf, convert = big.convert, ZERO = big.ZERO;
    var STATE = K.secret('elements'), NativeProxy = global.Proxy, NativeTypeError = TypeError, NativeRangeError = RangeError, Words = Uint32Array, array = Array.prototype, create = Object.create, prototypeOf = Object.getPrototypeOf, ownKeys = Reflect.ownKeys, describe = Object.getOwnPropertyDescriptor, reflectSet = Reflect.set, isView = ArrayBuffer.isView, bytesOf = K.bytesOf, floor = Math.floor, typed = prototypeOf(Int8Array.prototype), INDEX = /^(?:0|[1-9]\d*)$|^-|^(?:NaN|Infinity)$/, test = K.captured.test;
    var classes = [];

    function isIndex(key) { return typeof key === 'string' && test(INDEX, key); }

    function stateOf(value) {
        var state = value !== null && typeof value === 'object' ? value[STATE] : undefined;
        if (state === undefined) throw new NativeTypeError('this is not a typed array.');
        return state;
    }

    function read(state, index) {
        var words = state.words, at = index * 2;
        return ofHalves(words[at + 1], words[at], state.signed);
    }
    function write(state, index, value) {
        var halves = halvesOf(value), at = index * 2;
        state.words[at] = halves[1];
        state.words[at + 1] = halves[0];
    }

    function itemsOf(state) {
        var items = [];
        for (var i = 0; i < state.length; i++) items[i] = read(state, i);
        return items;
    }
    function writeAll(state, items) { for (var i = 0; i < state.length; i++) write(state, i, items[i]); }

    function within(state, key) {
        var index = Number(key);
        return index >= 0 && index < state.length && !(index === 0 && 1 / index < 0) && floor(index) === index;
    }

    var handler = {
        get: function (target, key) { return isIndex(key) ? within(target[STATE], key) ? read(target[STATE], +key) : undefined : target[key]; },
        set: function (target, key, value) {
            if (!isIndex(key)) return reflectSet(target, key, value);
            value = convert(value);
            if (within(target[STATE], key)) write(target[STATE], +key, value);
            return true;
        },
        has: function (target, key) { return isIndex(key) ? within(target[STATE], key) : key in target; },
        deleteProperty: function (target, key) { return isIndex(key) ? !within(target[STATE], key) : delete target[key]; },
        ownKeys: function (target) {
            var keys = [];
            for (var i = 0; i < target[STATE].length; i++) keys[i] = String(i);
            return keys.concat(ownKeys(target));
        },
        getOwnPropertyDescriptor: function (target, key) {
            if (!isIndex(key)) return describe(target, key);
            return within(target[STATE], key) ? { value: read(target[STATE], +key), writable: true, enumerable: true, configurable: true } : undefined;
        }
    };

    /* A whole number that an argument means, from the end if it is negative. */
    function position(value, length, otherwise) {
        if (value === undefined) return otherwise;
        value = Number(value);
        value = value !== value ? 0 : value < 0 ? -floor(-value) : floor(value);
        return value < 0 ? value + length < 0 ? 0 : value + length : value > length ? length : value;
    }

    function shape(signed, name) {
        var prototype = create(typed);

        function make(buffer, offset, length) {
            var made = create(prototype);
            K.define(made, STATE, { buffer: buffer, offset: offset, length: length, words: new Words(buffer, offset, length * 2), signed: signed, Class: Class });
            return new NativeProxy(made, handler);
        }
        function ofItems(items) {
            var made = make(new ArrayBuffer(items.length * 8), 0, items.length);
            for (var i = 0; i < items.length; i++) write(made[STATE], i, convert(items[i]));
            return made;
        }
        function onBuffer(buffer, offset, length) {
            offset = offset === undefined ? 0 : Number(offset);
            if (offset % 8 !== 0) throw new NativeRangeError('start offset of ' + name + ' should be a multiple of 8');
            if (length === undefined && buffer.byteLength % 8 !== 0) throw new NativeRangeError('byte length of ' + name + ' should be a multiple of 8');
            var count = length === undefined ? (buffer.byteLength - offset) / 8 : Number(length);
            if (count < 0) throw new NativeRangeError('Start offset ' + offset + ' is outside the bounds of the buffer');
            if (offset + count * 8 > buffer.byteLength) throw new NativeRangeError('Invalid typed array length: ' + count);
            return make(buffer, offset, count);
        }

        function Class(source, offset, length) {
            if (!(this instanceof Class)) throw new NativeTypeError('Constructor ' + name + " requires 'new'");
            if (source === null || typeof source !== 'object' || big.isBig(source)) {
                var count = source === undefined ? 0 : Number(source);
                if (!(count >= 0)) throw new NativeRangeError('Invalid typed array length: ' + source);
                return make(new ArrayBuffer(floor(count) * 8), 0, floor(count));
            }
            if (source instanceof ArrayBuffer) return onBuffer(source, offset, length);
            return ofItems(source[STATE] !== undefined ? itemsOf(source[STATE]) : Array.from(source));
        }
        Object.defineProperty(Class, 'name', { value: name, configurable: true });
        Object.defineProperty(Class, 'length', { value: 3, configurable: true });
        Object.defineProperty(Class, 'prototype', { value: prototype, writable: false, enumerable: false });
        Object.setPrototypeOf(Class, typed.constructor);
        K.define(Class, 'BYTES_PER_ELEMENT', 8, true);
        K.define(Class, 'from', function from(source, map, self) { return ofItems(Array.from(source, map, self)); });
        K.define(Class, 'of', function of() { return ofItems(arguments); });
        K.define(prototype, 'constructor', Class);
        K.define(prototype, 'BYTES_PER_ELEMENT', 8, true);
        K.getter(prototype, Symbol.toStringTag, function () { return name; });
        install(prototype, make, ofItems);
        classes[classes.length] = Class;
        K.offer(name, Class);
    }

    function install(prototype, make, ofItems) {
        function method(name, length, body) {
            var made = { f: function () { return body(this, stateOf(this), arguments); } }.f;
            Object.defineProperty(made, 'name', { value: name, configurable: true });
            Object.defineProperty(made, 'length', { value: length, configurable: true });
            K.define(prototype, name, made);
            return made;
        }
        K.getter(prototype, 'length', function () { return stateOf(this).length; });
        K.getter(prototype, 'byteLength', function () { return stateOf(this).length * 8; });
        K.getter(prototype, 'byteOffset', function () { return stateOf(this).offset; });
        K.getter(prototype, 'buffer', function () { return stateOf(this).buffer; });

        /* Those that an array answers as well. */
        ['join', 'includes', 'indexOf', 'lastIndexOf', 'at', 'keys', 'entries'].forEach(function (name) {
            method(name, 1, function (self, state, given) { return array[name].apply(itemsOf(state), given); });
        });
        method('toString', 0, function (self, state) { return itemsOf(state).join(); });
        method('toLocaleString', 0, function (self, state, given) { return itemsOf(state).map(function (item) { return item.toLocaleString(given[0], given[1]); }).join(); });
        K.define(prototype, Symbol.iterator, method('values', 0, function (self, state) { return array.values.call(itemsOf(state)); }));

        ['forEach', 'some', 'every', 'find', 'findIndex', 'findLast', 'findLastIndex', 'map', 'filter'].forEach(function (name) {
            method(name, 1, function (self, state, given) {
                var callback = given[0], thisArg = given[1], items = itemsOf(state);
                if (typeof callback !== 'function') throw new NativeTypeError(String(callback) + ' is not a function');
                var found = array[name].call(items, function (item, index) {
                    var value = callback.call(thisArg, item, index, self);
                    return value === ZERO && name !== 'map' ? false : value;
                });
                return name === 'map' || name === 'filter' ? ofItems(found) : found;
            });
        });
        ['reduce', 'reduceRight'].forEach(function (name) {
            method(name, 1, function (self, state, given) {
                var callback = given[0], own = function (value, item, index) { return callback(value, item, index, self); }, items = itemsOf(state);
                return given.length > 1 ? array[name].call(items, own, given[1]) : array[name].call(items, own);
            });
        });

        function changed(name, length) {
            method(name, length, function (self, state, given) {
                writeAll(state, array[name].apply(itemsOf(state), given));
                return self;
            });
        }
        changed('reverse', 0);
        changed('copyWithin', 2);
        function byValue(a, b) { return big.order(a, b); }
        method('sort', 1, function (self, state, given) {
            writeAll(state, itemsOf(state).sort(given[0] === undefined ? byValue : given[0]));
            return self;
        });
        method('fill', 1, function (self, state, given) {
            var value = convert(given[0]), end = position(given[2], state.length, state.length);
            for (var i = position(given[1], state.length, 0); i < end; i++) write(state, i, value);
            return self;
        });
        method('set', 1, function (self, state, given) {
            var items = given[0][STATE] !== undefined ? itemsOf(given[0][STATE]) : Array.from(given[0]), at = position(given[1], Infinity, 0);
            if (Number(given[1]) < 0 || at + items.length > state.length) throw new NativeRangeError('offset is out of bounds');
            for (var i = 0; i < items.length; i++) write(state, at + i, convert(items[i]));
        });
        method('slice', 2, function (self, state, given) { return ofItems(itemsOf(state).slice(given[0], given[1])); });
        method('subarray', 2, function (self, state, given) {
            var from = position(given[0], state.length, 0), to = position(given[1], state.length, state.length);
            return make(state.buffer, state.offset + from * 8, to > from ? to - from : 0);
        });
        method('toReversed', 0, function (self, state) { return ofItems(itemsOf(state).reverse()); });
        method('toSorted', 1, function (self, state, given) { return ofItems(itemsOf(state).sort(given[0] === undefined ? byValue : given[0])); });
        method('with', 2, function (self, state, given) {
            var items = itemsOf(state), at = Number(given[0]) || 0, value = convert(given[1]);
            if (at < 0) at += state.length;
            if (!within(state, at)) throw new NativeRangeError('Invalid typed array index');
            items[at] = value;
            return ofItems(items);
        });
    }

    shape(true, 'BigInt64Array');
    shape(false, 'BigUint64Array');

    function isOurs(value) { return value instanceof classes[0] || value instanceof classes[1]; }

    K.define(ArrayBuffer, 'isView', function (value) { return isView(value) || isOurs(value); });
    Object.defineProperty(ArrayBuffer.isView, 'name', { value: 'isView', configurable: true });
    K.bytesOf = function (value) {
        if (!isOurs(value)) return bytesOf(value);
        var state = stateOf(value);
        return new Uint8Array(state.buffer, state.offset, state.length * 8);
    };
    K.cloners.push(function (value) {
        if (big.isBig(value)) return value;
        return isOurs(value) ? new (stateOf(value).Class)(value) : undefined;
    });
}(__kernel, globalThis));
