/*
 * A script that does anything at all, chosen by a number: the same number, the same deeds.
 *
 * It walks over all that it can reach, then calls, constructs, replaces, deletes and freezes what it found, with
 * values that throw, re-enter, wait for the host or are very large.  Each deed is said in a log line before it is done.
 */
var say = console.log, apply = Reflect.apply, construct = Reflect.construct, define = Object.defineProperty;
var namesOf = Object.getOwnPropertyNames, symbolsOf = Object.getOwnPropertySymbols, describe = Object.getOwnPropertyDescriptor, protoOf = Object.getPrototypeOf;
var setProto = Object.setPrototypeOf, freeze = Object.freeze, create = Object.create, floor = Math.floor, isArray = Array.isArray;
var later = setTimeout, soon = queueMicrotask, askSync = getScript, text = String, P = Promise, then = P.prototype.then, PX = Proxy;
var get = kv.get, set = kv.set, getItem = sharedStorage.getItem, parseNumber = parseInt, typed = Uint8Array, Sym = Symbol, E = Error;

var things = [], paths = [], functions = [];

/* Breadth first, over values, getters and prototypes. */
(function walk() {
    var queue = [globalThis], where = ['globalThis'], at = 0;
    function add(value, path) {
        if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return;
        if (things.indexOf(value) >= 0 || queue.indexOf(value) >= 0) return;
        queue[queue.length] = value;
        where[where.length] = path;
    }
    while (at < queue.length) {
        var thing = queue[at], path = where[at];
        at++;
        things[things.length] = thing;
        paths[paths.length] = path;
        if (typeof thing === 'function') functions[functions.length] = things.length - 1;
        var keys = namesOf(thing).concat(symbolsOf(thing));
        for (var i = 0; i < keys.length; i++) {
            var found = describe(thing, keys[i]), name = path + '.' + text(keys[i]);
            if (!found) continue;
            add(found.value, name);
            add(found.get, name + ' (get)');
            add(found.set, name + ' (set)');
        }
        add(protoOf(thing), path + '.__proto__');
    }
}());

function make(state) {
    return function (below) {
        state = (state * 1103515245 + 12345) % 2147483648;
        return floor(state / 65536) % below;
    };
}

registerWebHandler('/names', function () { return paths; });

registerWebHandler('/deeds', function (req) {
    var pick = make(parseNumber(req.query.seed, 10)), left = parseNumber(req.query.deeds, 10), depth = 0, pool = [];

    function any(list) { return list[pick(list.length)]; }
    /* Nobody is told of it when it is rejected. */
    function calm(promise) { apply(then, promise, [nothing, nothing]); return promise; }
    function nothing() {}
    function keep(value) { if (pool.length < 200) pool[pool.length] = value; return value; }

    function hostile() {
        switch (pick(8)) {
        case 0: return function () { throw null; };
        case 1: return function () { return this; };
        case 2: return function () { deed('inside'); return value(); };
        case 3: return function () { return askSync('from a callback'); };
        case 4: return function () { return -1; };
        case 5: return function () { return 'D0 a{"forged":true}\nFthrown {}\nC1 answer.send ["","a","forged"]\n'; };
        case 6: return function hostile() { return 1 + hostile(); };
        default: return function () { return new P(function () {}); };
        }
    }

    function value() {
        switch (pick(26)) {
        case 0: return undefined;
        case 1: return null;
        case 2: return any([0, -0, -1, 1, 3, 255, 4294967295, 4294967296, 1e21, NaN, Infinity, -Infinity, 0.5, 2147483647]);
        case 3: return any(['', 'x', '\ud800', 'a\u0000b', '__proto__', 'constructor', 'length', '0', 'then', '\u2028', '{"a":1}', '(a+)+$']);
        case 4: return new Array(pick(2000) + 2).join('xy');
        case 5: return [1, [2, [3]], 'x'];
        case 6: return { a: 1, b: { c: [1] } };
        case 7: return hostile();
        case 8: return { toJSON: hostile(), toString: hostile(), valueOf: hostile() };
        case 9: return define({}, 'a', { get: hostile(), set: hostile(), enumerable: true, configurable: true });
        case 10: return define({}, Sym.toPrimitive, { value: hostile(), configurable: true });
        case 11: return new PX(any([{}, [], hostile()]), { get: hostile(), set: hostile(), has: hostile(), ownKeys: hostile(), apply: hostile(), getPrototypeOf: hostile(), deleteProperty: hostile(), defineProperty: hostile() });
        case 12: return new typed(pick(64));
        case 13: return new typed(pick(64)).buffer;
        case 14: return any([/(a*)*b/, /./g, /\ud800/, new RegExp('', 'y')]);
        case 15: return new E(any(['m', '\ud800', 'alloc failed']));
        case 16: return Sym.iterator;
        case 17: return define([], 'length', { value: any([0, 5, 100000]) });
        case 18: return create(null);
        case 19: return { then: hostile() };
        case 20: return { length: any([-1, 3, 1e9, NaN]), 0: 'a', constructor: hostile() };
        case 21: return calm(P.reject(any([null, 1])));
        case 22: return define([1, 2, 3], 'constructor', { value: define(hostile(), Sym.species, { value: hostile() }) });
        case 23: return pool.length ? any(pool) : {};
        default: return things[pick(things.length)];
        }
    }

    function list(most) {
        var made = [];
        for (var n = pick(most + 1); n > 0; n--) made[made.length] = value();
        return made;
    }

    function key(object) {
        var keys;
        try { keys = namesOf(object).concat(symbolsOf(object)); } catch (error) { keys = []; }
        return keys.length && pick(4) ? any(keys) : any(['toJSON', 'then', 'constructor', 'length', '0', '__proto__', 'value', 'get', 'body', 'err', 'ok', 'stream', 'h']);
    }

    function replace(where) {
        var at = pick(things.length), object = things[at], name = key(object);
        say(where + ': replace ' + paths[at] + ' . ' + text(name));
        switch (pick(6)) {
        case 0: delete object[name]; break;
        case 1: define(object, name, { get: hostile(), set: hostile(), configurable: true }); break;
        case 2: if (!pick(20)) freeze(object); break;
        case 3: setProto(object, any([null, [], new PX({}, {})])); break;
        default: define(object, name, { value: value(), writable: true, configurable: !!pick(2) });
        }
    }

    function deed(where) {
        if (left-- <= 0 || depth > 5) return undefined;
        depth++;
        try {
            return done(where);
        } catch (error) {
            return keep(error);
        } finally {
            depth--;
        }
    }

    function done(where) {
        var at, args;
        switch (pick(12)) {
        case 0: return replace(where);
        case 1:
            say(where + ': ask');
            return keep(askSync.apply(null, list(2)));
        case 2:
            say(where + ': kv');
            args = pick(2) ? apply(get, kv, list(2)) : apply(set, kv, list(3));
            calm(args);
            return keep(args);
        case 3:
            say(where + ': timer');
            if (pick(2)) later(function () { deed('timer'); }, pick(5));
            else soon(function () { deed('microtask'); });
            return undefined;
        case 4:
            say(where + ': log');
            return say(value(), value());
        case 5:
            args = value();
            say(where + ': touch');
            if (args === null || (typeof args !== 'object' && typeof args !== 'function')) return text(args);
            at = key(args);
            if (pick(2)) args[at] = value();
            return keep(args[at]);
        case 6:
            at = any(functions);
            say(where + ': new ' + paths[at]);
            return keep(construct(things[at], list(3)));
        case 7:
            say(where + ': then');
            return keep(calm(apply(then, P.resolve(value()), [hostile(), hostile()])));
        default:
            at = any(functions);
            say(where + ': call ' + paths[at]);
            return keep(apply(things[at], value(), list(4)));
        }
    }

    while (left > 0) deed('top');
    return pick(3) ? value() : apply(then, P.resolve(1), [function () { return value(); }]);
});

/* All methods and getters of one thing are replaced, and then a handler does what handlers do. */
registerWebHandler('/poisoned', function (req) {
    var thing = things[parseNumber(req.query.thing, 10)], kind = parseNumber(req.query.kind, 10), keys = namesOf(thing).concat(symbolsOf(thing));
    function poison() {
        switch (kind) {
        case 0: throw null;
        case 1: return 'D0 a{"forged":true}\nFthrown {}\nC1 answer.send ["","a","forged"]\n';
        case 2: return askSync('from a method');
        default: return this;
        }
    }
    for (var i = 0; i < keys.length; i++) {
        var found = describe(thing, keys[i]);
        if (!found || !found.configurable) continue;
        if (found.get || found.set) define(thing, keys[i], { get: poison, set: poison, configurable: true });
        else if (typeof found.value === 'function') define(thing, keys[i], { value: poison, writable: true, configurable: true });
    }
    say('line', { a: 1 });
    var asked = [askSync('sync')];
    return apply(then, apply(get, kv, ['async']), [function (given) {
        asked[1] = given;
        return new P(function (done) { later(function () { done({ asked: asked, text: '\u00e9' }); }, 0); });
    }]);
});

registerWebHandler('/good', function (req) { return { n: req.query.n, twice: req.query.n * 2 }; });
