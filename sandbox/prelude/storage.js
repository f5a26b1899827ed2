/*
 * What scripts store: `sharedStorage` and `personalStorage` in the shape of the Web Storage standard,
 * synchronous, and `kv`, whose calls are promises.
 *
 * `length` cannot ask the host, for a getter cannot wait; it is known once key() or clear() was called in
 * the invocation, and kept right from there on.
 */
(function (K, global) {
    'use strict';

    var define = K.define, own = K.own;

    function refuse(call, message) { throw K.HostError({ code: 'invalid', call: call, message: call + ': ' + message }); }

    function keyOf(call, key) {
        if (key === undefined) refuse(call, 'the key is missing.');
        if (typeof key === 'symbol') refuse(call, 'a key is text; a symbol was given.');
        return String(key);
    }

    // -- sharedStorage, personalStorage ----------------------------------------------------------

    function storage(name) {
        var object = {}, names = null, seenIn = null;

        function current() {
            if (seenIn !== K.run) { names = null; seenIn = K.run; }
            return names;
        }
        function method(member, work) {
            var call = name + '.' + member;
            var made = { made: function () { return work(call, arguments); } }.made;
            Object.defineProperty(made, 'name', { value: member, configurable: true });
            define(object, member, made);
        }
        function load() {
            if (current() === null) names = K.hostCallSync(name + '.keys', []);
            return names;
        }

        method('getItem', function (call, args) { return K.hostCallSync(call, [keyOf(call, args[0])]); });
        method('setItem', function (call, args) {
            var key = keyOf(call, args[0]), value = args[1];
            if (value !== null && typeof value === 'object' || typeof value === 'function' || value === undefined || typeof value === 'symbol') {
                refuse(call, 'only text is stored; ' + K.quote(value) + ' was given. Use JSON.stringify, or kv.set, which takes any value.');
            }
            K.hostCallSync(call, [key, String(value)]);
            if (current() !== null && names.indexOf(key) < 0) { names[names.length] = key; names.sort(); }
        });
        method('removeItem', function (call, args) {
            var key = keyOf(call, args[0]);
            K.hostCallSync(call, [key]);
            if (current() !== null) names = names.filter(function (one) { return one !== key; });
        });
        method('clear', function (call) {
            K.hostCallSync(call, []);
            current();
            names = [];
        });
        method('key', function (call, args) {
            var all = load(), at = Number(args[0]) >>> 0;
            return at < all.length ? all[at] : null;
        });
        Object.defineProperty(object, 'length', {
            get: function () {
                if (current() === null) throw K.HostError({ code: 'unsupported', call: name + '.length', message: name + '.length is known after ' + name + '.key(0) was called in this invocation: a getter cannot wait for the host.' });
                return names.length;
            },
            enumerable: false, configurable: true
        });
        Object.defineProperty(object, Symbol.toStringTag, { value: 'Storage', configurable: true });
        K.global(name, object);
    }

    storage('sharedStorage');
    storage('personalStorage');

    // -- kv --------------------------------------------------------------------------------------

    var kv = {}, watches = 0;

    function member(name, work) {
        Object.defineProperty(work, 'name', { value: name, configurable: true });
        define(kv, name, work);
    }

    /* A promise of what `make` gives of the host's answer; an error in the arguments is a rejection, too. */
    function asked(name, prepare, make) {
        var after = K.pending();
        try {
            K.listen(K.hostCall('kv.' + name, prepare()), function (answer) {
                try { K.resolve(after, make === undefined ? answer : make(answer)); } catch (error) { K.reject(after, error); }
            }, function (error) { K.reject(after, error); });
        } catch (error) {
            K.reject(after, error);
        }
        return after;
    }

    function options(given) { return given === undefined || given === null ? null : given; }

    member('get', function (key) {
        return asked('get', function () { return [keyOf('kv.get', key)]; }, function (found) { return found === null ? undefined : found.value; });
    });
    member('getWithVersion', function (key) {
        return asked('get', function () { return [keyOf('kv.getWithVersion', key)]; }, function (found) { return found === null ? undefined : found; });
    });
    member('set', function (key, value, given) {
        return asked('set', function () {
            if (value === undefined || typeof value === 'function' || typeof value === 'symbol') refuse('kv.set', 'a value is anything that JSON can hold; ' + K.quote(value) + ' was given. Use kv.delete to remove a key.');
            return [keyOf('kv.set', key), value, options(given)];
        });
    });
    member('delete', function (key, given) {
        return asked('delete', function () { return [keyOf('kv.delete', key), options(given)]; });
    });
    member('increment', function (key, by) {
        return asked('increment', function () { return [keyOf('kv.increment', key), by === undefined ? null : by]; });
    });
    member('list', function (given) {
        return asked('list', function () { return [options(given)]; });
    });

    /* Reads, lets fn make the next value, and writes it if nobody else has written meanwhile. */
    member('update', function (key, fn, given) {
        var after = K.pending(), left = given && own(given, 'retries') ? Number(given.retries) : 3;
        function failed(error) { K.reject(after, error); }
        function attempt() {
            K.when(kv.getWithVersion(key), function (found) {
                try {
                    K.when(fn(found === undefined ? undefined : found.value), function (value) {
                        K.when(kv.set(key, value, { ifVersion: found === undefined ? null : found.version }), function () { K.resolve(after, value); }, again);
                    }, failed);
                } catch (error) {
                    failed(error);
                }
            }, failed);
        }
        function again(error) {
            if (left-- > 0 && error instanceof K.HostError && error.code === 'conflict') attempt();
            else failed(error);
        }
        if (typeof fn !== 'function') failed(K.HostError({ code: 'invalid', call: 'kv.update', message: 'kv.update: the second argument must be a function; ' + K.quote(fn) + ' was given.' }));
        else attempt();
        return after;
    });

    /* What is committed now, then the newest after each commit. */
    member('watch', function (what) {
        var id = ++watches, told = [], over = false;
        var asks = typeof what === 'string' ? { key: what } : what !== null && typeof what === 'object' && typeof what.prefix === 'string' ? { prefix: what.prefix } : {};
        function give() {
            if (told.length === 0) return { value: undefined, done: true };
            var first = told[0];
            for (var i = 1; i < told.length; i++) told[i - 1] = told[i];
            told.length -= 1;
            return { value: first, done: false };
        }
        var iterator = {};
        define(iterator, 'next', function () {
            if (told.length > 0 || over) return K.Promise.resolve(give());
            return asked('watch', function () { return [id, asks]; }, function (entries) {
                if (entries === null) over = true;
                else for (var i = 0; i < entries.length; i++) told[told.length] = entries[i];
                return give();
            });
        });
        define(iterator, 'return', function (value) {
            over = true;
            told = [];
            return asked('unwatch', function () { return [id]; }, function () { return { value: value, done: true }; });
        });
        define(iterator, Symbol.asyncIterator, function () { return iterator; });
        return iterator;
    });

    Object.defineProperty(kv, Symbol.toStringTag, { value: 'kv', configurable: true });
    K.global('kv', kv);
}(__kernel, globalThis));
