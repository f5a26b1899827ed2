/*
 * ReadableStream: the part of the Streams standard that answers and bodies need.
 *
 * Default readers, pull sources with back pressure, tee, async iteration, `from`.  No byte readers,
 * no transform streams: an async generator does their work.
 *
 * For other files: K.ReadableStream, K.streamOf(bytes), K.readAll(stream) -> promise of Uint8Array.
 */
(function (K) {
    'use strict';

    var P = K.Promise;

    /* The state of a stream; the stream, its controller and its reader share it. */
    function State(source, strategy) {
        this.source = source;
        this.queue = [];
        this.size = 0;
        this.limit = strategy.highWaterMark === undefined ? 1 : Number(strategy.highWaterMark);
        this.measure = strategy.size;
        this.waiting = [];
        this.reader = null;
        this.closed = false;
        this.closing = false;
        this.failed = false;
        this.error = undefined;
        this.started = false;
        this.pulling = false;
        this.again = false;
        this.ended = P.withResolvers();
        K.markHandled(this.ended.promise);
    }

    function ReadableStream(source, strategy) {
        if (!(this instanceof ReadableStream)) throw new TypeError("Class constructor ReadableStream cannot be invoked without 'new'");
        source = source === undefined || source === null ? {} : source;
        if (source.type !== undefined && source.type !== 'bytes') throw new TypeError('ReadableStream: type ' + K.quote(source.type) + ' is not supported');
        var state = K.hide(this, new State(source, strategy || {}));
        state.controller = new Controller(state);
        var begun = typeof source.start === 'function' ? source.start(state.controller) : undefined;
        P.resolve(begun).then(function () {
            state.started = true;
            pull(state);
        }, function (error) { fail(state, error); });
    }

    function Controller(state) { K.hide(this, state); }
    K.getter(Controller.prototype, 'desiredSize', function () {
        var state = K.hidden(this);
        return state.failed ? null : state.closed ? 0 : state.limit - state.size;
    });
    K.define(Controller.prototype, 'enqueue', function enqueue(chunk) {
        var state = K.hidden(this);
        if (state.closing || state.closed || state.failed) throw new TypeError('ReadableStream: it is closed, nothing can be enqueued');
        if (state.waiting.length) state.waiting.shift().resolve({ value: chunk, done: false });
        else {
            var weight = state.measure ? Number(state.measure(chunk)) : 1;
            state.queue.push([chunk, weight]);
            state.size += weight;
        }
        pull(state);
    });
    K.define(Controller.prototype, 'close', function close() {
        var state = K.hidden(this);
        if (state.closing || state.closed || state.failed) throw new TypeError('ReadableStream: it is closed already');
        state.closing = true;
        if (!state.queue.length) finish(state);
    });
    K.define(Controller.prototype, 'error', function error(reason) { fail(K.hidden(this), reason); });

    function finish(state) {
        state.closed = true;
        while (state.waiting.length) state.waiting.shift().resolve({ value: undefined, done: true });
        state.ended.resolve(undefined);
    }

    function fail(state, reason) {
        if (state.closed || state.failed) return;
        state.failed = true;
        state.error = reason;
        state.queue = [];
        while (state.waiting.length) state.waiting.shift().reject(reason);
        state.ended.reject(reason);
    }

    /* Asks the source for more while somebody waits or the queue has room; one pull at a time. */
    function pull(state) {
        if (!state.started || state.closing || state.closed || state.failed || typeof state.source.pull !== 'function') return;
        if (!state.waiting.length && state.size >= state.limit) return;
        if (state.pulling) { state.again = true; return; }
        state.pulling = true;
        new P(function (resolve) { resolve(state.source.pull(state.controller)); }).then(function () {
            state.pulling = false;
            if (state.again) { state.again = false; pull(state); }
        }, function (error) { fail(state, error); });
    }

    function read(state) {
        if (state.queue.length) {
            var entry = state.queue.shift();
            state.size -= entry[1];
            if (state.closing && !state.queue.length) finish(state);
            else pull(state);
            return P.resolve({ value: entry[0], done: false });
        }
        if (state.failed) return P.reject(state.error);
        if (state.closed) return P.resolve({ value: undefined, done: true });
        var wait = P.withResolvers();
        state.waiting.push(wait);
        pull(state);
        return wait.promise;
    }

    function cancel(state, reason) {
        if (state.failed) return P.reject(state.error);
        if (state.closed) return P.resolve();
        state.queue = [];
        finish(state);
        return new P(function (resolve) {
            resolve(typeof state.source.cancel === 'function' ? state.source.cancel(reason) : undefined);
        }).then(function () {});
    }

    function Reader(stream) {
        if (!(stream instanceof ReadableStream)) throw new TypeError('ReadableStreamDefaultReader: expected a ReadableStream');
        var state = K.hidden(stream);
        if (state.reader) throw new TypeError('ReadableStream: it is locked to a reader already');
        state.reader = this;
        K.hide(this, state);
        K.define(this, 'closed', state.ended.promise, true);
    }
    function own(reader) {
        var state = K.hidden(reader);
        if (state.reader !== reader) throw new TypeError('ReadableStream: this reader has released its lock');
        return state;
    }
    K.define(Reader.prototype, 'read', function () {
        try { return read(own(this)); } catch (error) { return P.reject(error); }
    });
    K.define(Reader.prototype, 'cancel', function (reason) {
        try { return cancel(own(this), reason); } catch (error) { return P.reject(error); }
    });
    K.define(Reader.prototype, 'releaseLock', function releaseLock() {
        var state = K.hidden(this);
        if (state.reader !== this) return;
        state.reader = null;
        while (state.waiting.length) state.waiting.shift().reject(new TypeError('ReadableStream: the reader released its lock'));
    });

    K.getter(ReadableStream.prototype, 'locked', function () { return K.hidden(this).reader !== null; });
    K.define(ReadableStream.prototype, 'getReader', function getReader(options) {
        if (options && options.mode !== undefined) throw new TypeError('ReadableStream: only default readers are supported');
        return new Reader(this);
    });
    K.define(ReadableStream.prototype, 'cancel', function (reason) {
        var state = K.hidden(this);
        return state.reader ? P.reject(new TypeError('ReadableStream: it is locked to a reader')) : cancel(state, reason);
    });

    /* Two streams of the same chunks; the source is read no faster than the slower of them asks. */
    K.define(ReadableStream.prototype, 'tee', function tee() {
        var reader = this.getReader(), branches = [], left = 2;
        function each(act) { for (var i = 0; i < branches.length; i++) if (!branches[i].done) act(branches[i].controller); }
        function branch() {
            var entry = { done: false, controller: null };
            branches.push(entry);
            return new ReadableStream({
                start: function (controller) { entry.controller = controller; },
                pull: function () {
                    return reader.read().then(function (step) {
                        each(function (controller) { if (step.done) controller.close(); else controller.enqueue(step.value); });
                    }, function (error) { each(function (controller) { controller.error(error); }); });
                },
                cancel: function (reason) {
                    entry.done = true;
                    if (--left === 0) return reader.cancel(reason);
                }
            }, { highWaterMark: 0 });
        }
        return [branch(), branch()];
    });

    K.define(ReadableStream.prototype, 'values', function values(options) {
        var reader = this.getReader(), keep = !!(options && options.preventCancel), iterator = {};
        function ended() { reader.releaseLock(); }
        K.define(iterator, 'next', function () {
            return reader.read().then(function (step) { if (step.done) ended(); return step; }, function (error) { ended(); throw error; });
        });
        K.define(iterator, 'return', function (value) {
            var stop = keep ? P.resolve() : reader.cancel(value);
            ended();
            return stop.then(function () { return { value: value, done: true }; });
        });
        K.define(iterator, Symbol.asyncIterator, function () { return iterator; });
        return iterator;
    });
    K.define(ReadableStream.prototype, Symbol.asyncIterator, ReadableStream.prototype.values);
    K.define(ReadableStream.prototype, Symbol.toStringTag, 'ReadableStream', true);

    K.define(ReadableStream, 'from', function from(items) {
        var start = items === null || items === undefined ? undefined : items[Symbol.asyncIterator] || items[Symbol.iterator];
        if (typeof start !== 'function') throw new TypeError('ReadableStream.from: expected an iterable, not ' + K.quote(items));
        var iterator = start.call(items);
        return new ReadableStream({
            pull: function (controller) {
                return P.resolve(iterator.next()).then(function (step) {
                    return P.resolve(step.value).then(function (value) { if (step.done) controller.close(); else controller.enqueue(value); });
                });
            },
            cancel: function (reason) { return typeof iterator['return'] === 'function' ? iterator['return'](reason) : undefined; }
        }, { highWaterMark: 0 });
    });

    K.streamOf = function (bytes) {
        return new ReadableStream({ start: function (controller) { if (bytes.length) controller.enqueue(bytes); controller.close(); } });
    };

    K.readAll = function (stream) {
        var reader = stream.getReader(), pieces = [];
        return reader.read().then(function more(step) {
            if (step.done) return K.blobBytes(new K.Blob(pieces));
            if (typeof step.value !== 'string' && !K.bytesOf(step.value)) throw new TypeError('A body stream gave ' + K.quote(step.value) + '; it must yield strings or bytes.');
            pieces.push(step.value);
            return reader.read().then(more);
        });
    };

    K.ReadableStream = ReadableStream;
    K.global('ReadableStream', ReadableStream);
    K.global('ReadableStreamDefaultReader', Reader);
}(__kernel));
