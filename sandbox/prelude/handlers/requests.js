/*
 * What a handler is called with: the wire's request (see boxes "run") as the `req` of the reference.
 *
 * Everything is a plain value or a method, never a getter: a getter could not make a host call.
 * Names that come from outside become own properties whatever they are, `__proto__` too.
 *
 * K.makeRequest(q) -> req, where q was parsed by the captured JSON.parse.
 */
(function (K) {
    'use strict';

    var defineProperty = Object.defineProperty, setPrototypeOf = Object.setPrototypeOf, hasOwn = Function.prototype.call.bind(Object.prototype.hasOwnProperty), isArray = Array.isArray;
    var parse = K.native.parse, exact = K.exactJson, codeAt = K.captured.charCodeAt, slice = K.captured.slice, BODY = K.secret('body as base64');

    /* `headers` is the parsed object itself with these two behind it; a client's header cannot stand before them. */
    var headersPrototype = Object.create(Object.prototype);
    K.define(headersPrototype, 'get', function get(name) {
        name = String(name).toLowerCase();
        return hasOwn(this, name) ? this[name] : null;
    });
    K.define(headersPrototype, 'has', function has(name) { return hasOwn(this, String(name).toLowerCase()); });

    function put(object, key, value) {
        if (key === '__proto__') defineProperty(object, key, { value: value, writable: true, enumerable: true, configurable: true });
        else object[key] = value;
    }

    function collect(pairs, one, all) {
        for (var i = 0; i < pairs.length; i++) {
            var key = pairs[i][0], value = pairs[i][1];
            if (hasOwn(one, key)) all[key][all[key].length] = value;
            else {
                put(one, key, value);
                put(all, key, isArray(value) ? value.concat() : [value]);
            }
        }
    }

    function ScriptRequest(q) {
        var headers = q.headers || {};
        if (hasOwn(headers, 'get')) delete headers.get;
        if (hasOwn(headers, 'has')) delete headers.has;
        this.method = q.method;
        this.path = q.path;
        this.url = q.url;
        this.params = q.params || {};
        this.query = {};
        this.queryAll = {};
        if (q.query) collect(q.query, this.query, this.queryAll);
        this.headers = setPrototypeOf(headers, headersPrototype);
        this.cookies = q.cookies || {};
        this.ip = q.ip === undefined ? null : q.ip;
        this.id = q.id;
        this.body = q.body === undefined ? '' : q.body;
        this.form = {};
        this.formAll = {};
        this.files = [];
        if (q.form) collect(q.form, this.form, this.formAll);
        else if (this.body !== '' && isForm(headers)) collect(K.formPairs(this.body), this.form, this.formAll);
        else if (q.bodyBase64 !== undefined && isForm(headers)) collect(K.formPairs(K.text(K.fromBase64(q.bodyBase64))), this.form, this.formAll);
        this.locale = q.locale === undefined ? null : q.locale;
        this.version = q.version === undefined ? null : q.version;
        this.auth = q.auth === undefined ? null : q.auth;
        this.session = q.session === undefined ? null : q.session;
        this.data = q.data;
        if (q.bodyBase64 !== undefined) withBytes(this, q.bodyBase64);
        if ((q.body || q.bodyBase64) && isMultipart(headers)) readParts(this);
    }

    /*
     * A body that is not UTF-8: its text has U+FFFD for what is not, as that of `text()` has, and is made when it is
     * looked at, for most such bodies are files.
     */
    function withBytes(req, base64) {
        defineProperty(req, BODY, { value: base64 });
        defineProperty(req, 'body', {
            get: function () { return textOf(req); },
            set: function (value) { defineProperty(req, 'body', { value: value, writable: true, enumerable: true, configurable: true }); },
            enumerable: true, configurable: true
        });
    }

    function contentType(headers) {
        return hasOwn(headers, 'content-type') ? String(headers['content-type']) : '';
    }
    function isForm(headers) {
        return contentType(headers).slice(0, 33).toLowerCase() === 'application/x-www-form-urlencoded';
    }

    function isMultipart(headers) {
        return contentType(headers).slice(0, 19).toLowerCase() === 'multipart/form-data';
    }

    /* What cannot be read leaves the fields empty; `formData()` says why. */
    function readParts(req) {
        var all, texts = [], files = [];
        try {
            all = K.parts(bytesOf(req), contentType(req.headers));
        } catch (error) {
            return;
        }
        for (var i = 0; i < all.length; i++) {
            if (typeof all[i][1] === 'string') texts[texts.length] = all[i];
            else {
                defineProperty(all[i][1], 'field', { value: all[i][0], enumerable: true });
                files[files.length] = all[i][1];
            }
        }
        collect(texts, req.form, req.formAll);
        req.files = files;
    }

    function bytesOf(req) {
        return req[BODY] === undefined ? K.utf8(req.body) : K.fromBase64(req[BODY]);
    }
    function textOf(req) {
        if (req[BODY] !== undefined) return K.text(bytesOf(req));
        return codeAt(req.body, 0) === 0xfeff ? slice(req.body, 1) : req.body;
    }

    /* Methods answer with a promise also when they fail, as those of a web Request do. */
    function promised(compute) {
        return function () {
            var req = this;
            return new K.Promise(function (resolve) { resolve(compute(req)); });
        };
    }

    function method(name, compute) {
        var body = promised(compute);
        defineProperty(body, 'name', { value: name, configurable: true });
        K.define(ScriptRequest.prototype, name, body);
    }

    method('text', textOf);
    method('bytes', bytesOf);
    method('arrayBuffer', function (req) { return bytesOf(req).buffer; });
    method('blob', function (req) { return new K.Blob([bytesOf(req)], { type: contentType(req.headers) }); });
    function notJson(req, why) {
        var form = isForm(req.headers) ? 'application/x-www-form-urlencoded' : isMultipart(req.headers) ? 'multipart/form-data' : '';
        return form === '' ? 'The request body is not valid JSON: ' + why + '.' : 'The request body is not JSON but a form (' + form + '): send JSON with content-type: application/json, or read the form with req.form or await req.formData().';
    }
    K.bodyAsJson = function (req) {
        var text = textOf(req);
        try {
            return parse(exact(text));
        } catch (error) {
            throw new K.HttpError(400, text === '' ? 'The request has no body; JSON was expected.' : notJson(req, K.jsonMessage(text, error.message)));
        }
    };
    method('json', K.bodyAsJson);
    method('formData', function (req) {
        if (isForm(req.headers) || req[BODY] === undefined && req.body === '' && !isMultipart(req.headers)) return K.makeFormData(req.formAll);
        return K.parseFormData(bytesOf(req), contentType(req.headers));
    });
    K.define(ScriptRequest.prototype, Symbol.toStringTag, 'Request', true);
    K.define(ScriptRequest.prototype, 'constructor', Object);

    /* One request is in hand at a time; an error body names it. */
    K.makeRequest = function (q) {
        K.requestId = q.id;
        return new ScriptRequest(q);
    };
}(__kernel));
