/*
 * The pump: how Python and JavaScript take turns.  Runs first of all prelude files.
 *
 * No Python callable is reachable from JavaScript.  Python calls one function, `pump`, with ASCII
 * text and gets ASCII text back.  Between two calls nothing of the script runs.
 *
 *   in   L<json>                       load: {source, seed, now, script}
 *        R<json>                       run: {k, h, i, seed, now, deadline, q, user, script, version}
 *        A<now> <id> <json>            the host's answer to call <id>: {"ok": value} or {"err": {...}}
 *        T<now>                        time has passed
 *        X<now>                        whoever asked has gone
 *   out  C<id> <name> <json>           a host call (one line each, any number)
 *        G<json>                       a log line: [level, message, fields]
 *        and last, exactly one of
 *        W<milliseconds>               waiting, for at most so long; -1: until an answer comes
 *        D<length of h> <e><h><v>      done: head, encoding and body of the answer (see answers.js)
 *        F<code> <json>                failed: code `thrown`, `hung`, `invalid_answer` or `internal`
 *
 * All of the script runs inside one coroutine, the world.  A synchronous host call yields out of
 * it; while it waits nothing else of the script runs.  An asynchronous one gives a Promise.
 *
 * What the other files find on K = __kernel, which seal.js takes away again:
 *   K.microtask(job, a, b, c)          run job(a, b, c) when the running job is over
 *   K.hostCall(name, args)             Promise of the host's answer
 *   K.hostCallSync(name, args)         the host's answer
 *   K.HostError                        what a refused host call throws
 *   K.log(level, message, fields)      one log line
 *   K.onRejected(promise, reason), K.onHandled(promise)    called by promise.js
 *   K.run                              the invocation in hand, null if none
 * and what they leave there for it: K.makeRequest, K.toAnswer, K.Promise and friends (promise.js),
 * K.AbortController, K.stringify (json.js).
 */
var __kernel = {};
(function (K, global) {
    'use strict';

    var Thread = Duktape.Thread, yieldOut = Thread['yield'], resumeWith = Thread.resume;
    var parse = JSON.parse, nativeStringify = JSON.stringify, replace = String.prototype.replace, test = RegExp.prototype.test;
    var call = Function.prototype.call, apply = Function.prototype.apply;
    var isArray = Array.isArray, defineProperty = Object.defineProperty, createObject = Object.create;
    var charCodeAt = String.prototype.charCodeAt, indexOf = String.prototype.indexOf, slice = String.prototype.slice, toHex = Number.prototype.toString;
    var evaluate = global.eval;
    var NOT_ASCII = /[\u007f-\uffff]/, NOT_ASCII_ALL = /[\u007f-\uffff]/g;

    function on(method, self, a, b) { return call.call(method, self, a, b); }
    // Bound once: scripts may replace Function.prototype.call afterwards.
    var testText = call.bind(test, NOT_ASCII), sliceText = call.bind(slice), indexText = call.bind(indexOf), codeAt = call.bind(charCodeAt), replaceText = call.bind(replace), hex = call.bind(toHex), applyTo = call.bind(apply);

    function escapeOne(c) { return '\\u' + sliceText('0000' + hex(codeAt(c, 0), 16), -4); }

    /* JSON text as ASCII. */
    function ascii(json) { return testText(json) ? replaceText(json, NOT_ASCII_ALL, escapeOne) : json; }
    K.ascii = ascii;
    K.parse = parse;

    /* JSON of a plain value of our own; a script's toJSON must not see it, so json.js's is not used. */
    function quoteText(text) { return ascii(nativeStringify(text)); }

    // -- microtasks ---------------------------------------------------------------------------

    var queue = [], head = 0;

    K.microtask = function (job, a, b, c) {
        var n = queue.length;
        queue[n] = job; queue[n + 1] = a; queue[n + 2] = b; queue[n + 3] = c;
    };

    function drain() {
        while (head < queue.length) {
            var job = queue[head], a = queue[head + 1], b = queue[head + 2], c = queue[head + 3];
            head += 4;
            // Far ahead: drop what is done, or a chain that re-arms itself would keep everything.
            if (head > 4096) { queue.splice(0, head); head = 0; }
            try { job(a, b, c); } catch (error) { failWith(error); }
        }
        queue.length = 0;
        head = 0;
    }

    // -- the world ----------------------------------------------------------------------------

    var IDLE = { idle: true };
    var world = null, suspended = null, jobs = [], out = '';

    function live() {
        var job = yieldOut(IDLE);
        for (;;) {
            try { job.run(job.a, job.b); } catch (error) { failWith(error); }
            drain();
            job = yieldOut(IDLE);
        }
    }

    function newWorld() {
        world = new Thread(live);
        resumeWith(world);
    }

    /* Runs jobs until there are none, or until one waits for the host. */
    function work() {
        for (;;) {
            if (suspended !== null || jobs.length === 0) return;
            advance(jobs.shift());
        }
    }

    function advance(value) {
        var given = resumeWith(world, value);
        if (given !== IDLE) {
            suspended = given;
            send(given.id, given.name, given.args);
        }
    }

    function job(run, a, b) { jobs[jobs.length] = { run: run, a: a, b: b }; }

    // -- host calls ---------------------------------------------------------------------------

    var nextCall = 1, open = createObject(null), openCount = 0;

    function HostError(told) {
        var error = new Error(told.message);
        Object.setPrototypeOf(error, HostError.prototype);
        var names = ['code', 'call', 'hint', 'retryAfter', 'details'];
        for (var i = 0; i < names.length; i++) {
            if (told[names[i]] !== undefined) defineProperty(error, names[i], { value: told[names[i]], writable: true, configurable: true, enumerable: false });
        }
        return error;
    }
    HostError.prototype = createObject(Error.prototype, {
        constructor: { value: HostError, writable: true, configurable: true },
        name: { value: 'HostError', writable: true, configurable: true }
    });
    K.HostError = HostError;

    function send(id, name, args) { out += 'C' + id + ' ' + name + ' ' + args + '\n'; }

    function encode(name, args) {
        var text;
        try { text = K.stringify ? K.stringify(args) : nativeStringify(args); } catch (error) {
            throw HostError({ code: 'invalid', call: name, message: name + ': an argument cannot be sent as JSON: ' + safeText(error && error.message) });
        }
        return ascii(text);
    }

    function requireOpen(name) {
        if (K.run === null) throw HostError({ code: 'closed', call: name, message: name + ' was called outside of any invocation; call it while a handler runs.' });
        if (K.run.cancelled) throw HostError({ code: 'closed', call: name, message: name + ': whoever asked has gone.' });
    }

    K.hostCallSync = function (name, args) {
        requireOpen(name);
        var wanted = { id: nextCall++, name: name, args: encode(name, args) }, answer;
        try { answer = yieldOut(wanted); } catch (error) {
            throw HostError({ code: 'unsupported', call: name, message: name + ' cannot run inside a getter, toJSON, toString or Proxy trap; call it first and keep the value' });
        }
        if (answer.err !== undefined) throw HostError(answer.err);
        return answer.ok;
    };

    K.hostCall = function (name, args) {
        requireOpen(name);
        var id = nextCall++, text = encode(name, args);
        return new K.Promise(function (resolve, reject) {
            open[id] = { resolve: resolve, reject: reject };
            openCount++;
            send(id, name, text);
        });
    };

    function answered(text) {
        var gap = indexText(text, ' '), id = +sliceText(text, 0, gap), answer = parse(sliceText(text, gap + 1));
        if (suspended !== null && suspended.id === id) {
            suspended = null;
            advance(answer);
            return;
        }
        settleCall(id, answer);
    }

    function settleCall(id, answer) {
        var waiting = open[id];
        if (waiting === undefined) return;
        delete open[id];
        openCount--;
        job(function () {
            if (answer.err !== undefined) waiting.reject(HostError(answer.err));
            else waiting.resolve(answer.ok);
        });
    }

    // -- logs ---------------------------------------------------------------------------------

    K.log = function (level, message, fields) {
        var kept = 'null';
        if (fields !== undefined && fields !== null) {
            try { kept = ascii(nativeStringify(fields)) || 'null'; } catch (error) { kept = 'null'; }
        }
        out += 'G["' + level + '",' + quoteText(message) + ',' + kept + ']\n';
    };

    // -- one invocation -----------------------------------------------------------------------

    K.run = null;
    var handlers = [], middleware = [];
    K.handlers = handlers;
    K.middleware = middleware;

    var rejected = [];
    K.onRejected = function (promise, reason) { rejected[rejected.length] = { promise: promise, reason: reason }; };
    K.onHandled = function (promise) {
        for (var i = 0; i < rejected.length; i++) if (rejected[i].promise === promise) { rejected.splice(i, 1); return; }
    };

    function begin(kind, box) {
        K.run = { kind: kind, id: box.i, box: box, settled: false, answer: null, failure: null, waiting: 0, sent: false, cancelled: false, stream: null, abort: null };
        rejected = [];
        K.startClock(box.now, box.seed);
    }

    function failWith(error) {
        var run = K.run;
        if (run !== null && run.failure === null) run.failure = described('thrown', error);
    }
    K.failWith = failWith;

    function chain(list, handler, req, ctx) {
        function from(i) {
            return i < list.length ? list[i](req, ctx, function next() { return from(i + 1); }) : handler(req, ctx);
        }
        return from(0);
    }

    function startRequest(box) {
        var entry = handlers[box.h];
        if (entry === undefined) throw new Error('no handler ' + box.h);
        var req = K.makeRequest(box.q), ctx = makeContext(box, req), value;
        K.run.thrown = true;
        try {
            value = middleware.length === 0 && entry.middleware === null ? entry.fn(req, ctx) : chain(middleware.concat(entry.middleware || []), entry.fn, req, ctx);
        } catch (error) {
            handlerThrew(error);
            return;
        }
        if (value !== null && typeof value === 'object' && typeof value.then === 'function') K.Promise.resolve(value).then(handlerReturned, handlerThrew);
        else handlerReturned(value);
    }

    function handlerThrew(error) {
        if (K.HttpError && error instanceof K.HttpError) giveAnswer(error, true);
        else failWith(error);
    }

    function handlerReturned(value) { giveAnswer(value, false); }

    function giveAnswer(value, thrown) {
        var answer;
        try { answer = K.toAnswer(value, thrown); } catch (error) { invalidAnswer(error); return; }
        if (K.isPromise(answer)) answer.then(settle, invalidAnswer);
        else settle(answer);
    }

    function invalidAnswer(error) {
        if (K.HttpError && error instanceof K.HttpError) { giveAnswer(error, true); return; }
        if (K.run.failure === null) K.run.failure = described(error instanceof TypeError ? 'invalid_answer' : 'thrown', error);
    }

    function settle(answer) {
        var run = K.run;
        if (answer.stream) {
            run.stream = answer.stream;
            K.hostCall('answer.start', [answer.h]).then(pull, failWith);
        } else {
            run.answer = answer;
            run.settled = true;
        }
    }

    /* One chunk at a time: the host answers when the client has taken it. */
    function pull() {
        var run = K.run;
        if (run.failure !== null) return;
        run.stream.next().then(function (chunk) {
            if (chunk.done) {
                run.answer = { h: '{"streamed":true}', e: 'n', v: '' };
                run.settled = true;
                return undefined;
            }
            return K.hostCall('answer.write', [chunk.e, chunk.v]).then(pull);
        }).then(undefined, failWith);
    }

    function makeContext(box, req) {
        return {
            user: box.user || null,
            script: { uri: box.script, version: box.version },
            invocation: { id: box.i, deadline: box.deadline },
            request: req,
            log: global.console,
            signal: makeSignal(),
            waitUntil: waitUntil
        };
    }

    function makeSignal() {
        var controller = new K.AbortController();
        K.run.abort = controller;
        return controller.signal;
    }

    function waitUntil(promise) {
        var run = K.run;
        if (run === null) throw HostError({ code: 'closed', call: 'waitUntil', message: 'waitUntil was called outside of any invocation.' });
        run.waiting++;
        K.Promise.resolve(promise).then(function () { run.waiting--; }, function (error) { run.waiting--; if (run === K.run) failWith(error); });
    }

    // -- load ---------------------------------------------------------------------------------

    var RESERVED = createObject(null), words = 'break case catch class const continue debugger default delete do else enum export extends false finally for function if import in instanceof new null return super switch this throw true try typeof var void while with let static yield'.split(' ');
    for (var w = 0; w < words.length; w++) RESERVED[words[w]] = true;
    var NAMES = /(?:\b(?:function|var|let|const)\s+|,\s*)([A-Za-z_$][A-Za-z0-9_$]*)/g, execute = call.bind(RegExp.prototype.exec);

    /*
     * The script as a function, for a synchronous call cannot yield out of a native eval.  Its frames
     * are called "input", and its first line stays the first line.  A bundle tells its top-level names
     * itself; of a plain script every name that may be declared at top level is offered, which costs
     * nothing where it is not.
     */
    function programOf(source) {
        var offered = '';
        if (indexText(source, '__names(') < 0) {
            var seen = createObject(null), found, list = [];
            NAMES.lastIndex = 0;
            while ((found = execute(NAMES, source)) !== null) if (!seen[found[1]] && !RESERVED[found[1]] && list.length < 2000) { seen[found[1]] = true; list[list.length] = '"' + found[1] + '":function(){return typeof ' + found[1] + '==="function"?' + found[1] + ':undefined}'; }
            offered = '__names({' + list.join(',') + '});';
        }
        return evaluate('(function(){' + offered + source + '\n})');
    }

    function startLoad(box) {
        K.beginRegistration();
        programOf(box.source).call(global);
        var init = K.namedFunction('init');
        if (init === undefined) { loaded(); return; }
        var value = init(makeContext(box, null));
        if (value !== null && typeof value === 'object' && typeof value.then === 'function') K.Promise.resolve(value).then(loaded, failWith);
        else loaded();
    }

    function loaded() {
        K.run.answer = { h: '', e: 'a', v: K.endRegistration() };
        K.run.settled = true;
    }

    // -- ends ---------------------------------------------------------------------------------

    function safeText(value) {
        try { return typeof value === 'string' ? value : String(value); } catch (error) { return 'something that cannot be shown'; }
    }

    function read(object, name) {
        try { return object[name]; } catch (error) { return undefined; }
    }

    function described(code, error) {
        var name = 'Error', message, stack = '', more = '';
        if (error !== null && (typeof error === 'object' || typeof error === 'function')) {
            var own = read(error, 'name');
            name = typeof own === 'string' ? own : 'Object';
            message = read(error, 'message');
            if (message === undefined) { name = 'Object'; message = K.show ? K.show(error) : safeText(error); }
            message = safeText(message);
            stack = read(error, 'stack');
            stack = typeof stack === 'string' ? stack : '';
            var fields = ['code', 'call', 'hint', 'retryAfter'];
            if (error instanceof HostError) {
                for (var i = 0; i < fields.length; i++) {
                    var value = read(error, fields[i]);
                    if (typeof value === 'string') more += ',"' + fields[i] + '":' + quoteText(sliceText(value, 0, 1000));
                    else if (typeof value === 'number') more += ',"' + fields[i] + '":' + (value === value && value < 1e15 ? value : 0);
                }
            }
        } else {
            name = 'thrown value';
            message = safeText(error);
        }
        if (K.message) message = safeText(K.message(message, name));
        return code + ' {"name":' + quoteText(sliceText(name, 0, 200)) + ',"message":' + quoteText(sliceText(message, 0, 8000)) + ',"stack":' + quoteText(sliceText(stack, 0, 8000)) + more + '}';
    }

    function reset() {
        K.run = null;
        queue.length = 0;
        head = 0;
        jobs.length = 0;
        rejected = [];
        if (openCount > 0) { open = createObject(null); openCount = 0; }
        var dropped = K.dropTimers();
        if (suspended !== null) { suspended = null; newWorld(); }
        return dropped;
    }

    function finish(last) {
        var run = K.run, dropped = K.timerCount();
        if (dropped > 0 && run.failure === null && !run.cancelled) K.log('warn', dropped + (dropped === 1 ? ' timer was' : ' timers were') + ' still set when the handler had returned; what should go on belongs into ctx.waitUntil(promise).');
        reset();
        var text = out + last;
        out = '';
        return text;
    }

    function done(answer) { return finish('D' + answer.h.length + ' ' + answer.e + answer.h + answer.v); }

    /* What to tell Python when the world is idle or waits. */
    function status() {
        var run = K.run;
        if (run.failure !== null) return finish('F' + run.failure);
        if (suspended !== null) return waiting(-1);
        if (run.settled) {
            if (run.waiting > 0) {
                if (!run.sent && run.kind !== 'load') {
                    run.sent = true;
                    var answer = run.answer;
                    K.hostCall('answer.send', [answer.h, answer.e, answer.v]).then(undefined, failWith);
                    run.answer = { h: '{"streamed":true}', e: 'n', v: '' };
                    return waiting(-1);
                }
                if (openCount === 0 && K.nextTimer() < 0) return hung();
                return waiting(K.nextTimer());
            }
            if (openCount > 0) return waiting(-1);
            if (rejected.length > 0) { failWith(rejected[0].reason); return finish('F' + run.failure); }
            return done(run.answer);
        }
        if (openCount === 0 && K.nextTimer() < 0) {
            if (rejected.length > 0) { failWith(rejected[0].reason); return finish('F' + run.failure); }
            return hung();
        }
        return waiting(K.nextTimer());
    }

    function waiting(milliseconds) {
        var text = out + 'W' + milliseconds;
        out = '';
        return text;
    }

    function hung() {
        return finish('Fhung {"name":"Hung","message":"The handler waits for a promise that can never settle: no host call is open and no timer is set.","stack":""}');
    }

    function cancel() {
        var run = K.run;
        if (run.cancelled) return;
        run.cancelled = true;
        var told = { err: { code: 'closed', message: 'Whoever asked has gone.' } };
        for (var id in open) settleCall(+id, told);
        if (run.abort !== null) job(function () { run.abort.abort(); });
        if (suspended !== null) { suspended = null; advance(told); }
    }

    // -- the pump -----------------------------------------------------------------------------

    function step(input) {
        var op = codeAt(input, 0), box, gap;
        if (op === 82) {             // R
            box = parse(sliceText(input, 1));
            begin(box.k, box);
            job(startRequest, box);
        } else if (op === 76) {      // L
            box = parse(sliceText(input, 1));
            begin('load', box);
            job(startLoad, box);
        } else if (K.run === null) {
            return 'W-1';
        } else if (op === 65) {      // A
            gap = indexText(input, ' ');
            K.setNow(+sliceText(input, 1, gap));
            answered(sliceText(input, gap + 1));
        } else if (op === 84) {      // T
            K.setNow(+sliceText(input, 1));
            K.fireTimers(job);
        } else if (op === 88) {      // X
            K.setNow(+sliceText(input, 1));
            cancel();
        }
        work();
        return status();
    }

    K.pump = function (input) {
        try {
            return step(input);
        } catch (error) {
            var text;
            try { text = described('internal', error); } catch (worse) { text = 'internal {"name":"Error","message":"the kernel failed","stack":""}'; }
            out = '';
            try { reset(); newWorld(); } catch (worst) { /* the child is replaced anyway */ }
            return 'F' + text;
        }
    };
    K.startWorld = newWorld;
    K.evaluate = evaluate;
    K.safeText = safeText;
}(__kernel, globalThis));
