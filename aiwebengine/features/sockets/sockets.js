/*
 * WebSockets: what a script registers, and what it does with one.
 *
 * The connections are the server's.  A child is asked when a client comes (behind the middleware, as
 * one handler), and for each message and the end of each.  What a handler does with its socket is a
 * list that is its answer: the server carries it out when the unit is committed, and never without that.
 */
(function (K) {
    'use strict';

    var keys = Object.keys, isArray = Array.isArray, own = K.own;
    var EVENTS = ['open', 'message', 'close'];

    /* `where` is what of a registration is wrong, for the mark below its line. */
    function refused(call, message, code, where) { return K.HostError({ code: code || 'invalid', call: call, message: call + ': ' + message, details: where }); }
    function misregistered(call, message, where) { return refused(call, message, 'invalid', where); }

    // -- registration -------------------------------------------------------------------------

    function register(call, path, handlers, options, stack) {
        if (handlers === null || typeof handlers !== 'object' || isArray(handlers)) throw misregistered(call, 'the second argument must be an object such as { open, message, close }; ' + K.quote(handlers) + ' was given.', { argument: 1 });
        if (options === undefined || options === null) options = {};
        if (typeof options !== 'object' || isArray(options)) throw misregistered(call, 'the third argument must be an object of options; ' + K.quote(options) + ' was given.', { argument: 2 });
        var names = keys(handlers), entries = K.bare(), sent = {}, between = null, i;
        for (i = 0; i < names.length; i++) {
            var name = names[i];
            if (EVENTS.indexOf(name) < 0) throw misregistered(call, 'there is no event ' + K.quote(name) + '; there are open, message and close.', { option: name });
            if (handlers[name] === undefined || handlers[name] === null) continue;
            entries[name] = K.keepHandler(handlers[name], call + ': ' + name, stack, { option: name });
            K.handlers[entries[name].id].bare = true;
            if (name !== 'open') sent[name] = entries[name].id;
        }
        var chosen = keys(options);
        for (i = 0; i < chosen.length; i++) {
            var value = options[chosen[i]];
            if (value === undefined || value === null) continue;
            if (chosen[i] === 'middleware') between = value;
            else if (typeof value === 'function') throw misregistered(call, 'the option ' + chosen[i] + ' cannot be a function.', { option: chosen[i] });
            else if (EVENTS.indexOf(chosen[i]) < 0) sent[chosen[i]] = value;
            else throw misregistered(call, chosen[i] + ' belongs to the second argument.', { option: chosen[i] });
        }
        var opener = K.keepHandler(openerOf(entries.open === undefined ? null : K.handlers[entries.open.id]), call, stack);
        if (between !== null) sent.middleware = K.keepBetween(opener.id, between, call, stack);
        K.hostCallSync('register.socket', [{ path: path, handler: { id: opener.id, name: 'socket' }, options: sent, stack: stack }]);
    }

    K.global('registerWebSocket', function registerWebSocket(path, handlers, options) {
        var stack = K.stackHere();
        K.registering('registerWebSocket', stack, function () { register('registerWebSocket', path, handlers, options, stack); });
    });

    // -- a socket in the hands of a handler ----------------------------------------------------

    function textOf(call, value) {
        if (value === undefined || typeof value === 'function' || typeof value === 'symbol') throw refused(call, 'a message is a string, bytes, or anything that JSON can hold; ' + K.quote(value) + ' was given.');
        return typeof value === 'string' ? K.wellFormed(value) : K.jsonText(value, undefined, { start: call + ': what was given', skip: 0, finite: true });
    }

    function bytesOf(value) {
        if (value === null || typeof value !== 'object') return null;
        return value instanceof K.Blob ? K.blobBytes(value) : K.bytesOf(value);
    }

    function topicOf(call, topic) {
        if (typeof topic !== 'string' || topic === '' || topic.length > 200) throw refused(call, 'a topic is a string of at most 200 characters; ' + K.quote(topic) + ' was given.');
        return topic;
    }

    /* `told`: what the server knows of the socket. */
    function Socket(state, done) {
        var topics = K.bare(), count = 0, list = state.topics || [], closed = false;
        for (var i = 0; i < list.length; i++) { topics[list[i]] = true; count++; }
        function add(op) { if (!closed && done.open) done.ops[done.ops.length] = op; }
        this.id = state.id;
        this.protocol = state.protocol || '';
        this.data = state.data === undefined || state.data === null ? {} : state.data;
        K.define(this, 'send', function send(value) {
            var bytes = bytesOf(value);
            add(bytes === null ? ['t', textOf('ws.send', value)] : ['b', K.base64(bytes)]);
        });
        K.define(this, 'subscribe', function subscribe(topic) {
            topicOf('ws.subscribe', topic);
            if (topics[topic]) return;
            if (count >= state.most) throw refused('ws.subscribe', 'a WebSocket may be subscribed to at most ' + state.most + ' topics.', 'too_many');
            topics[topic] = true;
            count++;
            add(['s', topic]);
        });
        K.define(this, 'unsubscribe', function unsubscribe(topic) {
            topicOf('ws.unsubscribe', topic);
            if (!topics[topic]) return;
            delete topics[topic];
            count--;
            add(['u', topic]);
        });
        K.define(this, 'isSubscribed', function isSubscribed(topic) { return topics[topicOf('ws.isSubscribed', topic)] === true; });
        K.define(this, 'publish', function publish(topic, value, options) { K.hostCallSync('sendSocketMessage', messageOf('ws.publish', [topic, value, options])); });
        K.define(this, 'close', function close(code, reason) {
            if (code === undefined || code === null) code = 1000;
            if (typeof code !== 'number' || code !== 1000 && !(code >= 3000 && code <= 4999) || code !== Math.floor(code)) throw refused('ws.close', 'the code is 1000, or from 3000 to 4999; ' + K.quote(code) + ' was given.');
            if (reason !== undefined && reason !== null && typeof reason !== 'string') throw refused('ws.close', 'the reason is a short string; ' + K.quote(reason) + ' was given.');
            add(['c', code, reason === undefined || reason === null ? '' : K.wellFormed(reason)]);
            closed = true;
        });
    }
    Socket.prototype = Object.create(Object.prototype);
    K.define(Socket.prototype, 'constructor', Object);

    function outcome(ws, done, state) {
        done.open = false;
        var data = K.jsonText(ws.data === undefined ? null : ws.data, undefined, { start: 'ws.data', skip: 0, finite: true });
        if (data.length > state.mostData) throw refused('ws.data', 'it may have at most ' + state.mostData + ' characters as JSON; it has ' + data.length + '. Keep the rest with kv.', 'too_large');
        return '{"ops":' + K.native.stringify(done.ops) + ',"data":' + data + '}';
    }

    // -- a client comes -----------------------------------------------------------------------

    var TYPE = 'application/vnd.aiwebengine.socket+json';

    /* The server tells of the socket beside the request. */
    function openerOf(open) {
        return function socket(req, ctx) {
            var after = K.pending(), state = K.run.box.q.ws, done = { ops: [], open: true };
            function failed(error) { K.reject(after, error); }
            try {
                var ws = new Socket(state, done);
                var value = open === null ? undefined : open.fn(ws, req, ctx);
                K.when(value, function (result) {
                    try {
                        if (result instanceof K.HttpError) { K.resolve(after, result); return; }
                        K.resolve(after, { status: 200, contentType: TYPE, body: outcome(ws, done, state) });
                    } catch (error) { failed(error); }
                }, failed);
            } catch (error) { failed(error); }
            return after;
        };
    }

    // -- a message, or the end ----------------------------------------------------------------

    /* A long message is a body: a string, or base64 if it is not UTF-8 or would be far longer as JSON. */
    function longMessage(q) {
        if (!own(q, 'bodyBase64')) return q['long'] === 'bytes' ? K.utf8(q.body) : q.body;
        var bytes = K.fromBase64(q.bodyBase64);
        if (q['long'] === 'bytes') return bytes;
        // A decoder drops a byte-order mark, which is part of a message.
        return (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? '\ufeff' : '') + K.text(bytes);
    }

    K.kinds.socket = function (run, box) {
        var q = box.q, entry = K.handlers[box.h], done = { ops: [], open: true };
        function failed(error) { if (run === K.run) K.failWith(error); }
        try {
            if (entry === undefined || entry.fn === null) throw new Error('this version has no handler ' + K.safeText(box.h));
            var ws = new Socket(q.ws, done), ctx = K.makeContext(run, null), fn = entry.fn, value;
            if (own(q, 'code')) value = fn(ws, q.code, q.reason, ctx);
            else value = fn(ws, own(q, 'long') ? longMessage(q) : own(q, 'bytes') ? K.fromBase64(q.bytes) : q.text, ctx);
            K.when(value, function () {
                if (run !== K.run) return;
                try {
                    run.answer = K.jsonAnswer('', outcome(ws, done, q.ws));
                    run.settled = true;
                } catch (error) { failed(error); }
            }, failed);
        } catch (error) {
            failed(error);
        }
    };

    // -- messages to topics -------------------------------------------------------------------

    /* A message is sent as a string, or as { base64 } for bytes. */
    function messageOf(call, values) {
        var bytes = bytesOf(values[1]), list = [topicOf(call, values[0]), bytes === null ? textOf(call, values[1]) : { base64: K.base64(bytes) }];
        if (values[2] !== undefined && values[2] !== null) list[2] = values[2];
        return list;
    }

    K.adapt('sendSocketMessage', { arguments: function (values, call) { return messageOf(call, values); } });
}(__kernel));
