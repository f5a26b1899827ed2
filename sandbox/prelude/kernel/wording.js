/*
 * The engine's error messages in the words authors know.
 *
 * K.message(message, name) -> message: the kernel asks it for every error it reports, and console for
 * those it shows.  What to do instead of a global of another world is in advice.js.  The message the script itself reads from the error is the engine's.
 */
(function (K) {
    'use strict';

    var RULES = [
        [/^identifier '([^']+)' undefined$/, function (m) { return m[1] + ' is not defined' + advice(m[1]); }],
        [/^undefined not callable \(property '([^']+)' of (.*)\)$/, function (m) { return m[1] + ' is not a function (of ' + owner(m[2]) + ')'; }],
        [/^(?:.*) not callable \(property '([^']+)' of (.*)\)$/, function (m) { return m[1] + ' is not a function (of ' + owner(m[2]) + ')'; }],
        [/^(.*) not callable$/, function (m) { return owner(m[1]) + ' is not a function'; }],
        [/^(.*) not constructable$/, function (m) { return owner(m[1]) + ' is not a constructor'; }],
        [/^cannot read property '?([^']*)'? of (undefined|null)$/, function (m) { return 'Cannot read properties of ' + m[2] + " (reading '" + m[1] + "')"; }],
        [/^cannot write property '?([^']*)'? of (undefined|null)$/, function (m) { return 'Cannot set properties of ' + m[2] + " (setting '" + m[1] + "')"; }],
        [/^cannot (read|write) property (.*) of (.*)$/, function (m) { return 'Cannot ' + m[1] + ' property ' + m[2] + ' of ' + m[3]; }],
        [/^cyclic input$/, function () { return 'Converting circular structure to JSON'; }],
        [/^invalid json \(at offset (\d+)\)$/, function (m) { return 'Unexpected token in JSON at position ' + Math.max(0, m[1] - 1); }],
        [/^not writable$|^property '?([^']*)'? not writable$/, function (m) { return 'Cannot assign to read only property' + (m[1] ? " '" + m[1] + "'" : ''); }],
        [/^not extensible$/, function () { return 'Cannot add a property, the object is not extensible'; }],
        [/^setter undefined$/, function () { return 'Cannot set a property that has only a getter'; }],
        [/^proxy rejected$/, function () { return 'A trap of the proxy returned false'; }],
        [/^not configurable$/, function () { return 'Cannot redefine or delete a property that is not configurable'; }],
        [/^invalid instanceof rval$/, function () { return "Right-hand side of 'instanceof' is not callable"; }],
        [/^callstack limit$|^native call stack limit$|^C stack depth limit$|^(?:lexer|compiler) recursion limit$/, function () { return 'Maximum call stack size exceeded'; }],
        [/^regexp (?:executor|compiler) recursion limit/, function () { return 'The regular expression nests too deeply on this string: repeat characters or classes, [ab]*, rather than groups, (?:a|b)*, or cut the text into parts'; }],
        [/^(?:regexp )?quantifier requires too many atom copies/, function () { return 'A quantifier of the regular expression repeats a group too often: at most 1000 times what is more than one character or class, so write a smaller number than in {1,2000}, or * or +'; }],
        [/^(?:en|de)code recursion limit/, function () { return 'The value nests too deeply for JSON: put what is inside into fewer levels, or into a list with references'; }],
        [/^coercion to primitive failed$/, function () { return 'Cannot convert object to primitive value'; }],
        [/^alloc failed$|^out of memory$/, function () { return 'The script needs more memory than it may have'; }],
        [/^invalid array length$/, function () { return 'Invalid array length'; }],
        [/^(.*) not object coercible$|^not object coercible$/, function (m) { return 'Cannot convert undefined or null to object'; }]
    ];

    function advice(name) {
        return K.own(K.advice, name) ? '. ' + K.advice[name] : '';
    }

    function owner(text) {
        var match = /^\[object (\w+)\]$/.exec(text);
        if (match) return match[1] === 'Object' ? 'an object' : match[1] === 'Function' ? 'a function' : /^[AEIOU]/.test(match[1]) ? 'an ' + match[1] : 'a ' + match[1];
        return text;
    }

    K.message = function (message, name) {
        if (message.length > 500 || name === 'SyntaxError' && message.indexOf('invalid json') !== 0) return message;
        for (var i = 0; i < RULES.length; i++) {
            var match = RULES[i][0].exec(message);
            if (match) return RULES[i][1](match);
        }
        return message;
    };
}(__kernel));
