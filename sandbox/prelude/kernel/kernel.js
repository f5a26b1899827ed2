/*
 * The kernel: how Python and JavaScript take turns.  This file runs first of all; pump.js ends it.
 *
 * No Python callable is reachable from JavaScript.  Python calls one function, the pump, with ASCII
 * text and gets ASCII text back.  Between two calls nothing of the script runs.
 *
 *   in   L<json>                       load: {source, seed, now, script, version, i, deadline}
 *        {...} or R{...}               run: {k, h, i, seed, t, q, user, script, version, b}, where t has what the time
 *                                      is, in thousands of seconds and milliseconds beyond, and how many of these are
 *                                      left: the engine takes microseconds to read a number of more than nine digits
 *        A<now> <id> <json>            the host's answer to call <id>: {"ok": value} or {"err": {...}}
 *        T<now>                        time has passed
 *        X<now>                        the client disconnected
 *        K                             go on after P
 *        E                             from now on let log lines out early (see P)
 *        H                             collect garbage
 *   out  C<id> <name> <json>           a host call (one line each, any number)
 *        G<json>                       a log line: [level, message, fields]
 *        and last, exactly one of
 *        W<milliseconds>               waiting, for at most so long; -1: until an answer comes
 *        P                             not done: send the lines above now, then pump K
 *        D<length of h> <e><h><v>      done: head, encoding and body of the answer (see answers.js)
 *        F<code> <json>                failed: `thrown`, `hung`, `invalid_answer`, `memory` or `internal`
 *
 *   for example   L{"source":"registerWebHandler(...)"}        C1 register.route [{...}]  W-1
 *                 A1700000000000 1 {"ok":null}                 D0 a{"handlers":1,...}
 *                 {"k":"http","h":0,"q":{...},...}             D0 a{"hello":1}
 *
 * All of the script runs inside one coroutine, the world (tasks.js).  A synchronous host call yields
 * out of it; while it waits nothing else of the script runs.  An asynchronous one gives a Promise.
 *
 * What the files share, on K = __kernel, which seal.js takes away before any script runs:
 *   K.captured                 methods that scripts may replace afterwards, as functions of their receiver
 *   K.ascii(json), K.quoteText(text), K.safeText(value), K.own(object, key)      (here)
 *   K.native, K.define, K.getter, K.global, K.quote, K.hide, K.hidden            (natives.js)
 *   K.microtask(job, a, b, c)  run job(a, b, c) when the running job is over     (tasks.js)
 *   K.advice                   what to use instead of globals of other platforms, by name: see sandbox/surface.py
 *   K.declared                 the host calls that the server has declared: see sandbox/surface.py
 *   K.later                    the sources that are evaluated when a script first needs them, by group: see prelude/later.json
 *   K.hostCall(name, args, make)      Promise of the host's answer, or of what make(answer, args) makes of it (hostcalls.js)
 *   K.hostCallSync(name, args) the host's answer
 *   K.ask(name, json, done, about)    the same for the kernel itself: done({ok} or {err}, about) runs as a job
 *   K.HostError(told)          what a refused host call throws
 *   K.now(), K.random(), K.randomBytes(bytes), K.randomHex(count)                (time.js, crypto.js)
 *   K.log(level, message, fields, own): own if the engine says it               (hostcalls.js)
 *   K.run                      the invocation in hand, null if none              (invocations.js)
 *   K.kinds[kind]              starts an invocation of that kind: function (run, box)
 *   K.onRejected(promise, reason), K.onHandled(promise)    called by promise.js
 * and what other files leave there for it:
 *   K.makeRequest(q)           the handler's `req`                               (requests.js)
 *   K.toAnswer(value, thrown)  {h, e, v}, {h, stream} or a promise of one        (answers.js)
 *   K.Promise, K.isPromise, K.isHandled, K.listen, K.pending, K.resolve, K.reject    (promise.js)
 *   K.AbortController, K.HttpError, K.stringify, K.show, K.message               (each where it is made)
 */
var __kernel = {};
(function (K) {
    'use strict';

    var call = Function.prototype.call, string = String.prototype, create = Object.create, toText = String;

    /* A method as a function whose first argument is its receiver; scripts may replace call and bind afterwards. */
    function free(method) { return call.bind(method); }

    var captured = {
        slice: free(string.slice),
        indexOf: free(string.indexOf),
        charCodeAt: free(string.charCodeAt),
        replace: free(string.replace),
        split: free(string.split),
        join: free(Array.prototype.join),
        apply: free(Function.prototype.apply),
        exec: free(RegExp.prototype.exec),
        test: free(RegExp.prototype.test),
        own: free(Object.prototype.hasOwnProperty),
        evaluate: globalThis.eval,
        construct: Function,
        collectGarbage: Duktape.gc,
        realNow: Date.now,
        Error: Error
    };
    K.captured = captured;
    K.fromText = { makeFunction: null, runProgram: null };
    K.free = free;
    K.own = captured.own;
    K.parse = JSON.parse;

    var encode = Duktape.enc, slice = captured.slice, replace = captured.replace, test = captured.test;
    // The engine's characters may be above U+FFFF: what is not ASCII cannot be written as a range.
    var NOT_ASCII = /[^\u0000-\u007e]/, ESCAPED = /\\(["\\])/g;

    /* A text as a JSON string in ASCII. */
    function quoteText(text) { return encode('jc', text); }

    /*
     * JSON text in ASCII.  The engine's encoder escapes what is not ASCII, and every quote and
     * backslash beside; those are put back.  Both are native and many times faster than a callback.
     */
    K.ascii = function (json) {
        return test(NOT_ASCII, json) ? replace(slice(encode('jc', json), 1, -1), ESCAPED, '$1') : json;
    };
    K.quoteText = quoteText;

    /* Whatever it is, as text. */
    K.safeText = function (value) {
        try { return typeof value === 'string' ? value : toText(value); } catch (error) { return 'something that cannot be shown'; }
    };

    /* An object that has nothing and inherits nothing. */
    K.bare = function () { return create(null); };
}(__kernel));
