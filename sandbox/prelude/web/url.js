/*
 * URLs (URL standard, 4): the parser, which works on whole parts and not on single characters, and the class URL.
 *
 * A record has scheme, user, pass, host (null if there is none), port (null if it is the scheme's), path (a list of
 * segments, or a string if it is opaque), query and fragment (null if there is none).
 *
 * For other files: K.urls.parse(text, base) -> a record or null, K.urls.write(record) -> text.
 */
(function (K) {
    'use strict';

    var captured = K.captured, slice = captured.slice, indexOf = captured.indexOf, code = captured.charCodeAt, split = captured.split;
    var join = captured.join, test = captured.test, replace = captured.replace, exec = captured.exec, own = K.own;
    var lower = K.free(String.prototype.toLowerCase), lastIndexOf = K.free(String.prototype.lastIndexOf);
    var urls = K.urls, sets = urls.sets, percent = urls.percent, toText = String;

    var PORTS = { http: 80, https: 443, ws: 80, wss: 443, ftp: 21, file: null };
    var EDGES = /^[\x00-\x20]+|[\x00-\x20]+$/g, BREAKS = /[\t\n\r]+/g, SLASHES = /^[\/\\]+/, SCHEME = /^[A-Za-z][A-Za-z0-9+.\-]*:/;
    var DRIVE = /^[A-Za-z][:|]$/, STARTS_WITH_DRIVE = /^[A-Za-z][:|](?:[\/\\]|$)/;
    var DOT = /^(?:\.|%2e)$/i, DOTS = /^(?:\.|%2e){2}$/i, SPACES_BEFORE_END = / +$/;
    /* What most URLs look like: nothing in it has to be encoded, resolved or looked up. */
    var PLAIN = /^(https?):\/\/([a-z][a-z0-9\-]*(?:\.[a-z][a-z0-9\-]*)*)(?::(\d{1,4}))?((?:\/[A-Za-z0-9_~\-]+)*\/?)(?:\?([A-Za-z0-9_~.%&=+\-]*))?$/;

    function special(scheme) { return own(PORTS, scheme); }

    function copy(record) {
        var path = record.path;
        return { scheme: record.scheme, user: record.user, pass: record.pass, host: record.host, port: record.port, path: typeof path === 'string' ? path : path.slice(), query: record.query, fragment: record.fragment };
    }
    function empty(scheme) {
        return { scheme: scheme, user: '', pass: '', host: null, port: null, path: [], query: null, fragment: null };
    }

    /* -- parts --------------------------------------------------------------------------------- */

    function isSlash(text, at, alsoBack) {
        var one = code(text, at);
        return one === 0x2f || (alsoBack && one === 0x5c);
    }

    function shorten(record) {
        var path = record.path;
        if (record.scheme === 'file' && path.length === 1 && test(/^[A-Za-z]:$/, path[0])) return;
        if (path.length) path.length--;
    }

    /* Adds the segments of text, which begins behind a slash. */
    function addPath(record, text) {
        var segments = split(special(record.scheme) ? replace(text, /\\/g, '/') : text, '/'), path = record.path;
        for (var i = 0; i < segments.length; i++) {
            var segment = segments[i], last = i === segments.length - 1;
            if (test(DOTS, segment)) {
                shorten(record);
                if (last) path[path.length] = '';
            } else if (test(DOT, segment)) {
                if (last) path[path.length] = '';
            } else {
                if (record.scheme === 'file' && path.length === 0 && test(DRIVE, segment)) segment = slice(segment, 0, 1) + ':';
                path[path.length] = percent(segment, sets.path);
            }
        }
    }

    /* The path behind an authority. */
    function startPath(record, text) {
        var back = special(record.scheme);
        if (text === '' && !back) return;
        addPath(record, isSlash(text, 0, back) ? slice(text, 1) : text);
    }

    function setPort(record, digits) {
        if (digits === '') { record.port = null; return true; }
        if (!test(/^\d+$/, digits) || +digits > 65535) return false;
        record.port = +digits === PORTS[record.scheme] ? null : +digits;
        return true;
    }

    /* Where the port begins, -1 if there is none: colons in brackets belong to the host. */
    function colonOf(text) {
        return indexOf(text, ':', indexOf(text, '[') < 0 ? 0 : indexOf(text, ']') < 0 ? text.length : indexOf(text, ']'));
    }

    function endOfAuthority(text, back) {
        for (var i = 0; i < text.length; i++) if (isSlash(text, i, back)) return i;
        return text.length;
    }

    function authority(record, text) {
        var back = special(record.scheme), end = endOfAuthority(text, back), given = slice(text, 0, end), at = lastIndexOf(given, '@');
        if (at >= 0) {
            var colon = indexOf(slice(given, 0, at), ':');
            record.user = percent(slice(given, 0, colon < 0 ? at : colon), sets.userinfo);
            if (colon >= 0) record.pass = percent(slice(given, colon + 1, at), sets.userinfo);
            given = slice(given, at + 1);
            if (given === '') return null;
        }
        var port = colonOf(given), host = port < 0 ? given : slice(given, 0, port);
        if (host === '' && (back || port >= 0)) return null;
        record.host = host === '' ? '' : urls.host(host, back);
        if (record.host === null || (port >= 0 && !setPort(record, slice(given, port + 1)))) return null;
        startPath(record, slice(text, end));
        return record;
    }

    function file(text, base, query) {
        var record = empty('file');
        record.host = '';
        if (base !== null && base.scheme !== 'file') base = null;
        if (isSlash(text, 0, true)) {
            if (isSlash(text, 1, true)) return fileHost(record, slice(text, 2));
            if (base !== null) {
                record.host = base.host;
                if (!test(STARTS_WITH_DRIVE, slice(text, 1)) && base.path.length && test(/^[A-Za-z]:$/, base.path[0])) record.path = [base.path[0]];
            }
            addPath(record, slice(text, 1));
            return record;
        }
        if (base === null) { addPath(record, text); return record; }
        record = copy(base);
        record.fragment = null;
        if (text === '') { if (query !== null) record.query = null; return record; }
        record.query = null;
        if (test(STARTS_WITH_DRIVE, text)) record.path = [];
        else shorten(record);
        addPath(record, text);
        return record;
    }

    function fileHost(record, text) {
        var end = endOfAuthority(text, true), host = slice(text, 0, end);
        if (test(DRIVE, host)) { addPath(record, text); return record; }
        if (host !== '') {
            record.host = urls.host(host, true);
            if (record.host === null) return null;
            if (record.host === 'localhost') record.host = '';
        }
        startPath(record, slice(text, end));
        return record;
    }

    function relative(text, base, query) {
        var record = copy(base), back = special(base.scheme);
        record.fragment = null;
        if (text === '') { if (query !== null) record.query = null; return record; }
        record.query = null;
        if (!isSlash(text, 0, back)) {
            shorten(record);
            addPath(record, text);
            return record;
        }
        if (isSlash(text, 1, back)) return authority(empty(base.scheme), back ? replace(text, SLASHES, '') : slice(text, 2));
        record.path = [];
        addPath(record, slice(text, 1));
        return record;
    }

    function absolute(scheme, text, base, query) {
        if (scheme === 'file') return file(text, base, query);
        if (special(scheme)) {
            if (base !== null && base.scheme === scheme && slice(text, 0, 2) !== '//') return relative(text, base, query);
            return authority(empty(scheme), replace(text, SLASHES, ''));
        }
        var record = empty(scheme);
        if (slice(text, 0, 2) === '//') return authority(record, slice(text, 2));
        if (code(text, 0) === 0x2f) addPath(record, slice(text, 1));
        else record.path = text;
        return record;
    }

    function plain(found) {
        var record = empty(found[1]);
        record.host = found[2];
        if (found[3] !== undefined) setPort(record, found[3]);
        record.path = found[4] === '' ? [''] : split(slice(found[4], 1), '/');
        if (found[5] !== undefined) record.query = found[5];
        return record;
    }

    function parse(text, base) {
        var found = exec(PLAIN, text);
        if (found !== null && indexOf(found[2], 'xn--') < 0) return plain(found);
        text = replace(replace(text, EDGES, ''), BREAKS, '');
        var at = indexOf(text, '#'), fragment = at < 0 ? null : slice(text, at + 1), query = null, record;
        if (at >= 0) text = slice(text, 0, at);
        at = indexOf(text, '?');
        if (at >= 0) { query = slice(text, at + 1); text = slice(text, 0, at); }
        var scheme = exec(SCHEME, text);
        if (scheme !== null) record = absolute(lower(slice(scheme[0], 0, -1)), slice(text, scheme[0].length), base, query);
        else if (base === null) return null;
        else if (typeof base.path === 'string') {
            if (text !== '' || query !== null || fragment === null) return null;
            record = copy(base);
        } else record = base.scheme === 'file' ? file(text, base, query) : relative(text, base, query);
        if (record === null) return null;
        if (scheme !== null && typeof record.path === 'string') {
            if (query !== null || fragment !== null) record.path = replace(record.path, / $/, '%20');
            record.path = percent(record.path, sets.control);
        }
        if (query !== null) setQuery(record, query);
        if (fragment !== null) record.fragment = percent(fragment, sets.fragment);
        return record;
    }

    function setQuery(record, query) {
        record.query = percent(query, special(record.scheme) ? sets.specialQuery : sets.query);
    }

    /* -- writing ------------------------------------------------------------------------------- */

    function pathOf(record) {
        return typeof record.path === 'string' ? record.path : record.path.length ? '/' + join(record.path, '/') : '';
    }
    function hostOf(record) {
        return record.host === null ? '' : record.port === null ? record.host : record.host + ':' + record.port;
    }
    function write(record) {
        var text = record.scheme + ':';
        if (record.host !== null) {
            text += '//';
            if (record.user !== '' || record.pass !== '') text += record.user + (record.pass === '' ? '' : ':' + record.pass) + '@';
            text += hostOf(record);
        } else if (typeof record.path !== 'string' && record.path.length > 1 && record.path[0] === '') text += '/.';
        text += pathOf(record);
        if (record.query !== null) text += '?' + record.query;
        return record.fragment === null ? text : text + '#' + record.fragment;
    }
    function originOf(record) {
        if (record.scheme === 'blob') {
            var inner = typeof record.path === 'string' ? parse(record.path, null) : null;
            return inner !== null && (inner.scheme === 'http' || inner.scheme === 'https') ? originOf(inner) : 'null';
        }
        return special(record.scheme) && record.scheme !== 'file' ? record.scheme + '://' + hostOf(record) : 'null';
    }

    /* -- setting ------------------------------------------------------------------------------- */

    function withoutCredentials(record) { return record.host === null || record.host === '' || record.scheme === 'file'; }

    function setScheme(record, text) {
        var found = exec(SCHEME, text + ':');
        if (found === null) return;
        var scheme = lower(slice(found[0], 0, -1));
        if (special(scheme) !== special(record.scheme)) return;
        if (scheme === 'file' && (record.user !== '' || record.pass !== '' || record.port !== null)) return;
        if (record.scheme === 'file' && record.host === '') return;
        record.scheme = scheme;
        if (record.port === PORTS[scheme]) record.port = null;
    }

    function setHost(record, text, alsoPort) {
        if (typeof record.path === 'string') return;
        var back = special(record.scheme), end = replace(text, back ? /[\/\\?#][^]*$/ : /[\/?#][^]*$/, '');
        if (record.scheme === 'file') {
            var one = end === '' ? '' : urls.host(end, true);
            if (one !== null) record.host = one === 'localhost' ? '' : one;
            return;
        }
        var port = colonOf(end), given = port < 0 ? end : slice(end, 0, port);
        if (port >= 0 && !alsoPort) return;
        if (given === '' && (back || port >= 0 || record.user !== '' || record.pass !== '' || record.port !== null)) return;
        var host = given === '' ? '' : urls.host(given, back);
        if (host === null) return;
        record.host = host;
        if (port >= 0) setLeadingPort(record, slice(end, port + 1));
    }

    function setLeadingPort(record, text) {
        var digits = exec(/^\d+/, text);
        if (digits !== null) setPort(record, digits[0]);
    }

    var SETTERS = {
        protocol: setScheme,
        username: function (record, text) { if (!withoutCredentials(record)) record.user = percent(text, sets.userinfo); },
        password: function (record, text) { if (!withoutCredentials(record)) record.pass = percent(text, sets.userinfo); },
        host: function (record, text) { setHost(record, text, true); },
        hostname: function (record, text) { setHost(record, text, false); },
        port: function (record, text) {
            if (withoutCredentials(record)) return;
            if (text === '') record.port = null;
            else setLeadingPort(record, text);
        },
        pathname: function (record, text) {
            if (typeof record.path === 'string') return;
            record.path = [];
            if (text === '' && record.host === null && !special(record.scheme)) record.path = [''];
            else startPath(record, text);
        },
        search: function (record, text) {
            if (text === '') record.query = null;
            else setQuery(record, code(text, 0) === 0x3f ? slice(text, 1) : text);
        },
        hash: function (record, text) {
            record.fragment = text === '' ? null : percent(code(text, 0) === 0x23 ? slice(text, 1) : text, sets.fragment);
        }
    };

    var GETTERS = {
        protocol: function (record) { return record.scheme + ':'; },
        username: function (record) { return record.user; },
        password: function (record) { return record.pass; },
        host: hostOf,
        hostname: function (record) { return record.host === null ? '' : record.host; },
        port: function (record) { return record.port === null ? '' : toText(record.port); },
        pathname: pathOf,
        search: function (record) { return record.query ? '?' + record.query : ''; },
        hash: function (record) { return record.fragment ? '#' + record.fragment : ''; }
    };

    /* -- the class ----------------------------------------------------------------------------- */

    function wanted(text, base) {
        var under = base === undefined ? null : parse(K.usvString(base), null);
        return base !== undefined && under === null ? null : parse(K.usvString(text), under);
    }

    function invalid(text) {
        var error = new TypeError('Invalid URL');
        K.define(error, 'code', 'ERR_INVALID_URL');
        K.define(error, 'input', toText(text));
        return error;
    }

    function URL(url, base) {
        if (!(this instanceof URL)) throw new TypeError("Class constructor URL cannot be invoked without 'new'");
        if (arguments.length === 0) throw new TypeError('The "url" argument must be specified');
        var record = wanted(url, base);
        if (record === null) throw invalid(url);
        K.hide(this, { record: record, params: null });
    }

    function stateOf(url) {
        var state = url === null || url === undefined ? undefined : K.hidden(url);
        if (state === undefined || state.record === undefined) throw new TypeError('Illegal invocation: this is no URL');
        return state;
    }

    function shared(name, get, set) {
        Object.defineProperty(URL.prototype, name, { get: get, set: set, enumerable: true, configurable: true });
    }
    function property(name) {
        var read = GETTERS[name], change = SETTERS[name];
        shared(name, function () { return read(stateOf(this).record); }, function (value) {
            var state = stateOf(this);
            value = K.usvString(value);
            change(state.record, name === 'username' || name === 'password' ? value : replace(value, BREAKS, ''));
            if (name === 'search' && state.params !== null) urls.refill(state.params, state.record.query);
        });
    }
    function method(object, name, value) {
        Object.defineProperty(object, name, { value: value, writable: true, enumerable: true, configurable: true });
    }

    shared('href', function href() { return write(stateOf(this).record); }, function (value) {
        var state = stateOf(this), record = wanted(value);
        if (record === null) throw invalid(value);
        state.record = record;
        if (state.params !== null) urls.refill(state.params, record.query);
    });
    shared('origin', function () { return originOf(stateOf(this).record); });
    Object.keys(GETTERS).forEach(property);
    shared('searchParams', function () {
        var state = stateOf(this);
        if (state.params === null) state.params = urls.paramsOf(this, state.record.query);
        return state.params;
    });
    method(URL.prototype, 'toString', function toString() { return write(stateOf(this).record); });
    method(URL.prototype, 'toJSON', function toJSON() { return write(stateOf(this).record); });
    K.define(URL.prototype, Symbol.toStringTag, 'URL', true);
    method(URL, 'canParse', function canParse(url, base) {
        if (arguments.length === 0) throw new TypeError('The "url" argument must be specified');
        return wanted(url, base) !== null;
    });
    method(URL, 'parse', function parseUrl(url, base) {
        if (arguments.length === 0) throw new TypeError('The "url" argument must be specified');
        var record = wanted(url, base);
        if (record === null) return null;
        var made = Object.create(URL.prototype);
        K.hide(made, { record: record, params: null });
        return made;
    });
    ['length', 'name'].forEach(function (name) { Object.defineProperty(name === 'length' ? URL : URL.parse, name, { value: name === 'length' ? 1 : 'parse', configurable: true }); });
    Object.defineProperty(URL.canParse, 'length', { value: 1, configurable: true });
    Object.defineProperty(URL.parse, 'length', { value: 1, configurable: true });

    urls.parse = parse;
    urls.write = write;
    /* What the list of a URL's query has become. */
    urls.changed = function (url, query) { K.hidden(url).record.query = query === '' ? null : query; };
    K.URL = URL;
    K.global('URL', URL);
}(__kernel));
