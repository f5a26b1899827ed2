/*
 * One invocation: from the run box to the answer, and what may go on after it.
 *
 * It ends when the handler has returned and every call it issued is answered, or when it fails; what
 * is left then (timers, promises that wait, late answers) is dropped, so that nothing of it acts as
 * the next one.
 *
 *     kind        what runs; K.kinds has the function that starts it
 *     settled     the handler has returned, and `answer` is what the wire gets
 *     failure     null, or the text after F
 *     stream      the body that is being read, null if none
 *     sent        the answer is at the host already (a streamed body, or waitUntil)
 *     waiting     how many promises waitUntil was given that are not fulfilled
 *     late        what one of them was rejected with before the answer was out
 *     quiet       what to do when no call is open any more, null if nothing
 *     cancelled   the client disconnected
 */
(function (K, global) {
    'use strict';

    var own = K.own, quoteText = K.quoteText, slice = K.captured.slice, indexOf = K.captured.indexOf, apply = K.captured.apply, safeText = K.safeText;
    var resolvePromise = K.free(K.Promise.resolve), PromiseClass = K.Promise;
    var STREAMED = { h: '{"streamed":true}', e: 'n', v: '' };
    var LONGEST_HEAD = 60000;

    K.run = null;
    K.handlers = [];
    K.kinds = K.bare();

    /* Calls fulfilled(value, about) or failed(error, about) when the value, perhaps a promise, is there. */
    function when(value, fulfilled, failed, about) {
        K.listen(K.isPromise(value) ? value : resolvePromise(PromiseClass, value), fulfilled, failed, about);
    }
    K.when = when;

    function isThenable(value) { return value !== null && typeof value === 'object' && typeof value.then === 'function'; }
    K.isThenable = isThenable;

    /* A literal: several times faster here than a constructor. */
    function newRun(kind, box, deadline) {
        return {
            kind: kind, box: box, deadline: deadline, settled: false, sent: false, cancelled: false, warned: false, ending: false,
            answer: null, failure: null, stream: null, abort: null, quiet: null, late: null, waiting: 0
        };
    }

    var rejected = [];
    K.onRejected = function (promise, reason) { if (K.run !== null) rejected[rejected.length] = { promise: promise, reason: reason }; };
    K.onHandled = function (promise) {
        for (var i = 0; i < rejected.length; i++) {
            if (rejected[i].promise !== promise) continue;
            for (; i + 1 < rejected.length; i++) rejected[i] = rejected[i + 1];
            rejected.length = i;
            return;
        }
    };
    /* Makes of a rejection that nobody caught the failure of the run; false if there is none. */
    K.failRejected = function () {
        if (rejected.length === 0) return false;
        K.failWith(rejected[0].reason);
        return true;
    };

    K.begin = function (kind, box, now, deadline) {
        var start = K.kinds[kind];
        if (start === undefined) throw new Error('invocations of kind ' + safeText(kind) + ' are unknown to this sandbox');
        var run = newRun(kind, box, deadline);
        if (rejected.length > 0) rejected = [];
        K.startClock(now, box.seed);
        K.beginLog();
        K.resetConsole();
        K.run = run;
        K.job(start, run, box);
    };

    K.end = function () {
        K.run = null;
        K.world.clear();
        K.calls.clear();
        K.dropTimers();
        if (rejected.length > 0) rejected = [];
    };

    // -- an HTTP request ----------------------------------------------------------------------

    K.kinds.http = function (run, box) {
        var entry = K.handlers[box.h];
        if (entry === undefined || entry.fn === null) throw new Error('this version has no handler ' + safeText(box.h));
        var fn = entry.fn, value;
        try {
            var req = K.makeRequest(box.q), ctx = makeContext(run, req);
            if (box.q.automatic !== undefined) value = passOn(K.between(), 0, automaticOf(box.q.automatic), req, ctx);
            else value = entry.chain === null ? fn(req, ctx) : passOn(entry.chain, 0, fn, req, ctx);
        } catch (error) {
            threw(run, error);
            return;
        }
        if (isThenable(value)) when(value, returned, rejectedWith, run);
        else returned(value, run);
    };

    /* What the server would answer by itself, as a handler behind the script's middleware. */
    function automaticOf(document) {
        return function automatic() { return K.madeAnswer(document.status, document.headers, document.body); };
    }

    function returned(value, run) { giveAnswer(run, value, false); }
    function rejectedWith(error, run) { threw(run, error); }

    /* The i-th middleware, whose next() is a promise of what comes after it. */
    function passOn(chain, i, fn, req, ctx) {
        if (i === chain.length) return fn(req, ctx);
        var called = false, middleware = chain[i];
        return middleware(req, ctx, { next() {
            var after = K.pending();
            try {
                if (called) throw new Error('next() was called twice by one middleware; keep what the first call gave.');
                called = true;
                K.resolve(after, passOn(chain, i + 1, fn, req, ctx));
            } catch (error) {
                K.reject(after, error);
            }
            return after;
        } }.next);
    }

    /* What an earlier invocation left behind may settle late; it must not act as this one. */
    function fail(run, error, code) { if (run === K.run) K.failWith(error, code); }

    function threw(run, error) {
        if (error instanceof K.HttpError) giveAnswer(run, error, true);
        else fail(run, error);
    }

    function giveAnswer(run, value, thrown) {
        if (run !== K.run) return;
        var answer;
        try {
            answer = K.toAnswer(value, thrown);
        } catch (error) {
            invalidAnswer(run, error, thrown);
            return;
        }
        if (K.isPromise(answer)) when(answer, settle, thrown ? failedAgain : failedAnswer, run);
        else settle(answer, run);
    }

    K.giveAnswer = function (run, value) { giveAnswer(run, value, false); };

    function failedAnswer(error, run) { invalidAnswer(run, error, false); }
    function failedAgain(error, run) { invalidAnswer(run, error, true); }

    /* Making the answer runs the author's code too (toJSON, an Html promise), which may throw an answer of its own. */
    function invalidAnswer(run, error, thrown) {
        if (error instanceof K.NotSerializable) placed(error, K.handlers[run.box.h]);
        if (!thrown && error instanceof K.HttpError) giveAnswer(run, error, true);
        else fail(run, error, error instanceof TypeError ? 'invalid_answer' : 'thrown');
    }

    /* No line of the script's runs when its answer is looked at: the place is where the handler was registered. */
    function placed(error, entry) {
        var frames = entry === undefined || typeof entry.stack !== 'string' ? -1 : indexOf(entry.stack, '\n');
        if (frames >= 0) K.define(error, 'stack', 'TypeError: ' + error.message + slice(entry.stack, frames));
    }
    K.placed = placed;

    function settle(answer, run) {
        if (run !== K.run) return;
        if (answer.h.length > LONGEST_HEAD) {
            K.failWith(new TypeError('The headers of the answer have ' + answer.h.length + ' characters; ' + LONGEST_HEAD + ' are the most.'), 'invalid_answer');
        } else if (own(answer, 'stream')) {
            run.stream = answer.stream;
            run.sent = true;
            K.ask('answer.start', '[' + quoteText(answer.h) + ']', tookPart, run);
        } else {
            run.answer = answer;
            run.settled = true;
            // What waitUntil was given may never come back from its next step: the answer must not depend on it.
            if (run.waiting > 0 && run.kind !== 'load' && rejected.length === 0 && K.hasMore()) {
                K.sendAnswer(run);
                K.breathe();
            }
        }
    }

    /* The answer leaves while waitUntil goes on. */
    K.sendAnswer = function (run) {
        var answer = run.answer;
        run.sent = true;
        run.answer = STREAMED;
        K.ask('answer.send', '[' + quoteText(answer.h) + ',"' + answer.e + '",' + quoteText(answer.v) + ']', answerSent, run);
    };
    function answerSent(given, run) {
        if (own(given, 'err')) fail(run, K.HostError(given.err));
        else K.failLate(run);
    }

    // -- a streamed body: one part at a time, the host answers when the client has taken it ------

    function tookPart(given, run) {
        if (own(given, 'err')) { endStream(K.HostError(given.err), run); return; }
        var step;
        try {
            step = run.stream.next();
        } catch (error) {
            endStream(error, run);
            return;
        }
        when(step, sendPart, endStream, run);
    }

    function sendPart(part, run) {
        if (run !== K.run || run.ending) return;
        if (part.done) {
            run.answer = STREAMED;
            run.settled = true;
            K.failLate(run);
        } else if (run.cancelled) {
            leave(run);
        } else {
            K.ask('answer.write', '["' + part.e + '",' + quoteText(part.v) + ']', tookPart, run);
        }
    }

    function leave(run) { endStream(K.HostError({ code: 'closed', call: 'answer.write', message: 'The client disconnected.' }), run); }

    /* Lets the author's iterable close what it opened (`finally`), then fails. */
    function endStream(error, run) {
        if (run.ending) return;
        run.ending = true;
        function ended() { fail(run, error); }
        try {
            when(run.stream.end(), ended, ended);
        } catch (worse) {
            ended();
        }
    }

    // -- the second argument ------------------------------------------------------------------

    /* The budget is read when somebody asks: most handlers do not. */
    var invocationPrototype = Object.create(Object.prototype), setPrototypeOf = Object.setPrototypeOf;
    K.getter(invocationPrototype, 'budget', function () {
        var document = K.run === null ? undefined : K.run.box.b;
        return document === undefined ? null : K.parse(document);
    });

    /* Handlers that are called together have their request one level deeper. */
    K.getter(invocationPrototype, 'traceparent', function () {
        var q = K.run === null ? undefined : K.run.box.q;
        if (q === undefined || q === null) return null;
        return q.trace || q.r !== undefined && q.r.trace || null;
    });

    function makeContext(run, request) {
        var box = run.box;
        return {
            user: box.user === undefined ? null : box.user,
            script: { uri: box.script, version: box.version },
            invocation: setPrototypeOf({ id: box.i, deadline: run.deadline }, invocationPrototype),
            request: request,
            log: K.console,
            // Neither has a `prototype`, which would be a cycle for the garbage collector.
            get signal() { return signalOf(run); },
            waitUntil(promise) { goOn(run, promise); }
        };
    }
    K.makeContext = makeContext;

    /* The same, but the request is made when somebody asks for it, which takes longer than most resolvers. */
    K.makeLateContext = function (run) {
        var box = run.box, request = null;
        return {
            user: box.user === undefined ? null : box.user,
            script: { uri: box.script, version: box.version },
            invocation: setPrototypeOf({ id: box.i, deadline: run.deadline }, invocationPrototype),
            get request() {
                if (request === null && box.q.r !== undefined) request = K.makeRequest(box.q.r);
                return request;
            },
            log: K.console,
            get signal() { return signalOf(run); },
            waitUntil(promise) { goOn(run, promise); }
        };
    };

    /* Made when somebody asks: most handlers do not. */
    function signalOf(run) {
        if (run.abort === null) {
            run.abort = new K.AbortController();
            if (run.cancelled) run.abort.abort();
        }
        return run.abort.signal;
    }

    function goOn(run, promise) {
        if (run !== K.run) throw K.HostError({ code: 'closed', call: 'waitUntil', message: 'waitUntil was called after its invocation had ended.' });
        run.waiting++;
        when(promise, wentOn, failedAfter, run);
    }
    function wentOn(value, run) { run.waiting--; }
    /* The answer is a unit of its own: it leaves first, then this fails. */
    function failedAfter(error, run) {
        if (run.sent && run.settled) fail(run, error);
        else run.late = { error: error };
    }

    K.failLate = function (run) { if (run.late !== null) fail(run, run.late.error); };

    /* The client disconnected: what is open fails, and the script is told; a stream is cancelled though nothing of it is being written. */
    K.cancel = function () {
        var run = K.run, document = { err: { code: 'closed', message: 'The invocation is cancelled: the client disconnected.' } };
        if (run.cancelled) return;
        run.cancelled = true;
        K.calls.settleAll(document);
        if (run.abort !== null) K.job(abort, run);
        if (run.stream !== null) K.job(leave, run);
        if (K.world.waitsFor() !== null) K.world.resume(document);
    };
    function abort(run) { run.abort.abort(); }

    // -- failures -----------------------------------------------------------------------------

    /* The first failure counts; of what follows from it nobody needs to know. */
    K.failWith = function (error, code) {
        var run = K.run;
        if (run === null || run.failure !== null) return;
        run.failure = K.described(code || 'thrown', error);
        if (run.kind === 'load') run.failure = K.withRefusals(run.failure, error);
    };
}(__kernel, globalThis));
