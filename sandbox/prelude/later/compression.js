/*
 * The Compression Streams standard: gzip, deflate (zlib) and deflate-raw, by a library of npm.
 */
(function (K) {
    'use strict';

    var Deflate = K.compression.Deflate, Inflate = K.compression.Inflate;
    var BITS = { gzip: 31, deflate: 15, 'deflate-raw': -15 };

    K.streamClass('TransformStream');

    function bitsOf(format, name) {
        format = String(format);
        if (!Object.prototype.hasOwnProperty.call(BITS, format)) throw new TypeError(name + ': the format ' + K.quote(format) + " is not known; give 'gzip', 'deflate' or 'deflate-raw'");
        return BITS[format];
    }

    function bytesOf(chunk, name) {
        var bytes = K.bytesOf(chunk);
        if (bytes === null) throw new TypeError(name + ': a chunk is ' + K.quote(chunk) + '; it must be bytes, such as a Uint8Array');
        return bytes;
    }

    function CompressionStream(format) {
        if (!(this instanceof CompressionStream)) throw new TypeError("Class constructor CompressionStream cannot be invoked without 'new'");
        var work = new Deflate({ windowBits: bitsOf(format, 'CompressionStream') });
        function push(bytes, last, controller) {
            work.onData = function (chunk) { if (chunk.length) controller.enqueue(new Uint8Array(chunk)); };
            work.onEnd = function () {};
            work.push(bytes, last);
            if (work.err) throw new TypeError('CompressionStream: ' + work.msg);
        }
        K.transformer(this, {
            transform: function (chunk, controller) { push(bytesOf(chunk, 'CompressionStream'), false, controller); },
            flush: function (controller) { push(new Uint8Array(0), true, controller); }
        });
    }
    K.transformerOf(CompressionStream.prototype, 'CompressionStream');

    function DecompressionStream(format) {
        if (!(this instanceof DecompressionStream)) throw new TypeError("Class constructor DecompressionStream cannot be invoked without 'new'");
        var work = new Inflate({ windowBits: bitsOf(format, 'DecompressionStream') });
        work.onEnd = function () {};
        function refuse(why) { throw new TypeError('DecompressionStream: ' + why); }
        K.transformer(this, {
            transform: function (chunk, controller) {
                var bytes = bytesOf(chunk, 'DecompressionStream');
                if (bytes.length === 0) return;
                if (work.ended) refuse('there are bytes behind the end of the compressed data');
                work.onData = function (made) { if (made.length) controller.enqueue(new Uint8Array(made)); };
                // A flush, so that what is there by now goes on at once.
                work.push(bytes, 2);
                if (work.err) refuse(work.msg || 'the data is not what its format says');
                if (work.ended && work.strm.avail_in > 0) refuse('there are bytes behind the end of the compressed data');
            },
            flush: function () { if (!work.ended) refuse('the compressed data ends too early'); }
        });
    }
    K.transformerOf(DecompressionStream.prototype, 'DecompressionStream');

    K.offer('CompressionStream', CompressionStream);
    K.offer('DecompressionStream', DecompressionStream);
}(__kernel));
