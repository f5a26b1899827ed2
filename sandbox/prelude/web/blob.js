/*
 * Blob and File: bytes in memory with a type and, for a File, a name.
 *
 * For other files: K.Blob, K.File, K.blobBytes(blob) -> Uint8Array (not a copy),
 * K.makeFile(bytes, name, type) -> File (with a copy).
 */
(function (K) {
    'use strict';

    var U8 = Uint8Array;

    function partBytes(part, endings) {
        if (part instanceof Blob) return K.hidden(part);
        var bytes = K.bytesOf(part);
        if (bytes) return bytes;
        var text = K.usvString(part);
        return K.utf8(endings === 'native' ? text.replace(/\r\n?/g, '\n') : text);
    }

    function joined(parts, endings) {
        var pieces = [], size = 0, i;
        for (i = 0; i < parts.length; i++) {
            pieces[i] = partBytes(parts[i], endings);
            size += pieces[i].length;
        }
        var bytes = new U8(size), at = 0;
        for (i = 0; i < pieces.length; i++) {
            bytes.set(pieces[i], at);
            at += pieces[i].length;
        }
        return bytes;
    }

    function cleanType(type) {
        type = type === undefined ? '' : String(type);
        return /[^\x20-\x7e]/.test(type) ? '' : type.toLowerCase();
    }

    function list(parts, name) {
        if (parts === undefined) return [];
        if (parts === null || typeof parts !== 'object' && typeof parts !== 'function' || typeof parts[Symbol.iterator] !== 'function') throw new TypeError(name + ': expected a list of parts, for example new ' + name + "(['text'])");
        return Array.from(parts);
    }

    function Blob(parts, options) {
        if (!(this instanceof Blob)) throw new TypeError("Class constructor Blob cannot be invoked without 'new'");
        fill(this, joined(list(parts, 'Blob'), endingsOf(options, 'Blob')), options && options.type);
    }

    function endingsOf(options, name) {
        if (options === undefined || options === null) return 'transparent';
        if (typeof options !== 'object' && typeof options !== 'function') throw new TypeError(name + ': the options must be an object, not ' + K.quote(options));
        var endings = options.endings === undefined ? 'transparent' : String(options.endings);
        if (endings !== 'transparent' && endings !== 'native') throw new TypeError(name + ": endings is 'transparent' or 'native', not " + K.quote(endings));
        return endings;
    }

    function fill(blob, bytes, type) {
        K.hide(blob, bytes);
        K.define(blob, 'size', bytes.length, true);
        K.define(blob, 'type', cleanType(type), true);
    }

    function fromBytes(bytes, type) {
        var blob = Object.create(Blob.prototype);
        fill(blob, bytes, type);
        return blob;
    }

    function bound(value, size, otherwise) {
        if (value === undefined) return otherwise;
        value = Math.trunc(Number(value)) || 0;
        return value < 0 ? Math.max(size + value, 0) : Math.min(value, size);
    }

    function copy(bytes) { return new U8(bytes); }

    function promised(name, compute) {
        var table = {};
        table[name] = function () {
            var blob = this;
            return new K.Promise(function (resolve) { resolve(compute(K.hidden(blob))); });
        };
        K.define(Blob.prototype, name, table[name]);
    }
    promised('text', function (bytes) { return K.text(bytes); });
    promised('bytes', copy);
    promised('arrayBuffer', function (bytes) { return copy(bytes).buffer; });
    K.define(Blob.prototype, 'slice', function slice(start, end, type) {
        var bytes = K.hidden(this), from = bound(start, bytes.length, 0), to = bound(end, bytes.length, bytes.length);
        return fromBytes(copy(bytes.subarray(from, Math.max(from, to))), type);
    });
    K.define(Blob.prototype, 'stream', function stream() {
        var bytes = K.hidden(this);
        return K.streamOf(bytes);
    });
    K.define(Blob.prototype, Symbol.toStringTag, 'Blob', true);

    function File(parts, name, options) {
        if (!(this instanceof File)) throw new TypeError("Class constructor File cannot be invoked without 'new'");
        if (arguments.length < 2) throw new TypeError("File needs two arguments: new File(['text'], 'name.txt')");
        fill(this, joined(list(parts, 'File'), endingsOf(options, 'File')), options && options.type);
        describe(this, K.usvString(name), options && options.lastModified !== undefined ? whole(options.lastModified) : Date.now());
    }
    function whole(value) {
        value = Math.trunc(Number(value)) || 0;
        return isFinite(value) ? value : 0;
    }
    function describe(file, name, lastModified) {
        K.define(file, 'name', name, true);
        K.define(file, 'lastModified', lastModified, true);
    }
    File.prototype = Object.create(Blob.prototype);
    K.define(File.prototype, 'constructor', File);
    K.define(File.prototype, Symbol.toStringTag, 'File', true);

    K.Blob = Blob;
    K.File = File;
    K.makeFile = function (bytes, name, type) {
        var file = Object.create(File.prototype);
        fill(file, copy(bytes), type);
        describe(file, name, K.now());
        return file;
    };
    /* The same bytes in an object of its own. */
    K.cloneBlob = function (blob) {
        var made = Object.create(blob instanceof File ? File.prototype : Blob.prototype);
        fill(made, K.hidden(blob), blob.type);
        if (blob instanceof File) describe(made, blob.name, blob.lastModified);
        return made;
    };
    K.blobBytes = function (blob) { return K.hidden(blob); };
    Object.defineProperty(Blob, 'length', { value: 0, configurable: true });
    Object.defineProperty(File, 'length', { value: 2, configurable: true });
    K.global('Blob', Blob);
    K.global('File', File);
}(__kernel));
