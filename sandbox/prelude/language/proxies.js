/*
 * Proxy with all its traps.
 *
 * The engine's Proxy knows get, set, has, deleteProperty, ownKeys, apply and construct; the rest goes past
 * the handler.  Here a Proxy answers to a secret key with its target and handler, so that the functions of
 * Object and Reflect can ask the other traps themselves.  Until a script makes its first Proxy they cost
 * one comparison.
 */
(function (K, global) {
    'use strict';

    var Native = global.Proxy, SECRET = K.secret('proxy parts'), used = false, reflect = Reflect;
    var ownKeys = reflect.ownKeys, create = Object.create, isArray = Array.isArray, text = String;

    /* The engine gives traps the key as it stood in the brackets; a number is a text to them. */
    function keyOf(key) { return typeof key === 'string' || typeof key === 'symbol' ? key : text(key); }

    function isObject(value) { return value !== null && (typeof value === 'object' || typeof value === 'function'); }

    function Proxy(target, handler) {
        if (!(this instanceof Proxy)) throw new TypeError("Constructor Proxy requires 'new'");
        return make(target, handler);
    }

    function make(target, handler) {
        if (!isObject(target) || !isObject(handler)) throw new TypeError('Cannot create proxy with a non-object as target or handler');
        used = true;
        var parts = { proxy: null, target: target, handler: handler, revoked: false }, inner = create(null);
        inner.get = function (object, key, receiver) {
            if (key === SECRET) return parts;
            var trap = trapOf(parts, 'get');
            return trap === undefined ? reflect.get(target, key, receiver) : trap.call(parts.handler, target, keyOf(key), receiver);
        };
        inner.has = function (object, key) {
            var trap = trapOf(parts, 'has');
            return trap === undefined ? reflect.has(target, key) : !!trap.call(parts.handler, target, keyOf(key));
        };
        inner.set = function (object, key, value, receiver) {
            var trap = trapOf(parts, 'set');
            return trap === undefined ? reflect.set(target, key, value, receiver) : !!trap.call(parts.handler, target, keyOf(key), value, receiver);
        };
        inner.deleteProperty = function (object, key) {
            var trap = trapOf(parts, 'deleteProperty');
            return trap === undefined ? reflect.deleteProperty(target, key) : !!trap.call(parts.handler, target, keyOf(key));
        };
        inner.ownKeys = function () {
            var trap = trapOf(parts, 'ownKeys');
            return trap === undefined ? ownKeys(target) : trap.call(parts.handler, target);
        };
        if (typeof target === 'function') {
            inner.apply = function (object, self, list) {
                var trap = trapOf(parts, 'apply');
                return trap === undefined ? reflect.apply(target, self, list) : trap.call(parts.handler, target, self, list);
            };
            inner.construct = function (object, list, newTarget) {
                var trap = trapOf(parts, 'construct');
                return trap === undefined ? reflect.construct(target, list, newTarget === parts.proxy ? target : newTarget) : trap.call(parts.handler, target, list, newTarget);
            };
        }
        parts.proxy = new Native(target, inner);
        return parts.proxy;
    }

    function trapOf(parts, name) {
        if (parts.revoked) throw new TypeError("Cannot perform '" + name + "' on a proxy that has been revoked");
        var trap = parts.handler[name];
        return trap === null ? undefined : trap;
    }

    K.define(Proxy, 'revocable', function revocable(target, handler) {
        var proxy = make(target, handler), parts = proxy[SECRET];
        return { proxy: proxy, revoke: function () { parts.revoked = true; } };
    });

    /* The parts of `value` if it is a Proxy itself, not merely an heir of one. */
    function partsOf(value) {
        if (!isObject(value)) return undefined;
        var parts;
        try { parts = value[SECRET]; } catch (error) { return undefined; }
        return parts !== undefined && parts.proxy === value ? parts : undefined;
    }

    K.isProxy = function (value) { return used && partsOf(value) !== undefined; };

    /* Puts `trap` before a function of Object or Reflect whose first argument may be a Proxy. */
    function mend(holder, name, answer) {
        var native = holder[name];
        var mended = { f: function (object, a, b) {
            var parts;
            if (used && (parts = partsOf(object)) !== undefined) return answer(parts, a, b, object);
            return arguments.length > 2 ? native(object, a, b) : arguments.length === 2 ? native(object, a) : native(object);
        } }.f;
        Object.defineProperty(mended, 'name', { value: name, configurable: true });
        Object.defineProperty(mended, 'length', { value: native.length, configurable: true });
        K.define(holder, name, mended);
        return mended;
    }

    /* `count` is how many arguments the trap gets behind the target. */
    function trapped(name, count, otherwise) {
        return function (parts, a, b) {
            var trap = trapOf(parts, name), handler = parts.handler, target = parts.target;
            if (trap === undefined) return otherwise(target, a, b);
            return count === 0 ? trap.call(handler, target) : count === 1 ? trap.call(handler, target, a) : trap.call(handler, target, a, b);
        };
    }
    function trappedKey(name, count, otherwise) {
        var answer = trapped(name, count, otherwise);
        return function (parts, key, b) { return answer(parts, keyOf(key), b); };
    }
    function must(answer, what) {
        return function (parts, a, b, object) {
            if (!answer(parts, a, b)) throw new TypeError("'" + what + "' on proxy: trap returned falsish");
            return object;
        };
    }

    var descriptor = mend(reflect, 'getOwnPropertyDescriptor', trappedKey('getOwnPropertyDescriptor', 1, function (t, k) { return reflect.getOwnPropertyDescriptor(t, k); }));
    mend(Object, 'getOwnPropertyDescriptor', function (parts, key) { return descriptor(parts.proxy, key); });
    var define = trappedKey('defineProperty', 2, function (t, k, d) { return reflect.defineProperty(t, k, d); });
    mend(reflect, 'defineProperty', function (parts, key, given) { return !!define(parts, key, given); });
    mend(Object, 'defineProperty', must(define, 'defineProperty'));
    var prototypeOf = trapped('getPrototypeOf', 0, function (t) { return reflect.getPrototypeOf(t); });
    mend(reflect, 'getPrototypeOf', prototypeOf);
    mend(Object, 'getPrototypeOf', prototypeOf);
    var setPrototype = trapped('setPrototypeOf', 1, function (t, p) { return reflect.setPrototypeOf(t, p); });
    mend(reflect, 'setPrototypeOf', function (parts, p) { return !!setPrototype(parts, p); });
    mend(Object, 'setPrototypeOf', must(setPrototype, 'setPrototypeOf'));
    var extensible = trapped('isExtensible', 0, function (t) { return reflect.isExtensible(t); });
    mend(reflect, 'isExtensible', function (parts) { return !!extensible(parts); });
    mend(Object, 'isExtensible', function (parts) { return !!extensible(parts); });
    var prevent = trapped('preventExtensions', 0, function (t) { return reflect.preventExtensions(t); });
    mend(reflect, 'preventExtensions', function (parts) { return !!prevent(parts); });
    mend(Object, 'preventExtensions', must(prevent, 'preventExtensions'));

    /* Object.freeze and isFrozen by their parts: the engine would freeze the target behind the handler. */
    mend(Object, 'isFrozen', function (parts) { return Object.isFrozen(parts.target); });
    mend(Object, 'freeze', function (parts, a, b, object) { Object.freeze(parts.target); return object; });

    function keysOf(parts, wanted) {
        var all = listed(parts), made = [];
        for (var i = 0; i < all.length; i++) if (wanted(all[i])) made[made.length] = all[i];
        return made;
    }
    function listed(parts) {
        var trap = trapOf(parts, 'ownKeys');
        if (trap === undefined) return ownKeys(parts.target);
        var all = trap.call(parts.handler, parts.target);
        return isArray(all) ? all : Array.from(all);
    }
    function isText(key) { return typeof key === 'string'; }
    mend(reflect, 'ownKeys', function (parts) { return listed(parts); });
    mend(Object, 'getOwnPropertyNames', function (parts) { return keysOf(parts, isText); });
    mend(Object, 'getOwnPropertySymbols', function (parts) { return keysOf(parts, function (key) { return typeof key === 'symbol'; }); });
    mend(Object, 'keys', function (parts) {
        return keysOf(parts, function (key) {
            var found = isText(key) ? descriptor(parts.proxy, key) : undefined;
            return found !== undefined && found.enumerable;
        });
    });
    ['entries', 'values'].forEach(function (name) {
        mend(Object, name, function (parts) {
            return Object.keys(parts.proxy).map(function (key) { return name === 'values' ? parts.proxy[key] : [key, parts.proxy[key]]; });
        });
    });
    mend(Object, 'hasOwn', function (parts, key) { return descriptor(parts.proxy, key) !== undefined; });

    var nativeAssign = Object.assign, nativeKeys = Object.keys, symbolsOf = Object.getOwnPropertySymbols, isEnumerable = Object.prototype.propertyIsEnumerable;

    function hasSymbols(source) { return isObject(source) && symbolsOf(source).length > 0; }

    /* The engine's own leaves out what symbols name. */
    function assignFrom(made, source) {
        var keys = nativeKeys(source), symbols = symbolsOf(source);
        for (var i = 0; i < keys.length; i++) made[keys[i]] = source[keys[i]];
        for (var j = 0; j < symbols.length; j++) if (isEnumerable.call(source, symbols[j])) made[symbols[j]] = source[symbols[j]];
    }

    function assignFromProxy(made, parts, source) {
        var keys = listed(parts);
        for (var j = 0; j < keys.length; j++) {
            var found = descriptor(source, keys[j]);
            if (found !== undefined && found.enumerable) made[keys[j]] = source[keys[j]];
        }
    }

    K.define(Object, 'assign', function assign(target) {
        var plain = !used;
        for (var i = 1; plain && i < arguments.length; i++) plain = !hasSymbols(arguments[i]);
        if (plain) return nativeAssign.apply(undefined, arguments);
        if (target === null || target === undefined) throw new TypeError('Cannot convert undefined or null to object');
        var made = Object(target);
        for (var at = 1; at < arguments.length; at++) {
            var source = arguments[at], parts = partsOf(source);
            if (parts !== undefined) assignFromProxy(made, parts, source);
            else if (hasSymbols(source)) assignFrom(made, source);
            else nativeAssign(made, source);
        }
        return made;
    });
    Object.defineProperty(Object.assign, 'length', { value: 2, configurable: true });

    function mendMethod(name, answer) {
        var native = Object.prototype[name], holder = {};
        holder[name] = function (key) {
            var parts;
            if (used && (parts = partsOf(this)) !== undefined) return answer(parts, key);
            return native.call(this, key);
        };
        K.define(Object.prototype, name, holder[name]);
    }
    mendMethod('hasOwnProperty', function (parts, key) { return descriptor(parts.proxy, key) !== undefined; });
    mendMethod('propertyIsEnumerable', function (parts, key) {
        var found = descriptor(parts.proxy, key);
        return found !== undefined && !!found.enumerable;
    });

    K.receiver = { descriptorOf: Object.getOwnPropertyDescriptor, defineProperty: Object.defineProperty };
    K.global('Proxy', Proxy);
}(__kernel, globalThis));
