/*
 * console, writeLog and how values look in a log line.
 */
(function (K, global) {
    'use strict';

    var MOST_KEYS = 50, MOST_ITEMS = 100, MOST_DEPTH = 4, MOST_TEXT = 16000, MOST_LEVELS = 20, MOST_CAUSES = 5, BOXES = [Number, String, Boolean, Symbol], Event = global.Event;
    var toString = Object.prototype.toString, keys = Object.keys, own = Function.prototype.call.bind(Object.prototype.hasOwnProperty), isArray = Array.isArray, quote = JSON.stringify, parse = K.native.parse, codeAt = K.captured.charCodeAt, indexOf = K.captured.indexOf;

    /* A value as people read it; getters are not run. */
    function show(value, depth, seen) {
        if (typeof value === 'string') return depth === 0 ? value : quote(value);
        if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return typeof value === 'symbol' ? K.safeText(value.toString()) : String(value);
        try {
            return showObject(value, depth, seen || []);
        } catch (error) {
            return '[object]';
        }
    }

    function showObject(value, depth, seen) {
        if (typeof value === 'function') return '[Function' + (value.name ? ': ' + value.name : '') + ']';
        if (K.isBigInt(value)) return K.bigText(value) + 'n';
        if (seen.indexOf(value) >= 0) return '[Circular]';
        if (value instanceof Error) return depth === 0 ? errorText(value, 'Caused by: ') : errorHead(value) + membersOf(value, depth, seen.concat([value]));
        if (value instanceof Date) return isNaN(value) ? 'Invalid Date' : value.toISOString();
        if (value instanceof RegExp) return String(value);
        for (var i = 0; i < BOXES.length; i++) {
            if (value instanceof BOXES[i]) return '[' + BOXES[i].name + ': ' + show(BOXES[i].prototype.valueOf.call(value), 1) + ']';
        }
        if (value instanceof K.Html) return 'Html ' + quote(safeHtml(value));
        if (value instanceof Event) return value.constructor.name + ' { type: ' + quote(value.type) + ' }';
        if (depth >= MOST_DEPTH) return isArray(value) ? '[Array]' : '[Object]';
        seen = seen.concat([value]);
        var parts = [];
        if (isArray(value)) {
            for (i = 0; i < value.length && i < MOST_ITEMS; i++) parts[i] = show(value[i], depth + 1, seen);
            if (value.length > MOST_ITEMS) parts[MOST_ITEMS] = '... ' + (value.length - MOST_ITEMS) + ' more';
            return '[' + parts.join(', ') + ']';
        }
        if (typeof Map === 'function' && value instanceof Map) {
            value.forEach(function (item, key) { if (parts.length < MOST_KEYS) parts[parts.length] = show(key, depth + 1, seen) + ' => ' + show(item, depth + 1, seen); });
            return 'Map(' + value.size + ') {' + parts.join(', ') + '}';
        }
        if (typeof Set === 'function' && value instanceof Set) {
            value.forEach(function (item) { if (parts.length < MOST_KEYS) parts[parts.length] = show(item, depth + 1, seen); });
            return 'Set(' + value.size + ') {' + parts.join(', ') + '}';
        }
        var web = showWeb(value, depth, seen);
        if (web !== null) return web;
        var names = keys(value);
        for (i = 0; i < names.length && i < MOST_KEYS; i++) {
            var descriptor = Object.getOwnPropertyDescriptor(value, names[i]);
            var plain = /^[A-Za-z_$][\w$]*$/.test(names[i]) ? names[i] : quote(names[i]);
            parts[i] = plain + ': ' + (descriptor && own(descriptor, 'value') ? show(descriptor.value, depth + 1, seen) : '[Getter]');
        }
        if (names.length > MOST_KEYS) parts[MOST_KEYS] = '... ' + (names.length - MOST_KEYS) + ' more';
        var kind = value.constructor && typeof value.constructor.name === 'string' ? value.constructor.name : '';
        return (kind && kind !== 'Object' ? kind + ' ' : '') + '{' + (parts.length ? ' ' + parts.join(', ') + ' ' : '') + '}';
    }
    function safeHtml(value) {
        try { return value.toString().slice(0, MOST_TEXT); } catch (error) { return '(pending)'; }
    }

    /* Objects that keep what they hold to themselves, as node's console shows them; null for any other. */
    function showWeb(value, depth, seen) {
        if (value instanceof URL) return 'URL { href: ' + quote(value.href) + ' }';
        if (value instanceof URLSearchParams || value instanceof K.Headers || value instanceof K.FormData) {
            var parts = [];
            value.forEach(function (item, name) { if (parts.length < MOST_KEYS) parts[parts.length] = quote(name) + ' => ' + show(item, depth + 1, seen); });
            return value.constructor.name + ' {' + (parts.length ? ' ' + parts.join(', ') + ' ' : '') + '}';
        }
        if (value instanceof K.Response) return 'Response { status: ' + value.status + ', headers: ' + show(value.headers, depth + 1, seen) + ', bodyUsed: ' + value.bodyUsed + ' }';
        if (value instanceof K.Request) return 'Request { method: ' + quote(value.method) + ', url: ' + quote(value.url) + ', headers: ' + show(value.headers, depth + 1, seen) + ' }';
        if (value instanceof K.Blob) return (value instanceof K.File ? 'File { name: ' + quote(value.name) + ', ' : 'Blob { ') + 'size: ' + value.size + ', type: ' + quote(value.type) + ' }';
        if (value instanceof AbortSignal) return 'AbortSignal { aborted: ' + value.aborted + ' }';
        if (K.isPromise(value)) return 'Promise { }';
        if (value instanceof WeakMap || value instanceof WeakSet) return value.constructor.name + ' { <items unknown> }';
        var bytes = K.bytesOf(value);
        if (bytes === null) return null;
        var items = [], list = value instanceof ArrayBuffer || value instanceof DataView ? bytes : value;
        for (var i = 0; i < list.length && i < MOST_ITEMS; i++) items[i] = K.isBigInt(list[i]) ? K.bigText(list[i]) + 'n' : String(list[i]);
        if (list.length > MOST_ITEMS) items[MOST_ITEMS] = '... ' + (list.length - MOST_ITEMS) + ' more';
        return value.constructor.name + '(' + list.length + ') [' + items.join(', ') + ']';
    }
    K.show = function (value) { return show(value, 1); };

    function errorHead(error) { return error.name + ': ' + K.message(K.safeText(error.message), error.name); }

    var TOLD = { message: 1, name: 1, stack: 1, cause: 1, errors: 1, fileName: 1, lineNumber: 1 };
    /* What an author has put on an error, such as its code. */
    function membersOf(error, depth, seen) {
        var names = keys(error), parts = [];
        for (var i = 0; i < names.length && parts.length < MOST_KEYS; i++) {
            if (own(TOLD, names[i])) continue;
            var descriptor = Object.getOwnPropertyDescriptor(error, names[i]);
            parts[parts.length] = names[i] + ': ' + (descriptor && own(descriptor, 'value') ? show(descriptor.value, depth + 1, seen) : '[Getter]');
        }
        return parts.length === 0 ? '' : ' { ' + parts.join(', ') + ' }';
    }

    /* An error's stack with its own members, and those of what caused it and of what it gathers. */
    function errorText(error, causedBy) {
        var text = '';
        for (var i = 0; i < MOST_CAUSES && error instanceof Error; i++) {
            text += (i ? '\n' + causedBy : '') + stackOr(error, errorHead) + membersBelow(error);
            if (isArray(error.errors)) {
                for (var j = 0; j < error.errors.length && j < MOST_CAUSES; j++) text += '\nerrors[' + j + ']: ' + shownInside(error.errors[j]);
            }
            if (!own(error, 'cause')) return text;
            error = error.cause;
        }
        return i < MOST_CAUSES && error !== undefined ? text + '\n' + causedBy + show(error, 1) : text;
    }
    function shownInside(error) { return error instanceof Error ? stackOr(error, errorHead) + membersBelow(error) : show(error, 1); }
    /* As the engine tells it: the server shows places in every log line and failure. */
    function stackOr(error, otherwise) {
        var stack = K.rawStack(error);
        return typeof stack === 'string' ? stack : otherwise(error);
    }
    /* On a line of their own, so that frames stay as they are. */
    function membersBelow(error) {
        var members = membersOf(error, 0, [error]);
        return members === '' ? '' : '\n   ' + members;
    }
    K.errorText = errorText;
    function hasStack(text) { return indexOf(text, '\n    at ') >= 0; }

    /* Format marks of the Console standard, then the rest.  What follows a stack begins a line, for the server rewrites its lines. */
    function format(args, end) {
        var text = '', first = 0;
        if (args.length > 1 && typeof args[0] === 'string' && args[0].indexOf('%') >= 0) {
            first = 1;
            text = args[0].replace(/%[sdifoOjc%]/g, function (mark, at, whole) {
                if (mark === '%%') return '%';
                if (first >= args.length) return mark;
                var value = args[first++];
                switch (mark) {
                case '%d': case '%i': return String(mark === '%i' ? parseInt(value, 10) : Number(value));
                case '%f': return String(parseFloat(value));
                case '%c': return '';
                default:
                    var shown = show(value, mark === '%s' ? 0 : 1);
                    return hasStack(shown) && at + 2 < whole.length ? shown + '\n' : shown;
                }
            });
        }
        for (var i = first, last = text; i < end; i++) {
            text += i === 0 ? '' : hasStack(last) ? '\n' : ' ';
            last = show(args[i], 0);
            text += last;
        }
        return text.length > MOST_TEXT ? text.slice(0, MOST_TEXT) + '...' : text;
    }

    /*
     * A plain object as the last argument is kept as the fields of the line, and not said again in its
     * text, unless the first argument is a format that may ask for it.
     */
    function fieldsOf(args) {
        if (typeof args[0] === 'string' && args[0].indexOf('%') >= 0) return null;
        var last = args.length > 1 ? args[args.length - 1] : undefined;
        if (last === null || typeof last !== 'object' || toString.call(last) !== '[object Object]' || Object.getPrototypeOf(last) !== Object.prototype) return null;
        try {
            return fieldsFrom(K.checkedJson(last, undefined, FIELDS));
        } catch (error) {
            if (!(error instanceof K.NotSerializable)) return null;
        }
        try {
            return fieldsFrom(K.native.stringify(kept(last, 0)));
        } catch (worse) {
            return null;
        }
    }

    var FIELDS = { start: 'The fields', skip: 0, finite: false };
    function fieldsFrom(text) { return text.length <= 8000 && isFlat(text) ? parse(text) : null; }

    /* Fields with what JSON would lose as it is shown; of an error its parts. */
    function kept(value, depth) {
        if (value === null || typeof value !== 'object') return value;
        if (value instanceof Error) return keptError(value, depth);
        if (value instanceof Map || value instanceof Set || value instanceof RegExp || showWeb(value, 1, []) !== null) return value instanceof URL ? value.href : show(value, 1);
        if (typeof value.toJSON === 'function' || depth > MOST_LEVELS) return value;
        var made = isArray(value) ? [] : {}, names = keys(value);
        for (var i = 0; i < names.length; i++) made[names[i]] = kept(value[names[i]], depth + 1);
        return made;
    }
    function keptError(error, depth) {
        var made = { name: K.safeText(error.name), message: K.message(K.safeText(error.message), error.name) }, names = keys(error);
        if (own(error, 'cause') && depth < MOST_CAUSES) made.cause = kept(error.cause, depth + 1);
        if (isArray(error.errors) && depth < MOST_CAUSES) made.errors = kept(error.errors.slice(0, MOST_CAUSES), depth + 1);
        for (var i = 0; i < names.length && i < MOST_KEYS; i++) if (!own(made, names[i]) && !own(TOLD, names[i])) made[names[i]] = kept(error[names[i]], depth + 1);
        return made;
    }

    /* The stacks of errors among the fields: only in the text of a line are places shown as the author's. */
    function stacksOf(fields) {
        var names = keys(fields), text = '';
        for (var i = 0; i < names.length && i < MOST_KEYS; i++) {
            var descriptor = Object.getOwnPropertyDescriptor(fields, names[i]);
            if (descriptor && descriptor.value instanceof Error) text += '\n' + names[i] + ': ' + errorText(descriptor.value, 'Caused by: ');
        }
        return text;
    }

    function marks(text, mark) {
        var count = 0;
        for (var at = indexOf(text, mark); at >= 0 && count <= MOST_LEVELS; at = indexOf(text, mark, at + 1)) count++;
        return count;
    }

    /* Whether this JSON has few levels; brackets inside of texts may make it more, which does no harm. */
    function isFlat(text) {
        // Most have few brackets at all, and those the engine finds itself.
        if (marks(text, '{') + marks(text, '[') <= MOST_LEVELS) return true;
        for (var i = 0, levels = 0; i < text.length; i++) {
            var code = codeAt(text, i);
            if (code === 123 || code === 91) {
                if (++levels > MOST_LEVELS) return false;
            } else if (code === 125 || code === 93) levels--;
        }
        return true;
    }

    function level(name, shown) {
        K.define(console, name, function () {
            var fields = fieldsOf(arguments);
            var text = indent + format(arguments, fields === null ? arguments.length : arguments.length - 1);
            K.log(shown, fields === null ? text : text + stacksOf(arguments[arguments.length - 1]), fields);
        });
    }

    var console = {}, used = false, indent = '', timers = Object.create(null), counts = Object.create(null);
    level('log', 'info');
    level('info', 'info');
    level('warn', 'warn');
    level('error', 'error');
    level('debug', 'debug');
    K.define(console, 'trace', function trace() {
        var stack = K.rawStack(new Error('Trace')), frames = K.captured.indexOf(stack, '\n');
        K.log('debug', (format(arguments, arguments.length) || 'Trace') + (frames < 0 ? '' : K.captured.slice(stack, frames)));
    });
    K.define(console, 'assert', function assert(condition) {
        if (condition) return;
        var rest = Array.prototype.slice.call(arguments, 1);
        K.log('error', 'Assertion failed' + (rest.length ? ': ' + format(rest, rest.length) : ''));
    });
    K.define(console, 'time', function time(label) { used = true; timers[label === undefined ? 'default' : String(label)] = K.now(); });
    K.define(console, 'timeLog', function timeLog(label) {
        label = label === undefined ? 'default' : String(label);
        if (timers[label] === undefined) K.log('warn', 'console.time("' + label + '") was never called.');
        else K.log('info', label + ': ' + (K.now() - timers[label]) + ' ms');
    });
    K.define(console, 'timeEnd', function timeEnd(label) {
        console.timeLog(label);
        delete timers[label === undefined ? 'default' : String(label)];
    });
    K.define(console, 'count', function count(label) {
        label = label === undefined ? 'default' : String(label);
        used = true;
        counts[label] = (counts[label] || 0) + 1;
        K.log('info', label + ': ' + counts[label]);
    });
    K.define(console, 'group', function group() {
        if (arguments.length) K.log('info', indent + format(arguments, arguments.length));
        if (indent.length < 40) indent += '  ';
    });
    K.define(console, 'groupEnd', function groupEnd() { indent = indent.slice(2); });
    K.define(console, 'dir', function dir(value) { K.log('info', show(value, 1)); });
    K.define(console, 'table', function table(rows) {
        if (rows === null || typeof rows !== 'object') { K.log('info', show(rows, 0)); return; }
        var columns = [], names = keys(rows), lines = [], i, j;
        for (i = 0; i < names.length && i < MOST_ITEMS; i++) {
            var row = rows[names[i]], inner = row !== null && typeof row === 'object' ? keys(row) : [];
            for (j = 0; j < inner.length; j++) if (columns.indexOf(inner[j]) < 0) columns[columns.length] = inner[j];
        }
        var grid = [['(index)'].concat(columns.length ? columns : ['Values'])];
        for (i = 0; i < names.length && i < MOST_ITEMS; i++) {
            var value = rows[names[i]], cells = [names[i]];
            if (columns.length === 0) cells[1] = show(value, 1);
            for (j = 0; j < columns.length; j++) cells[j + 1] = value !== null && typeof value === 'object' && own(value, columns[j]) ? show(value[columns[j]], 1) : '';
            grid[i + 1] = cells;
        }
        var widths = [];
        for (i = 0; i < grid.length; i++) for (j = 0; j < grid[i].length; j++) widths[j] = Math.max(widths[j] || 0, grid[i][j].length);
        for (i = 0; i < grid.length; i++) {
            var line = '';
            for (j = 0; j < grid[i].length; j++) line += (j ? ' | ' : '') + grid[i][j] + new Array(widths[j] - grid[i][j].length + 1).join(' ');
            lines[i] = line;
        }
        K.log('info', lines.join('\n'));
    });
    K.console = console;
    K.global('console', console);

    /* What an invocation left open does not reach into the next one. */
    K.resetConsole = function () {
        if (indent !== '') indent = '';
        if (used) { used = false; timers = K.bare(); counts = K.bare(); }
    };

    K.global('writeLog', function writeLog(message) {
        K.warnOnce('writeLog', 'console.log');
        K.log('info', show(message, 0));
    });
}(__kernel, globalThis));
