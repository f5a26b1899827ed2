/*
 * URLPattern (WHATWG): matches addresses against patterns such as "/books/:id".
 *
 * Each component becomes one regular expression: `:name`, `:name(regex)`, `(regex)`, `*`, `{group}`, and the
 * modifiers ? + *.
 */
(function (K) {
    'use strict';

    var COMPONENTS = ['protocol', 'username', 'password', 'hostname', 'port', 'pathname', 'search', 'hash'];

    function failure(pattern, why) { return new TypeError('URLPattern: ' + K.quote(pattern) + ' is not a valid pattern: ' + why); }

    function escaped(text) { return text.replace(/[.+*?^${}()[\]|\/\\]/g, '\\$&'); }

    /* The tokens of one component: fixed text, or { name, regexp, prefix, suffix, modifier }. */
    function compile(pattern, component, ignoreCase) {
        var segment = component === 'pathname' ? '[^\\/]+?' : component === 'hostname' ? '[^.]+?' : '.+?';
        var prefix = component === 'pathname' ? '/' : '', names = [], anonymous = 0, at = 0, source = '', literal = true;

        function name() {
            var found = /^:([A-Za-z_$\u0080-\uffff][\w$\u0080-\uffff]*)/.exec(pattern.slice(at));
            if (!found) return null;
            at += found[0].length;
            return found[1];
        }
        function regexp() {
            if (pattern.charAt(at) !== '(') return null;
            var depth = 0, from = at + 1;
            for (; at < pattern.length; at++) {
                var character = pattern.charAt(at);
                if (character === '\\') at++;
                else if (character === '(') {
                    if (depth++ > 0 && pattern.charAt(at + 1) !== '?') throw failure(pattern, 'a group in a group must begin with ?:');
                } else if (character === ')' && --depth === 0) return pattern.slice(from, at++);
            }
            throw failure(pattern, 'a ( is not closed');
        }
        function modifier() {
            var found = pattern.charAt(at);
            if (found !== '?' && found !== '+' && found !== '*' || found === '') return '';
            at++;
            return found;
        }
        function add(key, inner, before, after, times) {
            if (key === null) key = String(anonymous++);
            if (names.indexOf(key) >= 0) throw failure(pattern, 'the name ' + key + ' occurs twice');
            names.push(key);
            literal = false;
            before = escaped(before);
            after = escaped(after);
            if (times === '' || times === '?') source += '(?:' + before + '(' + inner + ')' + after + ')' + times;
            else source += '(?:' + before + '((?:' + inner + ')(?:' + after + before + '(?:' + inner + '))*)' + after + ')' + (times === '*' ? '?' : '');
        }
        function part() {
            var star = pattern.charAt(at) === '*';
            if (star) { at++; return { key: null, inner: '.*' }; }
            var key = name(), inner = regexp();
            return key === null && inner === null ? null : { key: key, inner: inner === null ? segment : inner };
        }
        while (at < pattern.length) {
            var character = pattern.charAt(at), found;
            if (character === '\\') {
                source += escaped(pattern.charAt(at + 1));
                at += 2;
            } else if (character === '{') {
                var close = pattern.indexOf('}', at);
                if (close < 0) throw failure(pattern, 'a { is not closed');
                var start = ++at, opening = at;
                while (at < close && !/[:*(]/.test(pattern.charAt(at))) at++;
                var before = pattern.slice(opening, at);
                found = at < close ? part() : null;
                close = pattern.indexOf('}', Math.max(at, start));
                var after = pattern.slice(at, close);
                at = close + 1;
                var times = modifier();
                if (found) add(found.key, found.inner, before, after, times);
                else { source += '(?:' + escaped(before) + ')' + times; literal = literal && times === ''; }
            } else if (prefix && character === prefix && /[:*(]/.test(pattern.charAt(at + 1)) && pattern.charAt(at + 1) !== '*') {
                at++;
                found = part();
                if (!found) { source += escaped(prefix); continue; }
                var repeat = modifier();
                if (repeat === '') { source += escaped(prefix); add(found.key, found.inner, '', '', ''); }
                else add(found.key, found.inner, prefix, '', repeat);
            } else if ((found = /[:*(]/.test(character) ? part() : null)) {
                add(found.key, found.inner, '', '', modifier());
            } else {
                source += escaped(character);
                at++;
            }
        }
        return { pattern: pattern, names: names, test: new RegExp('^(?:' + source + ')$', ignoreCase ? 'i' : ''), groups: !literal };
    }

    /* The components of a pattern written as one text; those after the last one given match anything. */
    function split(text, base) {
        var given = {}, rest = text, found = /^([A-Za-z*{}()?:|][^\/?#]*?):\/\//.exec(rest) || /^([a-z][a-z0-9+.-]*)\\?:(?!\/\/)(?![A-Za-z_])/.exec(rest);
        if (found) {
            given.protocol = found[1];
            rest = rest.slice(found[0].length);
            var host = /^[^\/?#{]*(?:\{[^}]*\}[^\/?#{]*)*/.exec(rest)[0];
            rest = rest.slice(host.length);
            var port = /:(\d+|\*|\([^)]*\))$/.exec(host);
            given.hostname = port ? host.slice(0, -port[0].length) : host;
            given.port = port ? port[1] : '';
        } else if (base === undefined) throw failure(text, 'it is relative, so a base address is needed as the second argument');
        var hash = rest.indexOf('#'), query;
        if (hash >= 0) { given.hash = rest.slice(hash + 1); rest = rest.slice(0, hash); }
        query = found = /^(?:[^?(){}\\]|\\[\s\S]|\([^)]*\)[?]?|\{[^}]*\}[?]?|:[\w$]+[?])*\?/.exec(rest);
        if (query && /[^:)}*]\?$|\\\?$/.test(query[0]) && !/:[\w$]+\?$/.test(query[0])) {
            given.search = rest.slice(query[0].length);
            rest = query[0].slice(0, -1).replace(/\\$/, '');
        }
        given.pathname = rest === '' && given.protocol ? given.search !== undefined || given.hash !== undefined ? '/' : '*' : rest;
        return given;
    }

    function URLPattern(input, base, options) {
        if (!(this instanceof URLPattern)) throw new TypeError("Class constructor URLPattern cannot be invoked without 'new'");
        if (base !== null && typeof base === 'object') { options = base; base = undefined; }
        var given = typeof input === 'string' ? split(input, base) : Object.assign({}, input || {});
        if (given.baseURL !== undefined) base = given.baseURL;
        if (base !== undefined) inherit(given, new URL(base));
        var parts = {}, groups = false, pattern = this;
        COMPONENTS.forEach(function (name) {
            var text = given[name] === undefined ? '*' : String(given[name]);
            if (name === 'protocol') text = text.replace(/:$/, '');
            if (name === 'search') text = text.replace(/^\?/, '');
            if (name === 'hash') text = text.replace(/^#/, '');
            parts[name] = compile(text, name, !!(options && options.ignoreCase));
            groups = groups || /\(/.test(text) && /\([^?]/.test(text);
            K.define(pattern, name, text, true);
        });
        K.define(this, 'hasRegExpGroups', groups, true);
        K.hide(this, parts);
    }

    function inherit(given, base) {
        var own = COMPONENTS.some(function (name) { return given[name] !== undefined && name !== 'search' && name !== 'hash' && name !== 'pathname'; });
        if (own) return;
        given.protocol = base.protocol.slice(0, -1);
        given.hostname = escapedPattern(base.hostname);
        given.port = base.port;
        if (given.pathname === undefined) given.pathname = escapedPattern(base.pathname);
        else if (given.pathname.charAt(0) !== '/' && !/^[{*(:]/.test(given.pathname)) given.pathname = escapedPattern(base.pathname.replace(/[^\/]*$/, '')) + given.pathname;
    }
    function escapedPattern(text) { return text.replace(/[*:(){}+?\\]/g, '\\$&'); }

    function values(input, base) {
        if (input !== null && typeof input === 'object' && !(input instanceof URL)) {
            var given = {};
            COMPONENTS.forEach(function (name) { given[name] = input[name] === undefined ? '' : String(input[name]); });
            return given;
        }
        var url;
        try { url = new URL(String(input), base); } catch (error) { return null; }
        return { protocol: url.protocol.slice(0, -1), username: url.username, password: url.password, hostname: url.hostname, port: url.port, pathname: url.pathname, search: url.search.slice(1), hash: url.hash.slice(1) };
    }

    K.define(URLPattern.prototype, 'exec', function exec(input, base) {
        var given = values(input === undefined ? {} : input, base), parts = K.hidden(this), made = { inputs: base === undefined ? [input] : [input, base] };
        if (given === null) return null;
        for (var i = 0; i < COMPONENTS.length; i++) {
            var name = COMPONENTS[i], found = parts[name].test.exec(given[name]);
            if (found === null) return null;
            made[name] = { input: given[name], groups: {} };
            for (var j = 0; j < parts[name].names.length; j++) made[name].groups[parts[name].names[j]] = found[j + 1];
        }
        return made;
    });
    K.define(URLPattern.prototype, 'test', function test(input, base) { return this.exec(input, base) !== null; });
    K.define(URLPattern.prototype, Symbol.toStringTag, 'URLPattern', true);
    K.global('URLPattern', URLPattern);
}(__kernel));
