/*
 * The classes of the Streams standard, as the library makes them, and the text streams of the Encoding standard.
 *
 * For other files: K.transformer(stream, transformer), K.transformerOf(prototype, name): a class around a TransformStream.
 */
(function (K) {
    'use strict';

    var library = K.streams, TransformStream = library.TransformStream;

    Object.keys(library).forEach(function (name) {
        K.define(library[name], 'name', name, true);
        K.offer(name, library[name]);
    });

    // All their arguments are optional.
    ['ReadableStream', 'WritableStream', 'TransformStream'].forEach(function (name) { K.define(library[name], 'length', 0, true); });

    /* What a class such as TextDecoderStream has in common: it is the two ends of a transform stream. */
    K.transformer = function (stream, methods) { K.hide(stream, new TransformStream(methods)); };
    K.transformerOf = function (prototype, name) {
        ['readable', 'writable'].forEach(function (end) {
            K.getter(prototype, end, function () { return K.hidden(this)[end]; });
        });
        K.define(prototype, Symbol.toStringTag, name, true);
    };

    function TextEncoderStream() {
        if (!(this instanceof TextEncoderStream)) throw new TypeError("Class constructor TextEncoderStream cannot be invoked without 'new'");
        var held = '';
        K.transformer(this, {
            transform: function (chunk, controller) {
                var text = held + String(chunk), last = text.charCodeAt(text.length - 1);
                // The other half of the character may come with the next chunk.
                held = last >= 0xd800 && last < 0xdc00 ? text.slice(-1) : '';
                if (held !== '') text = text.slice(0, -1);
                if (text !== '') controller.enqueue(K.utf8(text));
            },
            flush: function (controller) { if (held !== '') controller.enqueue(K.utf8(held)); }
        });
    }
    K.transformerOf(TextEncoderStream.prototype, 'TextEncoderStream');
    K.getter(TextEncoderStream.prototype, 'encoding', function () { return 'utf-8'; });

    function TextDecoderStream(label, options) {
        if (!(this instanceof TextDecoderStream)) throw new TypeError("Class constructor TextDecoderStream cannot be invoked without 'new'");
        var decoder = new K.TextDecoder(label, options);
        K.define(this, 'encoding', decoder.encoding, true);
        K.define(this, 'fatal', decoder.fatal, true);
        K.define(this, 'ignoreBOM', decoder.ignoreBOM, true);
        function put(text, controller) { if (text !== '') controller.enqueue(text); }
        K.transformer(this, {
            transform: function (chunk, controller) {
                if (K.bytesOf(chunk) === null) throw new TypeError('TextDecoderStream: a chunk is ' + K.quote(chunk) + '; it must be bytes, such as a Uint8Array');
                put(decoder.decode(chunk, { stream: true }), controller);
            },
            flush: function (controller) { put(decoder.decode(), controller); }
        });
    }
    K.transformerOf(TextDecoderStream.prototype, 'TextDecoderStream');

    K.offer('TextEncoderStream', TextEncoderStream);
    K.offer('TextDecoderStream', TextDecoderStream);
}(__kernel));
