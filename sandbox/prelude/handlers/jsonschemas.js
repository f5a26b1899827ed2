/*
 * JSON Schema, draft 2020-12, for what clients send.
 *
 * A schema is checked and compiled into functions when it is registered; references are resolved and patterns
 * compiled once for all processes of a version.  Values are checked by the script's own process, in the time of its
 * handler: however much work a schema and a value make together, nobody else waits for it.  A keyword that is not
 * known is refused: a misspelt rule would otherwise be no rule at all.
 *
 * Not to be had: `unevaluatedProperties`, `unevaluatedItems`, `$dynamicRef`, references to other documents.
 *
 *     K.jsonSchema(schema, 'registerWebHandler', 'body') -> { root, check }; throws if the schema is none
 *     check(value) -> [{ pointer, message }, ...], twenty at most
 */
(function (K) {
    'use strict';

    var RegExp = globalThis.RegExp, isArray = Array.isArray, keys = Object.keys, own = K.own, floor = Math.floor, push = K.native.push, sort = K.native.sort;
    var stringify = K.native.stringify, parse = K.native.parse, test = K.captured.test, codeAt = K.captured.charCodeAt;
    var MOST_FAULTS = 20, DEEPEST = 100, LARGEST = 64 * 1024, LONGEST_PATTERN = 500, LONGEST_SHOWN = 64;
    /* What means something else, or nothing, in a pattern that is matched in halves of surrogate pairs. */
    var BEYOND = /\\u\{|\\[pP]\{|[\ud800-\udfff]/;
    var TOO_MUCH = 'is too large or too deeply nested to be checked against the schema.';

    function set(words) {
        var made = K.bare(), list = words.split(' ');
        for (var i = 0; i < list.length; i++) made[list[i]] = true;
        return made;
    }
    var SCHEMA = set('additionalProperties items contains not if then else propertyNames');
    var LISTS = set('allOf anyOf oneOf prefixItems');
    var MAPS = set('properties patternProperties $defs definitions dependentSchemas');
    var COUNTS = set('minLength maxLength minItems maxItems minProperties maxProperties minContains maxContains');
    var NUMBERS = set('minimum maximum exclusiveMinimum exclusiveMaximum multipleOf');
    var NOTES = set('$schema $id $comment $anchor title description default examples deprecated readOnly writeOnly contentEncoding contentMediaType contentSchema');
    var OTHERS = set('type enum const required dependentRequired uniqueItems pattern format $ref');
    var KEYWORDS = keys(SCHEMA).concat(keys(LISTS), keys(MAPS), keys(COUNTS), keys(NUMBERS), keys(NOTES), keys(OTHERS));

    var TYPES = K.bare();
    TYPES['null'] = ['null', function (value) { return value === null; }];
    TYPES['boolean'] = ['true or false', function (value) { return typeof value === 'boolean'; }];
    TYPES.integer = ['a whole number', function (value) { return typeof value === 'number' && floor(value) === value; }];
    TYPES.number = ['a number', function (value) { return typeof value === 'number'; }];
    TYPES.string = ['a string', function (value) { return typeof value === 'string'; }];
    TYPES.array = ['a list', isArray];
    TYPES.object = ['an object', isObject];

    /* What other languages call them. */
    var ELSEWHERE = { int: 'integer', long: 'integer', bool: 'boolean', float: 'number', double: 'number', str: 'string', text: 'string', list: 'array', map: 'object', dict: 'object', nil: 'null', none: 'null' };

    var FORMATS = K.bare(), BYTE = '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
    FORMATS.date = '\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])';
    FORMATS.time = '([01]\\d|2[0-3]):[0-5]\\d:([0-5]\\d|60)(\\.\\d+)?([zZ]|[+-]([01]\\d|2[0-3]):[0-5]\\d)';
    FORMATS['date-time'] = FORMATS.date + '[tT ]' + FORMATS.time;
    FORMATS.email = '[^\\s@\\x00-\\x1f]{1,64}@[^\\s@.\\x00-\\x1f]+(\\.[^\\s@.\\x00-\\x1f]+)*';
    FORMATS.uuid = '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}';
    FORMATS.uri = '[a-zA-Z][a-zA-Z0-9+.-]*:[^\\s\\x00-\\x1f]+';
    FORMATS.ipv4 = '(' + BYTE + '(\\.' + BYTE + '){3})';
    FORMATS.hostname = '[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*';
    keys(FORMATS).forEach(function (name) { FORMATS[name] = new RegExp('^(?:' + FORMATS[name] + ')$'); });

    function isObject(value) { return value !== null && typeof value === 'object' && !isArray(value); }

    /* What a value is and, if it is short, the value. */
    function shown(value) {
        if (typeof value === 'number') return value < 1e15 && value > -1e15 ? 'the number ' + value : 'a number';
        if (typeof value === 'string') return value.length <= LONGEST_SHOWN ? stringify(value) : 'a string of ' + value.length + ' characters';
        return isArray(value) ? 'a list of ' + value.length : isObject(value) ? 'an object' : value === undefined ? 'nothing' : String(value);
    }

    function escaped(name) { return String(name).slice(0, 100).replace(/~/g, '~0').replace(/\//g, '~1'); }

    /* In Unicode characters: two halves of a pair are one. */
    function characters(text) {
        var count = text.length;
        for (var i = 1; i < text.length; i++) {
            if ((codeAt(text, i) & 0xfc00) === 0xdc00 && (codeAt(text, i - 1) & 0xfc00) === 0xd800) count--;
        }
        return count;
    }

    function same(left, right) {
        if (left === right) return true;
        if (isArray(left)) {
            if (!isArray(right) || left.length !== right.length) return false;
            for (var i = 0; i < left.length; i++) if (!same(left[i], right[i])) return false;
            return true;
        }
        if (!isObject(left) || !isObject(right)) return false;
        var names = keys(left);
        if (names.length !== keys(right).length) return false;
        for (var j = 0; j < names.length; j++) if (!own(right, names[j]) || !same(left[names[j]], right[names[j]])) return false;
        return true;
    }

    /* Equal values have equal texts. */
    function canonical(value) {
        if (isArray(value)) {
            var items = [];
            for (var i = 0; i < value.length; i++) items[i] = canonical(value[i]);
            return '[' + items.join(',') + ']';
        }
        if (!isObject(value)) return stringify(value);
        var names = sort.call(keys(value)), members = [];
        for (var j = 0; j < names.length; j++) members[j] = stringify(names[j]) + ':' + canonical(value[names[j]]);
        return '{' + members.join(',') + '}';
    }

    // -- a check of a value -------------------------------------------------------------------

    /* Gathers faults; `path` is where the check stands, as keys. */
    function Faults(most) {
        this.list = [];
        this.path = [];
        this.most = most;
        this.full = false;
    }
    Faults.prototype.add = function (message, below) {
        var pointer = '';
        for (var i = 0; i < this.path.length; i++) pointer += '/' + escaped(this.path[i]);
        if (below !== undefined) pointer += '/' + escaped(below);
        this.list[this.list.length] = { pointer: pointer, message: message };
        if (this.list.length >= this.most) this.full = true;
    };
    Faults.prototype.at = function (key, check, value) {
        var depth = this.path.length;
        this.path[depth] = key;
        check(value, this);
        this.path.length = depth;
    };

    function fits(check, value) {
        var faults = new Faults(1);
        check(value, faults);
        return !faults.full;
    }

    function all(checks, value, out) {
        for (var i = 0; i < checks.length && !out.full; i++) checks[i](value, out);
    }

    // -- a schema -----------------------------------------------------------------------------

    function Compiler(root) {
        this.root = root;
        this.referred = K.bare();
        this.refusal = '';
    }

    Compiler.prototype.refuse = function (at, message) {
        this.refusal = 'is not a JSON Schema that can be used' + (at ? ' at ' + at.slice(0, 200) : '') + ': ' + message;
        throw this;
    };

    Compiler.prototype.need = function (good, at, what, value) {
        if (!good) this.refuse(at, 'it must be ' + what + '; ' + shown(value) + ' was given.');
    };

    Compiler.prototype.compile = function (schema, at, depth) {
        if (schema === true) return function () {};
        if (schema === false) return function (value, out) { out.add('is not allowed here.'); };
        if (!isObject(schema)) this.refuse(at, 'a schema is an object, true or false; ' + shown(schema) + ' was given.');
        if (depth > DEEPEST) this.refuse(at, 'a schema may be at most ' + DEEPEST + ' levels deep.');
        var parts = this.parts(schema, at, depth);
        return checkOf(schema, parts);
    };

    /* What stands below the keywords, compiled; every keyword is looked at. */
    Compiler.prototype.parts = function (schema, at, depth) {
        var parts = K.bare(), words = keys(schema), i, j;
        for (i = 0; i < words.length; i++) {
            var word = words[i], value = schema[word], place = at + '/' + word;
            if (SCHEMA[word]) parts[word] = this.compile(value, place, depth + 1);
            else if (LISTS[word]) {
                this.need(isArray(value) && value.length > 0, place, 'a list of schemas', value);
                parts[word] = [];
                for (j = 0; j < value.length; j++) parts[word][j] = this.compile(value[j], place + '/' + j, depth + 1);
            } else if (MAPS[word]) {
                this.need(isObject(value), place, 'an object of schemas', value);
                var names = keys(value);
                parts[word] = K.bare();
                for (j = 0; j < names.length; j++) {
                    var below = this.compile(value[names[j]], place + '/' + names[j], depth + 1);
                    parts[word][names[j]] = word === 'patternProperties' ? [this.pattern(names[j], place), below] : below;
                }
            } else if (!NOTES[word]) this.plain(parts, word, value, place);
        }
        return parts;
    };

    Compiler.prototype.plain = function (parts, word, value, place) {
        if (COUNTS[word]) this.need(typeof value === 'number' && value >= 0 && floor(value) === value, place, 'a whole number from 0', value);
        else if (NUMBERS[word]) this.need(typeof value === 'number' && (word !== 'multipleOf' || value > 0), place, 'a number', value);
        else if (word === 'type') this.type(value, place);
        else if (word === 'enum') this.need(isArray(value), place, 'a list of values', value);
        else if (word === 'required') this.need(isWords(value), place, 'a list of names', value);
        else if (word === 'dependentRequired') this.need(isObject(value) && keys(value).every(function (name) { return isWords(value[name]); }), place, 'an object of lists of names', value);
        else if (word === 'uniqueItems') this.need(typeof value === 'boolean', place, 'true or false', value);
        else if (word === 'pattern') parts.pattern = this.pattern(value, place);
        else if (word === 'format') this.need(typeof value === 'string', place, 'a string', value);
        else if (word === '$ref') parts.$ref = this.reference(value, place);
        else if (word !== 'const' && word.slice(0, 2) !== 'x-') {
            var suggestion = K.nearest(word, KEYWORDS);
            this.refuse(place, 'there is no keyword ' + shown(word) + (suggestion ? '; did you mean ' + suggestion + '?' : '.'));
        }
    };

    Compiler.prototype.type = function (value, place) {
        var names = isArray(value) && value.length > 0 ? value : [value];
        for (var i = 0; i < names.length; i++) {
            if (typeof names[i] === 'string' && TYPES[names[i]]) continue;
            var suggestion = typeof names[i] !== 'string' ? null : own(ELSEWHERE, names[i]) ? ELSEWHERE[names[i]] : K.nearest(names[i], keys(TYPES));
            this.refuse(place, 'there is no type ' + shown(names[i]) + '; ' + (suggestion ? 'did you mean ' + suggestion + '?' : 'use one of ' + keys(TYPES).join(', ') + '.'));
        }
    };

    Compiler.prototype.pattern = function (value, place) {
        this.need(typeof value === 'string' && value.length <= LONGEST_PATTERN, place, 'a regular expression of at most ' + LONGEST_PATTERN + ' characters', value);
        try {
            return new RegExp(value, test(BEYOND, value) ? 'u' : '');
        } catch (error) {
            return this.refuse(place, 'the pattern ' + shown(value) + ' cannot be used: ' + K.safeText(error.message) + '.');
        }
    };

    /* A schema may be part of itself: what a reference leads to is compiled once, when all of it is known. */
    Compiler.prototype.reference = function (reference, place) {
        this.need(typeof reference === 'string', place, 'a string such as "#/$defs/name"', reference);
        var seen = K.bare(), target = find(this.root, reference), next = reference;
        while (isObject(target) && typeof target.$ref === 'string' && keys(target).length === 1) {
            if (seen[next]) this.refuse(place, 'the reference ' + shown(reference) + ' leads back to itself.');
            seen[next] = true;
            next = target.$ref;
            target = find(this.root, next);
        }
        if (!isObject(target) && typeof target !== 'boolean') this.refuse(place, 'the reference ' + shown(reference) + ' leads nowhere; use one inside this schema, such as "#/$defs/name".');
        var referred = this.referred;
        if (!referred[next]) {
            referred[next] = {};
            referred[next].check = this.compile(target, next.slice(1), 0);
        }
        var found = referred[next];
        return function (value, out) { found.check(value, out); };
    };

    function isWords(value) { return isArray(value) && value.every(function (one) { return typeof one === 'string'; }); }

    /* What a reference leads to inside of `root`; undefined if that is nothing. */
    function find(root, reference) {
        if (reference === '#') return root;
        if (reference.slice(0, 2) !== '#/') return undefined;
        var at = root, path = reference.slice(2).split('/');
        for (var i = 0; i < path.length; i++) {
            var name = path[i].replace(/~1/g, '/').replace(/~0/g, '~');
            if (at === null || typeof at !== 'object' || !own(at, name) || (isArray(at) && !/^\d+$/.test(name))) return undefined;
            at = at[name];
        }
        return at;
    }

    // -- the functions of a schema ------------------------------------------------------------

    function checkOf(schema, parts) {
        var forAny = [], forText = [], forNumber = [], forList = [], forObject = [], type = schema.type === undefined ? null : typeCheck(schema.type);
        if (own(schema, 'const')) push.call(forAny, constant(schema['const']));
        if (schema['enum']) push.call(forAny, oneOfThese(schema['enum']));
        text(schema, parts, forText);
        number(schema, forNumber);
        list(schema, parts, forList);
        object(schema, parts, forObject);
        var combined = combinations(parts), reference = parts.$ref;
        return function (value, out) {
            if (reference) reference(value, out);
            if (type !== null && !type.has(value)) {
                out.add('must be ' + type.name + '; ' + shown(value) + ' was given.');
                return;
            }
            if (forAny.length) all(forAny, value, out);
            if (typeof value === 'string') all(forText, value, out);
            else if (typeof value === 'number') all(forNumber, value, out);
            else if (isArray(value)) all(forList, value, out);
            else if (value !== null && typeof value === 'object') all(forObject, value, out);
            if (combined.length) all(combined, value, out);
        };
    }

    function typeCheck(types) {
        if (!isArray(types)) return { has: TYPES[types][1], name: TYPES[types][0] };
        return {
            has: function (value) {
                for (var i = 0; i < types.length; i++) if (TYPES[types[i]][1](value)) return true;
                return false;
            },
            name: types.map(function (one) { return TYPES[one][0]; }).join(' or ')
        };
    }

    function constant(expected) {
        return function (value, out) {
            if (!same(expected, value)) out.add('must be ' + shown(expected) + '; ' + shown(value) + ' was given.');
        };
    }

    function oneOfThese(allowed) {
        return function (value, out) {
            for (var i = 0; i < allowed.length; i++) if (same(allowed[i], value)) return;
            out.add('must be one of ' + allowed.slice(0, 10).map(shown).join(', ') + '; ' + shown(value) + ' was given.');
        };
    }

    function counted(schema, least, most, units, checks, count) {
        if (schema[least] === undefined && schema[most] === undefined) return;
        function some(number) { return number + ' ' + (number === 1 ? units[0] : units[1]); }
        push.call(checks, function (value, out) {
            var size = count(value);
            if (size < schema[least]) out.add('must have at least ' + some(schema[least]) + '; it has ' + size + '.');
            if (size > schema[most]) out.add('may have at most ' + some(schema[most]) + '; it has ' + size + '.');
        });
    }

    function text(schema, parts, checks) {
        counted(schema, 'minLength', 'maxLength', ['character', 'characters'], checks, characters);
        if (parts.pattern) {
            push.call(checks, function (value, out) {
                if (!test(parts.pattern, value)) out.add('must match ' + shown(schema.pattern) + '; ' + shown(value) + ' was given.');
            });
        }
        var form = schema.format === undefined ? undefined : FORMATS[schema.format];
        if (form) {
            push.call(checks, function (value, out) {
                if (!test(form, value)) out.add('must be of the format ' + schema.format + '; ' + shown(value) + ' was given.');
            });
        }
    }

    var BOUNDS = [
        ['minimum', 'at least', function (value, bound) { return value >= bound; }],
        ['maximum', 'at most', function (value, bound) { return value <= bound; }],
        ['exclusiveMinimum', 'more than', function (value, bound) { return value > bound; }],
        ['exclusiveMaximum', 'less than', function (value, bound) { return value < bound; }],
        ['multipleOf', 'a multiple of', isMultiple]
    ];

    function isMultiple(value, bound) {
        var times = value / bound, far = Math.abs(times);
        if (far === Infinity) return value % bound === 0;
        return far >= 1e15 || Math.abs(times - Math.round(times)) < 1e-9;
    }

    function number(schema, checks) {
        BOUNDS.forEach(function (rule) {
            var bound = schema[rule[0]];
            if (bound === undefined) return;
            push.call(checks, function (value, out) {
                if (!rule[2](value, bound)) out.add('must be ' + rule[1] + ' ' + bound + '; ' + shown(value) + ' was given.');
            });
        });
    }

    function list(schema, parts, checks) {
        var prefix = parts.prefixItems || [], items = parts.items;
        counted(schema, 'minItems', 'maxItems', ['element', 'elements'], checks, function (value) { return value.length; });
        if (prefix.length > 0 || items) {
            push.call(checks, function (value, out) {
                var end = items ? value.length : Math.min(value.length, prefix.length);
                for (var i = 0; i < end && !out.full; i++) out.at(i, i < prefix.length ? prefix[i] : items, value[i]);
            });
        }
        if (parts.contains) push.call(checks, containing(schema, parts.contains));
        if (schema.uniqueItems) push.call(checks, unique);
    }

    function containing(schema, check) {
        var least = schema.minContains === undefined ? 1 : schema.minContains, most = schema.maxContains;
        return function (value, out) {
            var matching = 0;
            for (var i = 0; i < value.length; i++) if (fits(check, value[i])) matching++;
            if (matching < least) out.add('must hold at least ' + least + ' matching ' + (least === 1 ? 'element.' : 'elements.'));
            if (matching > most) out.add('may hold at most ' + most + ' matching ' + (most === 1 ? 'element' : 'elements') + '; it holds ' + matching + '.');
        };
    }

    function unique(value, out) {
        var seen = K.bare();
        for (var i = 0; i < value.length && !out.full; i++) {
            var written = canonical(value[i]);
            if (seen[written]) out.add('must differ from the other elements.', i);
            seen[written] = true;
        }
    }

    function object(schema, parts, checks) {
        counted(schema, 'minProperties', 'maxProperties', ['property', 'properties'], checks, function (value) { return keys(value).length; });
        if (schema.required) {
            push.call(checks, function (value, out) {
                for (var i = 0; i < schema.required.length && !out.full; i++) if (!own(value, schema.required[i])) out.add('is missing.', schema.required[i]);
            });
        }
        members(schema, parts, checks);
        dependencies(schema, parts, checks);
    }

    function members(schema, parts, checks) {
        var properties = parts.properties || K.bare(), patterns = [], additional = parts.additionalProperties, names = parts.propertyNames;
        if (parts.patternProperties) patterns = keys(parts.patternProperties).map(function (name) { return parts.patternProperties[name]; });
        if (!parts.properties && patterns.length === 0 && !additional && !names) return;
        function other(name, value, out) {
            if (schema.additionalProperties !== false) {
                out.at(name, additional, value);
                return;
            }
            var suggestion = K.nearest(name, keys(properties));
            out.add('is not a property that is known here' + (suggestion ? '; did you mean ' + suggestion + '?' : '.'), name);
        }
        push.call(checks, function (value, out) {
            var given = keys(value);
            for (var i = 0; i < given.length && !out.full; i++) {
                var name = given[i], covered = properties[name] !== undefined;
                if (covered) out.at(name, properties[name], value[name]);
                for (var j = 0; j < patterns.length && !out.full; j++) {
                    if (!test(patterns[j][0], name)) continue;
                    covered = true;
                    out.at(name, patterns[j][1], value[name]);
                }
                if (!covered && additional) other(name, value[name], out);
                if (names) out.at(name, names, name);
            }
        });
    }

    function dependencies(schema, parts, checks) {
        var required = schema.dependentRequired, schemas = parts.dependentSchemas;
        if (required) {
            push.call(checks, function (value, out) {
                keys(required).forEach(function (name) {
                    if (!own(value, name)) return;
                    required[name].forEach(function (needed) { if (!own(value, needed)) out.add('is missing; ' + shown(name) + ' needs it.', needed); });
                });
            });
        }
        if (schemas) {
            push.call(checks, function (value, out) {
                keys(schemas).forEach(function (name) { if (own(value, name)) schemas[name](value, out); });
            });
        }
    }

    function combinations(parts) {
        var checks = parts.allOf ? parts.allOf.slice() : [], any = parts.anyOf, one = parts.oneOf, not = parts.not, test = parts['if'];
        if (any) {
            push.call(checks, function (value, out) {
                for (var i = 0; i < any.length; i++) if (fits(any[i], value)) return;
                out.add('must match at least one of ' + any.length + ' schemas; it matches none.');
            });
        }
        if (one) {
            push.call(checks, function (value, out) {
                var matching = 0;
                for (var i = 0; i < one.length; i++) if (fits(one[i], value)) matching++;
                if (matching !== 1) out.add('must match exactly one of ' + one.length + ' schemas; it matches ' + matching + '.');
            });
        }
        if (not) push.call(checks, function (value, out) { if (fits(not, value)) out.add('must not match the schema of "not".'); });
        if (test) {
            push.call(checks, function (value, out) {
                var branch = fits(test, value) ? parts.then : parts['else'];
                if (branch) branch(value, out);
            });
        }
        return checks;
    }

    function refused(call, option, message) {
        return K.HostError({ code: 'invalid', call: call, message: call + ': ' + option + ' ' + message, details: { option: option } });
    }

    function asJson(schema) {
        try {
            return stringify(schema);
        } catch (error) {
            return undefined;
        }
    }

    function compiled(compiler) {
        try {
            return compiler.compile(compiler.root, '', 0);
        } catch (error) {
            if (error !== compiler) throw error;
            return null;
        }
    }

    K.jsonSchema = function (schema, call, option) {
        var written = asJson(schema);
        if (written === undefined) throw refused(call, option, 'must be a JSON Schema, an object that JSON can carry.');
        if (written.length > LARGEST) throw refused(call, option, 'may have at most ' + LARGEST + ' characters as JSON; it has ' + written.length + '.');
        // What the script does to its object later changes nothing.
        var compiler = new Compiler(parse(written)), check = compiled(compiler);
        // Thrown here: of the ten frames that the engine keeps, some are then the script's.
        if (check === null) throw refused(call, option, compiler.refusal);
        return {
            root: compiler.root,
            find: find,
            check: function (value) {
                var out = new Faults(MOST_FAULTS);
                try {
                    check(value, out);
                } catch (error) {
                    if (!(error instanceof RangeError)) throw error;
                    return [{ pointer: '', message: TOO_MUCH }];
                }
                return out.list.slice(0, MOST_FAULTS);
            }
        };
    };
}(__kernel));
