/*
 * Array methods that take a callback, as plain loops.
 *
 * The engine's own call back through C, and a coroutine cannot yield through that: a synchronous host
 * call inside them would fail.  core-js's are several times slower.  These are ECMA-262 section 23.1.3
 * for arrays, array-likes and subclasses (by Symbol.species).
 */
(function (K) {
    'use strict';

    var isArray = Array.isArray, prototype = Array.prototype, floor = Math.floor, LIMIT = 9007199254740991;

    function checked(list, callback, name) {
        if (list === null || list === undefined) throw new TypeError('Array.prototype.' + name + ' called on null or undefined');
        if (typeof callback !== 'function') throw new TypeError((callback === null || typeof callback !== 'object' ? String(callback) : '#<Object>') + ' is not a function');
        return typeof list === 'object' ? list : Object(list);
    }

    function lengthOf(list) {
        if (isArray(list)) return list.length;
        var length = Number(list.length);
        return length > 0 ? floor(length < LIMIT ? length : LIMIT) : 0;
    }

    /* An empty array of the kind that `list` makes (ArraySpeciesCreate). */
    function like(list, length) {
        var constructor = isArray(list) ? list.constructor : undefined;
        if (constructor === Array || constructor === undefined) return [];
        if (constructor !== null && typeof constructor === 'object' || typeof constructor === 'function') constructor = constructor[Symbol.species];
        return constructor === undefined || constructor === null || constructor === Array ? [] : new constructor(length);
    }

    function put(list, index, value) {
        if (isArray(list)) list[index] = value;
        else Object.defineProperty(list, index, { value: value, writable: true, enumerable: true, configurable: true });
    }

    function forEach(callback, thisArg) {
        var list = checked(this, callback, 'forEach'), length = lengthOf(list), i = 0, item;
        if (thisArg === undefined) {
            for (; i < length; i++) if ((item = list[i]) !== undefined || i in list) callback(item, i, list);
        } else for (; i < length; i++) if ((item = list[i]) !== undefined || i in list) callback.call(thisArg, item, i, list);
    }

    function map(callback, thisArg) {
        var list = checked(this, callback, 'map'), length = lengthOf(list), made = like(list, length), i = 0, item;
        if (thisArg === undefined && isArray(made)) {
            for (; i < length; i++) if ((item = list[i]) !== undefined || i in list) made[i] = callback(item, i, list);
        } else for (; i < length; i++) if ((item = list[i]) !== undefined || i in list) put(made, i, callback.call(thisArg, item, i, list));
        if (isArray(made) && made.length < length) made.length = length;
        return made;
    }

    function filter(callback, thisArg) {
        var list = checked(this, callback, 'filter'), length = lengthOf(list), made = like(list, 0), count = 0, i = 0, item;
        if (thisArg === undefined && made.constructor === Array) {
            for (; i < length; i++) if (((item = list[i]) !== undefined || i in list) && callback(item, i, list)) made[count++] = item;
            return made;
        }
        for (; i < length; i++) if (((item = list[i]) !== undefined || i in list) && callback.call(thisArg, item, i, list)) put(made, count++, item);
        return made;
    }

    function some(callback, thisArg) {
        var list = checked(this, callback, 'some'), length = lengthOf(list), i = 0, item;
        if (thisArg === undefined) {
            for (; i < length; i++) if (((item = list[i]) !== undefined || i in list) && callback(item, i, list)) return true;
        } else for (; i < length; i++) if (((item = list[i]) !== undefined || i in list) && callback.call(thisArg, item, i, list)) return true;
        return false;
    }

    function every(callback, thisArg) {
        var list = checked(this, callback, 'every'), length = lengthOf(list), i = 0, item;
        if (thisArg === undefined) {
            for (; i < length; i++) if (((item = list[i]) !== undefined || i in list) && !callback(item, i, list)) return false;
        } else for (; i < length; i++) if (((item = list[i]) !== undefined || i in list) && !callback.call(thisArg, item, i, list)) return false;
        return true;
    }

    function reduce(callback, initial) {
        var list = checked(this, callback, 'reduce'), length = lengthOf(list), i = 0, value = initial, item;
        if (arguments.length < 2) {
            while (i < length && !(i in list)) i++;
            if (i >= length) throw new TypeError('Reduce of empty array with no initial value');
            value = list[i++];
        }
        for (; i < length; i++) if ((item = list[i]) !== undefined || i in list) value = callback(value, item, i, list);
        return value;
    }

    function reduceRight(callback, initial) {
        var list = checked(this, callback, 'reduceRight'), i = lengthOf(list) - 1, value = initial, item;
        if (arguments.length < 2) {
            while (i >= 0 && !(i in list)) i--;
            if (i < 0) throw new TypeError('Reduce of empty array with no initial value');
            value = list[i--];
        }
        for (; i >= 0; i--) if ((item = list[i]) !== undefined || i in list) value = callback(value, item, i, list);
        return value;
    }

    function find(callback, thisArg) {
        var list = checked(this, callback, 'find'), length = lengthOf(list);
        for (var i = 0; i < length; i++) {
            var item = list[i];
            if (thisArg === undefined ? callback(item, i, list) : callback.call(thisArg, item, i, list)) return item;
        }
    }

    function findIndex(callback, thisArg) {
        var list = checked(this, callback, 'findIndex'), length = lengthOf(list);
        for (var i = 0; i < length; i++) if (callback.call(thisArg, list[i], i, list)) return i;
        return -1;
    }

    function findLast(callback, thisArg) {
        var list = checked(this, callback, 'findLast');
        for (var i = lengthOf(list) - 1; i >= 0; i--) {
            var item = list[i];
            if (callback.call(thisArg, item, i, list)) return item;
        }
    }

    function findLastIndex(callback, thisArg) {
        var list = checked(this, callback, 'findLastIndex');
        for (var i = lengthOf(list) - 1; i >= 0; i--) if (callback.call(thisArg, list[i], i, list)) return i;
        return -1;
    }

    function flatMap(callback, thisArg) {
        var list = checked(this, callback, 'flatMap'), length = lengthOf(list), made = like(list, 0), count = 0, item;
        for (var i = 0; i < length; i++) {
            if ((item = list[i]) === undefined && !(i in list)) continue;
            var value = callback.call(thisArg, item, i, list);
            if (!isArray(value)) { put(made, count++, value); continue; }
            for (var j = 0; j < value.length; j++) if (value[j] !== undefined || j in value) put(made, count++, value[j]);
        }
        return made;
    }

    function flat(depth) {
        var list = Object(this), made = like(list, 0);
        flatten(made, list, depth === undefined ? 1 : Math.trunc(Number(depth)) || 0, 0);
        return made;
    }
    function flatten(made, list, depth, count) {
        for (var i = 0, length = lengthOf(list); i < length; i++) {
            var item = list[i];
            if (item === undefined && !(i in list)) continue;
            if (depth > 0 && isArray(item)) count = flatten(made, item, depth - 1, count);
            else put(made, count++, item);
        }
        return count;
    }

    function includes(element, from) {
        var list = Object(this), length = lengthOf(list), i = from === undefined ? 0 : Math.trunc(Number(from)) || 0;
        if (i < 0) i = i + length < 0 ? 0 : i + length;
        if (element !== element || element === undefined) {
            for (; i < length; i++) if (list[i] === element || element !== element && list[i] !== list[i]) return true;
            return false;
        }
        return indexOf.call(list, element, i) >= 0;
    }
    var indexOf = prototype.indexOf;

    function at(index) {
        index = Math.trunc(Number(index)) || 0;
        return this[index < 0 ? lengthOf(this) + index : index];
    }

    function install(body, length) {
        Object.defineProperty(body, 'length', { value: length, configurable: true });
        K.define(prototype, body.name, body);
    }
    [forEach, map, filter, some, every, reduce, reduceRight, find, findIndex, findLast, findLastIndex, flatMap, includes, at].forEach(function (body) { install(body, 1); });
    install(flat, 0);

    /*
     * The engine's slice, splice and concat give plain arrays, and wrapping them would slow every array.  So a subclass
     * gets its own kind of them, above its own methods, when its first instance is made.
     */
    var prototypeOf = Object.getPrototypeOf, own = K.own, ofSubclass = {}, Class = Array;

    ['slice', 'splice', 'concat'].forEach(function (name) {
        var native = prototype[name];
        ofSubclass[name] = { f: function () {
            var plain = native.apply(this, arguments), made = like(this, 0);
            if (made.constructor === Class) return plain;
            for (var i = 0; i < plain.length; i++) if (i in plain) put(made, i, plain[i]);
            made.length = plain.length;
            return made;
        } }.f;
        Object.defineProperty(ofSubclass[name], 'name', { value: name, configurable: true });
        Object.defineProperty(ofSubclass[name], 'length', { value: native.length, configurable: true });
    });

    function adopt(made) {
        var holder = null;
        for (var at = prototypeOf(made); at !== prototype; at = prototypeOf(at)) {
            if (at === null) return;
            holder = at;
        }
        if (holder === null) return;
        for (var name in ofSubclass) if (!own(holder, name)) K.define(holder, name, ofSubclass[name]);
    }

    /* A lowered class makes an array and gives it its own prototype. */
    function adopting(holder, name, length) {
        var native = holder[name], body = { f: function (object, a, b) {
            var made = arguments.length < 3 ? native(object, a) : native(object, a, b);
            if (object === Class) adopt(made);
            else if (isArray(object)) adopt(object);
            return made;
        } }.f;
        Object.defineProperty(body, 'name', { value: name, configurable: true });
        Object.defineProperty(body, 'length', { value: length, configurable: true });
        K.define(holder, name, body);
    }
    adopting(Reflect, 'construct', 2);
    adopting(Object, 'setPrototypeOf', 2);
    adopting(Reflect, 'setPrototypeOf', 2);
}(__kernel));
