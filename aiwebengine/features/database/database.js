/*
 * Tables: the builder of `database.table`, `database.query` and transactions.
 *
 * A builder is a value: each method gives another one.  What it stands for is sent when somebody waits for it (it has
 * a `then`), or calls a method such as `first`.  Values that JSON does not have are sent as the server wants them:
 * {d: milliseconds}, {n: digits}, {b: base64}, {j: a JSON value}; see features/database/values.py.
 */
(function (K, global) {
    'use strict';

    var database = K.object('database'), keys = Object.keys, isArray = Array.isArray, own = K.own, getTime = K.free(Date.prototype.getTime);
    var toText = String, Symbols = Symbol, NativeDate = Date, getPrototypeOf = Object.getPrototypeOf, defineProperty = Object.defineProperty;

    function refused(call, message) { return K.HostError({ code: 'invalid', call: call, message: call + ': ' + message }); }

    function method(object, name, work) {
        defineProperty(work, 'name', { value: name, configurable: true });
        K.define(object, name, work);
    }

    // -- values ------------------------------------------------------------------------------

    function isPlain(value) {
        if (value === null || typeof value !== 'object' || isArray(value)) return false;
        var above = getPrototypeOf(value);
        return above === null || above === Object.prototype || !(value instanceof NativeDate || K.isBigInt(value) || K.bytesOf(value) !== null || K.isThenable(value));
    }

    /* A value as it is sent; `where` names it in messages. */
    function encode(call, where, value) {
        if (value === undefined || value === null) return null;
        if (typeof value === 'string' || typeof value === 'boolean') return value;
        if (typeof value === 'number') {
            if (value !== value || value === Infinity || value === -Infinity) throw refused(call, where + ' is ' + value + ', which a database cannot keep.');
            return value;
        }
        if (typeof value === 'function' || typeof value === 'symbol') throw refused(call, where + ' must be a value; ' + K.quote(value) + ' was given.');
        if (value instanceof NativeDate) {
            var time = getTime(value);
            if (time !== time) throw refused(call, where + ' is an invalid Date.');
            return { d: time };
        }
        if (K.isBigInt(value)) return { n: K.bigText(value) };
        var bytes = K.bytesOf(value);
        if (bytes !== null) return { b: K.base64(bytes) };
        if (K.isThenable(value)) throw refused(call, where + ' is a Promise; write await before it.');
        return { j: value };
    }

    function decode(value) {
        if (value === null || typeof value !== 'object') return value;
        if (own(value, 'd')) return new NativeDate(value.d);
        // A script that names no BigInt has none, and gets the digits.
        if (own(value, 'n')) return K.big === undefined ? value.n : K.big.convert(value.n);
        if (own(value, 'b')) return K.fromBase64(value.b);
        return value.j;
    }

    /* Objects of the lists that the server sends, by a shape that is sent once. */
    function rowsOf(answer) {
        var shape = answer.shape, names = shape.names, rows = answer.rows, made = [];
        for (var r = 0; r < rows.length; r++) {
            var values = rows[r], row = {}, i;
            for (i = 0; i < shape.own; i++) row[names[i]] = decode(values[i]);
            for (var n = 0; n < shape.nested.length; n++) {
                var nested = shape.nested[n], inner = null;
                if (values[nested[3]] !== null) {
                    inner = {};
                    for (i = nested[1]; i < nested[1] + nested[2]; i++) inner[names[i]] = decode(values[i]);
                }
                row[nested[0]] = inner;
            }
            made[r] = row;
        }
        return made;
    }

    // -- conditions ----------------------------------------------------------------------------

    function conditionsOf(call, given) {
        if (!isPlain(given)) throw refused(call, 'conditions are an object such as { owner: "ada", created: { gt: date } }; ' + K.quote(given) + ' was given.');
        var list = ['and'], names = keys(given);
        for (var i = 0; i < names.length; i++) list[list.length] = conditionOf(call, names[i], given[names[i]]);
        return list.length === 2 ? list[1] : list;
    }

    function conditionOf(call, name, value) {
        if (name === 'and' || name === 'or') {
            if (!isArray(value)) throw refused(call, name + ' takes a list of conditions; ' + K.quote(value) + ' was given.');
            return [name].concat(value.map(function (one) { return conditionsOf(call, one); }));
        }
        if (name === 'not') return ['not', conditionsOf(call, value)];
        if (value === undefined) throw refused(call, name + ' is undefined; to find rows without a value write null.');
        if (isArray(value)) return ['in', name, listOf(call, name, value)];
        if (!isPlain(value)) return ['eq', name, encode(call, name, value)];
        var operators = keys(value), found = ['and'];
        if (operators.length === 0) throw refused(call, name + ' has no operator; write a value, or { gt: value }.');
        for (var i = 0; i < operators.length; i++) {
            var operand = value[operators[i]];
            if (operand === undefined) throw refused(call, name + ': ' + operators[i] + ' is undefined.');
            found[found.length] = [operators[i], name, isArray(operand) ? listOf(call, name, operand) : encode(call, name, operand)];
        }
        return found.length === 2 ? found[1] : found;
    }

    function listOf(call, name, values) {
        return values.map(function (value) { return encode(call, name, value); });
    }

    // -- the builder ---------------------------------------------------------------------------

    var NAME = 'database.table';

    function Table(request) { K.hide(this, request); }

    function extended(table, changes) {
        var before = K.hidden(table), request = {}, names = keys(before), i;
        for (i = 0; i < names.length; i++) request[names[i]] = before[names[i]];
        names = keys(changes);
        for (i = 0; i < names.length; i++) request[names[i]] = changes[names[i]];
        return new Table(request);
    }

    /* What was given as a list or as several arguments. */
    function listed(given) {
        var list = [];
        for (var i = 0; i < given.length; i++) list = list.concat(given[i]);
        return list;
    }

    var prototype = Table.prototype;

    method(prototype, 'where', function (conditions) {
        var before = K.hidden(this).where, made = conditionsOf(NAME, conditions);
        return extended(this, { where: before === undefined ? made : ['and', before, made] });
    });
    method(prototype, 'all', function () { return extended(this, { all: true }); });
    method(prototype, 'select', function () { return extended(this, { columns: listed(arguments) }); });
    method(prototype, 'orderBy', function () {
        return extended(this, { order: listed(arguments).map(function (column) {
            var text = toText(column);
            return text.charAt(0) === '-' ? [text.slice(1), true] : [text, false];
        }) });
    });
    method(prototype, 'limit', function (count) { return extended(this, { limit: count }); });
    method(prototype, 'offset', function (count) { return extended(this, { offset: count }); });
    method(prototype, 'distinct', function () { return extended(this, { distinct: true }); });
    method(prototype, 'groupBy', function () { return extended(this, { group: listed(arguments) }); });
    method(prototype, 'join', function (table, options) {
        var before = K.hidden(this).joins || [], join = { table: table };
        if (options !== undefined && options !== null) {
            if (!isPlain(options)) throw refused(NAME, 'join: the options must be an object such as { as: "author" }; ' + K.quote(options) + ' was given.');
            keys(options).forEach(function (name) { if (options[name] !== undefined) join[name] = options[name]; });
        }
        return extended(this, { joins: before.concat([join]) });
    });

    function read(table, kind, more) {
        var request = K.hidden(table), sent = { kind: kind, request: request };
        if (more !== undefined) sent.more = more;
        return K.hostCall('database.read', [sent], function (answer) { return answer; });
    }

    function promiseOf(work) {
        var after = K.pending();
        try { K.resolve(after, work()); } catch (error) { K.reject(after, error); }
        return after;
    }

    /* `then` of a host call's promise, with what `make` makes of its answer. */
    function made(promise, make) { return promise.then(make); }

    function rows(table) { return made(read(table, 'rows'), rowsOf); }

    method(prototype, 'then', function (done, failed) { return rows(this).then(done, failed); });
    method(prototype, 'catch', function (failed) { return rows(this)['catch'](failed); });
    method(prototype, 'first', function () {
        return made(rows(extended(this, { limit: 1 })), function (found) { return found.length === 0 ? null : found[0]; });
    });
    method(prototype, 'get', function (id) {
        var table = this;
        return promiseOf(function () {
            if (id === undefined) throw refused('database.table.get', 'the key is missing.');
            var sent = isPlain(id) ? conditionsOf('database.table.get', id) : encode('database.table.get', 'the key', id);
            return made(read(table, 'get', { key: isPlain(id) ? null : sent, where: isPlain(id) ? sent : null }), function (answer) { return rowsOf(answer)[0]; });
        });
    });
    method(prototype, 'page', function (options) {
        var wanted = options === undefined || options === null ? {} : options, changes = {};
        if (wanted.limit !== undefined) changes.limit = wanted.limit;
        if (wanted.after !== undefined && wanted.after !== null) changes.after = wanted.after;
        return made(read(extended(this, changes), 'page'), function (answer) { return { rows: rowsOf(answer), next: answer.next }; });
    });
    ['count', 'exists', 'sum', 'avg', 'min', 'max'].forEach(function (name) {
        method(prototype, name, function (column) {
            return made(read(this, 'value', { function: name, column: column === undefined ? null : column }), function (answer) { return decode(answer.value); });
        });
    });
    method(prototype, 'aggregate', function (aggregates) {
        if (!isPlain(aggregates)) throw refused(NAME, 'aggregate takes an object such as { total: { sum: "price" } }; ' + K.quote(aggregates) + ' was given.');
        var sent = {};
        keys(aggregates).forEach(function (name) {
            var given = aggregates[name], functions = isPlain(given) ? keys(given) : [];
            if (functions.length !== 1) throw refused(NAME, 'aggregate: ' + name + ' must be one function of a column, such as { sum: "price" }.');
            sent[name] = [functions[0], given[functions[0]]];
        });
        return extended(this, { aggregates: sent });
    });
    method(prototype, 'explain', function () { return made(read(this, 'explain'), function (answer) { return answer.plan; }); });

    /* All rows, a page at a time. */
    K.define(prototype, Symbols.asyncIterator, function () {
        var table = this, waiting = [], next = null, over = false, iterator = {};
        function give() {
            if (waiting.length === 0) return { value: undefined, done: true };
            return { value: waiting.shift(), done: false };
        }
        K.define(iterator, 'next', function () {
            if (waiting.length > 0 || over) return K.Promise.resolve(give());
            return made(read(next === null ? table : extended(table, { after: next }), 'stream'), function (answer) {
                waiting = rowsOf(answer);
                next = answer.next;
                if (next === null) over = true;
                return give();
            });
        });
        K.define(iterator, 'return', function (value) {
            over = true;
            waiting = [];
            return K.Promise.resolve({ value: value, done: true });
        });
        K.define(iterator, Symbols.asyncIterator, function () { return iterator; });
        return iterator;
    });

    // -- writing -------------------------------------------------------------------------------

    function write(call, sent, make) {
        return K.hostCall('database.write', [sent], make);
    }

    function rowsToSend(call, given) {
        var list = isArray(given) ? given : [given];
        return list.map(function (row) { return valuesToSend(call, row); });
    }

    function valuesToSend(call, row) {
        if (!isPlain(row)) throw refused(call, 'a row is an object such as { text: "..." }; ' + K.quote(row) + ' was given.');
        var sent = {};
        keys(row).forEach(function (name) { if (row[name] !== undefined) sent[name] = encode(call, name, row[name]); });
        return sent;
    }

    function insertion(kind, conflict) {
        return function (given, options) {
            var table = this, call = 'database.table.' + kind;
            return promiseOf(function () {
                var sent = { kind: kind, request: K.hidden(table), rows: rowsToSend(call, given) };
                if (conflict) sent.conflict = options === undefined || options === null ? {} : options;
                return write(call, sent, function (answer) {
                    var found = rowsOf(answer);
                    return isArray(given) ? found : found[0];
                });
            });
        };
    }
    method(prototype, 'insert', insertion('insert', false));
    method(prototype, 'upsert', insertion('upsert', true));

    function changed(answer) { return answer.rows === undefined ? answer.count : rowsOf(answer); }

    method(prototype, 'update', function (values, options) {
        var table = this;
        return promiseOf(function () {
            var sent = valuesToSend('database.table.update', values);
            keys(sent).forEach(function (name) {
                var value = values[name];
                if (isPlain(value) && K.isBigInt(value.increment)) sent[name] = { j: { increment: encode('database.table.update', name, value.increment) } };
            });
            return write('database.table.update', { kind: 'update', request: K.hidden(table), values: sent, returning: !!(options && options.returning) }, changed);
        });
    });
    method(prototype, 'delete', function (options) {
        var table = this;
        return promiseOf(function () {
            return write('database.table.delete', { kind: 'delete', request: K.hidden(table), returning: !!(options && options.returning) }, changed);
        });
    });

    function tableOf(name) { return new Table({ table: K.textOf('database.table', 'name', name) }); }
    method(database, 'table', tableOf);

    // -- SQL -----------------------------------------------------------------------------------

    function parametersOf(call, given) {
        if (given === undefined || given === null) return {};
        if (!isPlain(given) && !isArray(given)) throw refused(call, 'the parameters are an object such as { id: 1 } for :id, or a list for ?; ' + K.quote(given) + ' was given.');
        if (isArray(given)) return given.map(function (value, index) { return encode(call, 'parameter ' + (index + 1), value); });
        var sent = {};
        keys(given).forEach(function (name) { sent[name] = encode(call, ':' + name, given[name]); });
        return sent;
    }

    K.adapt('database.query', {
        arguments: function (given, call) {
            var text = given[0];
            if (text !== null && typeof text === 'object' && own(text, 'raw')) throw refused(call, 'write sql before the template: sql`SELECT ...`.');
            return [K.textOf(call, 'sql', text), parametersOf(call, given[1])];
        },
        result: rowsOf
    });

    function tagged(strings) {
        var given = arguments;
        return promiseOf(function () {
            if (!isArray(strings) || strings.raw === undefined) throw refused('sql', 'sql is written before a template: sql`SELECT ...`.');
            var text = strings[0], values = {};
            for (var i = 1; i < strings.length; i++) {
                text += ':p' + i + strings[i];
                values['p' + i] = encode('sql', 'value ' + i, given[i]);
            }
            return K.hostCall('database.query', [text, values], rowsOf);
        });
    }
    method(database, 'sql', tagged);
    K.global('sql', function sql() { return K.captured.apply(tagged, undefined, arguments); });

    // -- transactions --------------------------------------------------------------------------

    /*
     * Transactions of the invocation follow each other; one within another is made by what the outer one gives to its
     * function, for nothing else tells whether a call comes from within.
     */
    function transactionAt(level) {
        return function (work) {
            return promiseOf(function () {
                if (typeof work !== 'function') throw refused('database.transaction', 'the argument must be a function; ' + K.quote(work) + ' was given.');
                return K.hostCall('database.savepoint', ['begin', level]).then(function () {
                    return promiseOf(function () { return work(transactionObject(level)); }).then(function (value) {
                        return K.hostCall('database.savepoint', ['release', level]).then(function () { return value; });
                    }, function (error) {
                        return K.hostCall('database.savepoint', ['rollback', level]).then(function () { throw error; });
                    });
                });
            });
        };
    }

    function transactionObject(level) {
        var made = {};
        K.define(made, 'table', tableOf);
        K.define(made, 'query', database.query);
        K.define(made, 'sql', tagged);
        method(made, 'transaction', transactionAt(level + 1));
        return made;
    }

    method(database, 'transaction', transactionAt(1));

    // -- the schema ----------------------------------------------------------------------------

    function declaredOf(value) {
        if (value instanceof NativeDate || K.isBigInt(value) || K.bytesOf(value) !== null) return encode('database.schema', 'a default', value);
        if (isArray(value)) return value.map(declaredOf);
        if (value === null || typeof value !== 'object') return value;
        var made = {};
        keys(value).forEach(function (name) { if (value[name] !== undefined) made[name] = declaredOf(value[name]); });
        return made;
    }

    method(database, 'schema', function (tables) {
        var stack = K.stackHere();
        K.registering('database.schema', stack, function () {
            K.hostCallSync('register.schema', [{ options: { tables: declaredOf(tables) }, stack: stack }]);
            K.hostCallSync('database.declare', []);
        });
    });
}(__kernel, globalThis));
