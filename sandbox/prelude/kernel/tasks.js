/*
 * Jobs, microtasks and the coroutine in which all of the script runs.
 *
 * A job is what one pump step begins: a handler, a timer, an answer that came.  After each job the
 * microtasks run until there are none.  All of it runs inside the world, a coroutine: a synchronous
 * host call yields out of it to Python and is resumed with the answer.  A native frame in between
 * (a getter that JSON.stringify reads, a toString) forbids yielding, and the engine says so.
 *
 * For other files: K.microtask(job, a, b, c), K.job(run, a, b), K.suspend(call), K.breathe(), K.hasMore().
 * For pump.js:     K.world.
 */
(function (K) {
    'use strict';

    var Thread = Duktape.Thread, yieldOut = Thread['yield'], resume = Thread.resume;
    var MOST_KEPT = 65536, setPrototypeOf = Object.setPrototypeOf;

    /* A list that scripts cannot listen to by a setter on Array.prototype. */
    function list() { return setPrototypeOf([], null); }

    // -- microtasks: four slots each, kept for the next time -----------------------------------

    var queue = list(), head = 0, tail = 0;

    K.microtask = function (job, a, b, c) {
        queue[tail] = job;
        queue[tail + 1] = a;
        queue[tail + 2] = b;
        queue[tail + 3] = c;
        tail += 4;
    };

    function drain() {
        while (head < tail) {
            try {
                while (head < tail) step();
            } catch (error) {
                K.failWith(error);
            }
        }
        forget();
    }

    function step() {
        var job = queue[head], a = queue[head + 1], b = queue[head + 2], c = queue[head + 3];
        queue[head] = queue[head + 1] = queue[head + 2] = queue[head + 3] = undefined;
        head += 4;
        // A chain that always adds one more must not grow the list for ever.
        if (head >= MOST_KEPT && 2 * head > tail) compact();
        job(a, b, c);
    }

    function compact() {
        var kept = list();
        for (var i = head; i < tail; i++) kept[i - head] = queue[i];
        queue = kept;
        tail -= head;
        head = 0;
    }

    function forget() {
        if (tail > MOST_KEPT) queue = list();
        else for (; head < tail; head++) queue[head] = undefined;
        head = tail = 0;
    }

    // -- jobs ---------------------------------------------------------------------------------

    var jobs = list(), firstJob = 0, jobsEnd = 0;

    K.job = function (run, a, b) { jobs[jobsEnd++] = { run: run, a: a, b: b }; };

    /* Whether more will run before the running pump step is over. */
    K.hasMore = function () { return head < tail || firstJob < jobsEnd; };

    // -- the world ----------------------------------------------------------------------------

    var IDLE = { idle: true }, BREATHE = { breathe: true };
    var world = null, inside = false, suspended = null, paused = false;

    function live() {
        var job = yieldOut(IDLE);
        for (;;) {
            try { job.run(job.a, job.b); } catch (error) { K.failWith(error); }
            if (head < tail) drain();
            job = yieldOut(IDLE);
        }
    }

    function renew() {
        inside = paused = false;
        suspended = null;
        world = new Thread(live);
        resume(world);
    }

    function advance(value) {
        inside = true;
        var given = resume(world, value);
        inside = false;
        if (given === IDLE) return;
        if (given === BREATHE) paused = true;
        else {
            suspended = given;
            K.send(given.id, given.name, given.args);
        }
    }

    /* Runs jobs until there are none, or one waits for the host. */
    function work() {
        while (suspended === null && !paused && firstJob < jobsEnd) {
            var job = jobs[firstJob];
            jobs[firstJob++] = undefined;
            if (firstJob === jobsEnd) firstJob = jobsEnd = 0;
            advance(job);
        }
    }

    /* Gives the answer to a call {id, name, args}; throws where the engine cannot yield. */
    K.suspend = function (call) { return yieldOut(call); };

    /* Lets Python send what is there, if that is possible here. */
    K.breathe = function () {
        if (!inside) return;
        try { yieldOut(BREATHE); } catch (error) { /* below a native frame: later, then */ }
    };

    K.world = {
        renew: renew,
        work: work,
        /* The call that the world waits for, null if none. */
        waitsFor: function () { return suspended; },
        isPaused: function () { return paused; },
        resume: function (value) {
            suspended = null;
            paused = false;
            advance(value);
            work();
        },
        /* Drops all that is left of an invocation. */
        clear: function () {
            if (tail > 0) forget();
            if (jobsEnd > 0) { jobs = list(); firstJob = jobsEnd = 0; }
            if (suspended !== null || paused || inside) renew();
        }
    };
}(__kernel));
