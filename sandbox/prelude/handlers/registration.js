/*
 * What a script registers while it loads, and what its handlers are called by.
 *
 * Registrations are synchronous host calls: the server checks them, so that a bad one throws where
 * it stands.  Functions stay here; the server knows them by number, in the order of registration,
 * which is the same in every child of one version.
 */
(function (K, global) {
    'use strict';

    var own = K.own, keys = Object.keys, isArray = Array.isArray, slice = K.captured.slice, NativeError = K.captured.Error;
    var namesOf = Object.getOwnPropertyNames, descriptorOf = Object.getOwnPropertyDescriptor, prototypeOf = Object.getPrototypeOf;
    var names = null, loading = null, engines = K.bare(), open = false, warned = K.bare();
    var CHECKED = ['params', 'query', 'body'], EVERYTHING = /^\/\*[A-Za-z0-9_]*$/, everything = K.bare(), test = K.captured.test;
    var uses = [], perRoute = [], checked = [], unresolved = [], refusals = [];
    var MOST_REFUSALS = 50, LONGEST_MESSAGE = 1000, LONGEST_STACK = 3000, safeText = K.safeText;
    var collectFrom = -1, collected = [], noticed = 0, thrown = null, closing = null;

    /* What the engine itself gives, as it was before the script ran: none of it is the script's to be called by name. */
    function engineGlobals() {
        var found = K.bare();
        for (var holder = global; holder !== null; holder = prototypeOf(holder)) {
            var every = namesOf(holder);
            for (var i = 0; i < every.length; i++) if (!(every[i] in found)) found[every[i]] = descriptorOf(holder, every[i]).value;
        }
        return found;
    }

    function isEngines(name, value) { return value !== undefined && engines[name] === value; }

    /* `collect`: how many refusals the script is known to catch; those that follow do not throw, so that all are found. */
    K.beginRegistration = function (collect) {
        open = true;
        collectFrom = typeof collect === 'number' ? collect : -1;
        names = null;
        loading = null;
        engines = engineGlobals();
        Object.defineProperty(global, '__names', {
            value: function (table) {
                if (K.isPromise(table)) { if (loading === null) loading = table; } else if (names === null && table !== null && typeof table === 'object') names = table;
            },
            writable: false, configurable: true, enumerable: false
        });
    };

    /* A promise for the end of a top level that waits; null if it does not. */
    K.loading = function () { return loading; };

    // -- handlers -----------------------------------------------------------------------------

    /*
     * The script's own value of a top-level name.  A plain script may offer a name that it only uses, and a global
     * may be the engine's: a route to `json` would hand the caller's request back to him.
     */
    function named(name) {
        var found;
        if (names !== null && own(names, name)) {
            var get = names[name];
            found = get();
        }
        if (found === undefined && own(global, name)) found = global[name];
        return isEngines(name, found) ? undefined : found;
    }

    K.namedFunction = function (name) {
        var exported = named(name);
        return typeof exported === 'function' ? exported : undefined;
    };

    /* The top-level functions, as far as they can be told. */
    function topLevel() {
        var list = [], every = names !== null ? keys(names) : keys(global);
        for (var i = 0; i < every.length; i++) if (typeof named(every[i]) === 'function') list[list.length] = every[i];
        return list;
    }

    /* `where` is what of the call is wrong, `{ argument: 0 }` or `{ option: "timeout" }`, for the mark below its line. */
    function refused(code, call, message, where) { return K.HostError({ code: code, call: call, message: call + ': ' + message, details: where }); }

    function requireOpen(call) {
        if (!open) throw refused('closed', call, 'works only at top level and in init; what a script registers is fixed when it is deployed.');
    }

    /* Called by what the script calls: of the ten frames that the engine keeps, most are then the script's. */
    function stackHere() {
        var stack = K.rawStack(new NativeError('here'));
        return typeof stack === 'string' ? stack : '';
    }

    K.stackHere = stackHere;

    /* A function, or the name of one that must exist when the script has loaded; `where` as for `refused`. */
    function keep(handler, call, stack, where) {
        var entry = { fn: null, name: '', chain: null, bare: false, stack: stack };
        if (typeof handler === 'function') {
            entry.fn = handler;
            entry.name = typeof handler.name === 'string' ? handler.name : '';
        } else if (typeof handler === 'string' && handler !== '') {
            entry.name = handler;
            unresolved[unresolved.length] = { entry: entry, call: call, stack: stack, where: where };
        } else {
            throw refused('invalid', call, 'the handler must be a function or the name of one; ' + K.quote(handler) + ' was given.', where);
        }
        var id = K.handlers.length;
        K.handlers[id] = entry;
        return { id: id, name: slice(K.safeText(entry.name), 0, 200) };
    }
    K.keepHandler = keep;

    // -- routes -------------------------------------------------------------------------------

    function optionsOf(call, third) {
        if (third === undefined || third === null) return {};
        if (typeof third === 'string' || isArray(third)) return { method: third };
        if (typeof third !== 'object') throw refused('invalid', call, 'the third argument must be a method or an object of options; ' + K.quote(third) + ' was given.', { argument: 2 });
        return third;
    }

    function methodsOf(options) {
        var method = options.method;
        return method === undefined ? ['GET'] : isArray(method) ? method : [method];
    }

    function betweenOf(call, middleware, stack) {
        var list = isArray(middleware) ? middleware : [middleware], ids = [];
        for (var i = 0; i < list.length; i++) ids[i] = keep(list[i], call + ': middleware', stack, { option: 'middleware' }).id;
        return ids;
    }

    /* Puts middleware around one handler; gives their numbers. */
    K.keepBetween = function (id, middleware, call, stack) {
        perRoute[id] = betweenOf(call, middleware, stack);
        return perRoute[id];
    };

    function checksOf(call, options) {
        var checks = [];
        for (var i = 0; i < CHECKED.length; i++) {
            var where = CHECKED[i], value = options[where], standard = K.schemaOf(value);
            if (standard !== null) checks[checks.length] = { where: where, standard: standard };
            else if (value !== undefined && value !== null) checks[checks.length] = { where: where, json: K.jsonSchema(value, call, where) };
        }
        return checks;
    }

    /* One registration as the server gets it; functions become numbers. */
    function register(call, path, handler, third, stack) {
        var options = optionsOf(call, third), chosen = keys(options), sent = {}, checks = checksOf(call, options), kept = keep(handler, call, stack, { argument: 1 });
        for (var i = 0; i < chosen.length; i++) {
            var name = chosen[i], value = options[name];
            if (name === 'method' || value === undefined) continue;
            if (name === 'middleware') {
                sent.middleware = betweenOf(call, value, stack);
                perRoute[kept.id] = sent.middleware;
            } else if (CHECKED.indexOf(name) >= 0) {
                // The server only shows it: what a package's schema asks for is code.
                if (K.schemaOf(value) === null) sent[name] = value;
            } else if (typeof value === 'function') {
                throw refused('invalid', call, 'the option ' + name + ' cannot be a function.', { option: name });
            } else sent[name] = value;
        }
        if (checks.length > 0) checked[kept.id] = K.checking(checks);
        var methods = methodsOf(options);
        K.hostCallSync('register.route', [{ path: path, methods: methods, handler: kept, options: sent, stack: stack }]);
        if (typeof path === 'string' && test(EVERYTHING, path)) for (i = 0; i < methods.length; i++) everything[K.safeText(methods[i]).toUpperCase()] = true;
    }

    /*
     * A refusal ends the load, unless the script catches it: then it is a warning.  When it has ended a load, the
     * server loads the version once more and has this one and those after it collected, to tell all of them at once.
     */
    function noted(call, stack, work) {
        requireOpen(call);
        try {
            work();
        } catch (error) {
            var number = noticed++;
            if (collectFrom >= 0 && number >= collectFrom) {
                collected[collected.length] = refusalOf(error, stack, call);
                return;
            }
            thrown = { error: error, number: number, stack: stack, call: call };
            refusals[refusals.length] = { code: 'registration_refused', message: safeText(error && error.message) + ' (the script caught this error and went on without the registration)', stack: stack };
            throw error;
        }
    }

    function member(object, name) {
        var value;
        try { value = object[name]; } catch (error) { return ''; }
        return typeof value === 'string' ? slice(value, 0, 200) : '';
    }

    /* What the server is told of one; `call` is empty for an error that is no refusal. */
    function refusalOf(error, stack, call) {
        var where = error instanceof K.HostError && own(error, 'details') && error.details !== null && typeof error.details === 'object' ? error.details : {};
        return {
            name: member(error, 'name'), message: slice(safeText(error && error.message), 0, LONGEST_MESSAGE), stack: slice(stack, 0, LONGEST_STACK),
            code: member(error, 'code'), call: call || member(error, 'call'), option: member(where, 'option'), argument: where.argument
        };
    }

    /*
     * What ended a load, with the registrations that were refused: all that are known, and in `more`, if that is but
     * the first, how many were refused before it and caught.
     */
    K.withRefusals = function (failure, error) {
        var list = collected, more = '';
        if (list.length === 0) {
            if (thrown === null || thrown.error !== error) return failure;
            list = [refusalOf(error, thrown.stack, thrown.call)];
            more = ',"more":' + thrown.number;
        } else if (error !== closing) {
            list = list.slice(0, MOST_REFUSALS - 1).concat([refusalOf(error, stackOf(error), '')]);
        }
        try {
            return slice(failure, 0, -1) + ',"refused":' + K.ascii(K.native.stringify(list.slice(0, MOST_REFUSALS))) + more + '}';
        } catch (worse) {
            // The script has broken what this stands on.
            return failure;
        }
    };

    function stackOf(error) {
        try { return error instanceof Error ? safeText(K.rawStack(error)) : ''; } catch (worse) { return ''; }
    }

    /* What else a script may register: `work` throws if it is refused. */
    K.registering = function (call, stack, work) {
        noted(call, stack, work);
    };

    function route(call, path, handler, third, stack) {
        noted(call, stack, function () { register(call, path, handler, third, stack); });
    }

    K.global('registerWebHandler', function registerWebHandler(path, handler, methodOrOptions) {
        route('registerWebHandler', path, handler, methodOrOptions, stackHere());
    });

    K.global('use', function use(handler) {
        var stack = stackHere();
        noted('use', stack, function () {
            var entry = keep(handler, 'use', stack, { argument: 0 });
            K.hostCallSync('register.middleware', [{ handler: entry, stack: stack }]);
            uses[uses.length] = entry.id;
        });
    });

    // -- older names --------------------------------------------------------------------------

    function warnOnce(old, now) {
        if (warned[old]) return;
        warned[old] = true;
        K.log('warn', old + ' is an older name and goes on working; the name is ' + now + '.', { deprecated: old }, true);
    }
    K.warnOnce = warnOnce;

    K.global('register', function register(path, handler, method) {
        warnOnce('register', 'registerWebHandler');
        route('register', path, handler, method === undefined || method === null || method === '' ? 'GET' : method, stackHere());
    });

    /* The functions that run around whatever the script answers. */
    K.between = function () { return uses.map(function (id) { return K.handlers[id].fn; }); };

    // -- the end of the load ------------------------------------------------------------------

    /* Gives the answer to `load`; throws if a name leads nowhere, or if refusals were collected. */
    K.endRegistration = function () {
        fetchExport();
        var table = topLevel();
        resolveNames(table);
        open = false;
        delete global.__names;
        for (var i = 0; i < K.handlers.length; i++) {
            var ids = uses.concat(perRoute[i] || []);
            var chain = ids.map(function (id) { return K.handlers[id].fn; });
            if (checked[i] !== undefined) chain[chain.length] = checked[i];
            if (chain.length > 0 && !K.handlers[i].bare) K.handlers[i].chain = chain;
        }
        return K.ascii(K.native.stringify({
            handlers: K.handlers.length, middleware: uses, names: table.slice(0, 500),
            hasInit: K.namedFunction('init') !== undefined, warnings: refusals.slice(0, 100)
        }));
    };

    function resolveNames(table) {
        var missing = [];
        for (var i = 0; i < unresolved.length; i++) {
            var handler = K.namedFunction(unresolved[i].entry.name);
            if (handler === undefined) missing[missing.length] = unresolved[i];
            else unresolved[i].entry.fn = handler;
        }
        missing.forEach(function (one) {
            collected[collected.length] = refusalOf(refused('invalid', one.call, missingText(one.entry.name, table), one.where), one.stack, one.call);
        });
        if (collected.length === 0) return;
        closing = new Error(collected.map(function (one) { return one.message; }).join(' '));
        Object.defineProperty(closing, 'stack', { value: 'Error: ' + closing.message + '\n' + collected[0].stack.split('\n').slice(1).join('\n') });
        throw closing;
    }

    function missingText(name, table) {
        var suggestion = nearest(name, table), what = named(name);
        var why = what !== undefined ? ' (it is not a function)' : engines[name] !== undefined ? " (the engine's own " + name + ' is no handler)' : '';
        return 'there is no top-level function "' + name + '"' + why + (suggestion ? '; did you mean "' + suggestion + '"?' : '.');
    }

    /* What was probably meant, or null. */
    K.nearest = nearest;
    function nearest(name, table) {
        var best = null, least = Math.max(2, Math.floor(name.length / 3)) + 1;
        for (var i = 0; i < table.length; i++) {
            var far = distance(name.toLowerCase(), table[i].toLowerCase(), least);
            if (far < least) { least = far; best = table[i]; }
        }
        return best;
    }

    function distance(a, b, limit) {
        if (Math.abs(a.length - b.length) >= limit) return limit;
        var row = [], i, j;
        for (j = 0; j <= b.length; j++) row[j] = j;
        for (i = 1; i <= a.length; i++) {
            var diagonal = row[0];
            row[0] = i;
            for (j = 1; j <= b.length; j++) {
                var above = row[j];
                row[j] = Math.min(row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] === b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }
        return row[b.length];
    }

    /* `export default { fetch }` is a handler of everything that the script has no other handler for. */
    function fetchExport() {
        var application = named('default'), methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].filter(function (method) { return !everything[method]; });
        if (application === undefined || application === null || application.fetch === undefined) return;
        if (typeof application.fetch !== 'function') throw K.HostError({ code: 'invalid', call: 'export default', message: 'export default: the member fetch must be a function; ' + K.quote(application.fetch) + ' was given.' });
        if (methods.length === 0) return;
        route('export default', '/*', function fetch(req, ctx) {
            var init = { method: req.method, headers: req.headers }, url = withoutBase(req.url, K.run.box.q.base);
            if (req.method === 'GET' || req.method === 'HEAD') return application.fetch(new K.Request(url, init), {}, ctx);
            return req.bytes().then(function (bytes) {
                if (bytes.length > 0) init.body = bytes;
                return application.fetch(new K.Request(url, init), {}, ctx);
            });
        }, methods, '');
    }

    /* An application knows its paths without the base path that its manifest names. */
    function withoutBase(url, base) {
        if (base === undefined) return url;
        var at = url.indexOf('/', url.indexOf('://') + 3), end = at;
        // By segments: a client may have percent-encoded what is in them.
        for (var left = base.split('/').length - 1; left > 0; left--) {
            var next = url.slice(end + 1).search(/[\/?#]/);
            end = next < 0 ? url.length : end + 1 + next;
        }
        return url.slice(0, at) + (url.charAt(end) === '/' ? '' : '/') + url.slice(end);
    }
}(__kernel, globalThis));
