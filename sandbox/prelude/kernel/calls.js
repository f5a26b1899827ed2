/*
 * Functions for the host calls that the server has declared: `addNote`, `notes.get`, ...
 *
 * K.declared lists them (see sandbox/surface.py).  What a declaration cannot say a later file adds:
 *
 *   K.has(name)                   whether the server answers this call
 *   K.adapt(name, how)            how.arguments(given, call) makes of what was given what is sent;
 *                                 how.result(answer, sent) makes of the answer what the script gets
 *   K.object(name)                the object, for members that are no host call
 *   K.textOf(call, name, value)   a primitive value as the string that an argument takes; objects are refused
 */
(function (K, global) {
    'use strict';

    var own = K.own, define = K.define, split = K.captured.split, defineProperty = Object.defineProperty, toText = String;
    var functions = K.bare(), objects = K.bare();

    // -- arguments ----------------------------------------------------------------------------

    function refuse(call, message) { throw K.HostError({ code: 'invalid', call: call, message: call + ': ' + message }); }

    /* Neither symbols nor undefined become a string; with `primitive` objects and functions do not either. */
    function textOf(call, name, value, primitive, advice) {
        if (typeof value === 'string') return value;
        if (value === undefined) refuse(call, name + ' is missing.' + advice);
        var refused = typeof value === 'symbol' || primitive && value !== null && (typeof value === 'object' || typeof value === 'function');
        if (refused) refuse(call, name + ' must be a string; ' + K.quote(value) + ' was given.' + advice);
        return toText(value);
    }
    K.textOf = function (call, name, value) { return textOf(call, name, value, true, ''); };

    /* What is sent of what was given: as much as is declared, without what was left out at the end. */
    function sent(entry, given) {
        var list = [], declared = entry.declared, count = declared.length;
        for (var i = 0; i < count; i++) {
            var one = declared[i], value = given[i];
            if (one.converts !== undefined) {
                if (value !== undefined || !one.optional) value = textOf(entry.name, one.name, value, one.converts === 'primitive', one.advice);
            } else if (one.any && !one.optional && (value === undefined || typeof value === 'function' || typeof value === 'symbol')) {
                refuse(entry.name, one.name + ' must be something that JSON can hold; ' + K.quote(value) + ' was given.' + one.advice);
            }
            list[i] = value === undefined ? null : value;
        }
        while (count > 0 && (given[count - 1] === undefined || given[count - 1] === null && declared[count - 1].optional)) count--;
        list.length = count;
        return list;
    }

    // -- functions ----------------------------------------------------------------------------

    function same(value) { return value; }
    function nothing() { return undefined; }

    function synchronous(entry) {
        return { made: function () {
            var list = entry.prepare(entry, arguments);
            return entry.result(K.hostCallSync(entry.name, list), list);
        } }.made;
    }

    function asynchronous(entry) {
        return { made: function () {
            var list, after;
            try {
                list = entry.prepare(entry, arguments);
            } catch (error) {
                after = K.pending();
                K.reject(after, error);
                return after;
            }
            return K.hostCall(entry.name, list, entry.result);
        } }.made;
    }

    /* The object at the end of a path such as `crypto.subtle`; it may be there already. */
    function holderOf(path) {
        var names = split(path, '.'), holder = global;
        for (var i = 0; i < names.length - 1; i++) {
            if (!own(holder, names[i])) {
                var made = {};
                defineProperty(made, Symbol.toStringTag, { value: names[i], configurable: true });
                define(holder, names[i], made);
                objects[names[i]] = made;
            }
            holder = holder[names[i]];
        }
        return { object: holder, name: names[names.length - 1] };
    }

    function declare(call) {
        var entry = { name: call.name, declared: call.arguments, prepare: sent, result: call['void'] ? nothing : same };
        for (var i = 0; i < call.arguments.length; i++) {
            var one = call.arguments[i];
            one.advice = one.advice === undefined ? '' : ' ' + one.advice;
        }
        functions[call.name] = entry;
        var made = call.sync ? synchronous(entry) : asynchronous(entry), place = holderOf(call.name);
        defineProperty(made, 'name', { value: place.name, configurable: true });
        defineProperty(made, 'length', { value: call.arguments.filter(function (one) { return !one.optional; }).length, configurable: true });
        define(place.object, place.name, made);
    }

    K.declared.forEach(function (call) { if (call.arguments !== undefined) declare(call); });

    // -- for the files that follow ------------------------------------------------------------

    K.has = function (name) { return functions[name] !== undefined; };
    K.object = function (name) { return objects[name]; };
    K.adapt = function (name, how) {
        var entry = functions[name];
        if (entry === undefined) throw new Error('there is no host call ' + name);
        if (how.arguments !== undefined) entry.prepare = function (self, given) { return how.arguments(given, self.name); };
        if (how.result !== undefined) entry.result = how.result;
    };

    K.global('HostError', K.HostError);
}(__kernel, globalThis));
