/*
 * Streams of messages to clients: what a script registers.
 *
 * The connections are the server's.  A child is asked only when a client comes (`attributes` and
 * `onConnect`, behind the middleware, as one handler) and when a filter has to choose.
 */
(function (K) {
    'use strict';

    var keys = Object.keys, isArray = Array.isArray;
    var FUNCTIONS = K.bare();
    FUNCTIONS.attributes = FUNCTIONS.onConnect = FUNCTIONS.filter = true;

    /* `where` is what of the call is wrong, for the mark below its line. */
    function refused(call, message, where) { return K.HostError({ code: 'invalid', call: call, message: call + ': ' + message, details: where }); }

    // -- registration -------------------------------------------------------------------------

    function register(call, path, options, stack) {
        if (options === undefined || options === null) options = {};
        if (typeof options !== 'object' || isArray(options)) throw refused(call, 'the second argument must be an object of options; ' + K.quote(options) + ' was given.', { argument: 1 });
        var sent = {}, chosen = keys(options), entries = K.bare(), between = null;
        for (var i = 0; i < chosen.length; i++) {
            var name = chosen[i], value = options[name];
            if (value === undefined || value === null) continue;
            if (FUNCTIONS[name]) {
                entries[name] = K.keepHandler(value, call + ': ' + name, stack, { option: name });
                sent[name] = entries[name].id;
            } else if (name === 'middleware') between = value;
            else if (typeof value === 'function') throw refused(call, 'the option ' + name + ' cannot be a function.', { option: name });
            else sent[name] = value;
        }
        if (entries.filter !== undefined) K.handlers[entries.filter.id].bare = true;
        var opener = K.keepHandler(openerOf(entryOf(entries.attributes), entryOf(entries.onConnect)), call, stack);
        if (between !== null) sent.middleware = K.keepBetween(opener.id, between, call, stack);
        K.hostCallSync('register.stream', [{ path: path, handler: { id: opener.id, name: 'stream' }, options: sent, stack: stack }]);
    }

    function entryOf(reference) { return reference === undefined ? null : K.handlers[reference.id]; }

    K.global('registerWebStream', function registerWebStream(path, options) {
        var stack = K.stackHere();
        K.registering('registerWebStream', stack, function () { register('registerWebStream', path, options, stack); });
    });

    // -- a client comes -----------------------------------------------------------------------

    function openerOf(attributes, onConnect) {
        return function stream(req, ctx) {
            var after = K.pending();
            step(attributes, req, ctx, after, function (result) {
                step(onConnect, req, ctx, after, function (first) { K.resolve(after, opening(result, first)); });
            });
            return after;
        };
    }

    /* What the server is told of a client that may connect; `httpError` returned refuses it, as thrown. */
    function opening(attributes, first) {
        if (attributes instanceof K.HttpError) return attributes;
        if (first instanceof K.HttpError) return first;
        if (attributes !== undefined && attributes !== null && (typeof attributes !== 'object' || isArray(attributes))) throw new TypeError('attributes must return an object such as { room: 7 }; ' + K.quote(attributes) + ' was returned.');
        var accepted = { attributes: attributes === undefined ? null : attributes };
        if (first !== undefined) accepted.first = first;
        return { status: 200, contentType: 'application/vnd.aiwebengine.stream+json', body: K.jsonText(accepted, undefined, { start: 'What a stream\'s function returned', skip: 1, finite: true }) };
    }

    function step(entry, req, ctx, after, done) {
        var value;
        if (entry === null) { done(undefined); return; }
        function failed(error) { K.reject(after, error); }
        try { value = entry.fn(req, ctx); } catch (error) { failed(error); return; }
        K.when(value, function (result) {
            try { done(result); } catch (error) { failed(error); }
        }, failed);
    }

    // -- filters ------------------------------------------------------------------------------

    K.kinds.filter = function (run, box) {
        var entry = K.handlers[box.h], clients = box.q.clients, bits = '', chosen;
        try {
            if (entry === undefined || entry.fn === null) throw new Error('this version has no filter ' + K.safeText(box.h));
            chosen = entry.fn(box.q.message, clients);
            if (!isArray(chosen) || chosen.length !== clients.length) throw new TypeError('A filter must return a list with one true or false for each of its ' + clients.length + ' clients; ' + K.quote(chosen) + ' was returned.');
            for (var i = 0; i < chosen.length; i++) bits += chosen[i] ? '1' : '0';
            run.answer = K.toAnswer(bits, false);
            run.settled = true;
        } catch (error) {
            K.failWith(error);
        }
    };
}(__kernel));
