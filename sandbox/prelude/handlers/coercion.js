/*
 * Type coercion of parameters by a JSON Schema.
 *
 * The parameters of a query and of a path are strings.  Where the schema of a route asks for a number, a boolean,
 * null or an array, a string in the form of one is converted; any other stays a string, which the schema then
 * refuses with its own message.
 *
 *     {"page": {"type": "integer"}, "tags": {"type": "array"}}    ?page=2&tags=a&tags=b
 *     {"page": 2, "tags": ["a", "b"]}
 *
 *     K.coercion(compiled by K.jsonSchema) -> { single(name, text), all(name, texts), isList(name) }
 */
(function (K) {
    'use strict';

    var isArray = Array.isArray, own = K.own, keys = Object.keys, test = K.captured.test;
    var INTEGER = /^-?(0|[1-9]\d{0,17})$/, NUMBER = /^-?(0|[1-9]\d{0,17})(\.\d{1,40})?([eE][+-]?\d{1,3})?$/;

    /* The schema and those that it is put together from, the nearest first. */
    function branches(compiled, schema) {
        var found = [], waiting = [schema];
        for (var i = 0; i < waiting.length; i++) {
            var branch = waiting[i];
            if (branch === null || typeof branch !== 'object' || isArray(branch) || found.indexOf(branch) >= 0) continue;
            found[found.length] = branch;
            if (typeof branch.$ref === 'string') waiting[waiting.length] = compiled.find(compiled.root, branch.$ref);
            waiting = waiting.concat(branch.allOf || [], branch.anyOf || [], branch.oneOf || []);
        }
        return found;
    }

    function typesOf(schema) { return schema.type === undefined ? [] : isArray(schema.type) ? schema.type : [schema.type]; }

    function written(value) {
        return value === null || typeof value === 'boolean' || typeof value === 'number' ? String(value) : undefined;
    }

    function read(schema, text) {
        var types = typesOf(schema);
        function has(name) { return types.indexOf(name) >= 0; }
        if (has('string')) return text;
        if ((has('integer') || has('number')) && test(INTEGER, text)) return Number(text);
        if (has('number') && test(NUMBER, text) && isFinite(Number(text))) return Number(text);
        if (has('boolean') && (text === 'true' || text === 'false')) return text === 'true';
        if (has('null') && text === 'null') return null;
        var allowed = own(schema, 'const') ? [schema['const']] : types.length === 0 && schema['enum'] || [];
        if (allowed.indexOf(text) >= 0) return text;
        for (var i = 0; i < allowed.length; i++) if (written(allowed[i]) === text) return allowed[i];
        return text;
    }

    function reader(compiled, schema) {
        var all = branches(compiled, schema);
        return function (text) {
            if (typeof text !== 'string') return text;
            for (var i = 0; i < all.length; i++) {
                var value = read(all[i], text);
                if (value !== text) return value;
            }
            return text;
        };
    }

    /* How the strings of one name are converted: `list` if they are the elements of an array. */
    function property(compiled, schema) {
        var all = branches(compiled, schema);
        for (var i = 0; i < all.length; i++) {
            if (typesOf(all[i]).indexOf('array') >= 0) return { list: true, read: reader(compiled, all[i].items) };
        }
        return { list: false, read: reader(compiled, schema) };
    }

    K.coercion = function (compiled) {
        var known = K.bare(), others = property(compiled, true);
        branches(compiled, compiled.root).forEach(function (branch) {
            keys(branch.properties || {}).forEach(function (name) {
                if (!known[name]) known[name] = property(compiled, branch.properties[name]);
            });
            if (branch.additionalProperties !== undefined) others = property(compiled, branch.additionalProperties);
        });
        return {
            single: function (name, text) {
                var rule = known[name] || others;
                return rule.list ? [rule.read(text)] : rule.read(text);
            },
            all: function (name, texts) { return texts.map((known[name] || others).read); },
            isList: function (name) { return (known[name] || others).list; }
        };
    };
}(__kernel));
