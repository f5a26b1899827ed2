/*
 * What a script registers while it loads, and what its handlers are called by.
 *
 * Registrations are synchronous host calls: the server checks them, so that a bad one throws where
 * it stands.  Functions stay here; the server knows them by number, in the order of registration,
 * which is the same in every child of one version.
 */
(function (K, global) {
    'use strict';

    var own = Function.prototype.call.bind(Object.prototype.hasOwnProperty), keys = Object.keys, isArray = Array.isArray;
    var names = null, open = false, warned = Object.create(null), count = 0, unresolved = [];

    K.beginRegistration = function () {
        open = true;
        names = null;
        Object.defineProperty(global, '__names', {
            value: function (table) { if (names === null) names = table; },
            writable: false, configurable: true, enumerable: false
        });
    };

    function named(name) {
        var found;
        if (names !== null && own(names, name)) found = names[name]();
        else if (own(global, name)) found = global[name];
        return found;
    }

    K.namedFunction = function (name) {
        var found = named(name);
        return typeof found === 'function' ? found : undefined;
    };

    function allNames() {
        var list = names !== null ? keys(names) : [];
        if (names === null) {
            var every = keys(global);
            for (var i = 0; i < every.length; i++) if (typeof global[every[i]] === 'function') list[list.length] = every[i];
        }
        return list;
    }

    function requireOpen(call) {
        if (!open) throw K.HostError({ code: 'closed', call: call, message: call + ' works only at top level and in init: what a script registers is fixed when it is deployed.' });
    }

    /* A function, or the name of one that must exist when the script has loaded. */
    function keep(handler, call, more) {
        var entry = { fn: null, name: '', middleware: null };
        if (typeof handler === 'function') {
            entry.fn = handler;
            entry.name = typeof handler.name === 'string' ? handler.name : '';
        } else if (typeof handler === 'string' && handler !== '') {
            entry.name = handler;
        } else {
            throw K.HostError({ code: 'invalid', call: call, message: call + ': the handler must be a function or the name of one; ' + K.quote(handler) + ' was given.' });
        }
        var id = K.handlers.length;
        K.handlers[id] = entry;
        if (entry.fn === null) unresolved[unresolved.length] = { entry: entry, call: call, stack: stackHere() };
        return { id: id, name: K.safeText(entry.name).slice(0, 200) };
    }

    function stackHere() {
        var stack = new Error('here').stack;
        return typeof stack === 'string' ? stack : '';
    }

    function methodsOf(options) {
        var method = options.method;
        return method === undefined ? ['GET'] : isArray(method) ? method : [method];
    }

    K.registerRoute = function (call, path, handler, third) {
        requireOpen(call);
        var options = third === undefined || third === null ? {} : typeof third === 'string' || isArray(third) ? { method: third } : third;
        if (typeof options !== 'object') throw K.HostError({ code: 'invalid', call: call, message: call + ': the third argument must be a method or an object of options; ' + K.quote(third) + ' was given.' });
        var sent = {}, chosen = keys(options), between = null;
        var kept = keep(handler, call);
        for (var i = 0; i < chosen.length; i++) {
            if (chosen[i] === 'middleware') {
                var list = isArray(options.middleware) ? options.middleware : [options.middleware];
                between = [];
                sent.middleware = [];
                for (var j = 0; j < list.length; j++) {
                    var one = keep(list[j], call + ': middleware');
                    between[j] = K.handlers[one.id];
                    sent.middleware[j] = one.id;
                }
            } else if (typeof options[chosen[i]] === 'function') {
                throw K.HostError({ code: 'invalid', call: call, message: call + ': the option ' + chosen[i] + ' cannot be a function.' });
            } else if (chosen[i] !== 'method') sent[chosen[i]] = options[chosen[i]];
        }
        if (between !== null) K.handlers[kept.id].between = between;
        K.hostCallSync('register.route', [{ path: path, methods: methodsOf(options), handler: kept, options: sent, stack: stackHere() }]);
        count++;
    };

    K.global('registerWebHandler', function registerWebHandler(path, handler, methodOrOptions) {
        K.registerRoute('registerWebHandler', path, handler, methodOrOptions);
    });

    K.global('use', function use(handler) {
        requireOpen('use');
        var kept = keep(handler, 'use');
        K.hostCallSync('register.middleware', [{ handler: kept, stack: stackHere() }]);
        uses[uses.length] = K.handlers[kept.id];
    });
    var uses = [];

    function warnOnce(old, now) {
        if (warned[old]) return;
        warned[old] = true;
        K.log('warn', old + ' is an older name and goes on working; the name is ' + now + '.', { deprecated: old });
    }
    K.warnOnce = warnOnce;

    K.global('register', function register(path, handler, method) {
        warnOnce('register', 'registerWebHandler');
        K.registerRoute('register', path, handler, method === undefined || method === null || method === '' ? 'GET' : method);
    });

    K.endRegistration = function () {
        if (count === 0) fetchExport();
        var table = allNames(), problems = [];
        for (var i = 0; i < unresolved.length; i++) {
            var found = K.namedFunction(unresolved[i].entry.name);
            if (found === undefined) problems[problems.length] = unresolved[i];
            else unresolved[i].entry.fn = found;
        }
        open = false;
        delete global.__names;
        if (problems.length > 0) {
            var first = problems[0], error = new Error(messageFor(problems, table));
            error.stack = first.stack;
            Object.defineProperty(error, 'stack', { value: error.name + ': ' + error.message + '\n' + first.stack.split('\n').slice(1).join('\n') });
            throw error;
        }
        for (i = 0; i < K.handlers.length; i++) {
            var between = K.handlers[i].between;
            if (between !== undefined) K.handlers[i].middleware = functions(between);
        }
        var plain = functions(uses);
        for (i = 0; i < plain.length; i++) K.middleware[i] = plain[i];
        return K.ascii(K.native.stringify({ handlers: K.handlers.length, middleware: [], names: table.slice(0, 500), hasInit: K.namedFunction('init') !== undefined, warnings: [] }));
    };

    function functions(entries) {
        var list = [];
        for (var i = 0; i < entries.length; i++) list[i] = entries[i].fn;
        return list;
    }

    function messageFor(problems, table) {
        var parts = [];
        for (var i = 0; i < problems.length; i++) {
            var name = problems[i].entry.name, near = nearest(name, table), what = named(name);
            parts[i] = problems[i].call + ': there is no top-level function "' + name + '"' + (what !== undefined ? ' (it is not a function)' : '') + (near ? '; did you mean "' + near + '"?' : '.');
        }
        return parts.join(' ');
    }

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

    /* `export default { fetch }` is a handler of everything. */
    function fetchExport() {
        var found = named('default');
        if (found === undefined || found === null || typeof found.fetch !== 'function') return;
        K.registerRoute('export default', '/*', function fetch(req, ctx) {
            var init = { method: req.method, headers: req.headers };
            if (req.method === 'GET' || req.method === 'HEAD') return found.fetch(new K.Request(req.url, init), {}, ctx);
            return req.bytes().then(function (bytes) {
                if (bytes.length > 0) init.body = bytes;
                return found.fetch(new K.Request(req.url, init), {}, ctx);
            });
        }, ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']);
    }
}(__kernel, globalThis));
