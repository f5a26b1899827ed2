/*
 * The Streams standard: its classes are loaded when a script first needs them.
 *
 * They come from npm (later/streams-library.js) and take half a megabyte and some twenty milliseconds.  A script whose source
 * names one has them loaded with it, so that all its clones share them; any other loads them when it first touches
 * such a global, a message's `body` or a blob's stream().
 *
 * For other files: K.streamClass(name) -> the class, K.isStream(value), K.isRead(stream),
 * K.streamOf(bytes), K.streamFrom(iterable), K.readAll(stream or iterable) -> promise of Uint8Array,
 * K.loadNamedIn(source).
 */
(function (K, global) {
    'use strict';

    var P = K.Promise, evaluate = K.captured.evaluate, indexOf = K.captured.indexOf;
    var classes = K.bare(), loaded = K.bare();
    var GROUPS = {
        streams: {
            names: [
                'ReadableStream', 'ReadableStreamDefaultReader', 'ReadableStreamBYOBReader', 'ReadableStreamDefaultController', 'ReadableByteStreamController',
                'ReadableStreamBYOBRequest', 'WritableStream', 'WritableStreamDefaultWriter', 'WritableStreamDefaultController', 'TransformStream',
                'TransformStreamDefaultController', 'ByteLengthQueuingStrategy', 'CountQueuingStrategy', 'TextEncoderStream', 'TextDecoderStream'
            ],
            signs: ['ReadableStream', 'WritableStream', 'TransformStream', 'QueuingStrategy', 'TextEncoderStream', 'TextDecoderStream', 'ompressionStream', '.getReader(', '.pipeTo(', '.pipeThrough(', '.tee(']
        },
        compression: { names: ['CompressionStream', 'DecompressionStream'], signs: ['ompressionStream'] },
        bigint: { names: ['BigInt', 'BigInt64Array', 'BigUint64Array'], signs: ['BigInt', 'BigUint64'] }
    };

    function load(group) {
        if (loaded[group]) return;
        var source = K.later[group];
        if (source === null) throw new Error('The library of ' + group + ' is missing in the server; install aiwebengine again, which builds it.');
        loaded[group] = true;
        // What the library would ask for is handed in: scripts may have replaced the globals.
        var made = evaluate('(function (__kernel, globalThis, Promise, structuredClone) {\'use strict\';' + source + '\n})');
        K.offer = function (name, value) {
            classes[name] = value;
            if (lazy[name]) K.global(name, value);
        };
        made(K, global, P, undefined);
    }

    /* Globals that are neither read nor replaced yet. */
    var lazy = K.bare();

    function offerLater(group, name) {
        lazy[name] = true;
        K.getter(global, name, function () {
            load(group);
            return classes[name];
        }, function (value) {
            lazy[name] = false;
            K.global(name, value);
        });
    }

    Object.keys(GROUPS).forEach(function (group) {
        GROUPS[group].names.forEach(function (name) { offerLater(group, name); });
    });

    K.loadNamedIn = function (source) {
        for (var group in GROUPS) {
            var signs = GROUPS[group].signs;
            if (K.later[group] === null) continue;
            for (var i = 0; i < signs.length && !loaded[group]; i++) if (indexOf(source, signs[i]) >= 0) load(group);
        }
    };

    function streamClass(name) {
        load('streams');
        return classes[name];
    }

    function isStream(value) { return loaded.streams === true && value instanceof classes.ReadableStream; }

    /* The bytes as a stream that byte readers can read too; what its reader does to them stays with them. */
    K.streamOf = function (bytes) {
        var Stream = streamClass('ReadableStream');
        return new Stream({
            type: 'bytes',
            start: function (controller) {
                if (bytes.length) controller.enqueue(new Uint8Array(bytes));
                controller.close();
            }
        });
    };

    K.streamFrom = function (items) { return streamClass('ReadableStream').from(items); };

    K.readAll = function (source) {
        var pieces = [], iterator, next, stop;
        if (isStream(source)) {
            iterator = source.getReader();
            next = iterator.read;
            stop = iterator.cancel;
        } else {
            iterator = source[Symbol.asyncIterator]();
            next = iterator.next;
            stop = iterator['return'];
        }
        function take(step) {
            if (step.done) return K.blobBytes(new K.Blob(pieces));
            if (typeof step.value !== 'string' && !K.bytesOf(step.value)) {
                var error = new TypeError('A body stream gave ' + K.quote(step.value) + '; it must yield strings or bytes.');
                function refuse() { throw error; }
                return typeof stop === 'function' ? P.resolve(stop.call(iterator, error)).then(refuse, refuse) : refuse();
            }
            pieces.push(step.value);
            return P.resolve(next.call(iterator)).then(take);
        }
        return P.resolve(next.call(iterator)).then(take);
    };

    K.streamClass = streamClass;
    K.isStream = isStream;
    K.isRead = function (stream) { return stream._disturbed; };
}(__kernel, globalThis));
