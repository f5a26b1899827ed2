/*
 * console, writeLog and how values look in a log line.
 */
(function (K, global) {
    'use strict';

    var MOST_KEYS = 50, MOST_ITEMS = 100, MOST_DEPTH = 4, MOST_TEXT = 16000, MOST_LEVELS = 20, MOST_CAUSES = 5;
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
        if (seen.indexOf(value) >= 0) return '[Circular]';
        if (value instanceof Error) return depth === 0 ? withCauses(value) : value.name + ': ' + value.message;
        if (value instanceof Date) return isNaN(value) ? 'Invalid Date' : value.toISOString();
        if (value instanceof RegExp) return String(value);
        if (depth >= MOST_DEPTH) return isArray(value) ? '[Array]' : '[Object]';
        seen = seen.concat([value]);
        var parts = [], i;
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
        var names = keys(value);
        for (i = 0; i < names.length && i < MOST_KEYS; i++) {
            var found = Object.getOwnPropertyDescriptor(value, names[i]);
            var plain = /^[A-Za-z_$][\w$]*$/.test(names[i]) ? names[i] : quote(names[i]);
            parts[i] = plain + ': ' + (found && own(found, 'value') ? show(found.value, depth + 1, seen) : '[Getter]');
        }
        if (names.length > MOST_KEYS) parts[MOST_KEYS] = '... ' + (names.length - MOST_KEYS) + ' more';
        var kind = value.constructor && typeof value.constructor.name === 'string' ? value.constructor.name : '';
        return (kind && kind !== 'Object' ? kind + ' ' : '') + '{' + (parts.length ? ' ' + parts.join(', ') + ' ' : '') + '}';
    }
    K.show = function (value) { return show(value, 1); };

    /* An error's stack, and those of what caused it. */
    function withCauses(error) {
        var text = '';
        for (var i = 0; i < MOST_CAUSES && error instanceof Error; i++) {
            text += (i ? '\nCaused by: ' : '') + (typeof error.stack === 'string' ? error.stack : error.name + ': ' + error.message);
            if (!own(error, 'cause')) return text;
            error = error.cause;
        }
        return i < MOST_CAUSES && error !== undefined ? text + '\nCaused by: ' + show(error, 1) : text;
    }

    /* Format marks of the Console standard, then the rest. */
    function format(args, end) {
        var parts = [], first = 0;
        if (args.length > 1 && typeof args[0] === 'string' && args[0].indexOf('%') >= 0) {
            first = 1;
            parts[0] = args[0].replace(/%[sdifoOjc%]/g, function (mark) {
                if (mark === '%%') return '%';
                if (first >= args.length) return mark;
                var value = args[first++];
                switch (mark) {
                case '%d': case '%i': return String(mark === '%i' ? parseInt(value, 10) : Number(value));
                case '%f': return String(parseFloat(value));
                case '%c': return '';
                default: return show(value, mark === '%s' ? 0 : 1);
                }
            });
        }
        for (var i = first; i < end; i++) parts[parts.length] = show(args[i], 0);
        var text = parts.join(' ');
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
            var text = K.native.stringify(last);
            return text.length <= 8000 && isFlat(text) ? parse(text) : null;
        } catch (error) {
            return null;
        }
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
            K.log(shown, indent + format(arguments, fields === null ? arguments.length : arguments.length - 1), fields);
        });
    }

    var console = {}, used = false, indent = '', timers = Object.create(null), counts = Object.create(null);
    level('log', 'info');
    level('info', 'info');
    level('warn', 'warn');
    level('error', 'error');
    level('debug', 'debug');
    K.define(console, 'trace', function trace() {
        var stack = new Error('Trace').stack, frames = K.captured.indexOf(stack, '\n');
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
