/*
 * URLSearchParams (URL standard, 5 and 6), and the iterators that it, Headers and FormData share.
 *
 * For other files: K.pairs(prototype, name, list) gives a class its `entries`, `keys`, `values`, `forEach` and iterator,
 * which follow what list(object) returns; K.urls.pairs(text) -> [[name, value], ...] reads form-urlencoded text.
 */
(function (K) {
    'use strict';

    var captured = K.captured, slice = captured.slice, indexOf = captured.indexOf, code = captured.charCodeAt, split = captured.split;
    var replace = captured.replace, test = captured.test, usv = K.usvString, isArray = Array.isArray;
    var urls = K.urls, percent = urls.percent, iteratorSymbol = Symbol.iterator, IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));

    urls.pairs = function (text) {
        var pairs = [], parts = split(text, '&');
        for (var i = 0; i < parts.length; i++) {
            if (parts[i] === '') continue;
            var part = indexOf(parts[i], '+') < 0 ? parts[i] : replace(parts[i], /\+/g, ' '), at = indexOf(part, '=');
            pairs[pairs.length] = at < 0 ? [urls.decode(part), ''] : [urls.decode(slice(part, 0, at)), urls.decode(slice(part, at + 1))];
        }
        return pairs;
    };

    function encode(text) {
        text = percent(text, urls.sets.form);
        return indexOf(text, ' ') < 0 ? text : replace(text, / /g, '+');
    }
    function write(list) {
        var text = '';
        for (var i = 0; i < list.length; i++) text += (i ? '&' : '') + encode(list[i][0]) + '=' + encode(list[i][1]);
        return text;
    }

    /* -- pairs that can be iterated ------------------------------------------------------------ */

    K.pairs = function (prototype, name, listOf) {
        var Iterated = Object.create(IteratorPrototype);
        Object.defineProperty(Iterated, 'next', { enumerable: true, configurable: true, writable: true, value: function next() {
            var state = this === null || this === undefined ? undefined : K.hidden(this);
            if (state === undefined || state.kind === undefined) throw new TypeError('next was called on what is no ' + name + ' Iterator');
            var list = state.object === null ? [] : listOf(state.object);
            if (state.index >= list.length) { state.object = null; return { value: undefined, done: true }; }
            var pair = list[state.index++];
            return { value: state.kind === 2 ? [pair[0], pair[1]] : pair[state.kind], done: false };
        } });
        K.define(Iterated, Symbol.toStringTag, name + ' Iterator', true);

        function make(object, kind) {
            listOf(object);
            var made = Object.create(Iterated);
            K.hide(made, { object: object, index: 0, kind: kind });
            return made;
        }
        function add(key, value) { Object.defineProperty(prototype, key, { value: value, writable: true, enumerable: true, configurable: true }); }
        add('entries', function entries() { return make(this, 2); });
        add('forEach', function forEach(callback, thisArg) {
            listOf(this);
            if (typeof callback !== 'function') throw new TypeError('forEach: expected a function, not ' + K.quote(callback));
            for (var i = 0, list; i < (list = listOf(this)).length; i++) callback.call(thisArg, list[i][1], list[i][0], this);
        });
        add('keys', function keys() { return make(this, 0); });
        add('values', function values() { return make(this, 1); });
        K.define(prototype, iteratorSymbol, prototype.entries);
        Object.defineProperty(prototype.forEach, 'length', { value: 1, configurable: true });
    };

    /* -- the class ----------------------------------------------------------------------------- */

    function listFrom(init) {
        if (init === undefined) return [];
        if (init === null || (typeof init !== 'object' && typeof init !== 'function')) {
            var text = usv(init);
            return urls.pairs(code(text, 0) === 0x3f ? slice(text, 1) : text);
        }
        var list = [], i, method = init[iteratorSymbol];
        if (method !== undefined && method !== null) {
            if (typeof method !== 'function') throw new TypeError('URLSearchParams: the object cannot be iterated');
            var given = Array.from(init);
            for (i = 0; i < given.length; i++) {
                var pair = pairOf(given[i]);
                if (pair.length !== 2) throw new TypeError('Each query pair must be an iterable [name, value] tuple');
                list[i] = [usv(pair[0]), usv(pair[1])];
            }
            return list;
        }
        return fromRecord(init, list);
    }

    function pairOf(given) {
        if (isArray(given)) return given;
        if (given === null || typeof given !== 'object' || typeof given[iteratorSymbol] !== 'function') throw new TypeError('Each query pair must be an iterable [name, value] tuple');
        return Array.from(given);
    }

    /* Names that are the same once they are well-formed: the last one's value counts, at the first one's place. */
    function fromRecord(init, list) {
        var keys = Reflect.ownKeys(init), places = Object.create(null);
        for (var i = 0; i < keys.length; i++) {
            var about = Object.getOwnPropertyDescriptor(init, keys[i]);
            if (about === undefined || !about.enumerable) continue;
            if (typeof keys[i] === 'symbol') throw new TypeError('Cannot convert a Symbol value to a string');
            var name = usv(keys[i]), value = usv(init[keys[i]]);
            if (places[name] === undefined) places[name] = list.length;
            list[places[name]] = [name, value];
        }
        return list;
    }

    function URLSearchParams(init) {
        if (!(this instanceof URLSearchParams)) throw new TypeError("Class constructor URLSearchParams cannot be invoked without 'new'");
        K.hide(this, { list: listFrom(init), url: null });
    }

    function stateOf(params) {
        var state = params === null || params === undefined ? undefined : K.hidden(params);
        if (state === undefined || state.list === undefined) throw new TypeError('Illegal invocation: this is no URLSearchParams');
        return state;
    }
    function need(given, count, what) {
        if (given < count) throw new TypeError('The ' + what + ' must be specified');
    }
    function changed(state) {
        if (state.url !== null) urls.changed(state.url, write(state.list));
    }
    function keep(state, wanted) {
        state.list = state.list.filter(wanted);
        changed(state);
    }

    var METHODS = {
        append: function append(name, value) {
            var state = stateOf(this);
            need(arguments.length, 2, '"name" and "value" arguments');
            state.list[state.list.length] = [usv(name), usv(value)];
            changed(state);
        },
        'delete': function (name, value) {
            var state = stateOf(this), any = value === undefined;
            need(arguments.length, 1, '"name" argument');
            name = usv(name);
            if (!any) value = usv(value);
            keep(state, function (pair) { return pair[0] !== name || !(any || pair[1] === value); });
        },
        get: function get(name) {
            var list = stateOf(this).list;
            need(arguments.length, 1, '"name" argument');
            name = usv(name);
            for (var i = 0; i < list.length; i++) if (list[i][0] === name) return list[i][1];
            return null;
        },
        getAll: function getAll(name) {
            var list = stateOf(this).list, found = [];
            need(arguments.length, 1, '"name" argument');
            name = usv(name);
            for (var i = 0; i < list.length; i++) if (list[i][0] === name) found[found.length] = list[i][1];
            return found;
        },
        has: function has(name, value) {
            var list = stateOf(this).list, any = value === undefined;
            need(arguments.length, 1, '"name" argument');
            name = usv(name);
            if (!any) value = usv(value);
            for (var i = 0; i < list.length; i++) if (list[i][0] === name && (any || list[i][1] === value)) return true;
            return false;
        },
        set: function set(name, value) {
            var state = stateOf(this), found = false;
            need(arguments.length, 2, '"name" and "value" arguments');
            name = usv(name);
            value = usv(value);
            keep(state, function (pair) {
                if (pair[0] !== name) return true;
                if (found) return false;
                found = true;
                pair[1] = value;
                return true;
            });
            if (!found) this.append(name, value);
        },
        sort: function sort() {
            var state = stateOf(this), order = state.list.map(function (pair, index) { return [pair, index]; });
            order.sort(function (a, b) { return a[0][0] < b[0][0] ? -1 : a[0][0] > b[0][0] ? 1 : a[1] - b[1]; });
            state.list = order.map(function (entry) { return entry[0]; });
            changed(state);
        },
        toString: function toString() { return write(stateOf(this).list); }
    };
    var LENGTHS = { 'delete': 1, has: 1 };

    Object.keys(METHODS).forEach(function (name) {
        Object.defineProperty(URLSearchParams.prototype, name, { value: METHODS[name], writable: true, enumerable: true, configurable: true });
        if (LENGTHS[name]) Object.defineProperty(METHODS[name], 'length', { value: LENGTHS[name], configurable: true });
    });
    Object.defineProperty(METHODS['delete'], 'name', { value: 'delete', configurable: true });
    Object.defineProperty(URLSearchParams.prototype, 'size', { get: function () { return stateOf(this).list.length; }, enumerable: true, configurable: true });
    Object.defineProperty(URLSearchParams, 'length', { value: 0, configurable: true });
    K.pairs(URLSearchParams.prototype, 'URLSearchParams', function (params) { return stateOf(params).list; });
    K.define(URLSearchParams.prototype, Symbol.toStringTag, 'URLSearchParams', true);

    /* The list of a URL's query, and what it becomes when the query is set. */
    urls.paramsOf = function (url, query) {
        var params = Object.create(URLSearchParams.prototype);
        K.hide(params, { list: query === null ? [] : urls.pairs(query), url: url });
        return params;
    };
    urls.refill = function (params, query) { K.hidden(params).list = query === null ? [] : urls.pairs(query); };
    K.URLSearchParams = URLSearchParams;
    K.global('URLSearchParams', URLSearchParams);
}(__kernel));
