/*
 * Error and its kinds with `cause`, AggregateError and SuppressedError.
 *
 * The engine keeps an error's stack where its own constructor makes it, so these only dress what
 * that one gives.  The first frame of every stack is therefore one of this file.
 */
(function (K, global) {
    'use strict';

    var setPrototypeOf = Object.setPrototypeOf, prototypeOf = Object.getPrototypeOf, defineProperty = Object.defineProperty, isExtensible = Object.isExtensible, READ = K.secret('read'), raw = false, BaseError;

    function wrap(name) {
        var Native = global[name], holder = {};
        holder[name] = function (message, options) {
            var error = message === undefined ? new Native() : new Native(message);
            if (this !== undefined && this !== null && this.constructor !== Wrapped && this instanceof Wrapped) setPrototypeOf(error, prototypeOf(this));
            if (options !== undefined && options !== null && typeof options === 'object' && 'cause' in options) K.define(error, 'cause', options.cause);
            return error;
        };
        var Wrapped = holder[name];
        defineProperty(Wrapped, 'name', { value: name, configurable: true });
        defineProperty(Wrapped, 'length', { value: 1, configurable: true });
        defineProperty(Wrapped, 'prototype', { value: Native.prototype, writable: false, enumerable: false, configurable: false });
        K.define(Native.prototype, 'constructor', Wrapped);
        if (BaseError) setPrototypeOf(Wrapped, BaseError);
        K.global(name, Wrapped);
        return Wrapped;
    }

    BaseError = wrap('Error');

    /*
     * `stack` without the frames of the engine and of the prelude, which say nothing to an author, and with the
     * message that is shown everywhere else.  For scripts it shows places in the author's files, and stays what it was
     * when it was read first, as in other engines; for the server it is as the engine has it.
     */
    var described = Object.getOwnPropertyDescriptor(BaseError.prototype, 'stack'), readStack = K.free(described.get);
    var replace = K.captured.replace, MADE_FRAME = /^ {4}at (\S+) \(compile:(\d+)\).*$/;
    var split = K.captured.split, join = K.captured.join, test = K.captured.test, indexOf = K.captured.indexOf, OWN_FRAME = /^\s*at .*\((?:eval:\d+|duk_\w+\.c:\d+|)\)|^\s*at .*\) native\b/;
    defineProperty(BaseError.prototype, 'stack', {
        get: function () {
            if (!raw && this !== null && this !== undefined && K.own(this, READ)) return this[READ];
            var text = readStack(this);
            if (typeof text !== 'string') return text;
            text = readableStack(this, text);
            if (!raw && isExtensible(this)) defineProperty(this, READ, { value: text });
            return text;
        },
        set: described.set, configurable: true, enumerable: false
    });

    /* A frame of code that the script has made while it ran; a program of `eval` has no function. */
    function madeFrame(frame, name, line) { return '    at ' + (name === '__generated' ? 'eval' : name) + ' (<anonymous>:' + line + ')'; }

    function readableStack(error, text) {
        var lines = split(text, '\n'), remaining = [];
        for (var i = 0; i < lines.length; i++) if (!test(OWN_FRAME, lines[i])) remaining[remaining.length] = raw ? lines[i] : replace(lines[i], MADE_FRAME, madeFrame);
        text = join(remaining, '\n');
        if (!raw) text = K.readableStack(text);
        var message = error.message, shown = typeof message === 'string' && K.message !== undefined ? K.message(message, error.name) : message;
        if (shown === message || message === '') return text;
        var at = indexOf(text, message);
        return at < 0 ? text : text.slice(0, at) + shown + text.slice(at + message.length);
    }

    /* What `stack` of an error is to the server. */
    K.rawStack = function (error) {
        raw = true;
        try {
            return error.stack;
        } finally {
            raw = false;
        }
    };

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
