/*
 * What a handler returned, as the answer that goes over the wire.
 *
 * K.toAnswer(value, thrown) -> { h, e, v }            the whole answer is here
 *                            | { h, stream }          `stream.next()` gives a promise of { done, e, v }; `stream.end()` stops it
 *                            | a Promise of one of them (a body that must be awaited first)
 *     h: JSON of the head, '' for status 200 and application/json; e and v: the body.
 *     e: "a" ASCII as it is, "j" a JSON string literal whose UTF-8 form is the body, "b" base64, "n" none.
 * Errors are TypeErrors that say which rule, what was seen, and what to do.
 *
 * The forms of an answer, in the order in which they are looked for: undefined (204), text, bytes,
 * what the helpers make (json, redirect, httpError), Html, web Response, async iterable, envelope,
 * and any other value, which becomes JSON.
 *
 * Globals: json, redirect, httpError.
 */
(function (K) {
    'use strict';

    var stringify = K.native.stringify, enc = K.native.enc, isArray = Array.isArray;
    var hasOwn = Function.prototype.call.bind(Object.prototype.hasOwnProperty), keysOf = K.native.keys;
    var prototypeOf = Object.getPrototypeOf, PLAIN = Object.prototype, ASYNC = Symbol.asyncIterator;
    var TEXT = 'text/plain; charset=utf-8', HTML = 'text/html; charset=utf-8', JSON_TYPE = 'application/json';
    var ENVELOPE = { status: 1, body: 1, bodyBase64: 1, contentType: 1, headers: 1, cookies: 1 };
    /* The server frames the message; what an author (or a passed-on Response) says of it is dropped. */
    var FRAMING = { 'content-length': 1, 'transfer-encoding': 1, connection: 1, 'keep-alive': 1, upgrade: 1, te: 1, trailer: 1, 'proxy-connection': 1 };
    var TITLES = { 400: 'Bad Request', 401: 'Unauthorized', 402: 'Payment Required', 403: 'Forbidden', 404: 'Not Found', 405: 'Method Not Allowed', 406: 'Not Acceptable', 408: 'Request Timeout', 409: 'Conflict', 410: 'Gone', 411: 'Length Required', 412: 'Precondition Failed', 413: 'Content Too Large', 414: 'URI Too Long', 415: 'Unsupported Media Type', 416: 'Range Not Satisfiable', 418: "I'm a Teapot", 422: 'Unprocessable Content', 423: 'Locked', 425: 'Too Early', 428: 'Precondition Required', 429: 'Too Many Requests', 431: 'Request Header Fields Too Large', 451: 'Unavailable For Legal Reasons', 500: 'Internal Server Error', 501: 'Not Implemented', 502: 'Bad Gateway', 503: 'Service Unavailable', 504: 'Gateway Timeout' };
    /* The engine's own codes for what a script says by a status alone. */
    var CODES = { 401: 'unauthenticated', 403: 'denied', 404: 'not_found', 405: 'method_not_allowed', 409: 'conflict', 413: 'too_large', 415: 'unsupported_media', 429: 'too_many', 503: 'unavailable', 504: 'timeout' };

    var LONG = 500000;

    function isObject(value) { return value !== null && typeof value === 'object'; }

    /* -- JSON ------------------------------------------------------------------------------ */

    var ABOUT = { start: 'The answer', skip: 0, finite: false };

    function jsonText(value, space, about) {
        var text;
        try {
            text = K.checkedJson(value, space, about === undefined ? ABOUT : about);
        } catch (error) {
            throw error instanceof K.NotSerializable ? error : jsonFailure(value, error);
        }
        if (text === undefined) {
            throw new TypeError('A handler cannot answer with a ' + typeof value + (typeof value === 'function' && value.name ? ' (' + value.name + ')' : '') + '; return data, a string, bytes, Html or a Response' + (typeof value === 'function' ? ', perhaps what calling it gives.' : '.'));
        }
        return text;
    }

    function jsonFailure(value, error) {
        var path = cyclePath(value, [], [], 0);
        if (path === null) return error;
        return new TypeError('The answer cannot be JSON: ' + path + '. Return a copy without the cycle.');
    }

    function cyclePath(value, ancestors, path, depth) {
        if (!isObject(value) || depth > 500) return null;
        for (var i = 0; i < ancestors.length; i++) {
            if (ancestors[i] === value) return place(path) + ' refers back to ' + place(path.slice(0, i));
        }
        var names = keysOf(value);
        for (var j = 0; j < names.length; j++) {
            var inner;
            try { inner = value[names[j]]; } catch (ignored) { continue; }
            var cycle = cyclePath(inner, ancestors.concat([value]), path.concat([names[j]]), depth + 1);
            if (cycle !== null) return cycle;
        }
        return null;
    }

    function place(path) { return path.length ? K.quote(path.join('.')) : 'the answer itself'; }

    /* -- bodies ---------------------------------------------------------------------------- */

    function textBody(h, text) {
        if (K.isAscii(text) && text.indexOf('\0') < 0) return { h: h, e: 'a', v: text };
        return wideBody(h, K.wellFormed(text));
    }
    function jsonBody(h, text) {
        return K.isAscii(text) ? { h: h, e: 'a', v: text } : wideBody(h, K.wellFormed(text, true));
    }
    /* As JSON a character may take six bytes; in a long text base64 takes far less. */
    function wideBody(h, text) {
        return text.length > LONG ? bytesBody(h, K.utf8(text)) : { h: h, e: 'j', v: enc('jc', text) };
    }
    K.jsonText = jsonText;
    K.jsonAnswer = jsonBody;
    function bytesBody(h, bytes) { return { h: h, e: 'b', v: K.base64(bytes) }; }

    function head(status, type, headers) {
        return asciiHead({ status: status, type: type, headers: headers });
    }

    /* A header may hold letters of Latin-1; the wire carries ASCII alone. */
    function asciiHead(shape) { return K.ascii(stringify(shape)); }

    /* -- the helpers ----------------------------------------------------------------------- */

    /* What json() and redirect() return: an answer a middleware can still read and change. */
    function Answer(status, headers, body, type) {
        this.status = status;
        this.headers = headers;
        this.body = body;
        this.contentType = type;
    }

    function plainHeaders(init) {
        var made = {}, pairs = K.headerPairs(init);
        for (var i = 0; i < pairs.length; i++) {
            var name = pairs[i][0];
            if (hasOwn(made, name)) made[name] = (isArray(made[name]) ? made[name] : [made[name]]).concat([pairs[i][1]]);
            else made[name] = pairs[i][1];
        }
        return made;
    }

    /* An answer of the server's, which a middleware can read and change as its own. */
    K.madeAnswer = function (status, headers, body) { return new Answer(status, plainHeaders(headers), body === '' ? null : body, null); };

    function checkedStatus(status, from) {
        if (typeof status !== 'number' || status !== Math.floor(status) || status < 200 || status > 599) {
            throw new TypeError('Status ' + K.quote(status) + from + ' is not allowed: an integer from 200 to 599.' + (from === ' of the answer' ? ' (If it is data that has a status, return json(value).)' : ''));
        }
        return status;
    }

    K.global('json', function json(value, init) {
        if (typeof init === 'number') init = { status: init };
        var status = init && init.status !== undefined ? checkedStatus(init.status, ' in json()') : 200;
        var answer = new Answer(status, plainHeaders(init && init.headers), jsonText(value, init && init.space), JSON_TYPE);
        if (init && init.cookies) answer.cookies = init.cookies;
        return answer;
    });

    K.global('redirect', function redirect(url, status) {
        status = status === undefined ? 302 : status;
        if (status !== 301 && status !== 302 && status !== 303 && status !== 307 && status !== 308) {
            throw new TypeError('redirect: status ' + K.quote(status) + ' is not a redirection; use 301, 302, 303, 307 or 308.');
        }
        url = url === undefined || url === null ? '' : String(url);
        if (url === '') throw new TypeError("redirect: expected an address such as '/login' as the first argument.");
        var location = url.replace(/[^\x21-\x7e]+/g, function (part) { return encodeURI(K.wellFormed(part)); });
        return new Answer(status, { location: location }, null, null);
    });

    function HttpError(status, message, details) {
        var text = message === undefined || message === null ? TITLES[status] || 'Error ' + status : String(message);
        var error = K.makeError(HttpError.prototype, text);
        K.define(error, 'status', status);
        if (details !== undefined) K.define(error, 'details', details);
        return error;
    }
    HttpError.prototype = Object.create(Error.prototype);
    K.define(HttpError.prototype, 'constructor', HttpError);
    K.define(HttpError.prototype, 'name', 'HttpError');

    K.HttpError = HttpError;
    K.global('HttpError', HttpError);
    K.global('httpError', function httpError(status, message, details) {
        if (typeof status !== 'number' || status !== Math.floor(status) || status < 400 || status > 599) {
            throw new TypeError('httpError: status ' + K.quote(status) + ' is not an error; use an integer from 400 to 599.');
        }
        return new HttpError(status, message, details);
    });

    /* RFC 9457; members of `details` stand beside the standard ones, which they cannot replace. */
    function problem(error, thrown) {
        var body = { type: 'about:blank', title: TITLES[error.status] || 'Error', status: error.status, detail: error.message };
        var details = error.details, headers = [];
        body.code = CODES[error.status] || (error.status < 500 ? 'invalid' : 'script_failed');
        if (K.requestId !== undefined) body.requestId = K.requestId;
        if (isObject(details) && !isArray(details)) {
            var names = keysOf(details);
            for (var i = 0; i < names.length; i++) {
                if (names[i] === 'headers' && isObject(details.headers)) headers = framed(K.headerPairs(details.headers));
                else if (!hasOwn(body, names[i]) || names[i] === 'type' || names[i] === 'code') body[names[i]] = details[names[i]];
            }
        } else if (details !== undefined) body.details = details;
        var shape = { status: error.status, type: 'application/problem+json', headers: headers, problem: true };
        if (thrown) shape.rollback = true;
        return jsonBody(asciiHead(shape), jsonText(body));
    }

    /* -- envelopes ------------------------------------------------------------------------- */

    function isEnvelope(value) {
        var status = value.status;
        if (status === undefined) return false;
        var names = keysOf(value), sure = false;
        for (var i = 0; i < names.length; i++) {
            if (!hasOwn(ENVELOPE, names[i])) return false;
            if (names[i] !== 'status' && names[i] !== 'body') sure = true;
        }
        // With a status that is no number, { status, body } may well be data.
        if (typeof status !== 'number' && !sure) return false;
        checkedStatus(status, ' of the answer');
        return true;
    }

    function framed(pairs) {
        var allowed = [];
        for (var i = 0; i < pairs.length; i++) if (!hasOwn(FRAMING, pairs[i][0])) allowed[allowed.length] = pairs[i];
        return allowed;
    }

    /* Takes the content type out of the headers: the head has a place of its own for it. */
    function takeType(pairs) {
        for (var i = 0; i < pairs.length; i++) {
            if (pairs[i][0] === 'content-type') return pairs.splice(i, 1)[0][1];
        }
        return null;
    }

    function fromEnvelope(value) {
        var status = checkedStatus(value.status, ''), headers = framed(K.headerPairs(value.headers));
        if (value.cookies !== undefined && value.cookies !== null) K.cookieHeaders(value.cookies, headers);
        var named = takeType(headers), type = value.contentType;
        type = type === undefined || type === null || type === '' ? named : K.headerValue('content-type', type);
        if (value.bodyBase64 !== undefined && value.bodyBase64 !== null) {
            if (status === 204 || status === 304) return bare(status, headers);
            return { h: head(status, type || 'application/octet-stream', headers), e: 'b', v: checkedBase64(value.bodyBase64) };
        }
        return withBody(status, type, headers, value.body);
    }

    function bare(status, headers) { return { h: head(status, null, headers), e: 'n', v: '' }; }

    function checkedBase64(value) {
        var text = String(value).replace(/[\t\r\n ]+/g, '');
        if (!/^[A-Za-z0-9+\/]*={0,2}$/.test(text) || text.length % 4 === 1) throw new TypeError('bodyBase64 is not base64 text.');
        return K.base64(K.fromBase64(text));
    }

    function withBody(status, type, headers, body) {
        if (status === 204 || status === 205 || status === 304) return bare(status, headers);
        if (body === undefined || body === null) return { h: head(status, type, headers), e: 'n', v: '' };
        if (typeof body === 'string') return textBody(head(status, type || TEXT, headers), body);
        if (body instanceof K.Html) return htmlBody(status, type, headers, body);
        var bytes = isObject(body) ? K.bytesOf(body) : null;
        if (bytes) return bytesBody(head(status, type || 'application/octet-stream', headers), bytes);
        if (isObject(body)) {
            if (body instanceof K.Blob) return bytesBody(head(status, type || body.type || 'application/octet-stream', headers), K.blobBytes(body));
            if (isStream(body)) return { h: head(status, type || TEXT, headers), stream: chunks(body) };
            if (K.isPromise(body)) throw new TypeError('The body of the answer is a Promise; await it before returning it.');
        }
        return jsonBody(head(status, type || JSON_TYPE, headers), jsonText(body));
    }

    function htmlBody(status, type, headers, value) {
        var text = K.htmlText(value), h = head(status, type || HTML, headers);
        return typeof text === 'string' ? textBody(h, page(text)) : text.then(function (ready) { return textBody(h, page(ready)); });
    }
    function page(text) { return /^<html[\s>]/i.test(text) ? '<!doctype html>' + text : text; }

    /* -- streams --------------------------------------------------------------------------- */

    /* What can be waited for part by part: an async iterable, or an iterator, as a generator makes; lists and maps are JSON. */
    function isStream(value) {
        return typeof value[ASYNC] === 'function' || (typeof value.next === 'function' && typeof value[Symbol.iterator] === 'function');
    }

    /* A stream is read by its reader: cancelling it does not wait for what it is asked for. */
    function reading(stream) {
        var reader = stream.getReader();
        return { next: function () { return reader.read(); }, 'return': function () { return reader.cancel(new K.DOMException('The client disconnected.', 'AbortError')); } };
    }

    function chunks(iterable) {
        var hidden = K.hidden(iterable);
        // A feature's own body, encoded already.
        if (hidden !== undefined && hidden.parts !== undefined) return hidden.parts;
        var iterator = K.isStream(iterable) ? reading(iterable) : typeof iterable[ASYNC] === 'function' ? iterable[ASYNC]() : iterable[Symbol.iterator]();
        if (!isObject(iterator) || typeof iterator.next !== 'function') throw new TypeError('The async iterable of the answer gives no iterator with next().');
        return {
            next: function () {
                return K.Promise.resolve(iterator.next()).then(function (step) {
                    if (!isObject(step)) throw new TypeError('next() of the streamed answer gave ' + K.quote(step) + ' instead of { value, done }.');
                    return step.done ? { done: true, e: 'n', v: '' } : chunk(step.value);
                });
            },
            end: function () {
                return typeof iterator['return'] === 'function' ? K.Promise.resolve(iterator['return']()) : K.Promise.resolve();
            }
        };
    }

    function chunk(value) {
        if (value instanceof K.Html) {
            var text = K.htmlText(value);
            if (typeof text !== 'string') return text.then(chunk);
            value = text;
        }
        var made = typeof value === 'string' ? textBody('', value) : isObject(value) && K.bytesOf(value) ? bytesBody('', K.bytesOf(value)) : null;
        if (made === null) {
            throw new TypeError('A streamed answer yielded ' + K.quote(value) + '; yield strings or bytes, for example JSON.stringify(value) + "\\n".');
        }
        made.done = false;
        return made;
    }

    /* -- the way in ------------------------------------------------------------------------ */

    K.toAnswer = function (value, thrown) {
        if (value === undefined) return { h: '{"status":204,"type":null,"headers":[]}', e: 'n', v: '' };
        if (typeof value === 'string') return textBody('{"status":200,"type":"' + TEXT + '","headers":[]}', value);
        if (!isObject(value)) return jsonBody('', jsonText(value));
        if (prototypeOf(value) === PLAIN && value.status === undefined && value[ASYNC] === undefined) return jsonBody('', jsonText(value));
        if (value instanceof Answer) return fromEnvelope(value);
        if (value instanceof K.Html) return htmlBody(200, null, [], value);
        if (value instanceof HttpError) return problem(value, thrown);
        if (value instanceof K.Response) return fromResponse(value);
        if (isArray(value)) return jsonBody('', jsonText(value));
        var bytes = K.bytesOf(value);
        if (bytes || value instanceof K.Blob || isStream(value)) return withBody(200, null, [], value);
        if (isEnvelope(value)) return fromEnvelope(value);
        return jsonBody('', jsonText(value));
    };

    function fromResponse(response) {
        var headers = framed(K.headerPairs(response.headers)), type = takeType(headers), status = response.status;
        if (status === 0) throw new TypeError('Response.error() cannot be an answer; return httpError(502) instead.');
        var body = K.takeBody(response);
        if (body !== null && isObject(body) && typeof body.then === 'function') {
            return body.then(function (ready) { return withBody(status, type || 'application/octet-stream', headers, ready); });
        }
        return withBody(status, body === null ? type : type || 'application/octet-stream', headers, body);
    }
}(__kernel));
