/*
 * Clock, chance and timers of one invocation.
 *
 * Forks of one context would all print the same Math.random values and a recorded invocation could
 * not be run again, so both come from the run box: its time, which stands still within one pump
 * step, and its 128-bit seed (sfc32, a public-domain generator by Chris Doty-Humphrey).
 */
(function (K, global) {
    'use strict';

    var NativeDate = global.Date, NATIVE = NativeDate.prototype, prototypeOf = Object.getPrototypeOf, now = 0, floor = Math.floor, parseHex = parseInt, slice = Function.prototype.call.bind(String.prototype.slice);
    var a = 1, b = 2, c = 3, d = 4;

    function next32() {
        var t = (a + b | 0) + d | 0;
        d = d + 1 | 0;
        a = b ^ b >>> 9;
        b = c + (c << 3) | 0;
        c = c << 21 | c >>> 11;
        c = c + t | 0;
        return t >>> 0;
    }

    K.startClock = function (milliseconds, seed) {
        now = milliseconds;
        a = parseHex(slice(seed, 0, 8), 16) | 0;
        b = parseHex(slice(seed, 8, 16), 16) | 0;
        c = parseHex(slice(seed, 16, 24), 16) | 0;
        d = parseHex(slice(seed, 24, 32), 16) | 0;
        for (var i = 0; i < 12; i++) next32();
    };
    K.setNow = function (milliseconds) { if (milliseconds > now) now = milliseconds; };
    K.now = function () { return now; };
    K.random = function () { return (next32() >>> 5) * 67108864 / 9007199254740992 + (next32() >>> 6) / 9007199254740992; };
    K.randomHex = function (bytes) {
        var text = '';
        while (text.length < 2 * bytes) text += slice('0000000' + next32().toString(16), -8);
        return slice(text, 0, 2 * bytes);
    };

    defineHidden(Math, 'random', function random() { return K.random(); });

    function defineHidden(object, name, value) {
        Object.defineProperty(object, name, { value: value, writable: true, configurable: true, enumerable: false });
    }

    /* Date is the engine's own; only "now" is replaced. */
    function Date(y, m, day, h, min, s, ms) {
        if (this === undefined) return new NativeDate(now).toString();
        var made, count = arguments.length;
        if (count === 1) made = new NativeDate(y);
        else switch (count) {
        case 0: made = new NativeDate(now); break;
        case 2: made = new NativeDate(y, m); break;
        case 3: made = new NativeDate(y, m, day); break;
        case 4: made = new NativeDate(y, m, day, h); break;
        case 5: made = new NativeDate(y, m, day, h, min); break;
        case 6: made = new NativeDate(y, m, day, h, min, s); break;
        default: made = new NativeDate(y, m, day, h, min, s, ms);
        }
        if (this.constructor !== Date) {
            var prototype = prototypeOf(this);
            if (prototype !== NATIVE) Object.setPrototypeOf(made, prototype);
        }
        return made;
    }
    Object.defineProperty(Date, 'length', { value: 7, configurable: true });
    Object.defineProperty(Date, 'prototype', { value: NativeDate.prototype, writable: false, configurable: false, enumerable: false });
    defineHidden(NativeDate.prototype, 'constructor', Date);
    defineHidden(Date, 'now', function () { return now; });
    defineHidden(Date, 'parse', NativeDate.parse);
    defineHidden(Date, 'UTC', NativeDate.UTC);
    defineHidden(global, 'Date', Date);

    // -- timers -------------------------------------------------------------------------------

    var timers = [], nextTimer = 1, MOST = 10000;

    function add(fn, delay, args, repeat) {
        if (typeof fn !== 'function') throw new TypeError('A timer needs a function; ' + K.quote(fn) + ' was given.');
        if (K.run === null) throw K.HostError({ code: 'closed', call: 'setTimeout', message: 'A timer can be set only while an invocation runs.' });
        if (timers.length >= MOST) throw new RangeError('An invocation may have at most ' + MOST + ' timers.');
        delay = +delay;
        delay = delay > 0 ? (delay < 2147483647 ? floor(delay) : 2147483647) : 0;
        var timer = { id: nextTimer++, due: now + (delay < 1 ? 1 : delay), fn: fn, args: args, every: repeat ? (delay < 1 ? 1 : delay) : 0 };
        var at = timers.length;
        while (at > 0 && timers[at - 1].due > timer.due) at--;
        timers.splice(at, 0, timer);
        return timer.id;
    }

    function clear(id) {
        for (var i = 0; i < timers.length; i++) if (timers[i].id === id) { timers.splice(i, 1); return; }
    }

    function rest(list) {
        var args = [];
        for (var i = 2; i < list.length; i++) args[i - 2] = list[i];
        return args;
    }

    defineHidden(global, 'setTimeout', function setTimeout(fn, delay) { return add(fn, delay, rest(arguments), false); });
    defineHidden(global, 'setInterval', function setInterval(fn, delay) { return add(fn, delay, rest(arguments), true); });
    defineHidden(global, 'clearTimeout', function clearTimeout(id) { clear(id); });
    defineHidden(global, 'clearInterval', function clearInterval(id) { clear(id); });
    defineHidden(global, 'queueMicrotask', function queueMicrotask(fn) {
        if (typeof fn !== 'function') throw new TypeError('queueMicrotask needs a function.');
        K.microtask(fn);
    });

    K.fireTimers = function (job) {
        var due = [];
        while (timers.length > 0 && timers[0].due <= now) due[due.length] = timers.shift();
        for (var i = 0; i < due.length; i++) job(fire, due[i]);
    };

    function fire(timer) {
        if (timer.every > 0) {
            var again = { id: timer.id, due: now + timer.every, fn: timer.fn, args: timer.args, every: timer.every }, at = timers.length;
            while (at > 0 && timers[at - 1].due > again.due) at--;
            timers.splice(at, 0, again);
        }
        var fn = timer.fn;
        fn.apply(undefined, timer.args);
    }

    K.nextTimer = function () { return timers.length === 0 ? -1 : timers[0].due > now ? timers[0].due - now : 0; };
    K.timerCount = function () { return timers.length; };
    K.dropTimers = function () { var n = timers.length; if (n > 0) timers = []; return n; };
}(__kernel, globalThis));
