/*
 * structuredClone (HTML standard, 2.7): deep copies of data, with cycles, without functions.
 *
 * Nothing can be moved instead of copied here, so what `transfer` names is copied as well.
 */
(function (K, global) {
    'use strict';

    var toString = Function.prototype.call.bind(Object.prototype.toString), keysOf = Object.keys, prototypeOf = Object.getPrototypeOf, OBJECT = Object.prototype;
    var ERRORS = { Error: 1, EvalError: 1, RangeError: 1, ReferenceError: 1, SyntaxError: 1, TypeError: 1, URIError: 1 };

    /* Of features: each returns the copy of a value of its own kind, and undefined for others. */
    var cloners = K.cloners = [];

    function refuse(value) {
        var what = typeof value === 'function' ? 'a function' + (value.name ? ' (' + value.name + ')' : '') : typeof value === 'symbol' ? 'a symbol' : toString(value);
        return new K.DOMException(what + ' could not be cloned.', 'DataCloneError');
    }

    function clone(value, seen) {
        if (value === null || typeof value !== 'object') {
            if (typeof value === 'function' || typeof value === 'symbol') throw refuse(value);
            return value;
        }
        var known = seen.get(value);
        if (known !== undefined) return known;
        return Array.isArray(value) ? members(value, kept(seen, value, new Array(value.length)), seen) : byKind(value, seen);
    }

    function kept(seen, value, made) {
        seen.set(value, made);
        return made;
    }

    function byKind(value, seen) {
        if (prototypeOf(value) === OBJECT) return members(value, kept(seen, value, {}), seen);
        var kind = toString(value).slice(8, -1), made;
        if (value instanceof Date) return kept(seen, value, new Date(value.getTime()));
        if (value instanceof RegExp) return kept(seen, value, new RegExp(value.source, value.flags));
        if (value instanceof Map) {
            made = kept(seen, value, new Map());
            Array.from(value.entries()).forEach(function (entry) { made.set(clone(entry[0], seen), clone(entry[1], seen)); });
            return made;
        }
        if (value instanceof Set) {
            made = kept(seen, value, new Set());
            Array.from(value.values()).forEach(function (item) { made.add(clone(item, seen)); });
            return made;
        }
        if (value instanceof K.Blob) return kept(seen, value, K.cloneBlob(value));
        for (var i = 0; i < cloners.length; i++) {
            made = cloners[i](value);
            if (made !== undefined) return kept(seen, value, made);
        }
        if (value instanceof ArrayBuffer) return kept(seen, value, value.slice(0));
        if (ArrayBuffer.isView(value)) return kept(seen, value, view(value, seen));
        if (value instanceof Error) return error(value, seen);
        if (value instanceof Boolean || value instanceof Number || value instanceof String) return kept(seen, value, Object(value.valueOf()));
        if (K.isPromise(value) || value instanceof WeakMap || value instanceof WeakSet || value instanceof WeakRef || kind === 'Generator' || isPlatform(value) || K.isStream(value)) throw refuse(value);
        return members(value, kept(seen, value, {}), seen);
    }

    function isPlatform(value) {
        var classes = [K.Headers, K.Response, K.Request, K.FormData, K.URL, K.URLSearchParams, K.EventTarget, K.Event, K.AbortController, K.TextDecoder];
        for (var i = 0; i < classes.length; i++) if (value instanceof classes[i]) return true;
        return false;
    }

    function members(value, made, seen) {
        var names = keysOf(value);
        for (var i = 0; i < names.length; i++) {
            Object.defineProperty(made, names[i], { value: clone(value[names[i]], seen), writable: true, enumerable: true, configurable: true });
        }
        return made;
    }

    function view(value, seen) {
        var buffer = clone(value.buffer, seen), View = global[toString(value).slice(8, -1)];
        return value instanceof DataView ? new DataView(buffer, value.byteOffset, value.byteLength) : new View(buffer, value.byteOffset, value.length);
    }

    function error(value, seen) {
        if (value instanceof K.DOMException) return kept(seen, value, new K.DOMException(value.message, value.name));
        var name = Object.prototype.hasOwnProperty.call(ERRORS, value.name) ? value.name : 'Error', made = 'message' in value && value.message !== '' ? new global[name](value.message) : new global[name]();
        kept(seen, value, made);
        K.define(made, 'stack', String(value.stack));
        if ('cause' in value) K.define(made, 'cause', clone(value.cause, seen));
        return made;
    }

    /* What is moved rather than copied, elsewhere: here only what may be named is checked. */
    function checkTransfer(options) {
        if (options === undefined || options === null) return;
        if (typeof options !== 'object' && typeof options !== 'function') throw new TypeError('structuredClone: the options must be an object, not ' + K.quote(options));
        if (options.transfer === undefined) return;
        if (options.transfer === null || typeof options.transfer !== 'object') throw new TypeError('structuredClone: transfer must be a list, not ' + K.quote(options.transfer));
        var list = Array.from(options.transfer);
        for (var i = 0; i < list.length; i++) {
            if (!(list[i] instanceof ArrayBuffer) && !K.isStream(list[i]) && !isPort(list[i])) throw new K.DOMException('Value at index ' + i + ' of transfer could not be transferred.', 'DataCloneError');
            if (list.indexOf(list[i]) !== i) throw new K.DOMException('Value at index ' + i + ' of transfer is there twice.', 'DataCloneError');
        }
    }
    function isPort(value) { return typeof global.MessagePort === 'function' && value instanceof global.MessagePort; }

    K.global('structuredClone', function structuredClone(value, options) {
        if (arguments.length === 0) throw new TypeError('structuredClone needs one argument');
        checkTransfer(options);
        return clone(value, new Map());
    });
    Object.defineProperty(structuredClone, 'length', { value: 1, configurable: true });
}(__kernel, globalThis));
