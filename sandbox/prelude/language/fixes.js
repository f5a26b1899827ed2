/*
 * What Duktape 2.7 gets wrong or lacks, beyond what core-js mends.
 */
(function (K) {
    'use strict';

    var descriptorOf = Object.getOwnPropertyDescriptor, prototypeOf = Object.getPrototypeOf, defineProperty = Object.defineProperty;
    /* proxies.js says here how its functions ask a receiver that is a Proxy. */
    K.receiver = { descriptorOf: descriptorOf, defineProperty: defineProperty };
    var reflectGet = Reflect.get, reflectSet = Reflect.set;

    /* The engine ignores the receiver of Reflect.get and Reflect.set. */
    K.define(Reflect, 'get', function get(target, key, receiver) {
        if (arguments.length < 3 || target === receiver) return reflectGet(target, key);
        for (var object = target; object !== null && object !== undefined; object = prototypeOf(object)) {
            var descriptor = descriptorOf(object, key);
            if (descriptor) return descriptor.get ? descriptor.get.call(receiver) : descriptor.value;
        }
        return undefined;
    });
    K.define(Reflect, 'set', function set(target, key, value, receiver) {
        if (arguments.length < 4 || target === receiver) return reflectSet(target, key, value);
        for (var object = target; object !== null && object !== undefined; object = prototypeOf(object)) {
            var descriptor = descriptorOf(object, key);
            if (!descriptor) continue;
            if (descriptor.set) { descriptor.set.call(receiver, value); return true; }
            if (descriptor.get || !descriptor.writable) return false;
            break;
        }
        if (receiver === null || (typeof receiver !== 'object' && typeof receiver !== 'function')) return false;
        var own = K.receiver.descriptorOf(receiver, key);
        if (own && (own.get || own.set || !own.writable)) return false;
        K.receiver.defineProperty(receiver, key, own ? { value: value } : { value: value, writable: true, enumerable: true, configurable: true });
        return true;
    });

    /* Math.cbrt(27) is 3.0000000000000004 there: one Newton step. */
    K.define(Math, 'cbrt', function cbrt(x) {
        x = +x;
        if (!x || !isFinite(x)) return x;
        var positive = Math.abs(x), root = Math.pow(positive, 1 / 3);
        root -= (root * root * root - positive) / (3 * root * root);
        return x < 0 ? -root : root;
    });

    /* The engine makes characters above U+FFFF of it, which no other text has and nothing outside understands. */
    var nativeFromCharCode = String.fromCharCode, apply = K.captured.apply, setPrototypeOf = Object.setPrototypeOf;
    function fromCharCode(unit) {
        if (arguments.length === 1) return nativeFromCharCode(unit & 0xffff);
        // Without a prototype: setters on Array.prototype are not to hear of it.
        var units = setPrototypeOf([], null);
        for (var i = 0; i < arguments.length; i++) units[i] = arguments[i] & 0xffff;
        return apply(nativeFromCharCode, null, units);
    }
    K.define(String, 'fromCharCode', fromCharCode);

    /*
     * Maps, sets and weak collections mark themselves and the objects in them; nobody is to see the marks, or copy them.
     * And functions have a file name, and strict ones throw for `caller` and `arguments`; other engines have none of these.
     */
    var describeOne = Object.getOwnPropertyDescriptor, OF_FUNCTIONS = ['fileName', 'caller', 'arguments'], probe = {}, nativeKeys = Reflect.ownKeys, describe = Object.getOwnPropertyDescriptors, indexOf = K.free(Array.prototype.indexOf), splice = K.free(Array.prototype.splice);
    new Set([probe]);
    var marks = nativeKeys(probe).concat(nativeKeys(new Set()));

    function isOfEngine(object, name) {
        var described = describeOne(object, name);
        return described !== undefined && !described.enumerable && (name === 'fileName' ? described.writable === false : !described.configurable && described.get !== undefined);
    }

    function withoutMarks(holder, name, native) {
        var mended = { f: function (object) {
            var all = native(object);
            for (var i = 0; i < marks.length; i++) {
                var at = indexOf(all, marks[i]);
                if (at >= 0) splice(all, at, 1);
            }
            for (var j = 0; j < OF_FUNCTIONS.length && typeof object === 'function'; j++) {
                at = indexOf(all, OF_FUNCTIONS[j]);
                if (at >= 0 && isOfEngine(object, OF_FUNCTIONS[j])) splice(all, at, 1);
            }
            return all;
        } }.f;
        defineProperty(mended, 'name', { value: name, configurable: true });
        K.define(holder, name, mended);
    }
    withoutMarks(Reflect, 'ownKeys', nativeKeys);
    withoutMarks(Object, 'getOwnPropertyNames', Object.getOwnPropertyNames);
    K.define(Object, 'getOwnPropertyDescriptors', function getOwnPropertyDescriptors(object) {
        var all = describe(object);
        for (var i = 0; i < marks.length; i++) delete all[marks[i]];
        for (var j = 0; j < OF_FUNCTIONS.length && typeof object === 'function'; j++) if (isOfEngine(object, OF_FUNCTIONS[j])) delete all[OF_FUNCTIONS[j]];
        return all;
    });
}(__kernel));
