/*
 * TextDecoder for every encoding of the Encoding standard.
 *
 * UTF-8 is the engine's.  The others are here: a step takes the bytes of one character and says how many they are
 * and which one it is; those of a character that goes on in the next chunk are kept.
 *
 *   step(state, bytes, at, end) -> number of bytes taken, 0 if more are needed; state.point is the code point,
 *                                  -1 for an error, -2 for nothing
 *
 * Indexes of several thousand characters are unpacked when a script first asks for them.
 */
(function (K, global) {
    'use strict';

    var U8 = Uint8Array, NativeDecoder = K.native.TextDecoder, decodeUtf8 = K.free(NativeDecoder.prototype.decode);
    var fromCharCode = String.fromCharCode, codeAt = K.captured.charCodeAt, indexOf = K.captured.indexOf, split = K.captured.split, WRONG = -1, NOTHING = -2;

    var LABELS = K.bare();
    split(K.encodingLabels, ' ').forEach(function (group) {
        var both = split(group, '=');
        split(both[1], ',').forEach(function (label) { LABELS[label] = both[0]; });
    });

    /* -- indexes --------------------------------------------------------------------------- */

    var unpacked = K.bare(), reading = { text: '', at: 0 }, HALF = K.indexDigits.length / 2;

    function number() {
        for (var value = 0, unit = 1; ; unit *= HALF) {
            var digit = indexOf(K.indexDigits, reading.text.charAt(reading.at++));
            if (digit < HALF) return value + digit * unit;
            value += (digit - HALF) * unit;
        }
    }

    /* See tests/support/tables/encoding_tables.mjs for the form. */
    function index(name) {
        if (unpacked[name] !== undefined) return unpacked[name];
        var points = new Uint32Array(24000), at = 0, expected = 0;
        reading = { text: K.multipleBytes[name], at: 0 };
        while (reading.at < reading.text.length) {
            var first = number(), zigzag = first >> 1, length = 1;
            if (first & 1) { at += number(); length = number(); }
            expected += zigzag & 1 ? -(zigzag + 1 >> 1) : zigzag >> 1;
            while (length-- > 0) points[at++] = expected++;
        }
        unpacked[name] = points;
        return points;
    }

    /* Pairs of a pointer and a code point, each the first of a range. */
    function ranges() {
        if (unpacked.ranges !== undefined) return unpacked.ranges;
        var pairs = [], pointer = 0, point = 0;
        reading = { text: K.gb18030Ranges, at: 0 };
        while (reading.at < reading.text.length) {
            pointer += number();
            point += number();
            pairs[pairs.length] = [pointer, point];
        }
        unpacked.ranges = pairs;
        return pairs;
    }

    function inRanges(pointer) {
        if (pointer > 39419 && pointer < 189000 || pointer > 1237575) return WRONG;
        if (pointer === 7457) return 0xe7c7;
        var pairs = ranges(), i = pairs.length - 1;
        while (i > 0 && pairs[i][0] > pointer) i--;
        return pairs[i][1] + pointer - pairs[i][0];
    }

    /* -- steps ----------------------------------------------------------------------------- */

    function between(value, low, high) { return value >= low && value <= high; }

    /* What two bytes come to: one of them is taken if the second is an ASCII character of its own. */
    function pair(state, point, second) {
        state.point = point > 0 ? point : WRONG;
        return point > 0 || second > 0x7f ? 2 : 1;
    }
    function one(state, point) {
        state.point = point;
        return 1;
    }

    function gb18030(state, bytes, at, end) {
        var lead = bytes[at];
        if (lead < 0x80) return one(state, lead);
        if (lead === 0x80) return one(state, 0x20ac);
        if (lead === 0xff) return one(state, WRONG);
        if (at + 1 >= end) return 0;
        var second = bytes[at + 1];
        if (between(second, 0x30, 0x39)) {
            if (at + 2 >= end) return 0;
            if (!between(bytes[at + 2], 0x81, 0xfe)) return one(state, WRONG);
            if (at + 3 >= end) return 0;
            if (!between(bytes[at + 3], 0x30, 0x39)) return one(state, WRONG);
            state.point = inRanges((lead - 0x81) * 12600 + (second - 0x30) * 1260 + (bytes[at + 2] - 0x81) * 10 + bytes[at + 3] - 0x30);
            return 4;
        }
        var valid = between(second, 0x40, 0x7e) || between(second, 0x80, 0xfe);
        return pair(state, valid ? index('gb18030')[(lead - 0x81) * 190 + second - (second < 0x7f ? 0x40 : 0x41)] : 0, second);
    }

    var BIG5_PAIRS = { 1133: [0xca, 0x304], 1135: [0xca, 0x30c], 1164: [0xea, 0x304], 1166: [0xea, 0x30c] };
    function big5(state, bytes, at, end) {
        var lead = bytes[at];
        if (lead < 0x80) return one(state, lead);
        if (!between(lead, 0x81, 0xfe)) return one(state, WRONG);
        if (at + 1 >= end) return 0;
        var second = bytes[at + 1], valid = between(second, 0x40, 0x7e) || between(second, 0xa1, 0xfe), pointer = (lead - 0x81) * 157 + second - (second < 0x7f ? 0x40 : 0x62);
        var both = valid ? BIG5_PAIRS[pointer] : undefined;
        if (both !== undefined) {
            state.then = both[1];
            return pair(state, both[0], second);
        }
        return pair(state, valid ? index('big5')[pointer] : 0, second);
    }

    function eucKr(state, bytes, at, end) {
        var lead = bytes[at];
        if (lead < 0x80) return one(state, lead);
        if (!between(lead, 0x81, 0xfe)) return one(state, WRONG);
        if (at + 1 >= end) return 0;
        var second = bytes[at + 1];
        return pair(state, between(second, 0x41, 0xfe) ? index('euc-kr')[(lead - 0x81) * 190 + second - 0x41] : 0, second);
    }

    function shiftJis(state, bytes, at, end) {
        var lead = bytes[at];
        if (lead <= 0x80) return one(state, lead);
        if (between(lead, 0xa1, 0xdf)) return one(state, 0xff61 - 0xa1 + lead);
        if (!between(lead, 0x81, 0x9f) && !between(lead, 0xe0, 0xfc)) return one(state, WRONG);
        if (at + 1 >= end) return 0;
        var second = bytes[at + 1], pointer = (lead - (lead < 0xa0 ? 0x81 : 0xc1)) * 188 + second - (second < 0x7f ? 0x40 : 0x41);
        if (!between(second, 0x40, 0x7e) && !between(second, 0x80, 0xfc)) return pair(state, 0, second);
        return pair(state, between(pointer, 8836, 10715) ? 0xe000 - 8836 + pointer : index('jis0208')[pointer], second);
    }

    function eucJp(state, bytes, at, end) {
        var lead = bytes[at], second, third;
        if (lead < 0x80) return one(state, lead);
        if (lead !== 0x8e && lead !== 0x8f && !between(lead, 0xa1, 0xfe)) return one(state, WRONG);
        if (at + 1 >= end) return 0;
        second = bytes[at + 1];
        if (lead === 0x8e && between(second, 0xa1, 0xdf)) return pair(state, 0xff61 - 0xa1 + second, second);
        if (lead !== 0x8f || !between(second, 0xa1, 0xfe)) {
            return pair(state, between(lead, 0xa1, 0xfe) && between(second, 0xa1, 0xfe) ? index('jis0208')[(lead - 0xa1) * 94 + second - 0xa1] : 0, second);
        }
        if (at + 2 >= end) return 0;
        third = bytes[at + 2];
        return 1 + pair(state, between(third, 0xa1, 0xfe) ? index('jis0212')[(second - 0xa1) * 94 + third - 0xa1] : 0, third);
    }

    /* state.mode is what the last escape chose; state.empty that nothing has come since. */
    var ESCAPES = { '28:42': 'ascii', '28:4a': 'roman', '28:49': 'katakana', '24:40': 'kanji', '24:42': 'kanji' };
    function iso2022jp(state, bytes, at, end) {
        var byte = bytes[at], mode = state.mode, second;
        if (byte === 0x1b) {
            second = bytes[at + 1];
            if (at + 1 >= end) return 0;
            if (second === 0x24 || second === 0x28) {
                if (at + 2 >= end) return 0;
                var chosen = ESCAPES[second.toString(16) + ':' + bytes[at + 2].toString(16)];
                if (chosen !== undefined) {
                    state.point = state.empty ? WRONG : NOTHING;
                    state.mode = chosen;
                    state.empty = true;
                    return 3;
                }
            }
            state.empty = false;
            return one(state, WRONG);
        }
        state.empty = false;
        if (mode === 'kanji') {
            if (!between(byte, 0x21, 0x7e)) return one(state, WRONG);
            if (at + 1 >= end) return 0;
            second = bytes[at + 1];
            if (second === 0x1b) return one(state, WRONG);
            var point = between(second, 0x21, 0x7e) ? index('jis0208')[(byte - 0x21) * 94 + second - 0x21] : 0;
            state.point = point > 0 ? point : WRONG;
            return 2;
        }
        if (mode === 'katakana') return one(state, between(byte, 0x21, 0x5f) ? 0xff61 - 0x21 + byte : WRONG);
        if (byte > 0x7f || byte === 0x0e || byte === 0x0f) return one(state, WRONG);
        return one(state, mode === 'roman' && byte === 0x5c ? 0xa5 : mode === 'roman' && byte === 0x7e ? 0x203e : byte);
    }

    function utf16(high, low) {
        return function (state, bytes, at, end) {
            if (at + 1 >= end) return 0;
            var first = bytes[at + high] << 8 | bytes[at + low];
            state.point = first;
            if (first < 0xd800 || first > 0xdfff) return 2;
            state.point = WRONG;
            if (first > 0xdbff) return 2;
            if (at + 3 >= end) return 0;
            var second = bytes[at + 2 + high] << 8 | bytes[at + 2 + low];
            if (second < 0xdc00 || second > 0xdfff) return 2;
            state.point = 0x10000 + (first - 0xd800 << 10) + second - 0xdc00;
            return 4;
        };
    }

    function userDefined(state, bytes, at) { return one(state, bytes[at] < 0x80 ? bytes[at] : 0xf700 + bytes[at]); }

    function singleByte(name) {
        var upper = K.singleBytes[name];
        return function (state, bytes, at) {
            var byte = bytes[at], code = byte < 0x80 ? byte : codeAt(upper, byte - 0x80);
            return one(state, code === 0xfffd ? WRONG : code);
        };
    }

    var STEPS = { gbk: gb18030, gb18030: gb18030, big5: big5, 'euc-kr': eucKr, shift_jis: shiftJis, 'euc-jp': eucJp, 'iso-2022-jp': iso2022jp, 'utf-16le': utf16(1, 0), 'utf-16be': utf16(0, 1), 'x-user-defined': userDefined };
    function stepOf(name) { return STEPS[name] !== undefined ? STEPS[name] : singleByte(name === 'iso-8859-8-i' ? 'iso-8859-8' : name); }

    /* -- the class ------------------------------------------------------------------------- */

    function begin(state) {
        state.rest = null;
        state.begun = false;
        state.mode = 'ascii';
        state.empty = false;
    }

    function newNative(state) { return new NativeDecoder('utf-8', { fatal: state.fatal, ignoreBOM: state.ignoreBom }); }

    function TextDecoder(label, options) {
        if (!(this instanceof TextDecoder)) throw new TypeError("Class constructor TextDecoder cannot be invoked without 'new'");
        var name = label === undefined ? 'utf-8' : LABELS[String(label).replace(/^[\t\n\f\r ]+|[\t\n\f\r ]+$/g, '').toLowerCase()];
        if (name === undefined || name === 'replacement') throw new RangeError("TextDecoder: '" + label + "' is no encoding that can be decoded; see the labels of the Encoding standard, such as utf-8, windows-1251 or shift_jis");
        var state = K.hide(this, { name: name, fatal: !!(options && options.fatal), ignoreBom: !!(options && options.ignoreBOM), point: 0, then: 0 });
        if (name === 'utf-8') state.native = newNative(state);
        else begin(state);
    }
    K.getter(TextDecoder.prototype, 'encoding', function () { return K.hidden(this).name; });
    K.getter(TextDecoder.prototype, 'fatal', function () { return K.hidden(this).fatal; });
    K.getter(TextDecoder.prototype, 'ignoreBOM', function () { return K.hidden(this).ignoreBom; });
    K.define(TextDecoder.prototype, Symbol.toStringTag, 'TextDecoder', true);

    K.define(TextDecoder.prototype, 'decode', function decode(input, options) {
        var bytes = input === undefined ? new U8(0) : K.bytesOf(input), stream = !!(options && options.stream), state = K.hidden(this);
        if (bytes === null) throw new TypeError('TextDecoder.decode: expected an ArrayBuffer or a typed array');
        try {
            return state.name === 'utf-8' ? decodeUtf8(state.native, bytes, { stream: stream }) : decoded(state, bytes, stream);
        } catch (error) {
            if (state.name === 'utf-8') state.native = newNative(state);
            else begin(state);
            throw new TypeError('The encoded data was not valid for encoding ' + state.name);
        }
    });

    function decoded(state, bytes, stream) {
        if (state.rest !== null) bytes = joined(state.rest, bytes);
        state.rest = null;
        if (state.step === undefined) state.step = stepOf(state.name);
        var made = '', at = 0, end = bytes.length;
        while (at < end) {
            var taken = state.step(state, bytes, at, end);
            if (taken === 0) {
                if (stream) { state.rest = bytes.slice(at); break; }
                state.point = WRONG;
                // Of an escape that is not there the rest are characters.
                taken = state.name === 'iso-2022-jp' && bytes[at] === 0x1b ? 1 : end - at;
            }
            at += taken;
            made += textOf(state);
        }
        if (!stream) begin(state);
        return made;
    }

    function joined(rest, bytes) {
        var all = new U8(rest.length + bytes.length);
        all.set(rest, 0);
        all.set(bytes, rest.length);
        return all;
    }

    function textOf(state) {
        var point = state.point, begun = state.begun;
        if (point === NOTHING) return '';
        if (point === WRONG) {
            if (state.fatal) throw new TypeError('invalid');
            point = 0xfffd;
        }
        state.begun = true;
        if (point === 0xfeff && !begun && !state.ignoreBom && state.name.slice(0, 5) === 'utf-1') return '';
        if (point > 0xffff) return fromCharCode(0xd800 + (point - 0x10000 >> 10), 0xdc00 + (point & 0x3ff));
        if (state.then === 0) return fromCharCode(point);
        var then = state.then;
        state.then = 0;
        return fromCharCode(point, then);
    }

    K.TextDecoder = TextDecoder;
    K.global('TextDecoder', TextDecoder);
}(__kernel, globalThis));
