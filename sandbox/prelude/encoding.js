/*
 * Text and bytes: TextEncoder, TextDecoder, atob, btoa, and the conversions other files use.
 *
 * The engine's own UTF-8 codecs are kept underneath; what they lack is other labels (latin1, utf-16le)
 * and TypedArray results from `Duktape.dec`.
 *
 * For other files: K.utf8(text) -> Uint8Array, K.text(bytes) -> text, K.base64(bytes) -> text,
 * K.fromBase64(text) -> Uint8Array, K.bytesOf(value) -> Uint8Array or null, K.isAscii(text).
 */
(function (K, global) {
    'use strict';

    var byteLength = K.native.byteLength, encode = K.native.enc, decode = K.native.dec;
    var NativeEncoder = K.native.TextEncoder, NativeDecoder = K.native.TextDecoder;
    var nativeEncode = NativeEncoder.prototype.encode, nativeDecode = NativeDecoder.prototype.decode;
    var utf8Encoder = new NativeEncoder(), utf8Decoder = new NativeDecoder();
    var call = Function.prototype.call;
    var uncurriedEncode = call.bind(nativeEncode), uncurriedDecode = call.bind(nativeDecode);
    var hasSurrogate = K.native.test, replace = call.bind(K.native.replace);
    var fromCharCode = String.fromCharCode, encodeURI = global.encodeURI, U8 = Uint8Array, AB = ArrayBuffer, isView = AB.isView;

    function utf8(text) {
        return new U8(uncurriedEncode(utf8Encoder, text).buffer);
    }
    function text(bytes) {
        return uncurriedDecode(utf8Decoder, bytes);
    }
    /* The engine knows both lengths of a text, so this does not look at the characters. */
    function isAscii(value) {
        return byteLength(value) === value.length;
    }
    function fromBase64(value) {
        return new U8(decode('base64', value).buffer);
    }
    function bytesOf(value) {
        if (value instanceof U8) return value;
        if (value instanceof AB) return new U8(value);
        if (value !== null && typeof value === 'object' && isView(value)) return new U8(value.buffer, value.byteOffset, value.byteLength);
        return null;
    }

    /* Lone surrogates have no UTF-8: they become U+FFFD, or inside JSON text the escape that means them. */
    var SURROGATE = /[\ud800-\udfff]/, PAIRS_AND_LONE = /[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]/g;
    /* encodeURI refuses lone surrogates; for short text that is faster than a regular expression. */
    function encodable(value) {
        try {
            encodeURI(value);
            return true;
        } catch (error) {
            return false;
        }
    }
    K.wellFormed = function (value, escaped) {
        if (value.length < 500 ? encodable(value) : !hasSurrogate.call(SURROGATE, value)) return value;
        return replace(value, PAIRS_AND_LONE, function (found) {
            if (found.length === 2) return found;
            return escaped ? '\\u' + found.charCodeAt(0).toString(16) : '\ufffd';
        });
    };

    K.utf8 = utf8;
    K.text = text;
    K.isAscii = isAscii;
    K.base64 = function (bytes) { return encode('base64', bytes); };
    K.fromBase64 = fromBase64;
    K.bytesOf = bytesOf;

    function TextEncoder() {
        if (!(this instanceof TextEncoder)) throw new TypeError("Class constructor TextEncoder cannot be invoked without 'new'");
    }
    K.getter(TextEncoder.prototype, 'encoding', function () { return 'utf-8'; });
    K.define(TextEncoder.prototype, 'encode', function encode(value) {
        return utf8(value === undefined ? '' : String(value));
    });
    K.define(TextEncoder.prototype, 'encodeInto', function encodeInto(value, target) {
        value = String(value);
        var read = 0, written = 0;
        while (read < value.length) {
            var units = isPair(value, read) ? 2 : 1;
            var bytes = utf8(value.substr(read, units));
            if (written + bytes.length > target.length) break;
            target.set(bytes, written);
            written += bytes.length;
            read += units;
        }
        return { read: read, written: written };
    });

    function isPair(value, at) {
        var first = value.charCodeAt(at), second = value.charCodeAt(at + 1);
        return first >= 0xd800 && first < 0xdc00 && second >= 0xdc00 && second < 0xe000;
    }

    var LABELS = Object.create(null);
    function labels(name, list) {
        list.split(' ').forEach(function (label) { LABELS[label] = name; });
    }
    labels('utf-8', 'utf-8 utf8 unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8');
    labels('utf-16le', 'utf-16le utf-16 ucs-2 iso-10646-ucs-2 csunicode unicode unicodefeff');
    labels('utf-16be', 'utf-16be unicodefffe');
    labels('windows-1252', 'windows-1252 latin1 iso-8859-1 iso8859-1 ascii us-ascii ansi_x3.4-1968 cp1252 cp819 l1 x-cp1252 iso_8859-1');

    var WINDOWS_1252 = '\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f' +
        '\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178';

    function TextDecoder(label, options) {
        if (!(this instanceof TextDecoder)) throw new TypeError("Class constructor TextDecoder cannot be invoked without 'new'");
        var name = label === undefined ? 'utf-8' : LABELS[String(label).trim().toLowerCase()];
        if (!name) throw new RangeError("TextDecoder: the encoding '" + label + "' is not supported; there are utf-8, utf-16le, utf-16be and windows-1252 (latin1)");
        var fatal = !!(options && options.fatal), ignoreBom = !!(options && options.ignoreBOM);
        K.define(this, 'encoding', name, true);
        K.define(this, 'fatal', fatal, true);
        K.define(this, 'ignoreBOM', ignoreBom, true);
        K.hide(this, name === 'utf-8' ? new NativeDecoder('utf-8', { fatal: fatal, ignoreBOM: ignoreBom }) : { rest: null, begun: false });
    }
    K.define(TextDecoder.prototype, 'decode', function decode(input, options) {
        var bytes = input === undefined ? new U8(0) : bytesOf(input), stream = !!(options && options.stream);
        if (!bytes) throw new TypeError('TextDecoder.decode: expected an ArrayBuffer or a typed array');
        var inner = K.hidden(this);
        if (this.encoding === 'utf-8') return utf8Text(inner, bytes, stream);
        if (this.encoding === 'windows-1252') return latinText(bytes);
        return utf16Text(this, inner, bytes, stream);
    });

    function utf8Text(decoder, bytes, stream) {
        try {
            return uncurriedDecode(decoder, bytes, { stream: stream });
        } catch (error) {
            throw new TypeError('The encoded data was not valid for encoding utf-8');
        }
    }

    function latinText(bytes) {
        var made = '';
        for (var i = 0; i < bytes.length; i++) {
            var byte = bytes[i];
            made += byte >= 0x80 && byte < 0xa0 ? WINDOWS_1252.charAt(byte - 0x80) : fromCharCode(byte);
        }
        return made;
    }

    function utf16Text(decoder, state, bytes, stream) {
        var made = '', i = 0, high = decoder.encoding === 'utf-16be' ? 0 : 1;
        if (state.rest !== null && bytes.length) {
            made = unit(state.rest, bytes[0], high);
            state.rest = null;
            i = 1;
        }
        for (; i + 1 < bytes.length; i += 2) made += unit(bytes[i], bytes[i + 1], high);
        if (i < bytes.length) {
            if (stream) state.rest = bytes[i];
            else if (decoder.fatal) throw new TypeError('The encoded data was not valid for encoding ' + decoder.encoding);
            else made += '\ufffd';
        }
        if (!state.begun && made !== '') {
            if (!decoder.ignoreBOM && made.charCodeAt(0) === 0xfeff) made = made.slice(1);
            state.begun = true;
        }
        if (!stream) { state.rest = null; state.begun = false; }
        return made;
    }

    function unit(first, second, high) {
        return fromCharCode(high ? second << 8 | first : first << 8 | second);
    }

    function notLatin(name) {
        return new K.DOMException(name + ': the text has a character above U+00FF; encode it first: ' + name + "(String.fromCharCode.apply(null, new TextEncoder().encode(text)))", 'InvalidCharacterError');
    }

    K.global('btoa', function btoa(value) {
        if (arguments.length === 0) throw new TypeError('btoa needs one argument, a text');
        value = String(value);
        var bytes = new U8(value.length);
        for (var i = 0; i < value.length; i++) {
            var code = value.charCodeAt(i);
            if (code > 255) throw notLatin('btoa');
            bytes[i] = code;
        }
        return encode('base64', bytes);
    });

    K.global('atob', function atob(value) {
        if (arguments.length === 0) throw new TypeError('atob needs one argument, base64 text');
        var clean = String(value).replace(/[\t\n\f\r ]+/g, '');
        if (clean.length % 4 === 0) clean = clean.replace(/={1,2}$/, '');
        if (clean.length % 4 === 1 || /[^A-Za-z0-9+\/]/.test(clean)) {
            throw new K.DOMException('atob: the text is not base64', 'InvalidCharacterError');
        }
        var bytes = fromBase64(clean + '==='.slice(0, (4 - clean.length % 4) % 4)), made = '';
        for (var i = 0; i < bytes.length; i += 1024) made += fromCharCode.apply(null, bytes.subarray(i, i + 1024));
        return made;
    });

    K.global('TextEncoder', TextEncoder);
    K.global('TextDecoder', TextDecoder);
}(__kernel, globalThis));
