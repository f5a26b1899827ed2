/*
 * Schemas of packages (Standard Schema, version 1), which are code and so are asked here.
 *
 * A JSON Schema is checked in the server before the script runs; an object with "~standard" in the
 * options body, query or params of a route is asked after the middleware, just before the handler.
 * What it refuses is answered as the server answers what breaks a JSON Schema.
 *
 *     K.schemaOf(value) -> the part behind "~standard", or null if value is no such schema
 *     K.checking([{ where, schema }, ...]) -> a middleware
 */
(function (K) {
    'use strict';

    var isArray = Array.isArray, MOST_ISSUES = 50;

    K.schemaOf = function (value) {
        if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return null;
        var standard = value['~standard'];
        return standard !== null && typeof standard === 'object' && typeof standard.validate === 'function' ? standard : null;
    };

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

    function refuse(where, issues) {
        var violations = [];
        for (var i = 0; i < issues.length && i < MOST_ISSUES; i++) {
            violations[i] = { 'in': where, pointer: pointer(issues[i] && issues[i].path), message: K.safeText(issues[i] && issues[i].message) };
        }
        var first = violations[0] || { pointer: '', message: 'the schema gave no reason' };
        var more = violations.length > 1 ? ' (' + (violations.length - 1) + ' more in violations.)' : '';
        throw new K.HttpError(400, 'The ' + where + ' of the request is not valid' + (first.pointer ? ' at ' + first.pointer : '') + ': ' + first.message + more, { violations: violations });
    }

    function given(where, req) { return where === 'body' ? K.bodyAsJson(req) : req[where]; }

    function accept(where, result, req) {
        if (result === null || typeof result !== 'object') throw new TypeError('The schema of ' + where + ' gave ' + K.quote(result) + '; a Standard Schema gives { value } or { issues }.');
        if (isArray(result.issues)) refuse(where, result.issues);
        req[where === 'body' ? 'data' : where] = result.value;
    }

    K.checking = function (checks) {
        return function (req, ctx, next) {
            var after = K.pending();
            function failed(error) { K.reject(after, error); }
            function from(i) {
                try {
                    if (i === checks.length) K.resolve(after, next());
                    else K.when(checks[i].schema.validate(given(checks[i].where, req)), took, failed, i);
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
        };
    };
}(__kernel));
