/*
 * Chance that nobody can guess: crypto.randomUUID, crypto.getRandomValues, and the seed of Math.random.
 *
 * The run box brings 128 bits of the server's entropy.  They are the key of ChaCha20 (RFC 8439 with a
 * 16-byte key, as in Bernstein's paper): block 0 seeds Math.random, whose values may be shown to
 * anybody, the others are for crypto.  So what an invocation shows of one tells nothing of the other.
 *
 * K.randomBytes(bytes) fills a Uint8Array; K.randomHex(count) gives that many bytes as text.
 */
(function (K) {
    'use strict';

    var HEX = [], parseHex = parseInt, slice = K.captured.slice, startClock = K.startClock, weakRandom = K.random;
    for (var i = 0; i < 256; i++) HEX[i] = (i < 16 ? '0' : '') + i.toString(16);
    var key = null, given = '', counter = 1, buffer = [], at = 0, seeded = false;

    K.startClock = function (milliseconds, seed) {
        // Most invocations need no chance: the key is read when one does.
        key = null;
        given = seed;
        counter = 1;
        buffer = [];
        at = 0;
        seeded = false;
        startClock(milliseconds);
    };
    K.random = function () {
        if (!seeded) {
            seeded = true;
            K.seedRandom(hex(block(0), 16));
        }
        return weakRandom();
    };

    function quarter(x, a, b, c, d) {
        var t;
        x[a] = x[a] + x[b] | 0; t = x[d] ^ x[a]; x[d] = t << 16 | t >>> 16;
        x[c] = x[c] + x[d] | 0; t = x[b] ^ x[c]; x[b] = t << 12 | t >>> 20;
        x[a] = x[a] + x[b] | 0; t = x[d] ^ x[a]; x[d] = t << 8 | t >>> 24;
        x[c] = x[c] + x[d] | 0; t = x[b] ^ x[c]; x[b] = t << 7 | t >>> 25;
    }

    function keyWord(from) { return parseHex(slice(given, from, from + 8), 16) | 0; }

    /* 64 bytes; the constants spell "expand 16-byte k". */
    function block(number) {
        if (key === null) key = [keyWord(0), keyWord(8), keyWord(16), keyWord(24)];
        var start = [0x61707865, 0x3120646e, 0x79622d36, 0x6b206574, key[0], key[1], key[2], key[3], key[0], key[1], key[2], key[3], number | 0, 0, 0, 0];
        var x = [], bytes = [];
        for (var j = 0; j < 16; j++) x[j] = start[j];
        for (var round = 0; round < 10; round++) {
            quarter(x, 0, 4, 8, 12); quarter(x, 1, 5, 9, 13); quarter(x, 2, 6, 10, 14); quarter(x, 3, 7, 11, 15);
            quarter(x, 0, 5, 10, 15); quarter(x, 1, 6, 11, 12); quarter(x, 2, 7, 8, 13); quarter(x, 3, 4, 9, 14);
        }
        for (var i = 0; i < 16; i++) {
            var word = x[i] + start[i] | 0;
            bytes[4 * i] = word & 255;
            bytes[4 * i + 1] = word >>> 8 & 255;
            bytes[4 * i + 2] = word >>> 16 & 255;
            bytes[4 * i + 3] = word >>> 24;
        }
        return bytes;
    }

    K.randomBytes = function (bytes) {
        for (var i = 0; i < bytes.length; i++) {
            if (at === buffer.length) {
                buffer = block(counter++);
                at = 0;
            }
            bytes[i] = buffer[at++];
        }
        return bytes;
    };

    function hex(bytes, count) {
        var text = '';
        for (var i = 0; i < count; i++) text += HEX[bytes[i]];
        return text;
    }
    K.randomHex = function (count) { return hex(K.randomBytes(new Uint8Array(count)), count); };

    function Crypto() { throw new TypeError('Illegal constructor'); }
    K.define(Crypto.prototype, 'randomUUID', function randomUUID() {
        var b = K.randomBytes(new Uint8Array(16)), text = '';
        b[6] = b[6] & 15 | 64;
        b[8] = b[8] & 63 | 128;
        for (var i = 0; i < 16; i++) text += (i === 4 || i === 6 || i === 8 || i === 10 ? '-' : '') + HEX[b[i]];
        return text;
    });
    K.define(Crypto.prototype, 'getRandomValues', function getRandomValues(array) {
        var name = Object.prototype.toString.call(array);
        if (!/^\[object (?:Uint|Int)(?:8|16|32)(?:Clamped)?Array\]$/.test(name)) {
            throw new K.DOMException('getRandomValues: expected an array of integers such as a Uint8Array', 'TypeMismatchError');
        }
        if (array.byteLength > 65536) throw new K.DOMException('getRandomValues: at most 65536 bytes at a time, not ' + array.byteLength, 'QuotaExceededError');
        K.randomBytes(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
        return array;
    });
    K.define(Crypto.prototype, Symbol.toStringTag, 'Crypto', true);
    K.global('Crypto', Crypto);
    K.global('crypto', Object.create(Crypto.prototype));

    /* Milliseconds since the invocation began; the clock stands still between host calls (see time.js). */
    var begun = 0, start = K.startClock;
    K.startClock = function (milliseconds, seed) {
        begun = milliseconds;
        start(milliseconds, seed);
    };
    var performance = Object.create(K.EventTarget.prototype);
    K.define(performance, 'now', function now() { return K.now() - begun; });
    K.getter(performance, 'timeOrigin', function () { return begun; });
    K.define(performance, 'toJSON', function toJSON() { return { timeOrigin: begun }; });
    K.define(performance, Symbol.toStringTag, 'Performance', true);
    K.global('performance', performance);
}(__kernel));
