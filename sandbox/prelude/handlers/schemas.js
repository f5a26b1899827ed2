/*
 * What a route's options `params`, `query` and `body` ask of a request, checked after the middleware, just before the
 * handler: JSON Schemas first, all of them at once, then schemas of packages (Standard Schema, version 1), which are
 * code and are asked one after the other.  What either refuses is answered in the same way.
 *
 *     K.schemaOf(value) -> the part behind "~standard", or null if value is no such schema
 *     K.checking([{ where, standard }, { where, json }, ...]) -> a middleware; `json` is made by K.jsonSchema
 */
(function (K) {
    'use strict';

    var isArray = Array.isArray, keys = Object.keys, MOST_ISSUES = 50;

    K.schemaOf = function (value) {
        if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return null;
        var standard = value['~standard'];
        return standard !== null && typeof standard === 'object' && typeof standard.validate === 'function' ? standard : null;
    };

    function refuse(violations, words) {
        var first = violations[0], more = violations.length > 1 ? ' (' + (violations.length - 1) + ' more in violations.)' : '';
        throw new K.HttpError(400, (first['in'] === 'params' ? 'The path parameters of the request are' : 'The ' + first['in'] + ' of the request is') + ' not valid' + (first.pointer ? ' at ' + first.pointer : '') + ': ' + words + first.message + more, { violations: violations });
    }

    // -- JSON Schema --------------------------------------------------------------------------

    /* Convert parameters to the types of the schema; `req.query` has the first of a name, `req.queryAll` all. */
    function coerce(where, coercion, req) {
        var values = req[where], all = where === 'query' ? req.queryAll : null;
        keys(values).forEach(function (name) {
            if (all === null) values[name] = coercion.single(name, values[name]);
            else {
                all[name] = coercion.all(name, all[name]);
                values[name] = coercion.isList(name) ? all[name].concat() : all[name][0];
            }
        });
    }

    function validate(checks, req) {
        var violations = [];
        checks.forEach(function (check) {
            if (check.where === 'body') req.data = K.bodyAsJson(req);
            else coerce(check.where, check.coercion, req);
            check.json.check(check.where === 'body' ? req.data : req[check.where]).forEach(function (fault) {
                violations[violations.length] = { 'in': check.where, pointer: fault.pointer, message: fault.message };
            });
        });
        if (violations.length > 0) refuse(violations, 'it ');
    }

    // -- Standard Schema ----------------------------------------------------------------------

    /* A path of keys, or of objects with a key, as a JSON Pointer. */
    function pointer(path) {
        var text = '';
        if (!isArray(path)) return text;
        for (var i = 0; i < path.length && i < 100; i++) {
            var key = path[i] !== null && typeof path[i] === 'object' ? path[i].key : path[i];
            text += '/' + K.safeText(typeof key === 'symbol' ? key.toString() : key).replace(/~/g, '~0').replace(/\//g, '~1');
        }
        return text;
    }

    function refuseIssues(where, issues) {
        var violations = [];
        for (var i = 0; i < issues.length && i < MOST_ISSUES; i++) {
            violations[i] = { 'in': where, pointer: pointer(issues[i] && issues[i].path), message: K.safeText(issues[i] && issues[i].message) };
        }
        refuse(violations.length > 0 ? violations : [{ 'in': where, pointer: '', message: 'the schema gave no reason' }], '');
    }

    function given(where, req) { return where === 'body' ? K.bodyAsJson(req) : req[where]; }

    function accept(where, result, req) {
        if (result === null || typeof result !== 'object') throw new TypeError('The schema of ' + where + ' gave ' + K.quote(result) + '; a Standard Schema gives { value } or { issues }.');
        if (isArray(result.issues)) refuseIssues(where, result.issues);
        req[where === 'body' ? 'data' : where] = result.value;
    }

    function askAll(checks, req, next) {
        var after = K.pending();
        function failed(error) { K.reject(after, error); }
        function from(i) {
            try {
                if (i === checks.length) K.resolve(after, next());
                else K.when(checks[i].standard.validate(given(checks[i].where, req)), took, failed, i);
            } catch (error) {
                failed(error);
            }
        }
        function took(result, i) {
            try {
                accept(checks[i].where, result, req);
            } catch (error) {
                failed(error);
                return;
            }
            from(i + 1);
        }
        from(0);
        return after;
    }

    K.checking = function (checks) {
        var json = checks.filter(function (check) { return check.json !== undefined; });
        var standard = checks.filter(function (check) { return check.standard !== undefined; });
        json.forEach(function (check) { if (check.where !== 'body') check.coercion = K.coercion(check.json); });
        return function (req, ctx, next) {
            validate(json, req);
            return standard.length > 0 ? askAll(standard, req, next) : next();
        };
    };
}(__kernel));
