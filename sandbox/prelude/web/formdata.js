/*
 * FormData, and its two forms on the wire: application/x-www-form-urlencoded and multipart/form-data.
 *
 * For other files: K.FormData, K.makeFormData(lists), K.parseFormData(bytes, contentType),
 * K.formPairs(text) and K.parts(bytes, contentType) -> [[name, text or File]], K.multipart(form) -> { bytes, type }.
 */
(function (K) {
    'use strict';

    var U8 = Uint8Array, MOST_FIELDS = 1000;

    function FormData() {
        if (!(this instanceof FormData)) throw new TypeError("Class constructor FormData cannot be invoked without 'new'");
        if (arguments.length && arguments[0] !== undefined) throw new TypeError('FormData: there are no form elements on the server; use append(name, value).');
        K.hide(this, []);
    }

    function entry(name, value, fileName, count) {
        if (count < 2) throw new TypeError('FormData: a name and a value are needed');
        name = K.usvString(name);
        if (!(value instanceof K.Blob)) {
            if (count > 2) throw new TypeError('FormData: only a Blob has a file name, ' + K.quote(value) + ' has none');
            return [name, K.usvString(value)];
        }
        if (!(value instanceof K.File) || fileName !== undefined) {
            var details = { type: value.type };
            if (value instanceof K.File) details.lastModified = value.lastModified;
            value = new K.File([value], fileName === undefined ? 'blob' : K.usvString(fileName), details);
        }
        return [name, value];
    }
    function named(name, count) {
        if (count < 1) throw new TypeError('FormData: a name is needed');
        return K.usvString(name);
    }

    function without(form, name) {
        return K.hidden(form).filter(function (pair) { return pair[0] !== name; });
    }

    var table = {
        append: function append(name, value, fileName) {
            var list = K.hidden(this);
            list[list.length] = entry(name, value, fileName, arguments.length);
        },
        set: function set(name, value, fileName) {
            var list = K.hidden(this), made = entry(name, value, fileName, arguments.length), at = -1, kept = [];
            for (var i = 0; i < list.length; i++) {
                if (list[i][0] !== made[0]) kept[kept.length] = list[i];
                else if (at < 0) { at = kept.length; kept[at] = made; }
            }
            if (at < 0) kept[kept.length] = made;
            K.hide(this, kept);
        },
        'delete': function (name) { K.hide(this, without(this, named(name, arguments.length))); },
        get: function get(name) {
            var all = valuesOf(this, named(name, arguments.length));
            return all.length ? all[0] : null;
        },
        getAll: function getAll(name) { return valuesOf(this, named(name, arguments.length)); },
        has: function has(name) { return valuesOf(this, named(name, arguments.length)).length > 0; }
    };
    function valuesOf(form, name) {
        return K.hidden(form).filter(function (pair) { return pair[0] === name; }).map(function (pair) { return pair[1]; });
    }
    Object.keys(table).forEach(function (name) { K.define(FormData.prototype, name, table[name]); });
    K.pairs(FormData.prototype, 'FormData', function (form) {
        var list = form === null || form === undefined ? undefined : K.hidden(form);
        if (!Array.isArray(list)) throw new TypeError('Illegal invocation: this is no FormData');
        return list;
    });
    K.define(FormData.prototype, Symbol.toStringTag, 'FormData', true);

    K.FormData = FormData;
    K.global('FormData', FormData);

    K.makeFormData = function (lists) {
        var form = new FormData();
        Object.keys(lists).forEach(function (name) {
            for (var i = 0; i < lists[name].length; i++) form.append(name, lists[name][i]);
        });
        return form;
    };

    /* -- urlencoded ------------------------------------------------------------------------ */

    K.formPairs = function (text) {
        var count = K.captured.split(text, '&').length;
        if (count > MOST_FIELDS) throw new K.HttpError(400, 'A form has at most ' + MOST_FIELDS + ' fields; this one has ' + count + '.');
        return K.urls.pairs(text);
    };

    /* -- multipart (RFC 7578) -------------------------------------------------------------- */

    /* As HTML writes them: the line breaks of a name are CR LF, those of a file name are what they are. */
    function quoted(name) { return quotedFile(name.replace(/\r\n|\r|\n/g, '\r\n')); }
    function quotedFile(name) { return name.replace(/\r/g, '%0D').replace(/\n/g, '%0A').replace(/"/g, '%22'); }

    K.multipart = function (form) {
        var boundary = '----aiwebengine' + K.randomHex(12), pieces = [], list = K.hidden(form);
        for (var i = 0; i < list.length; i++) {
            var value = list[i][1], head = '--' + boundary + '\r\nContent-Disposition: form-data; name="' + quoted(list[i][0]) + '"';
            if (value instanceof K.Blob) {
                pieces.push(head + '; filename="' + quotedFile(value.name) + '"\r\nContent-Type: ' + (value.type || 'application/octet-stream') + '\r\n\r\n', value, '\r\n');
            } else pieces.push(head + '\r\n\r\n' + value.replace(/\r\n|\r|\n/g, '\r\n') + '\r\n');
        }
        pieces.push('--' + boundary + '--\r\n');
        return { bytes: K.blobBytes(new K.Blob(pieces)), type: 'multipart/form-data; boundary=' + boundary };
    };

    function find(bytes, pattern, from) {
        var last = bytes.length - pattern.length, first = pattern[0];
        outer: for (var i = from; i <= last; i++) {
            if (bytes[i] !== first) continue;
            for (var j = 1; j < pattern.length; j++) if (bytes[i + j] !== pattern[j]) continue outer;
            return i;
        }
        return -1;
    }

    /* The same for one text in large bytes: it skips as far as the text is long (Horspool). */
    function finder(pattern) {
        var length = pattern.length, end = length - 1, skips = new U8(256), i;
        for (i = 0; i < 256; i++) skips[i] = length;
        for (i = 0; i < end; i++) skips[pattern[i]] = end - i;
        return function (bytes, from) {
            var last = bytes.length - length;
            for (var at = from; at <= last; at += skips[bytes[at + end]]) {
                for (var j = end; bytes[at + j] === pattern[j]; j--) if (j === 0) return at;
            }
            return -1;
        };
    }

    /* The parameters behind the first word of a header, by name; one within the quotes of another is none. */
    function parametersOf(header) {
        var found, made = K.bare(), pattern = /;\s*([^\s=;"]+)=(?:"((?:\\"|[^"])*)"|([^;\s]*))/g;
        while ((found = pattern.exec(header)) !== null) {
            var name = found[1].toLowerCase();
            if (made[name] === undefined) made[name] = found[2] === undefined ? found[3] : unquoted(found[2]);
        }
        return made;
    }
    function unquoted(text) {
        return text.replace(/\\"/g, '"').replace(/%22/g, '"').replace(/%0D/gi, '\r').replace(/%0A/gi, '\n');
    }

    /* The name of a file, null if the part is none; some clients send only the extended form (RFC 8187). */
    function fileNameOf(given) {
        if (given.filename !== undefined) return given.filename;
        var extended = given['filename*'], found = extended === undefined ? null : /^([^']*)'[^']*'(.*)$/.exec(extended);
        if (extended === undefined) return null;
        if (found === null) return extended;
        return /^iso-8859-1$/i.test(found[1]) ? latin(found[2]) : K.urls.decode(found[2]);
    }
    function latin(text) {
        return text.replace(/%([0-9A-Fa-f]{2})/g, function (all, digits) { return String.fromCharCode(parseInt(digits, 16)); });
    }

    function bad(why) { return new K.HttpError(400, 'The request body is not valid form data: ' + why + '.'); }

    K.parseFormData = function (bytes, contentType) {
        var form = new FormData();
        K.hide(form, /^application\/x-www-form-urlencoded/i.test(contentType) ? K.formPairs(K.decodeUtf8(bytes)) : K.parts(bytes, contentType));
        return form;
    };

    K.parts = function (bytes, contentType) {
        if (!/^multipart\/form-data/i.test(contentType)) throw bad('its content type is ' + K.quote(contentType) + ' and not multipart/form-data or application/x-www-form-urlencoded');
        var boundary = parametersOf(contentType).boundary;
        if (!boundary) throw bad('the content type names no boundary');
        if (boundary.length > 70 || /[^ -~]/.test(boundary)) throw bad('the boundary is not a string of at most 70 ASCII characters');
        return parts(bytes, K.utf8('--' + boundary), K.utf8('\r\n--' + boundary));
    };

    function parts(bytes, opening, delimiter) {
        var form = [], blank = K.utf8('\r\n\r\n'), findDelimiter = finder(delimiter), at = find(bytes, opening, 0);
        if (at < 0) throw bad('the boundary does not occur');
        at += opening.length;
        while (!(bytes[at] === 45 && bytes[at + 1] === 45)) {
            var headEnd = find(bytes, blank, at), end = headEnd < 0 ? -1 : findDelimiter(bytes, headEnd + 2);
            if (end < 0) throw bad('it ends within a part');
            part(form, K.text(bytes.subarray(at, headEnd)), bytes.subarray(Math.min(headEnd + 4, end), end));
            at = end + delimiter.length;
        }
        return form;
    }

    function part(form, head, body) {
        var disposition = /^content-disposition:[ \t]*(form-data.*)$/im.exec(head), type = /^content-type:[ \t]*(.*)$/im.exec(head);
        var given = disposition && parametersOf(disposition[1]);
        if (given === null || given.name === undefined) throw bad('a part has no name');
        var fileName = fileNameOf(given);
        form[form.length] = [given.name, fileName === null ? K.text(body) : K.makeFile(body, fileName, type ? type[1].trim() : 'text/plain')];
    }
}(__kernel));
