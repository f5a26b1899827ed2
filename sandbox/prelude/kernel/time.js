/*
 * Clock, chance and timers of one invocation.
 *
 * Forks of one context would all print the same Math.random values and a recorded invocation could
 * not be run again, so both come from the run box: its time, which stands still within one pump
 * step, and its 128-bit seed (sfc32, a public-domain generator by Chris Doty-Humphrey; crypto.js makes its seed of the box's).
 */
(function (K, global) {
    'use strict';

    var NativeDate = global.Date, NATIVE = NativeDate.prototype, getTime = Function.prototype.call.bind(NATIVE.getTime), prototypeOf = Object.getPrototypeOf, now = 0, floor = Math.floor, ceil = Math.ceil, parseHex = parseInt, slice = Function.prototype.call.bind(String.prototype.slice);
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

    K.startClock = function (milliseconds) { now = milliseconds; };
    /* 32 hexadecimal digits. */
    K.seedRandom = function (seed) {
        a = parseHex(slice(seed, 0, 8), 16) | 0;
        b = parseHex(slice(seed, 8, 16), 16) | 0;
        c = parseHex(slice(seed, 16, 24), 16) | 0;
        d = parseHex(slice(seed, 24, 32), 16) | 0;
        for (var i = 0; i < 12; i++) next32();
    };
    K.setNow = function (milliseconds) { if (milliseconds > now) now = milliseconds; };
    K.now = function () { return now; };
    K.random = function () { return (next32() >>> 5) * 67108864 / 9007199254740992 + (next32() >>> 6) / 9007199254740992; };

    defineHidden(Math, 'random', function random() { return K.random(); });

    function defineHidden(object, name, value) {
        Object.defineProperty(object, name, { value: value, writable: true, configurable: true, enumerable: false });
    }

    /* Date is the engine's own, but for "now" and for text, which datetext.js reads. */
    function Date(y, m, day, h, min, s, ms) {
        if (this === undefined) return new NativeDate(now).toString();
        var made, count = arguments.length;
        if (count === 1) made = new NativeDate(typeof y === 'number' ? y > -1 && y < 1 ? 0 : y : valueOf(y));
        else switch (count) {
        case 0: made = new NativeDate(now); break;
        case 2: made = new NativeDate(y, m); break;
        case 3: made = new NativeDate(y, m, K.wholeDay(day)); break;
        case 4: made = new NativeDate(y, m, K.wholeDay(day), h); break;
        case 5: made = new NativeDate(y, m, K.wholeDay(day), h, min); break;
        case 6: made = new NativeDate(y, m, K.wholeDay(day), h, min, s); break;
        default: made = new NativeDate(y, m, K.wholeDay(day), h, min, s, ms);
        }
        if (this.constructor !== Date) {
            var prototype = prototypeOf(this);
            if (prototype !== NATIVE) Object.setPrototypeOf(made, prototype);
        }
        return made;
    }
    /* A day without its fraction: the engine rounds it after it has taken one from it. */
    K.wholeDay = function (day) {
        day = +day;
        return day < 0 ? ceil(day) : floor(day);
    };
    /* Milliseconds of what is given to the constructor alone. */
    function valueOf(given) {
        if (given instanceof NativeDate) return getTime(given);
        if (given !== null && typeof given === 'object') {
            var convert = given[Symbol.toPrimitive];
            given = convert !== undefined && convert !== null ? convert.call(given, 'default') : primitive(given);
        }
        return typeof given === 'string' ? K.parseDate(given) : +given;
    }
    function primitive(object) {
        var value = typeof object.valueOf === 'function' ? object.valueOf() : object;
        return value !== null && typeof value === 'object' ? String(object) : value;
    }
    Object.defineProperty(Date, 'length', { value: 7, configurable: true });
    Object.defineProperty(Date, 'prototype', { value: NativeDate.prototype, writable: false, configurable: false, enumerable: false });
    defineHidden(NativeDate.prototype, 'constructor', Date);
    defineHidden(Date, 'now', { now: function () { return now; } }.now);
    Object.defineProperty(Date.now, 'name', { value: 'now', configurable: true });
    K.NativeDate = NativeDate;
    defineHidden(global, 'Date', Date);

    // -- timers -------------------------------------------------------------------------------

    var MOST = 10000, LONGEST = 2147483647, timers = [], live = K.bare(), count = 0, nextTimer = 1, apply = K.captured.apply;

    /* Timers lie in the order in which they are due; those due at once fire in the order in which they were set. */
    function put(timer) {
        var at = timers.length;
        for (; at > 0 && timers[at - 1].due > timer.due; at--) timers[at] = timers[at - 1];
        timers[at] = timer;
    }

    function add(name, fn, delay, args, repeat) {
        if (typeof fn !== 'function') throw new TypeError(name + ': expected a function as the first argument, not ' + K.quote(fn) + '.');
        if (K.run === null) throw K.HostError({ code: 'closed', call: name, message: name + ' works only while an invocation runs.' });
        if (count >= MOST) throw new RangeError(name + ': an invocation may have at most ' + MOST + ' timers.');
        delay = +delay;
        delay = delay > 1 ? (delay < LONGEST ? floor(delay) : LONGEST) : 1;
        var timer = { id: nextTimer++, due: now + delay, fn: fn, args: args, every: repeat ? delay : 0 };
        live[timer.id] = timer;
        count++;
        put(timer);
        return timer.id;
    }

    function forget(timer) {
        delete live[timer.id];
        count--;
    }

    function clear(id) {
        var timer = live[+id];
        if (timer === undefined) return;
        forget(timer);
        for (var i = 0; i < timers.length; i++) {
            if (timers[i] !== timer) continue;
            for (; i + 1 < timers.length; i++) timers[i] = timers[i + 1];
            timers.length = i;
        }
    }

    function rest(list) {
        if (list.length < 3) return NONE;
        var args = [];
        for (var i = 2; i < list.length; i++) args[i - 2] = list[i];
        return args;
    }
    var NONE = [];

    function callAlone(fn) { fn(); }

    defineHidden(global, 'setTimeout', function setTimeout(fn, delay) { return add('setTimeout', fn, delay, rest(arguments), false); });
    defineHidden(global, 'setInterval', function setInterval(fn, delay) { return add('setInterval', fn, delay, rest(arguments), true); });
    defineHidden(global, 'clearTimeout', function clearTimeout(id) { clear(id); });
    defineHidden(global, 'clearInterval', function clearInterval(id) { clear(id); });
    defineHidden(global, 'queueMicrotask', function queueMicrotask(fn) {
        if (typeof fn !== 'function') throw new TypeError('queueMicrotask: expected a function, not ' + K.quote(fn) + '.');
        K.microtask(callAlone, fn);
    });

    /* Makes a job of every timer that is due. */
    K.fireTimers = function () {
        var due = 0;
        while (due < timers.length && timers[due].due <= now) K.job(fire, timers[due++]);
        if (due === 0) return;
        var left = timers.length - due;
        for (var i = 0; i < left; i++) timers[i] = timers[i + due];
        timers.length = left;
    };

    function fire(timer) {
        // One that fired before it may have cleared it.
        if (live[timer.id] !== timer) return;
        if (timer.every > 0) {
            timer.due = now + timer.every;
            put(timer);
        } else forget(timer);
        apply(timer.fn, undefined, timer.args);
    }

    /* Milliseconds until the next one, -1 if there is none. */
    K.nextTimer = function () { return timers.length === 0 ? -1 : timers[0].due > now ? timers[0].due - now : 0; };
    K.timerCount = function () { return count; };
    K.dropTimers = function () {
        if (count === 0) return;
        timers = [];
        live = K.bare();
        count = 0;
    };
}(__kernel, globalThis));
