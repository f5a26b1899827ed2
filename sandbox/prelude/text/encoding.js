/*
 * Text and bytes: TextEncoder, atob, btoa, and the conversions other files use (TextDecoder: decoder.js).
 *
 * The engine's own UTF-8 codecs are kept underneath; what they lack is TypedArray results from `Duktape.dec`.
 *
 * For other files: K.utf8(text) -> Uint8Array, K.text(bytes) and K.decodeUtf8(bytes) -> text, K.base64(bytes) -> text,
 * K.fromBase64(text) -> Uint8Array, K.bytesOf(value) -> Uint8Array or null, K.isAscii(text), K.usvString(value).
 */
(function (K, global) {
    'use strict';

    var byteLength = K.native.byteLength, encode = K.native.enc, decode = K.native.dec;
    var NativeEncoder = K.native.TextEncoder, NativeDecoder = K.native.TextDecoder;
    var nativeEncode = NativeEncoder.prototype.encode, nativeDecode = NativeDecoder.prototype.decode;
    var utf8Encoder = new NativeEncoder(), utf8Decoder = new NativeDecoder(), keepingDecoder = new NativeDecoder('utf-8', { ignoreBOM: true });
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
        return replace(value, PAIRS_AND_LONE, function (match) {
            if (match.length === 2) return match;
            return escaped ? '\\u' + match.charCodeAt(0).toString(16) : '\ufffd';
        });
    };

    /* What Web IDL makes of a value where a string is wanted. */
    K.usvString = function (value) {
        if (typeof value === 'symbol') throw new TypeError('Cannot convert a Symbol value to a string');
        return K.wellFormed(typeof value === 'string' ? value : String(value));
    };

    K.utf8 = utf8;
    K.text = text;
    /* As K.text, with a byte order mark kept. */
    K.decodeUtf8 = function (bytes) { return uncurriedDecode(keepingDecoder, bytes); };
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
        if (!(target instanceof U8)) throw new TypeError('TextEncoder.encodeInto: expected a Uint8Array to write to, not ' + K.quote(target));
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

    K.define(TextEncoder.prototype, Symbol.toStringTag, 'TextEncoder', true);

    function isPair(value, at) {
        var first = value.charCodeAt(at), second = value.charCodeAt(at + 1);
        return first >= 0xd800 && first < 0xdc00 && second >= 0xdc00 && second < 0xe000;
    }

    function notLatin(name) {
        return new K.DOMException(name + ': the text has a character above U+00FF; encode it first: ' + name + "(String.fromCharCode.apply(null, new TextEncoder().encode(text)))", 'InvalidCharacterError');
    }

    K.global('btoa', function btoa(value) {
        if (arguments.length === 0) throw new TypeError('btoa needs one argument, a string');
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
        if (arguments.length === 0) throw new TypeError('atob needs one argument, a base64 string');
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
}(__kernel, globalThis));
