/*
 * Host calls, and log lines, which are calls without an answer.
 *
 * Python takes lines from K.taken(): `C<id> <name> <json>` for a call, `G<json>` for a log line.
 * Answers find their call by its id; one that nobody waits for any more is dropped.
 */
(function (K) {
    'use strict';

    var own = K.own, ascii = K.ascii, quoteText = K.quoteText, stringify = JSON.stringify, setPrototypeOf = Object.setPrototypeOf, defineProperty = Object.defineProperty;
    var realNow = K.captured.realNow;

    // -- errors -------------------------------------------------------------------------------

    var MEMBERS = ['code', 'call', 'hint', 'retryAfter', 'details'];

    function HostError(refusal) {
        var error = new Error(K.safeText(refusal.message));
        setPrototypeOf(error, HostError.prototype);
        for (var i = 0; i < MEMBERS.length; i++) {
            if (own(refusal, MEMBERS[i]) && refusal[MEMBERS[i]] !== undefined) defineProperty(error, MEMBERS[i], { value: refusal[MEMBERS[i]], writable: true, configurable: true, enumerable: false });
        }
        return error;
    }
    HostError.prototype = Object.create(Error.prototype, {
        constructor: { value: HostError, writable: true, configurable: true },
        name: { value: 'HostError', writable: true, configurable: true }
    });
    K.HostError = HostError;

    /* A TypeError that says all that a HostError says, for standards that know no other error. */
    K.networkError = function (refusal) {
        var error = new TypeError(refusal.message);
        for (var i = 0; i < MEMBERS.length; i++) {
            if (own(refusal, MEMBERS[i])) defineProperty(error, MEMBERS[i], { value: refusal[MEMBERS[i]], writable: true, configurable: true, enumerable: false });
        }
        defineProperty(error, 'cause', { value: refusal, writable: true, configurable: true, enumerable: false });
        return error;
    };
    K.isRefusal = function (error) { return error instanceof HostError || error instanceof TypeError && error.cause instanceof HostError && error.code === error.cause.code; };

    function refused(code, name, message) { return HostError({ code: code, call: name, message: message }); }

    // -- calls --------------------------------------------------------------------------------

    var out = '', nextCall = 1, open = K.bare(), openCount = 0;
    /* Calls beyond as many as may be in flight wait here, from `first` on; the server counts again. */
    var queue = [], first = 0, inFlight = 0, mostOf = null, most = 0;

    /* One is left for a synchronous call in between. */
    function mostInFlight() {
        if (mostOf !== K.run) {
            mostOf = K.run;
            var budget = mostOf === null || mostOf.box.b === undefined ? null : K.parse(mostOf.box.b);
            most = budget === null ? 255 : Math.max(1, budget.openHostCalls - 1);
        }
        return most;
    }

    function dispatch(id, name, json) {
        if (inFlight > 0 && inFlight >= mostInFlight()) {
            queue[queue.length] = { id: id, name: name, json: json };
            return;
        }
        inFlight++;
        K.send(id, name, json);
    }

    function landed() {
        inFlight--;
        while (first < queue.length && inFlight < mostInFlight()) {
            var next = queue[first];
            queue[first++] = null;
            inFlight++;
            K.send(next.id, next.name, next.json);
        }
        if (first === queue.length && first > 0) { queue = []; first = 0; }
    }

    K.send = function (id, name, args) { out += 'C' + id + ' ' + name + ' ' + args + '\n'; };

    /* What the server has declared of a call: `shown`, the name that authors know, and how long its arguments may be. */
    var declared = K.bare();
    K.declared.forEach(function (call) { declared[call.name] = call; });

    function shownOf(name) { return declared[name] === undefined ? name : declared[name].shown; }

    function argumentsText(name, args) {
        var text, call = declared[name];
        try {
            text = ascii(K.stringifyChecked(args, shownOf(name)));
        } catch (error) {
            if (error instanceof K.NotSerializable) throw refused('invalid', shownOf(name), error.message);
            throw refused('invalid', shownOf(name), shownOf(name) + ': an argument cannot be sent as JSON: ' + K.message(K.safeText(error && error.message), 'TypeError'));
        }
        if (call !== undefined && text.length > call.longest) throw refused(call.tooLong, call.shown, call.bound + '; the arguments have ' + text.length + ' as JSON.');
        return text;
    }

    function requireOpen(name) {
        name = shownOf(name);
        if (K.run === null) throw refused('closed', name, name + ' was called outside of any invocation; call it while a handler runs.');
        if (K.run.cancelled) throw refused('closed', name, name + ': the invocation is cancelled: the client disconnected.');
    }

    K.hostCallSync = function (name, args) {
        requireOpen(name);
        var text = argumentsText(name, args), answer;
        try {
            answer = K.suspend({ id: nextCall++, name: name, args: text });
        } catch (error) {
            name = shownOf(name);
            throw refused('unsupported', name, name + ' cannot run inside a getter, toJSON, toString or Proxy trap; call it first and keep the value');
        }
        if (own(answer, 'err')) throw HostError(answer.err);
        return answer.ok;
    };

    K.ask = function (name, json, done, about) { ask(name, json, done, about, null); };

    function ask(name, json, done, about, promise) {
        var id = nextCall++;
        open[id] = { name: name, done: done, about: about, promise: promise };
        openCount++;
        dispatch(id, name, json);
    }

    /* `make(answer, args)` makes of the answer what the promise gives. */
    K.hostCall = function (name, args, make) {
        var promise = K.pending();
        try {
            requireOpen(name);
            if (make === undefined) ask(name, argumentsText(name, args), settlePromise, promise, promise);
            else ask(name, argumentsText(name, args), settleMade, { promise: promise, make: make, args: args }, promise);
        } catch (error) {
            K.reject(promise, error);
        }
        return promise;
    };

    /* With arguments that are JSON in ASCII already, made of strings and numbers. */
    K.hostCallJson = function (name, json) {
        var promise = K.pending();
        try {
            requireOpen(name);
            ask(name, json, settlePromise, promise, promise);
        } catch (error) {
            K.reject(promise, error);
        }
        return promise;
    };

    function settlePromise(answer, promise) {
        if (own(answer, 'err')) K.reject(promise, HostError(answer.err));
        else K.resolve(promise, answer.ok);
    }

    function settleMade(answer, about) {
        if (own(answer, 'err')) { K.reject(about.promise, HostError(answer.err)); return; }
        try { K.resolve(about.promise, about.make(answer.ok, about.args)); } catch (error) { K.reject(about.promise, error); }
    }

    /* Hands an answer to the call that waits for it, as a job. */
    function settle(id, answer) {
        var waiting = open[id];
        if (waiting === undefined) return;
        delete open[id];
        openCount--;
        landed();
        K.job(waiting.done, answer, waiting.about);
    }

    K.calls = {
        settle: settle,
        settleAll: function (answer) {
            queue = [];
            first = 0;
            for (var id in open) settle(id, answer);
        },
        count: function () { return openCount; },
        clear: function () {
            if (openCount === 0) return;
            open = K.bare();
            openCount = inFlight = first = 0;
            if (queue.length > 0) queue = [];
        },
        /* Names of the open calls whose promise nobody listens to. */
        unawaited: function () {
            var names = [];
            for (var id in open) if (open[id].promise !== null && !K.isHandled(open[id].promise)) names[names.length] = open[id].name;
            return names;
        }
    };

    // -- log lines ----------------------------------------------------------------------------

    var MOST_LINES = 10000, SOON = 16, PAUSE_MS = 2;
    var early = false, lines = 0, takenAt = 0;

    /*
     * A script that is killed must not take its log lines with it, so they are let out early: the
     * first few each by itself, and after that no more often than every two milliseconds.
     */
    K.log = function (level, message, fields, own) {
        if (++lines > MOST_LINES) return;
        var kept = 'null';
        if (fields !== undefined && fields !== null) {
            try { kept = ascii(stringify(fields)) || 'null'; } catch (error) { kept = 'null'; }
        }
        out += 'G["' + level + '",' + quoteText(K.safeText(message)) + ',' + kept + (own === true ? ',true]\n' : ']\n');
        if (early && (lines <= SOON || realNow() - takenAt >= PAUSE_MS)) K.breathe();
    };
    K.logEarly = function () { early = true; };
    K.beginLog = function () { lines = 0; };

    /* What Python should have now. */
    K.taken = function () {
        if (out === '') return '';
        var text = out;
        out = '';
        takenAt = realNow();
        return text;
    };
}(__kernel));
