/*
 * The pump itself: one step of Python's and what to tell it afterwards (see kernel.js).
 */
(function (K) {
    'use strict';

    var slice = K.captured.slice, indexOf = K.captured.indexOf, codeAt = K.captured.charCodeAt, parse = K.parse, exactJson = K.exactJson, collectGarbage = K.captured.collectGarbage;
    var world = K.world, calls = K.calls;

    function tell(last) {
        var lines = K.taken();
        return lines === '' ? last : lines + last;
    }

    function finish(last) {
        K.end();
        return tell(last);
    }

    function failed() { return finish('F' + K.run.failure); }

    function done(run) {
        var timers = K.timerCount(), answer = run.answer;
        if (timers > 0) K.log('warn', timers + (timers === 1 ? ' timer was' : ' timers were') + ' still set when the handler had returned, and dropped; hand work that should go on to ctx.waitUntil(promise).', null, true);
        return finish('D' + answer.h.length + ' ' + answer.e + answer.h + answer.v);
    }

    function hung(run) {
        if (K.failRejected()) return failed();
        var what = run.sent && run.settled ? 'A promise given to ctx.waitUntil can' : run.kind === 'load' ? (run.box.began ? 'The promise of init can' : 'The top level waits for a promise that can') : 'The handler waits for a promise that can';
        return finish('Fhung {"name":"Hung","message":"' + what + ' never settle: no host call is open and no timer is set. A promise kept from an earlier invocation never settles either.","stack":""}');
    }

    /* Calls that nobody awaits are waited for all the same, and told of once. */
    function warnUnawaited(run) {
        run.warned = true;
        var names = calls.unawaited();
        for (var i = 0; i < names.length && i < 10; i++) K.log('warn', names[i] + ' was still open when the handler had returned, and nobody awaits it; write await before it, or hand it to ctx.waitUntil.', null, true);
    }

    /* What to tell Python when the world is idle or waits. */
    function status() {
        for (;;) {
            var run = K.run, open = calls.count();
            if (run.failure !== null) return failed();
            if (world.isPaused()) return tell('P');
            if (world.waitsFor() !== null) return tell('W-1');
            if (!run.settled) {
                if (open > 0) return tell('W' + K.nextTimer());
                if (run.quiet === null) {
                    if (K.nextTimer() < 0) return hung(run);
                    return tell('W' + K.nextTimer());
                }
                var quiet = run.quiet;
                run.quiet = null;
                K.job(quiet, run);
                world.work();
                continue;
            }
            if (run.waiting > 0) {
                if (!run.sent && run.kind !== 'load') {
                    if (K.failRejected()) return failed();
                    K.sendAnswer(run);
                    continue;
                }
                if (open === 0 && K.nextTimer() < 0) return hung(run);
                return tell('W' + K.nextTimer());
            }
            if (open > 0) {
                if (!run.warned) warnUnawaited(run);
                return tell('W-1');
            }
            return K.failRejected() ? failed() : done(run);
        }
    }

    function answered(text) {
        var gap = indexOf(text, ' '), id = +slice(text, 0, gap), waiting = world.waitsFor();
        var answer = parse(exactJson(slice(text, gap + 1)));
        if (waiting !== null && waiting.id === id) world.resume(answer);
        else calls.settle(id, answer);
    }

    function step(input) {
        var op = codeAt(input, 0), gap;
        if (op === 123) begin(parse(input));                        // {
        else if (op === 82) begin(parse(slice(input, 1)));          // R
        else if (op === 76) beginLoad(parse(slice(input, 1)));      // L
        else if (op === 69) { K.logEarly(); return ''; }            // E
        else if (op === 72) { collectGarbage(); return ''; }        // H
        else if (K.run === null) return 'W-1';
        else if (op === 75) world.resume(undefined);                // K
        else {
            gap = op === 65 ? indexOf(input, ' ') : input.length;
            K.setNow(+slice(input, 1, gap));
            if (op === 65) answered(slice(input, gap + 1));         // A
            else if (op === 84) K.fireTimers();                     // T
            else if (op === 88) K.cancel();                         // X
        }
        world.work();
        return status();
    }

    function begin(box) {
        var now = box.t[0] * 1000000 + box.t[1];
        K.begin(box.k, box, now, now + box.t[2]);
    }

    function beginLoad(box) { K.begin('load', box, box.now, box.deadline); }

    K.pump = function (input) {
        try {
            return step(input);
        } catch (error) {
            try {
                var text = K.described('internal', error);
                K.taken();
                K.end();
                world.renew();
                return 'F' + text;
            } catch (worse) {
                return 'Finternal {"name":"Error","message":"the kernel failed","stack":""}';
            }
        }
    };
}(__kernel));
