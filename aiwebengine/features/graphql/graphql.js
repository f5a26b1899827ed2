/*
 * GraphQL: what a script registers, and how its resolvers are called.
 *
 * The server has the schema and executes; what it cannot know, it asks of the script, many
 * things at once: a run of the kind `graphql` is a list of calls, which all begin before any is
 * waited for, and its answer is the list of what they came to.
 *
 *     {"t":"root","h":7,"a":{...},"i":{...}}            a root field: resolver(args, ctx, info)
 *     {"t":"many","h":8,"p":[...],"a":{...},"i":{...}}  a field of many objects: (parents, args, ctx, info)
 *     {"t":"one","h":8,"p":{...},"a":{...},"i":{...}}   a field of one object
 *     {"t":"each","h":9,"p":[...]}                      a scalar's `parse` or `serialize`, value by value
 *
 * Each comes to {"d":value} or {"e":{"name","message","stack",...}}.  A run of one call is a unit:
 * when that fails, the run does.  What clients are meant to read (httpError, or an error that has
 * `extensions`) is an answer then, which rolls back.
 */
(function (K) {
    'use strict';

    var keys = Object.keys, isArray = Array.isArray, quoteText = K.quoteText, ITERATOR = Symbol.asyncIterator;
    var hasOwn = Function.prototype.call.bind(Object.prototype.hasOwnProperty);

    /* `where` is what of the call is wrong, for the mark below its line. */
    function refused(call, message, where) { return K.HostError({ code: 'invalid', call: call, message: call + ': ' + message, details: where }); }

    // -- registration -------------------------------------------------------------------------

    function optionsOf(call, value, argument) {
        if (value === undefined || value === null) return {};
        if (typeof value !== 'object' || isArray(value)) throw refused(call, 'the last argument must be an object of options; ' + K.quote(value) + ' was given.', { argument: argument });
        var chosen = keys(value);
        for (var i = 0; i < chosen.length; i++) if (typeof value[chosen[i]] === 'function') throw refused(call, 'the option ' + chosen[i] + ' cannot be a function.', { option: chosen[i] });
        return value;
    }

    function bare(handler, call, stack, where) {
        var entry = K.keepHandler(handler, call, stack, where);
        K.handlers[entry.id].bare = true;
        return entry;
    }

    function send(call, part, stack) {
        part.call = call;
        part.stack = stack;
        K.hostCallSync('register.graphql', [part]);
    }

    function text(value) { return value === undefined ? null : value; }

    function registerRoot(call, kind, name, sdl, resolver, options, stack) {
        K.registering(call, stack, function () {
            if (typeof sdl === 'function' && typeof resolver === 'string') { var swap = sdl; sdl = resolver; resolver = swap; }
            var chosenOptions = optionsOf(call, options, 3);
            var handler = kind === 'subscription' && (resolver === undefined || resolver === null) ? null : bare(resolver, call, stack, { argument: 2 });
            send(call, { kind: kind, name: text(name), sdl: text(sdl), handler: handler, options: chosenOptions }, stack);
        });
    }

    K.global('registerQueryHandler', function registerQueryHandler(name, sdl, resolver, options) {
        registerRoot('registerQueryHandler', 'query', name, sdl, resolver, options, K.stackHere());
    });
    K.global('registerMutationHandler', function registerMutationHandler(name, sdl, resolver, options) {
        registerRoot('registerMutationHandler', 'mutation', name, sdl, resolver, options, K.stackHere());
    });
    K.global('registerSubscriptionHandler', function registerSubscriptionHandler(name, sdl, resolver, options) {
        registerRoot('registerSubscriptionHandler', 'subscription', name, sdl, resolver, options, K.stackHere());
    });
    K.global('registerGraphQLQuery', function registerGraphQLQuery(name, sdl, resolver) {
        K.warnOnce('registerGraphQLQuery', 'registerQueryHandler');
        registerRoot('registerGraphQLQuery', 'query', name, sdl, resolver, null, K.stackHere());
    });
    K.global('registerGraphQLMutation', function registerGraphQLMutation(name, sdl, resolver) {
        K.warnOnce('registerGraphQLMutation', 'registerMutationHandler');
        registerRoot('registerGraphQLMutation', 'mutation', name, sdl, resolver, null, K.stackHere());
    });
    K.global('registerGraphQLSubscription', function registerGraphQLSubscription(name, sdl, resolver) {
        K.warnOnce('registerGraphQLSubscription', 'registerSubscriptionHandler');
        registerRoot('registerGraphQLSubscription', 'subscription', name, sdl, resolver, null, K.stackHere());
    });

    K.global('registerFieldHandler', function registerFieldHandler(name, resolver, options) {
        var call = 'registerFieldHandler', stack = K.stackHere();
        K.registering(call, stack, function () {
            send(call, { kind: 'field', name: text(name), sdl: null, handler: bare(resolver, call, stack, { argument: 1 }), options: optionsOf(call, options, 2) }, stack);
        });
    });

    K.global('registerScalar', function registerScalar(name, options) {
        var call = 'registerScalar', stack = K.stackHere();
        K.registering(call, stack, function () {
            if (options === undefined || options === null) options = {};
            if (typeof options !== 'object' || isArray(options)) throw refused(call, 'the second argument must be an object such as { parse, serialize }; ' + K.quote(options) + ' was given.', { argument: 1 });
            var sent = {}, chosen = keys(options);
            for (var i = 0; i < chosen.length; i++) {
                var one = chosen[i], value = options[one];
                if (value === undefined || value === null) continue;
                sent[one] = one === 'parse' || one === 'serialize' ? bare(value, call + ': ' + one, stack, { option: one }).id : value;
            }
            send(call, { kind: 'scalar', name: text(name), sdl: null, handler: null, options: sent }, stack);
        });
    });

    // -- a run --------------------------------------------------------------------------------

    function context(run) {
        var connection = run.box.q.c, ctx = K.makeLateContext(run);
        ctx.connectionParams = connection === undefined ? null : connection;
        return ctx;
    }

    function entryOf(id) {
        var entry = K.handlers[id];
        if (entry === undefined || entry.fn === null) throw new Error('this version has no handler ' + K.safeText(id));
        return entry.fn;
    }

    function start(call, ctx) {
        var fn = entryOf(call.h);
        if (call.t === 'root') return fn(call.a, ctx, call.i);
        if (call.t === 'each') return each(fn, call.p);
        if (call.t === 'one') return fn(call.p, call.a, ctx, call.i);
        return counted(fn(call.p, call.a, ctx, call.i), call);
    }

    /* One value for each parent, in their order. */
    function counted(value, call) {
        var after = K.pending();
        K.when(value, function (list) {
            if (isArray(list) && list.length === call.p.length) K.resolve(after, list.map(function (one) { return one instanceof Error ? { e: failure(one) } : { d: one === undefined ? null : one }; }));
            else K.reject(after, new TypeError('A handler of ' + call.i.parentType + '.' + call.i.fieldName + ' is given ' + call.p.length + ' objects and must return a list with as many values; ' + (isArray(list) ? list.length + ' were' : K.quote(list) + ' was') + ' returned. With { batch: false } it is given one at a time.'));
        }, function (error) { K.reject(after, error); });
        return after;
    }

    function each(fn, values) {
        var made = [];
        for (var i = 0; i < values.length; i++) {
            try {
                var value = fn(values[i]);
                if (K.isThenable(value)) throw new TypeError('parse and serialize of a scalar are synchronous; a Promise was returned.');
                made[i] = { d: value === undefined ? null : value };
            } catch (error) {
                made[i] = { e: failure(error) };
            }
        }
        return made;
    }

    function extensionsOf(error) {
        try {
            var extensions = error.extensions;
            return extensions !== null && typeof extensions === 'object' && !isArray(extensions) ? extensions : undefined;
        } catch (worse) {
            return undefined;
        }
    }

    function forClients(error) { return error instanceof K.HttpError || error instanceof Error && extensionsOf(error) !== undefined; }

    /* What an error is told as; `public` if clients are meant to read it. */
    function failure(error) {
        var text = K.described('thrown', error), details = K.native.parse(text.slice(text.indexOf(' ') + 1));
        if (error instanceof K.HttpError) {
            details.public = true;
            details.status = error.status;
            if (error.details !== undefined) details.details = error.details;
        } else if (error instanceof Error && extensionsOf(error) !== undefined) {
            details.public = true;
            details.extensions = extensionsOf(error);
        }
        return details;
    }

    function done(run, outcomes) {
        if (run !== K.run) return;
        var text, about = { start: 'What a resolver returned', skip: isArray(outcomes) ? 2 : 0, finite: true };
        try {
            text = K.jsonText(outcomes, undefined, about);
        } catch (error) {
            if (error instanceof K.NotSerializable && isArray(outcomes) && outcomes.length > 1) {
                text = K.jsonText(outcomes.map(oneByOne, run), undefined, about);
            } else {
                if (error instanceof K.NotSerializable) K.placed(error, K.handlers[run.box.q.calls[0].h]);
                K.failWith(error, 'invalid_answer');
                return;
            }
        }
        run.answer = K.jsonAnswer('', text);
        run.settled = true;
    }

    /* Of several calls only those fail whose values JSON cannot hold. */
    function oneByOne(value, i) {
        try {
            K.jsonText([value], undefined, { start: 'What a resolver returned', skip: 2, finite: true });
            return value;
        } catch (error) {
            if (!(error instanceof K.NotSerializable)) throw error;
            K.placed(error, K.handlers[this.box.q.calls[i].h]);
            return { e: failure(error) };
        }
    }

    function failed(run, error) {
        if (run !== K.run) return;
        if (!forClients(error)) { K.failWith(error); return; }
        var text;
        try { text = K.jsonText([{ e: failure(error) }]); } catch (worse) { K.failWith(worse, 'invalid_answer'); return; }
        run.answer = K.jsonAnswer('{"status":200,"type":"application/json","rollback":true}', text);
        run.settled = true;
    }

    /* Long ones follow the JSON of the run, as the body of a request does. */
    function callsOf(q) {
        if (q.body !== undefined) q.calls = K.parse(q.body);
        else if (q.bodyBase64 !== undefined) q.calls = K.parse(K.text(K.fromBase64(q.bodyBase64)));
        if (q.calls === null) throw new Error('The arguments of this run were too long to be recorded (recordings.max_bytes).');
        return q.calls;
    }

    K.kinds.graphql = function (run, box) {
        var calls = callsOf(box.q), outcomes = [], left = calls.length, ctx = context(run);
        function value(i, result) {
            outcomes[i] = { d: result === undefined ? null : result };
            if (--left === 0) done(run, outcomes);
        }
        function error(i, thrown) {
            if (calls.length === 1) { failed(run, thrown); return; }
            outcomes[i] = { e: failure(thrown) };
            if (--left === 0) done(run, outcomes);
        }
        function begin(i) {
            var given;
            try { given = start(calls[i], ctx); } catch (thrown) { error(i, thrown); return; }
            if (!K.isThenable(given)) { value(i, given); return; }
            K.when(given, function (resolved) { value(i, resolved); }, function (thrown) { error(i, thrown); });
        }
        for (var i = 0; i < calls.length; i++) begin(i);
    };

    // -- subscriptions ------------------------------------------------------------------------

    /* One JSON text for each value of the source, one line each. */
    function lines(source) {
        var made = {};
        made[ITERATOR] = function () {
            var iterator = source[ITERATOR]();
            return {
                next: function () {
                    return K.Promise.resolve(iterator.next()).then(function (step) {
                        return step.done ? { done: true, value: undefined } : { done: false, value: K.jsonText(step.value === undefined ? null : step.value, undefined, { start: 'What a subscription yielded', skip: 0, finite: true }) + '\n' };
                    });
                },
                'return': function (value) { return typeof iterator['return'] === 'function' ? iterator['return'](value) : K.Promise.resolve({ done: true, value: value }); }
            };
        };
        return made;
    }

    /* {"s":"all"}, {"s":"filter"}, {"s":"first","v":text} or {"s":"attributes","v":{...}}; or the source itself, streamed. */
    function sourceOf(value) {
        if (value === undefined || value === null) return { s: 'all' };
        if (typeof value === 'function') return { s: 'filter' };
        if (typeof value === 'string') return { s: 'first', v: value };
        if (typeof value === 'object' && typeof value[ITERATOR] === 'function') return null;
        if (typeof value === 'object' && !isArray(value)) return { s: 'attributes', v: value };
        throw new TypeError('The resolver of a subscription returns attributes such as { room: 7 }, a function that filters, an async iterable, a string or nothing; ' + K.quote(value) + ' was returned.');
    }

    K.kinds.subscribe = function (run, box) {
        function resolved(value) {
            var source;
            try {
                source = sourceOf(value);
                if (source === null) { K.giveAnswer(run, { status: 200, contentType: 'application/jsonl', body: lines(value) }); return; }
            } catch (error) { failed(run, error); return; }
            done(run, source);
        }
        function thrown(error) { failed(run, error); }
        try { var result = start(callsOf(box.q)[0], context(run)); } catch (error) { failed(run, error); return; }
        K.when(result, resolved, thrown);
    };

    /* Which of the clients get a message: their resolver is asked again for its filter, which is given the payload. */
    K.kinds.subfilter = function (run, box) {
        var clients = box.q.clients, bits = [], left = clients.length, ctx = context(run), fn = entryOf(box.h);
        function chose(i, chosen) {
            bits[i] = chosen ? '1' : '0';
            if (--left > 0 || run !== K.run) return;
            run.answer = K.toAnswer(bits.join(''), false);
            run.settled = true;
        }
        function begin(i) {
            function receive(filter) {
                if (typeof filter !== 'function') { chose(i, true); return; }
                K.when(filter(box.q.message), function (chosen) { chose(i, chosen); }, thrown);
            }
            function thrown(error) { if (run === K.run) K.failWith(error); }
            try { K.when(fn(clients[i].a, ctx, clients[i].i), function (filter) { try { receive(filter); } catch (error) { thrown(error); } }, thrown); } catch (error) { thrown(error); }
        }
        for (var i = 0; i < clients.length; i++) begin(i);
    };
}(__kernel));
