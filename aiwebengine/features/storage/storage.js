/*
 * What scripts store, beyond the host calls themselves: `key` and `length` of `sharedStorage` and
 * `personalStorage`, which have the shape of the Web Storage standard, and of `kv` what is made of several calls.
 *
 * `length` cannot ask the host, for a getter cannot wait; it is known once key() or clear() was called in
 * the invocation, and kept right from there on.
 */
(function (K) {
    'use strict';

    var define = K.define, own = K.own, defineProperty = Object.defineProperty;

    function method(object, name, work) {
        defineProperty(work, 'name', { value: name, configurable: true });
        define(object, name, work);
    }

    // -- sharedStorage, personalStorage ----------------------------------------------------------

    function storage(name) {
        var object = K.object(name), names = null, seenIn = null;

        function current() {
            if (seenIn !== K.run) { names = null; seenIn = K.run; }
            return names;
        }

        K.adapt(name + '.setItem', { result: function (answer, sent) {
            if (current() !== null && names.indexOf(sent[0]) < 0) { names[names.length] = sent[0]; names.sort(); }
        } });
        K.adapt(name + '.removeItem', { result: function (answer, sent) {
            if (current() !== null) names = names.filter(function (one) { return one !== sent[0]; });
        } });
        K.adapt(name + '.clear', { result: function () {
            current();
            names = [];
        } });
        method(object, 'key', function (index) {
            if (current() === null) names = K.hostCallSync(name + '.keys', []);
            var at = Number(index) >>> 0;
            return at < names.length ? names[at] : null;
        });
        K.getter(object, 'length', function () {
            if (current() === null) throw K.HostError({ code: 'unsupported', call: name + '.length', message: name + '.length is known after ' + name + '.key(0) was called in this invocation: a getter cannot wait for the host.' });
            return names.length;
        });
        defineProperty(object, Symbol.toStringTag, { value: 'Storage', configurable: true });
    }

    ['sharedStorage', 'personalStorage'].forEach(storage);

    // -- kv --------------------------------------------------------------------------------------

    var kv = K.object('kv'), set = kv.set, watches = 0;

    function refused(call, message) { return K.HostError({ code: 'invalid', call: call, message: call + ': ' + message }); }

    function read(key) { return K.hostCall('kv.get', [key], function (value) { return value === null ? undefined : value; }); }

    /* A promise of what `work` gives, which it may be itself; what it throws is a rejection. */
    function promised(work) {
        var after = K.pending();
        try { K.resolve(after, work()); } catch (error) { K.reject(after, error); }
        return after;
    }

    K.adapt('kv.get', { result: function (entry) { return entry === null ? undefined : entry.value; } });

    method(kv, 'getWithVersion', function (key) {
        return promised(function () { return read(K.textOf('kv.getWithVersion', 'key', key)); });
    });

    /* Reads, lets `change` make the next value, and writes it if nobody else has written meanwhile. */
    method(kv, 'update', function (key, change, options) {
        var left = options && own(options, 'retries') ? Number(options.retries) : 3;
        return promised(function () {
            if (typeof change !== 'function') throw refused('kv.update', 'the second argument must be a function; ' + K.quote(change) + ' was given.');
            return attempt(K.textOf('kv.update', 'key', key), change, left);
        });
    });

    function attempt(key, change, left) {
        var after = K.pending();
        function failed(error) { K.reject(after, error); }
        K.when(read(key), function (current) {
            var value;
            try { value = change(current === undefined ? undefined : current.value); } catch (error) { failed(error); return; }
            K.when(value, function (made) {
                K.when(set(key, made, { ifVersion: current === undefined ? null : current.version }), function () { K.resolve(after, made); }, function (error) {
                    if (left > 0 && error instanceof K.HostError && error.code === 'conflict') K.resolve(after, attempt(key, change, left - 1));
                    else failed(error);
                });
            }, failed);
        }, failed);
        return after;
    }

    /* What is committed now, then the newest after each commit. */
    method(kv, 'watch', function (what) {
        var id = ++watches, queue = [], over = false;
        var asks = typeof what === 'string' ? { key: what } : what !== null && typeof what === 'object' && typeof what.prefix === 'string' ? { prefix: what.prefix } : {};
        function give() {
            if (queue.length === 0) return { value: undefined, done: true };
            var first = queue[0];
            for (var i = 1; i < queue.length; i++) queue[i - 1] = queue[i];
            queue.length -= 1;
            return { value: first, done: false };
        }
        var iterator = {};
        define(iterator, 'next', function () {
            if (queue.length > 0 || over) return K.Promise.resolve(give());
            return K.hostCall('kv.watch', [id, asks], function (entries) {
                if (entries === null) over = true;
                else for (var i = 0; i < entries.length; i++) queue[queue.length] = entries[i];
                return give();
            });
        });
        define(iterator, 'return', function (value) {
            over = true;
            queue = [];
            return K.hostCall('kv.unwatch', [id], function () { return { value: value, done: true }; });
        });
        define(iterator, Symbol.asyncIterator, function () { return iterator; });
        return iterator;
    });
}(__kernel));
