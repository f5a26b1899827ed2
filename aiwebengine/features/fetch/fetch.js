/*
 * fetch: the function of the Fetch standard.
 *
 * The server sends the request and keeps the connection; here a request is a number.  Its answer comes with the body if that
 * is short and was there at once; otherwise the body is read piece by piece, when somebody reads it.
 */
(function (K) {
    'use strict';

    var P = K.Promise, ASYNC = Symbol.asyncIterator;
    var SHORT = 768 * 1024, PIECE = 256 * 1024;
    var MEDIA = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+\/[!#$%&'*+\-.^_`|~0-9A-Za-z]+) *(?:;.*)?$/;
    var numbers = null, next = 1;

    /* Numbers begin anew with each invocation, so that it makes the same calls when it is done over again. */
    function newNumber() {
        if (numbers !== K.run) { numbers = K.run; next = 1; }
        return next++;
    }

    /* What the standard rejects with a TypeError has all that a HostError has. */
    function failureOf(error) {
        if (!(error instanceof K.HostError) || error.code === 'denied' || error.code === 'budget' || error.code === 'closed') return error;
        return K.networkError(error);
    }

    function bytesOfText(text) { return text === '' ? new Uint8Array(0) : K.utf8(text); }
    function pieceOf(answer) { return answer.base64 === undefined ? bytesOfText(answer.text) : K.fromBase64(answer.base64); }

    // -- the body of an answer ----------------------------------------------------------------

    /* The next piece, as `make` makes it of what the server answers. */
    function read(state, encoded, make) {
        if (state.reason !== null) return P.reject(state.reason.value);
        return new P(function (resolve, reject) {
            K.listen(K.hostCallJson('fetch.read', '[' + state.number + ',' + encoded + ']'), function (answer) {
                if (answer.done) state.over = true;
                if (state.reason !== null) reject(state.reason.value);
                else resolve(make(answer));
            }, function (error) { reject(state.reason !== null ? state.reason.value : failureOf(error)); });
        });
    }
    function step(answer) { return answer.done ? { done: true, value: undefined } : { done: false, value: pieceOf(answer) }; }
    function part(answer) { return answer.done ? { done: true, e: 'n', v: '' } : { done: false, e: 'b', v: answer.base64 }; }

    /* What is read of it is asked for; it ends with the signal of its request.  What nobody reads here goes on as it comes. */
    function bodyOf(state) {
        function stop() {
            cancel(state);
            return P.resolve({ done: true, value: undefined });
        }
        var body = { next: function () { return read(state, false, step); }, 'return': stop };
        body[ASYNC] = function () { return body; };
        K.hide(body, { parts: { next: function () { return read(state, true, part); }, end: stop } });
        return body;
    }

    function cancel(state) {
        if (state.over) return;
        state.over = true;
        if (K.run !== null && !K.run.cancelled) K.ask('fetch.cancel', '[' + state.number + ']', ignore, null);
    }
    function ignore() {}

    function responseOf(answer, state) {
        var body = null, status = answer.status, empty = status === 204 || status === 205 || status === 304 || state.method === 'HEAD';
        if (answer.more) body = bodyOf(state);
        else {
            state.over = true;
            body = answer.base64 === undefined ? answer.text : pieceOf(answer);
        }
        if (empty) body = null;
        return K.makeResponse(body, status, answer.statusText, K.headersOf(answer.headers), answer.url, answer.redirected);
    }

    // -- the body of a request ----------------------------------------------------------------

    /* Writes what an iterator yields; the request is answered whether or not it takes all of it. */
    function write(state, iterator, failed) {
        function send(bytes, at) {
            if (at >= bytes.length) return step();
            var piece = bytes.subarray(at, at + PIECE);
            K.listen(K.hostCallJson('fetch.write', '[' + state.number + ',"' + K.base64(piece) + '"]'), function () { send(bytes, at + PIECE); }, stop);
        }
        function stop(error) {
            if (typeof iterator['return'] === 'function') K.when(iterator['return'](error), ignore, ignore);
        }
        function step() {
            K.when(attempt(iterator), function (result) {
                if (result.done) { K.listen(K.hostCallJson('fetch.write', '[' + state.number + ',null]'), ignore, ignore); return; }
                var bytes = typeof result.value === 'string' ? K.utf8(result.value) : K.bytesOf(result.value);
                if (bytes) send(bytes, 0);
                else {
                    var error = new TypeError('fetch: the body of the request yielded ' + K.quote(result.value) + '; it must yield strings or bytes.');
                    stop(error);
                    failed(error);
                }
            }, failed);
        }
        step();
    }

    function attempt(iterator) {
        try { return iterator.next(); } catch (error) { return P.reject(error); }
    }

    function iteratorOf(source) {
        if (!K.isStream(source)) return source[ASYNC]();
        var reader = source.getReader();
        return { next: function () { return reader.read(); }, 'return': function (reason) { return reader.cancel(reason); } };
    }

    function whole(bytes) {
        var sent = false;
        return { next: function () {
            if (sent) return { done: true };
            sent = true;
            return { done: false, value: bytes };
        } };
    }

    /* Puts the body into the message if it is short; otherwise returns the iterator of what is to be written. */
    function placeBody(message, source) {
        if (source === null) return null;
        if (typeof source === 'string') {
            source = K.wellFormed(source);
            if (source.length * 3 <= SHORT || K.isAscii(source) && source.length <= SHORT) { message.text = source; return null; }
            source = K.utf8(source);
        }
        message.written = K.bytesOf(source) === null || source.length > SHORT;
        if (K.bytesOf(source) === null) return iteratorOf(source);
        if (message.written) { message.length = source.length; return whole(source); }
        message.base64 = K.base64(source);
        return null;
    }

    /* Held until the commit: there is no answer yet. */
    function later(request, init, fulfil, fail) {
        var message = messageOf(request, init);
        if (placeBody(message, K.takeBody(request)) !== null) {
            fail(new TypeError('fetch: with afterCommit the body must be short, and no stream.'));
            return;
        }
        K.listen(K.hostCallJson('fetch.later', '[' + K.ascii(K.stringify(message)) + ']'), function () {
            fulfil(K.makeResponse(null, 202, 'Accepted', new K.Headers(), request.url, false));
        }, function (error) { fail(failureOf(error)); });
    }

    // -- the function -------------------------------------------------------------------------

    function messageOf(request, init) {
        var message = { url: request.url, method: request.method, headers: K.headerPairs(request.headers), redirect: request.redirect };
        if (request.integrity !== '') message.integrity = request.integrity;
        if (init && init.retry !== undefined) message.retry = init.retry;
        if (init && init.secretsInBody === true) message.secretsInBody = true;
        return message;
    }

    /* What an address holds itself (Fetch standard, 6). */
    function dataResponse(url) {
        var text = url.slice(5).replace(/#[^]*$/, ''), comma = text.indexOf(',');
        if (comma < 0) throw new TypeError('fetch: the data: address has no comma in front of its content.');
        var type = text.slice(0, comma).replace(/^ +| +$/g, ''), bytes = K.urls.decodeBytes(text.slice(comma + 1)), encoded = /; *base64$/i.exec(type);
        if (encoded !== null) {
            type = type.slice(0, encoded.index);
            bytes = bytesOfBase64(bytes);
        }
        if (type.charAt(0) === ';') type = 'text/plain' + type;
        var media = MEDIA.exec(type);
        type = media === null ? 'text/plain;charset=US-ASCII' : media[1].toLowerCase() + type.slice(media[1].length).replace(/; +/g, ';');
        return K.makeResponse(bytes, 200, 'OK', K.headersOf([['content-type', type]]), url, false);
    }
    function bytesOfBase64(bytes) {
        try {
            return Uint8Array.from(atob(K.text(bytes)), function (one) { return one.charCodeAt(0); });
        } catch (error) {
            throw new TypeError('fetch: the content of the data: address is not base64.');
        }
    }

    function begin(promise, input, init) {
        var request = new K.Request(input, init), signal = K.hidden(request).signal, settled = false;
        var state = { number: 0, method: request.method, reason: null, over: false };

        function fulfil(value) { if (!settled) { settled = true; K.resolve(promise, value); } }
        function fail(error) { if (!settled) { settled = true; K.reject(promise, error); } }
        function aborted() {
            state.reason = { value: signal.reason };
            fail(signal.reason);
            cancel(state);
        }

        if (signal !== null && signal.aborted) { fail(signal.reason); return; }
        if (request.url.slice(0, 5) === 'data:') { fulfil(dataResponse(request.url)); return; }
        if (init && init.afterCommit) { later(request, init, fulfil, fail); return; }
        var message = messageOf(request, init);
        var iterator = placeBody(message, K.takeBody(request));
        state.number = newNumber();
        K.listen(K.hostCallJson('fetch.start', '[' + state.number + ',' + K.ascii(K.stringify(message)) + ']'), function (answer) {
            if (state.reason === null) try { fulfil(responseOf(answer, state)); } catch (error) { fail(error); }
        }, function (error) {
            state.over = true;
            fail(failureOf(error));
        });
        if (signal !== null) signal.addEventListener('abort', aborted, { once: true });
        if (iterator !== null) write(state, iterator, function (error) { fail(error); cancel(state); });
    }

    K.global('fetch', function fetch(input, init) {
        var promise = K.pending();
        try {
            if (arguments.length === 0) throw new TypeError('fetch: expected an address such as "https://api.example.com/" as the first argument.');
            begin(promise, input, init === null ? undefined : init);
        } catch (error) {
            K.reject(promise, error);
        }
        return promise;
    });
}(__kernel));
