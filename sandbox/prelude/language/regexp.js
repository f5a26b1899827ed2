/*
 * RegExp of today over the engine's: flags s, u, v, y, named groups, and the protocols by which
 * strings ask (Symbol.match, matchAll, replace, search, split).
 *
 * A regular expression that needs none of this stays the engine's own object and is matched by the
 * engine alone.  Others carry what is special about them under one symbol (`EXTRA`).
 *
 * For strings.js: K.isPlainRegExp(value), K.nativeExec(regexp, text), K.substitute(...).
 */
(function (K) {
    'use strict';

    var Native = K.native.RegExp, prototype = Native.prototype, uncurry = Function.prototype.call;
    var nativeExec = uncurry.bind(K.native.exec), nativeTest = uncurry.bind(K.native.test);
    var nativeReplace = uncurry.bind(K.native.replace), nativeSplit = uncurry.bind(K.native.split), nativeMatch = uncurry.bind(K.native.match);
    var setPrototypeOf = Object.setPrototypeOf, prototypeOf = Object.getPrototypeOf;
    var EXTRA = K.secret('regexp extra'), MATCH = Symbol.match, REPLACE = Symbol.replace;
    var own = K.own, builtinReplace, indexOf = String.prototype.indexOf;
    var FLAGS = ['hasIndices', 'd', 'global', 'g', 'ignoreCase', 'i', 'multiline', 'm', 'dotAll', 's', 'unicode', 'u', 'unicodeSets', 'v', 'sticky', 'y'];

    function isRegExp(value) {
        if (value === null || typeof value !== 'object') return false;
        var matcher = value[MATCH];
        return matcher === undefined ? Object.prototype.toString.call(value) === '[object RegExp]' : !!matcher;
    }

    /* What was a literal is made with a third argument, `true`: if it cannot be matched here, only its use throws. */
    function RegExp(pattern, flags, literal) {
        if (literal === true && typeof pattern === 'string') return compiled(pattern, flags);
        if (typeof pattern === 'string' && this !== undefined && this.constructor === RegExp) return compile(pattern, flags === undefined ? '' : String(flags));
        var constructing = this instanceof RegExp, given = isRegExp(pattern);
        if (!constructing && given && flags === undefined && pattern.constructor === RegExp) return pattern;
        var source = given ? pattern.source : pattern === undefined ? '' : String(pattern);
        var made = compile(source, flags === undefined ? given ? pattern.flags : '' : String(flags));
        if (constructing && prototypeOf(this) !== prototype) setPrototypeOf(made, prototypeOf(this));
        return made;
    }

    function compile(source, flags) {
        if (flags === '' || flags === 'g' || flags === 'i' || flags === 'gi') {
            if (indexOf.call(source, '(?<') < 0) return native(source, flags, source);
        }
        checkFlags(flags);
        var sticky = flags.indexOf('y') >= 0, special = sticky || /[suv]/.test(flags) || source.indexOf('(?<') >= 0;
        if (!special) return native(source, flags, source);
        var made = K.translatePattern(source, flags);
        // The extra group matches where the pattern does not, so that a sticky match never searches on.
        var text = sticky ? '(?:' + made.source + ')|()' : made.source;
        var regexp = native(text, 'g' + (flags.indexOf('i') >= 0 ? 'i' : '') + (flags.indexOf('m') >= 0 ? 'm' : ''), source);
        describe(regexp, source, flags);
        K.define(regexp, EXTRA, { sticky: sticky, global: flags.indexOf('g') >= 0, groups: made.groups });
        return regexp;
    }

    /* Packages make tables of patterns when they load, of which most scripts use none. */
    function compiled(source, flags) {
        try {
            return compile(source, flags);
        } catch (error) {
            var regexp = native('(?!)', 'g', source);
            describe(regexp, source, flags);
            K.define(regexp, EXTRA, { refused: K.message(String(error.message), error.name) });
            return regexp;
        }
    }

    function checkFlags(flags) {
        if (flags.indexOf('d') >= 0) throw new SyntaxError("Invalid regular expression flags '" + flags + "': d (match indices) is not supported here; use match.index and the lengths of the groups");
        if (/[^gimsuvy]/.test(flags) || /(.).*\1/.test(flags) || /u.*v|v.*u/.test(flags)) throw new SyntaxError("Invalid flags supplied to RegExp constructor '" + flags + "'");
    }

    function native(text, flags, source) {
        var bounded = K.boundRepeats(text), made;
        try {
            made = new Native(bounded, flags);
        } catch (error) {
            throw new SyntaxError('Invalid regular expression: /' + source + '/: ' + (source.indexOf('(?<') >= 0 ? 'look-behind is not supported here' : K.message(String(error.message), error.name)));
        }
        if (bounded !== text) K.define(made, 'source', shown(source), true);
        return made;
    }

    RegExp.prototype = prototype;
    K.define(prototype, 'constructor', RegExp);
    K.getter(RegExp, Symbol.species, function () { return this; });

    /* -- what a regular expression tells of itself ----------------------------------------- */

    /* The engine's own getters serve its own objects; one with an EXTRA has properties of its own instead. */
    ['hasIndices', 'dotAll', 'unicode', 'unicodeSets', 'sticky'].forEach(function (name) {
        K.getter(prototype, name, function () { return this === prototype ? undefined : false; });
    });

    function shown(source) {
        return source === '' ? '(?:)' : source.replace(/(^|[^\\])((?:\\\\)*)\//g, '$1$2\\/').replace(/\n/g, '\\n');
    }

    function describe(regexp, source, flags) {
        var sorted = '';
        for (var i = 0; i < FLAGS.length; i += 2) {
            var on = flags.indexOf(FLAGS[i + 1]) >= 0;
            K.define(regexp, FLAGS[i], on, true);
            if (on) sorted += FLAGS[i + 1];
        }
        K.define(regexp, 'source', shown(source), true);
        K.define(regexp, 'flags', sorted, true);
    }
    K.define(prototype, 'toString', function toString() { return '/' + this.source + '/' + this.flags; });

    /* -- exec and test --------------------------------------------------------------------- */

    function exec(text) {
        var extra = this[EXTRA];
        if (extra === undefined) return nativeExec(this, text);
        if (extra.refused !== undefined) throw new SyntaxError(extra.refused);
        text = String(text);
        var moving = extra.global || extra.sticky, kept = this.lastIndex, start = moving ? Math.max(Math.trunc(Number(kept)) || 0, 0) : 0;
        if (start > text.length) { this.lastIndex = 0; return null; }
        this.lastIndex = start;
        var match = nativeExec(this, text);
        if (match !== null && extra.sticky && match.pop() !== undefined) match = null;
        if (match === null) { this.lastIndex = moving ? 0 : kept; return null; }
        if (!moving) this.lastIndex = kept;
        match.groups = extra.groups === null ? undefined : named(extra.groups, match);
        return match;
    }

    function named(groups, match) {
        var made = Object.create(null);
        for (var name in groups) {
            made[name] = undefined;
            for (var i = 0; i < groups[name].length; i++) if (match[groups[name][i]] !== undefined) made[name] = match[groups[name][i]];
        }
        return made;
    }

    function test(text) {
        if (this.exec === exec && this[EXTRA] === undefined) return nativeTest(this, text);
        return run(this, String(text)) !== null;
    }

    /* RegExpExec: a subclass may have its own exec. */
    function run(regexp, text) {
        var own = regexp.exec;
        if (own === exec || typeof own !== 'function') return exec.call(regexp, text);
        var match = own.call(regexp, text);
        if (match !== null && typeof match !== 'object') throw new TypeError('exec of a regular expression gave neither an object nor null');
        return match;
    }

    K.define(prototype, 'exec', exec);
    K.define(prototype, 'test', test);

    /* -- the protocols --------------------------------------------------------------------- */

    function advance(regexp, text) {
        var at = regexp.lastIndex, first = text.charCodeAt(at);
        var pair = regexp.unicode && first >= 0xd800 && first < 0xdc00 && at + 1 < text.length;
        regexp.lastIndex = at + (pair ? 2 : 1);
    }

    function protocol(symbol, name, body) {
        Object.defineProperty(body, 'name', { value: name, configurable: true });
        K.define(prototype, symbol, body);
        return body;
    }

    protocol(MATCH, '[Symbol.match]', function (text) {
        text = String(text);
        if (K.isPlainRegExp(this)) return nativeMatch(text, this);
        if (!this.global) return run(this, text);
        var all = [], found;
        this.lastIndex = 0;
        while ((found = run(this, text)) !== null) {
            all[all.length] = String(found[0]);
            if (all[all.length - 1] === '') advance(this, text);
        }
        return all.length ? all : null;
    });

    protocol(Symbol.search, '[Symbol.search]', function (text) {
        var kept = this.lastIndex;
        if (kept !== 0) this.lastIndex = 0;
        var match = run(this, String(text));
        if (this.lastIndex !== kept) this.lastIndex = kept;
        return match === null ? -1 : match.index;
    });

    protocol(Symbol.matchAll, '[Symbol.matchAll]', function (text) {
        var constructor = this.constructor, Species = constructor && constructor[Symbol.species] || RegExp;
        var regexp = new Species(this, this.flags), all = this.global, done = false;
        text = String(text);
        regexp.lastIndex = this.lastIndex;
        var iterator = Object.create(matchIterator);
        K.hide(iterator, function () {
            var match = done ? null : run(regexp, text);
            if (match === null) { done = true; return { value: undefined, done: true }; }
            if (!all) done = true;
            else if (String(match[0]) === '') advance(regexp, text);
            return { value: match, done: false };
        });
        return iterator;
    });
    var matchIterator = Object.create(Iterator.prototype);
    K.define(matchIterator, 'next', function next() { return K.hidden(this)(); });
    K.define(matchIterator, Symbol.toStringTag, 'RegExp String Iterator', true);

    protocol(Symbol.split, '[Symbol.split]', function (text, limit) {
        text = String(text);
        if (K.isPlainRegExp(this) && !own(this, 'source')) return limit === undefined ? nativeSplit(text, this) : nativeSplit(text, this, limit);
        var made = [], most = limit === undefined ? 4294967295 : limit >>> 0, flags = this.flags;
        if (most === 0) return made;
        var constructor = this.constructor, Species = constructor && constructor[Symbol.species] || RegExp;
        var regexp = new Species(this, flags.indexOf('g') < 0 ? flags.replace('y', '') + 'g' : flags.replace('y', '')), from = 0, found;
        if (text === '') return run(regexp, text) === null ? [text] : made;
        regexp.lastIndex = 0;
        while ((found = run(regexp, text)) !== null) {
            var end = regexp.lastIndex;
            if (found[0] === '') advance(regexp, text);
            if (found.index >= text.length || found[0] === '' && found.index === from) continue;
            made[made.length] = text.slice(from, found.index);
            if (made.length === most) return made;
            for (var i = 1; i < found.length; i++) {
                made[made.length] = found[i];
                if (made.length === most) return made;
            }
            from = end;
        }
        made[made.length] = text.slice(from);
        return made;
    });

    builtinReplace = protocol(REPLACE, '[Symbol.replace]', function (text, replacement) {
        text = String(text);
        var computed = typeof replacement === 'function', plain = K.isPlainRegExp(this);
        if (!computed) {
            replacement = String(replacement);
            if (plain) return nativeReplace(text, this, replacement);
        }
        var all = this.global, made = '', from = 0, found;
        if (all) this.lastIndex = 0;
        while ((found = plain ? nativeExec(this, text) : run(this, text)) !== null) {
            var matched = String(found[0]), at = found.index;
            if (all && matched === '') advance(this, text);
            if (at >= from) {
                made += text.slice(from, at) + (computed ? String(called(replacement, found, matched, at, text)) : K.substitute(replacement, matched, at, text, found, found.groups));
                from = at + matched.length;
            }
            if (!all) break;
        }
        return from === 0 && made === '' ? text : made + text.slice(from);
    });

    function called(replacement, match, matched, at, text) {
        var groups = match.groups;
        if (match.length === 1 && groups === undefined) return replacement(matched, at, text);
        if (match.length === 2 && groups === undefined) return replacement(matched, match[1], at, text);
        var given = [matched];
        for (var i = 1; i < match.length; i++) given[i] = match[i];
        given[i] = at;
        given[i + 1] = text;
        if (groups !== undefined) given[i + 2] = groups;
        return replacement.apply(undefined, given);
    }

    /* GetSubstitution: $$ $& $` $' $n $nn $<name>. */
    K.substitute = function (template, matched, at, text, groups, names) {
        if (template.indexOf('$') < 0) return template;
        var made = '', from = 0, count = groups.length - 1;
        for (var i = template.indexOf('$'); i >= 0; i = template.indexOf('$', from)) {
            var next = template.charAt(i + 1), length = 2, put = null;
            if (next === '$') put = '$';
            else if (next === '&') put = matched;
            else if (next === '`') put = text.slice(0, at);
            else if (next === "'") put = text.slice(at + matched.length);
            else if (next === '<' && names !== undefined) {
                var close = template.indexOf('>', i);
                if (close >= 0) {
                    put = names[template.slice(i + 2, close)];
                    put = put === undefined ? '' : String(put);
                    length = close + 1 - i;
                }
            } else if (next >= '0' && next <= '9') {
                var two = Number(template.substr(i + 1, 2)), one = Number(next);
                if (/^\d\d$/.test(template.substr(i + 1, 2)) && two >= 1 && two <= count) { put = groups[two] === undefined ? '' : groups[two]; length = 3; }
                else if (one >= 1 && one <= count) put = groups[one] === undefined ? '' : groups[one];
            }
            made += template.slice(from, i) + (put === null ? '$' : put);
            from = i + (put === null ? 1 : length);
        }
        return made + template.slice(from);
    };

    /* The same question for one protocol, asked by strings.js. */
    K.plainFor = function (name) {
        var symbol = Symbol[name], builtin = prototype[symbol];
        // The engine splits by a copy, which it makes of the source.
        var copies = name === 'split';
        return function (value) { return value[symbol] === builtin && value.exec === exec && value[EXTRA] === undefined && !(copies && own(value, 'source')); };
    };

    /* True if the engine alone may match it: nothing special about it, and nobody replaced its methods. */
    K.isPlainRegExp = function (value) {
        return value[EXTRA] === undefined && value.exec === exec && value[REPLACE] === builtinReplace;
    };
    K.nativeExec = nativeExec;
    K.RegExp = RegExp;
    if (Native.escape) K.define(RegExp, 'escape', Native.escape);
    K.global('RegExp', RegExp);
}(__kernel));
