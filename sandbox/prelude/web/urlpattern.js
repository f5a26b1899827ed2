/*
 * URLPattern: matches addresses against patterns such as "/books/:id".
 *
 * What a pattern says is canonicalised as the same text in an address would be, so that "/caf\u00e9", "/a b", "/a/../b"
 * and hosts in upper case match what they mean.  Patterns of one component are read in urlpatternparts.js.
 * https://urlpattern.spec.whatwg.org/
 */
(function (K) {
    'use strict';

    var COMPONENTS = ['protocol', 'username', 'password', 'hostname', 'port', 'pathname', 'search', 'hash'];
    var PORTS = { http: '80', https: '443', ws: '80', wss: '443', ftp: '21', file: '' };
    var PLAIN = { delimiter: '', prefix: '' }, HOST = { delimiter: '.', prefix: '' }, PATH = { delimiter: '/', prefix: '/' };

    /* -- what the components of an address become ------------------------------------------------ */

    function invalid(name, value) { return new TypeError('URLPattern: ' + K.quote(value) + ' cannot be the ' + name + ' of an address'); }

    /* Through the setter of a URL, which encodes. */
    function through(name, value) {
        var url = new URL('https://dummy.test');
        url[name] = value;
        return url[name];
    }

    var canonical = {
        protocol: function (value) {
            if (value === '') return '';
            if (!/^[A-Za-z][\w+.-]*$/.test(value) || value.indexOf('_') >= 0) throw invalid('protocol', value);
            return value.toLowerCase();
        },
        username: function (value) { return value === '' ? '' : through('username', value); },
        password: function (value) { return value === '' ? '' : through('password', value); },
        hostname: function (value) {
            if (value === '') return '';
            var host = value.replace(/[\/?#\\][^]*$/, '');
            if (/[:@\s]/.test(host)) throw invalid('hostname', value);
            var url = URL.parse('https://' + host);
            if (url === null) throw invalid('hostname', value);
            return url.hostname;
        },
        address: function (value) {
            if (!/^[\da-fA-F:\[\]]*$/.test(value)) throw invalid('hostname', value);
            return value.toLowerCase();
        },
        port: function (value) {
            if (value === '') return '';
            if (!/^\d{1,5}$/.test(value) || Number(value) > 65535) throw invalid('port', value);
            return String(Number(value));
        },
        pathname: function (value) {
            if (value === '') return '';
            return value.charAt(0) === '/' ? through('pathname', value) : through('pathname', '/-' + value).slice(2);
        },
        opaque: function (value) {
            if (value.charAt(0) === '/') return canonical.pathname(value);
            return value.replace(/[^ -~]+/g, function (run) { return encodeURIComponent(run.toWellFormed()); });
        },
        search: function (value) { return value === '' ? '' : through('search', '?' + value).slice(1); },
        hash: function (value) { return value === '' ? '' : through('hash', '#' + value).slice(1); }
    };

    /* -- a pattern in one text ---------------------------------------------------------------------- */

    var ORDER = { protocol: 1, authority: 2, username: 3, password: 4, hostname: 5, port: 6, pathname: 7, search: 8, hash: 9, done: 10 };

    /* The components of a pattern that is written as one text; those that it does not reach are not among them. */
    function split(text) {
        var tokens = K.patternTokens(text, true), found = {}, state = 'init', start = 0, at = 0, step = 1, depth = 0, brackets = 0, special = false;
        function token(index) { return tokens[index < tokens.length ? index : tokens.length - 1]; }
        function is(index, value) {
            var one = token(index);
            return one.value === value && (one.type === 'char' || one.type === 'escaped' || one.type === 'invalid');
        }
        function searchBegins() {
            if (is(at, '?')) return true;
            return token(at).value === '?' && (at === 0 || !/^(?:name|regexp|close|asterisk)$/.test(token(at - 1).type));
        }
        function component() { return text.slice(token(start).index, token(at).index); }
        function change(next, skip) {
            if (state !== 'init' && state !== 'authority') found[state] = component();
            if (state !== 'init' && next !== 'done') {
                var from = ORDER[state], to = ORDER[next];
                if (from <= 4 && to >= 6 && found.hostname === undefined) found.hostname = '';
                if (from <= 6 && to >= 8 && found.pathname === undefined) found.pathname = special ? '/' : '';
                if (from <= 7 && to === 9 && found.search === undefined) found.search = '';
            }
            state = next;
            at += skip;
            start = at;
            step = 0;
        }
        function rewind(next) {
            at = start;
            step = 0;
            state = next;
        }
        /* Into what follows a host, or a path. */
        function tail(path) {
            if (path && is(at, '/')) change('pathname', 0);
            else if (searchBegins()) change('search', 1);
            else if (is(at, '#')) change('hash', 1);
        }
        var states = {
            init: function () { if (is(at, ':')) rewind('protocol'); },
            protocol: function () {
                if (!is(at, ':')) return;
                special = isSpecial(K.patternComponent(component(), canonical.protocol, PLAIN));
                var slashes = is(at + 1, '/') && is(at + 2, '/');
                change(slashes || special ? 'authority' : 'pathname', slashes ? 3 : 1);
            },
            authority: function () {
                if (is(at, '@')) rewind('username');
                else if (is(at, '/') || searchBegins() || is(at, '#')) rewind('hostname');
            },
            username: function () {
                if (is(at, ':')) change('password', 1);
                else if (is(at, '@')) change('hostname', 1);
            },
            password: function () { if (is(at, '@')) change('hostname', 1); },
            hostname: function () {
                if (is(at, '[')) brackets++;
                else if (is(at, ']')) brackets--;
                else if (is(at, ':') && brackets === 0) change('port', 1);
                else tail(true);
            },
            port: function () { tail(true); },
            pathname: function () { tail(false); },
            search: function () { if (is(at, '#')) change('hash', 1); },
            hash: function () {}
        };
        for (; at < tokens.length; at += step) {
            step = 1;
            var type = tokens[at].type;
            if (type === 'end') {
                if (state === 'init') {
                    at = start;
                    step = 0;
                    if (is(at, '#')) change('hash', 1);
                    else if (searchBegins()) change('search', 1);
                    else change('pathname', 0);
                    continue;
                }
                if (state === 'authority') { rewind('hostname'); continue; }
                change('done', 0);
                break;
            }
            if (type === 'open') { depth++; continue; }
            if (depth > 0) {
                if (type !== 'close') continue;
                depth--;
            }
            states[state]();
        }
        if (found.hostname !== undefined && found.port === undefined) found.port = '';
        return found;
    }

    function isSpecial(protocol) {
        for (var name in PORTS) if (protocol.regexp.test(name)) return true;
        return false;
    }

    /* -- components, of a pattern or of what is matched ------------------------------------------------- */

    function none(given, count) {
        for (var i = 0; i < count; i++) if (given[INHERITING[i]] !== undefined) return false;
        return true;
    }
    var INHERITING = ['protocol', 'hostname', 'port', 'pathname', 'search', 'hash'];

    function inherit(made, given, base, pattern) {
        var keep = pattern ? K.patternText : String;
        var bare = none(given, 3) && given.username === undefined;
        if (given.protocol === undefined) made.protocol = keep(base.protocol.slice(0, -1));
        if (!pattern && bare) made.username = base.username;
        if (!pattern && bare && given.password === undefined) made.password = base.password;
        if (none(given, 2)) made.hostname = keep(base.hostname);
        if (none(given, 3)) made.port = keep(base.port);
        if (none(given, 4)) made.pathname = keep(base.pathname);
        if (none(given, 5)) made.search = keep(base.search.slice(1));
        if (none(given, 6)) made.hash = keep(base.hash.slice(1));
    }

    function isAbsolute(path, pattern) { return path.charAt(0) === '/' || pattern && /^(?:\\\/|\{\/)/.test(path); }

    /* What an object gives, as texts, with what its base address gives; canonical if it is no pattern. */
    function processed(given, pattern) {
        var made = {}, base = null;
        if (given.baseURL !== undefined) {
            base = new URL(String(given.baseURL));
            inherit(made, given, base, pattern);
        }
        COMPONENTS.forEach(function (name) {
            if (given[name] === undefined) return;
            var text = String(given[name]);
            if (name === 'protocol') text = text.replace(/:$/, '');
            else if (name === 'search') text = text.replace(/^\?/, '');
            else if (name === 'hash') text = text.replace(/^#/, '');
            else if (name === 'pathname' && base !== null && base.pathname.charAt(0) === '/' && !isAbsolute(text, pattern)) {
                text = (pattern ? K.patternText : String)(base.pathname.slice(0, base.pathname.lastIndexOf('/') + 1)) + text;
            }
            made[name] = pattern ? text : name === 'pathname' && made.protocol && PORTS[made.protocol] === undefined ? canonical.opaque(text) : canonical[name](text);
        });
        if (!pattern && made.port !== undefined && made.port !== '' && PORTS[made.protocol] === made.port) made.port = '';
        return made;
    }

    /* -- the class ---------------------------------------------------------------------------------------- */

    function URLPattern(input, base, options) {
        if (!(this instanceof URLPattern)) throw new TypeError("Class constructor URLPattern cannot be invoked without 'new'");
        if (base !== null && typeof base === 'object') { options = base; base = undefined; }
        var given, pattern = this, ignoreCase = !!(options && options.ignoreCase), groups = false, parts = {};
        if (input !== undefined && (input === null || typeof input !== 'object')) {
            given = split(String(input));
            if (base !== undefined) given.baseURL = base;
            else if (given.protocol === undefined) throw K.wrongPattern(String(input), 'it is relative, so a base address is needed as the second argument');
        } else {
            if (base !== undefined) throw new TypeError('URLPattern: a base address belongs into the object, as baseURL');
            given = input || {};
        }
        var texts = processed(given, true);
        COMPONENTS.forEach(function (name) { if (texts[name] === undefined) texts[name] = '*'; });
        if (texts.port !== '' && PORTS[texts.protocol] === texts.port) texts.port = '';
        COMPONENTS.forEach(function (name) {
            parts[name] = compiled(name, texts[name], ignoreCase, parts.protocol);
            groups = groups || parts[name].groups;
            K.define(pattern, name, parts[name].pattern, true);
        });
        K.define(this, 'hasRegExpGroups', groups, true);
        K.hide(this, parts);
    }

    function compiled(name, text, ignoreCase, protocol) {
        if (name === 'hostname') return K.patternComponent(text, /^(?:\[|\{\[|\\\[)/.test(text) ? canonical.address : canonical.hostname, HOST);
        if (name === 'pathname') {
            if (!isSpecial(protocol)) return K.patternComponent(text, canonical.opaque, { delimiter: '', prefix: '', ignoreCase: ignoreCase });
            return K.patternComponent(text, canonical.pathname, { delimiter: PATH.delimiter, prefix: PATH.prefix, ignoreCase: ignoreCase });
        }
        var cased = ignoreCase && (name === 'search' || name === 'hash');
        return K.patternComponent(text, canonical[name], cased ? { delimiter: '', prefix: '', ignoreCase: true } : PLAIN);
    }

    function values(input, base) {
        var made = {};
        if (input !== null && typeof input === 'object' && !(input instanceof URL)) {
            if (base !== undefined) throw new TypeError('URLPattern: a base address belongs into the object, as baseURL');
            try { made = processed(input, false); } catch (error) { return null; }
            COMPONENTS.forEach(function (name) { if (made[name] === undefined) made[name] = ''; });
            return made;
        }
        var url = URL.parse(String(input), base);
        if (url === null) return null;
        COMPONENTS.forEach(function (name) { made[name] = url[name]; });
        made.protocol = made.protocol.slice(0, -1);
        made.search = made.search.slice(1);
        made.hash = made.hash.slice(1);
        return made;
    }

    K.define(URLPattern.prototype, 'exec', function exec(input, base) {
        var given = values(input === undefined ? {} : input, base), parts = K.hidden(this), made = { inputs: base === undefined ? [input === undefined ? {} : input] : [input, base] };
        if (given === null) return null;
        for (var i = 0; i < COMPONENTS.length; i++) {
            var name = COMPONENTS[i], found = parts[name].regexp.exec(given[name]);
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
