/*
 * Error and its kinds with `cause`, AggregateError and SuppressedError.
 *
 * The engine keeps an error's stack where its own constructor makes it, so these only dress what
 * that one gives.  The first frame of every stack is therefore one of this file.
 */
(function (K, global) {
    'use strict';

    var setPrototypeOf = Object.setPrototypeOf, prototypeOf = Object.getPrototypeOf, BaseError;

    function wrap(name) {
        var Native = global[name], holder = {};
        holder[name] = function (message, options) {
            var error = message === undefined ? new Native() : new Native(message);
            if (this !== undefined && this !== null && this.constructor !== Wrapped && this instanceof Wrapped) setPrototypeOf(error, prototypeOf(this));
            if (options !== undefined && options !== null && typeof options === 'object' && 'cause' in options) K.define(error, 'cause', options.cause);
            return error;
        };
        var Wrapped = holder[name];
        Object.defineProperty(Wrapped, 'name', { value: name, configurable: true });
        Object.defineProperty(Wrapped, 'length', { value: 1, configurable: true });
        Object.defineProperty(Wrapped, 'prototype', { value: Native.prototype, writable: false, enumerable: false, configurable: false });
        K.define(Native.prototype, 'constructor', Wrapped);
        if (BaseError) setPrototypeOf(Wrapped, BaseError);
        K.global(name, Wrapped);
        return Wrapped;
    }

    BaseError = wrap('Error');
    ['EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError'].forEach(wrap);

    /* An error kind of our own: `fill(error, arguments)` puts its members in. */
    function derive(name, length, at, fill) {
        var holder = {};
        holder[name] = function (a, b, c) {
            var given = [a, b, c], message = given[at], prototype = this instanceof Derived ? prototypeOf(this) : Derived.prototype;
            var error = K.makeError(prototype, message === undefined ? '' : String(message)), options = given[at + 1];
            if (options !== undefined && options !== null && typeof options === 'object' && 'cause' in options) K.define(error, 'cause', options.cause);
            fill(error, a, b);
            return error;
        };
        var Derived = holder[name];
        Object.defineProperty(Derived, 'name', { value: name, configurable: true });
        Object.defineProperty(Derived, 'length', { value: length, configurable: true });
        Derived.prototype = Object.create(BaseError.prototype);
        K.define(Derived.prototype, 'constructor', Derived);
        K.define(Derived.prototype, 'name', name);
        K.define(Derived.prototype, 'message', '');
        setPrototypeOf(Derived, BaseError);
        K.global(name, Derived);
    }
    derive('AggregateError', 2, 1, function (error, errors) { K.define(error, 'errors', Array.from(errors)); });
    derive('SuppressedError', 3, 2, function (error, thrown, suppressed) {
        K.define(error, 'error', thrown);
        K.define(error, 'suppressed', suppressed);
    });

    K.define(BaseError, 'isError', function isError(value) {
        return value !== null && typeof value === 'object' && Object.prototype.toString.call(value) === '[object Error]';
    });
}(__kernel, globalThis));
