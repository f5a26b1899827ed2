/*
 * Response and Request of the Fetch standard.
 *
 * A body is kept as what it was made of (text, bytes, a stream or an async iterable), so that an answer made of text is
 * not turned into bytes and back.
 *
 * For other files: K.Response, K.Request, K.takeBody(message) -> null, text, bytes, a stream or an async iterable.
 */
(function (K) {
    'use strict';

    var P = K.Promise, EMPTY = Object.freeze({ source: null, type: null });
    var TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

    /* What `init` becomes: { source: null | text | Uint8Array | ReadableStream, type: content type or null }. */
    function extract(init) {
        if (init === undefined || init === null) return EMPTY;
        if (typeof init === 'string') return { source: init, type: 'text/plain;charset=UTF-8' };
        if (typeof init === 'object') {
            if (K.isStream(init)) {
                if (init.locked || K.isRead(init)) throw new TypeError('The body stream is locked to a reader, or was read already.');
                return { source: init, type: null };
            }
            if (init instanceof K.Blob) return { source: K.blobBytes(init), type: init.type || null };
            if (init instanceof K.FormData) {
                var made = K.multipart(init);
                return { source: made.bytes, type: made.type };
            }
            if (init instanceof URLSearchParams) return { source: init.toString(), type: 'application/x-www-form-urlencoded;charset=UTF-8' };
            if (init instanceof K.Html) return { source: init.toString(), type: 'text/html; charset=utf-8' };
            var bytes = K.bytesOf(init);
            if (bytes) return { source: new Uint8Array(bytes), type: null };
            if (typeof init[Symbol.asyncIterator] === 'function') return { source: init, type: null };
        }
        return { source: String(init), type: 'text/plain;charset=UTF-8' };
    }

    function Body(extracted) {
        this.source = extracted.source;
        this.used = false;
        this.stream = K.isStream(extracted.source) ? extracted.source : null;
    }

    function isUsed(body) { return body.used || body.stream !== null && (body.stream.locked || K.isRead(body.stream)); }

    /* Neither text nor bytes: a stream, or an async iterable that becomes one when somebody asks for `body`. */
    function isLive(source) { return typeof source === 'object' && source !== null && K.bytesOf(source) === null; }

    function take(message) {
        var body = K.hidden(message).body;
        if (isUsed(body)) throw new TypeError('The body was read already; clone() before reading it twice.');
        if (body.source !== null) body.used = true;
        return body.source;
    }

    function consumer(name, convert) {
        return function () {
            var message = this;
            return new P(function (resolve) {
                var source = take(message);
                if (isLive(source)) resolve(K.readAll(source).then(function (bytes) { return convert(bytes, message); }));
                else resolve(convert(source === null ? '' : source, message));
            });
        };
    }
    function asText(source) {
        if (typeof source === 'string') return K.wellFormed(source.charCodeAt(0) === 0xfeff ? source.slice(1) : source);
        return K.text(source);
    }
    function asBytes(source) { return typeof source === 'string' ? K.utf8(source) : new Uint8Array(source); }
    function contentType(message) { return message.headers.get('content-type') || ''; }

    function addBody(prototype) {
        var readers = {
            text: asText,
            json: function (source) { return K.parseJson(asText(source)); },
            bytes: asBytes,
            arrayBuffer: function (source) { return asBytes(source).buffer; },
            blob: function (source, message) { return new K.Blob([source], { type: contentType(message) }); },
            formData: function (source, message) {
                try {
                    return K.parseFormData(asBytes(source), contentType(message));
                } catch (error) {
                    throw error instanceof K.HttpError ? new TypeError(error.message) : error;
                }
            }
        };
        Object.keys(readers).forEach(function (name) { K.define(prototype, name, consumer(name, readers[name])); });
        K.getter(prototype, 'bodyUsed', function () {
            var body = K.hidden(this).body;
            return body.used || body.stream !== null && K.isRead(body.stream);
        });
        K.getter(prototype, 'body', function () {
            var body = K.hidden(this).body;
            if (body.source === null) return null;
            if (!body.stream) {
                body.stream = streamOf(body.used ? '' : body.source);
                // What was read already is shown as a stream that was.
                if (body.used) {
                    body.stream.cancel();
                    body.stream.getReader();
                }
                body.source = body.stream;
            }
            return body.stream;
        });
    }

    function streamOf(source) { return !isLive(source) ? K.streamOf(asBytes(source)) : K.isStream(source) ? source : K.streamFrom(source); }

    function cloned(message) {
        var body = K.hidden(message).body;
        if (isUsed(body)) throw new TypeError('clone: the body was read already; clone() before reading it.');
        if (!isLive(body.source)) return body.source;
        var branches = streamOf(body.source).tee();
        body.source = body.stream = branches[0];
        return branches[1];
    }

    function withType(headers, type) {
        if (type !== null && !headers.has('content-type')) headers.append('content-type', type);
    }

    /* Getters on the prototype for what an instance hides. */
    function getters(prototype, names) {
        names.forEach(function (name) { K.getter(prototype, name, function () { return K.hidden(this)[name]; }); });
    }

    /* -- Response -------------------------------------------------------------------------- */

    function Response(body, init) {
        if (!(this instanceof Response)) throw new TypeError("Class constructor Response cannot be invoked without 'new'");
        if (typeof init !== 'object' || init === null) init = dictionary('Response', init);
        var status = init.status === undefined ? 200 : Number(init.status);
        if (!(status >= 200 && status <= 599) || Math.floor(status) !== status) {
            throw new RangeError('Response: status ' + K.quote(init.status) + ' is not an integer from 200 to 599');
        }
        var text = init.statusText === undefined ? '' : String(init.statusText);
        if (/[^\t\x20-\x7e\x80-\xff]/.test(text)) throw new TypeError('Response: statusText ' + K.quote(text) + ' holds a character that is not allowed there');
        var extracted = extract(body);
        if (extracted.source !== null && (status === 204 || status === 205 || status === 304)) {
            throw new TypeError('Response: status ' + status + ' cannot have a body; give null as the body');
        }
        build(this, extracted, status, text, K.headersFrom(init.headers), 'default');
    }

    function build(response, extracted, status, text, headers, type) {
        withType(headers, extracted.type);
        K.hide(response, { body: new Body(extracted), status: status, statusText: text, headers: headers, url: '', type: type, redirected: false });
        return response;
    }

    function located(response, url, redirected) {
        var state = K.hidden(response);
        state.url = url;
        state.redirected = redirected;
        return response;
    }

    addBody(Response.prototype);
    getters(Response.prototype, ['status', 'statusText', 'headers', 'url', 'type', 'redirected']);
    K.getter(Response.prototype, 'ok', function () {
        var status = K.hidden(this).status;
        return status >= 200 && status < 300;
    });
    K.define(Response.prototype, 'clone', function clone() {
        var copy = Object.create(Response.prototype);
        build(copy, { source: cloned(this), type: null }, this.status, this.statusText, K.copyHeaders(this.headers), this.type);
        return located(copy, this.url, this.redirected);
    });
    K.define(Response.prototype, Symbol.toStringTag, 'Response', true);
    K.define(Response, 'json', function json(value, init) {
        var text = K.stringify(value);
        if (text === undefined) throw new TypeError('Response.json: a ' + typeof value + ' has no JSON form');
        var response = new Response(text, init);
        if (!init || !init.headers || !K.headersFrom(init.headers).has('content-type')) response.headers.set('content-type', 'application/json');
        return response;
    });
    K.define(Response, 'redirect', function redirect(url, status) {
        status = status === undefined ? 302 : status;
        if ([301, 302, 303, 307, 308].indexOf(status) < 0) throw new RangeError('Response.redirect: status ' + K.quote(status) + ' is not a redirection');
        var target = String(url);
        try {
            target = new URL(target).href;
        } catch (relative) {
            if (/^[A-Za-z][A-Za-z0-9+.\-]*:/.test(target)) throw relative;
            target = encodeURI(K.wellFormed(target)).replace(/%25/g, '%');
        }
        var response = new Response(null, { status: status, headers: { location: target } });
        K.freezeHeaders(response.headers);
        return response;
    });
    K.define(Response, 'error', function error() {
        return build(Object.create(Response.prototype), EMPTY, 0, '', K.freezeHeaders(new K.Headers()), 'error');
    });

    /* -- Request --------------------------------------------------------------------------- */

    var NORMAL = { DELETE: 1, GET: 1, HEAD: 1, OPTIONS: 1, POST: 1, PUT: 1 };

    function method(value) {
        var text = String(value), upper = text.toUpperCase();
        if (!TOKEN.test(text) || upper === 'CONNECT' || upper === 'TRACE' || upper === 'TRACK') throw new TypeError('Request: the method ' + K.quote(text) + ' is not allowed');
        return NORMAL[upper] === 1 ? upper : text;
    }

    /*
     * An address that the parser of URLs, which takes the engine a millisecond, would return as it is: names in lower
     * case that are neither numbers nor encoded, no port of its scheme, nothing to encode, no segment of dots.
     */
    var PLAIN = new RegExp(
        '^(?:http://(?!.*:80(?:[/?]|$))|https://(?!.*:443(?:[/?]|$)))' +
        '(?:(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\\.)*[a-z](?:[a-z0-9-]*[a-z0-9])?|127\\.0\\.0\\.1)' +
        '(?::(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}))?/[A-Za-z0-9!$&()*+,;=:@._~/-]*(?:\\?[A-Za-z0-9!$&()*+,;=:@._~/?%-]*)?$'
    );
    var indexOf = K.captured.indexOf, test = K.captured.test;

    function isPlain(text) {
        return text.length < 500 && test(PLAIN, text) && indexOf(text, '/.') < 0 && indexOf(text, 'xn--') < 0;
    }

    function address(input) {
        if (typeof input === 'string' && isPlain(input)) return input;
        var url;
        try {
            url = new URL(String(input));
        } catch (error) {
            throw new TypeError('Request: ' + K.quote(String(input)) + ' is not an absolute address such as https://example.org/');
        }
        if (url.username !== '' || url.password !== '') throw new TypeError('Request: an address cannot hold a user and a password; send the header authorization.');
        return url.href;
    }

    var CHOICES = {
        redirect: 'follow error manual', credentials: 'omit same-origin include', mode: 'same-origin no-cors cors',
        cache: 'default no-store reload no-cache force-cache only-if-cached',
        referrerPolicy: 'no-referrer no-referrer-when-downgrade same-origin origin strict-origin origin-when-cross-origin strict-origin-when-cross-origin unsafe-url'
    };

    function chosen(init, name) {
        var value = String(init[name]), all = CHOICES[name].split(' ');
        if (value === '' && name === 'referrerPolicy') return value;
        if (all.indexOf(value) < 0) throw new TypeError('Request: ' + name + ' cannot be ' + K.quote(value) + '; it is one of ' + all.join(', '));
        if (value === 'only-if-cached' && init.mode !== 'same-origin') throw new TypeError('Request: only-if-cached needs the mode same-origin');
        return value;
    }

    function referrerOf(value) {
        value = K.usvString(value);
        if (value === '' || value === 'about:client') return value;
        var url = URL.parse(value);
        if (url === null) throw new TypeError('Request: the referrer ' + K.quote(value) + ' is no address');
        return 'about:client';
    }

    function dictionary(name, init) {
        if (init === undefined || init === null) return {};
        if (typeof init !== 'function') throw new TypeError(name + ': the second argument must be an object, not ' + K.quote(init));
        return init;
    }

    function Request(input, init) {
        if (!(this instanceof Request)) throw new TypeError("Class constructor Request cannot be invoked without 'new'");
        if (typeof init !== 'object' || init === null) init = dictionary('Request', init);
        if (init.signal !== undefined && init.signal !== null && !(init.signal instanceof K.AbortSignal)) throw new TypeError('Request: signal must be an AbortSignal, not ' + K.quote(init.signal));
        var from = input instanceof Request ? input : null;
        var name = init.method === undefined ? from ? from.method : 'GET' : method(init.method);
        var headers = K.headersFrom(init.headers === undefined ? from ? from.headers : undefined : init.headers);
        var extracted = init.body !== undefined && init.body !== null ? extract(init.body) : from ? { source: take(from), type: null } : EMPTY;
        if (extracted.source !== null && (name === 'GET' || name === 'HEAD')) throw new TypeError('Request: a ' + name + ' request cannot have a body; set method to POST, PUT or PATCH');
        withType(headers, extracted.type);
        K.hide(this, {
            body: new Body(extracted),
            method: name,
            url: from ? from.url : address(input),
            headers: headers,
            // One of its own is made when somebody asks for it.
            signal: init.signal === undefined && from ? K.hidden(from).signal : init.signal || null,
            redirect: init.redirect === undefined ? from ? from.redirect : 'follow' : chosen(init, 'redirect'),
            credentials: init.credentials === undefined ? from ? from.credentials : 'same-origin' : chosen(init, 'credentials'),
            mode: init.mode === undefined ? from ? from.mode : 'cors' : chosen(init, 'mode'),
            cache: init.cache === undefined ? from ? from.cache : 'default' : chosen(init, 'cache'),
            referrer: init.referrer === undefined ? from ? from.referrer : 'about:client' : referrerOf(init.referrer),
            referrerPolicy: init.referrerPolicy === undefined ? from ? from.referrerPolicy : '' : chosen(init, 'referrerPolicy'),
            integrity: init.integrity === undefined ? from ? from.integrity : '' : String(init.integrity),
            keepalive: init.keepalive === undefined ? from !== null && from.keepalive : !!init.keepalive,
            duplex: 'half'
        });
    }
    addBody(Request.prototype);
    K.getter(Request.prototype, 'signal', function () {
        var state = K.hidden(this);
        if (state.signal === null) state.signal = new K.AbortController().signal;
        return state.signal;
    });
    getters(Request.prototype, ['method', 'url', 'headers', 'redirect', 'credentials', 'mode', 'cache', 'referrer', 'referrerPolicy', 'integrity', 'keepalive', 'duplex']);
    K.getter(Request.prototype, 'destination', function () { return ''; });
    K.define(Request.prototype, 'clone', function clone() {
        var source = cloned(this), from = K.hidden(this), copy = Object.create(Request.prototype), state = {};
        Object.keys(from).forEach(function (name) { state[name] = from[name]; });
        state.headers = new K.Headers(from.headers);
        state.body = new Body({ source: source });
        K.hide(copy, state);
        return copy;
    });
    K.define(Request.prototype, Symbol.toStringTag, 'Request', true);

    K.Response = Response;
    K.Request = Request;
    K.takeBody = take;
    /* For what fetch gives back: a Response with an address, made of parts that were checked already. */
    K.makeResponse = function (body, status, text, headers, url, redirected) {
        var response = build(Object.create(Response.prototype), { source: body, type: null }, status, text, K.freezeHeaders(headers), 'basic');
        return located(response, url, !!redirected);
    };
    K.global('Response', Response);
    K.global('Request', Request);
}(__kernel));
