/*
 * Patterns of one component of an address, as the URL Pattern standard reads them.
 *
 *   K.patternTokens(text, lenient)             tokens: { type, index, value }; what is wrong throws, or is "invalid"
 *   K.patternComponent(text, encode, options)  { pattern, names, regexp, groups } for the text of a component
 *
 * A pattern becomes tokens, the tokens parts, and the parts a regular expression and the pattern in its canonical
 * form.  `encode` canonicalises fixed text as a URL would; `options` has `delimiter`, `prefix` and `ignoreCase`.
 * https://urlpattern.spec.whatwg.org/
 */
(function (K) {
    'use strict';

    var NAME_FIRST = /[A-Za-z_$\u00aa\u00b5\u00ba\u00c0-\uffff]/, NAME = /[\w$\u00aa\u00b5\u00b7\u00ba\u00c0-\uffff]/, TYPES = { '*': 'asterisk', '+': 'modifier', '?': 'modifier', '{': 'open', '}': 'close' };

    function wrong(text, why) { return new TypeError('URLPattern: ' + K.quote(text) + ' is not a valid pattern: ' + why); }
    K.wrongPattern = wrong;

    /* The end of a group that begins at `at`, after its parenthesis; what is wrong with it as a text. */
    function groupEnd(text, at) {
        for (var depth = 1, from = at + 1; from < text.length; from++) {
            var character = text.charAt(from);
            if (character > '\u007f') return 'a group may hold ASCII only';
            if (character === '?' && from === at + 1) return 'a group must not begin with ?';
            if (character === '\\') {
                if (from === text.length - 1 || text.charAt(++from) > '\u007f') return 'a \\ escapes nothing';
            } else if (character === ')') {
                if (--depth === 0) return from === at + 1 ? 'a group is empty' : from;
            } else if (character === '(') {
                depth++;
                if (text.charAt(from + 1) !== '?') return 'a group in a group must begin with ?';
            }
        }
        return 'a ( is not closed';
    }

    K.patternTokens = function (text, lenient) {
        var tokens = [], at = 0;
        function add(type, value, next) {
            tokens[tokens.length] = { type: type, index: at, value: value };
            at = next;
        }
        function invalid(why) {
            if (!lenient) throw wrong(text, why);
            add('invalid', text.charAt(at), at + 1);
        }
        while (at < text.length) {
            var character = text.charAt(at), next = at + 1;
            if (TYPES[character] !== undefined) add(TYPES[character], character, next);
            else if (character === '\\') {
                if (next === text.length) invalid('a \\ escapes nothing');
                else add('escaped', text.charAt(next), next + 1);
            } else if (character === ':') {
                while (next < text.length && (next === at + 1 ? NAME_FIRST : NAME).test(text.charAt(next))) next++;
                if (next === at + 1) invalid('a : is followed by no name');
                else add('name', text.slice(at + 1, next), next);
            } else if (character === '(') {
                var end = groupEnd(text, at);
                if (typeof end === 'string') invalid(end);
                else add('regexp', text.slice(at + 1, end), end + 1);
            } else add('char', character, next);
        }
        add('end', '', at);
        return tokens;
    };

    /* Parts: { type: fixed|regexp|segment|wildcard, name, value, prefix, suffix, modifier }. */
    function partsOf(text, encode, options, segment) {
        var tokens = K.patternTokens(text, false), parts = [], names = [], fixed = '', at = 0, numeric = 0;
        function take(type) { return tokens[at].type === type ? tokens[at++] : null; }
        function required(type) { if (take(type) === null) throw wrong(text, type === 'close' ? 'a { is not closed' : K.quote(tokens[at].value) + ' stands where it means nothing'); }
        function regexpOrWildcard(name) { return take('regexp') || (name === null ? take('asterisk') : null); }
        function modifier() { return take('modifier') || take('asterisk'); }
        function plainText() {
            var found = '', token;
            while ((token = take('char') || take('escaped')) !== null) found += token.value;
            return found;
        }
        function flush() {
            if (fixed === '') return;
            parts[parts.length] = { type: 'fixed', name: '', value: encode(fixed), prefix: '', suffix: '', modifier: '' };
            fixed = '';
        }
        function add(prefix, name, regexp, suffix, times) {
            var repeated = times === null ? '' : times.value;
            if (name === null && regexp === null && repeated === '') { fixed += prefix; return; }
            flush();
            if (name === null && regexp === null) {
                if (prefix !== '') parts[parts.length] = { type: 'fixed', name: '', value: encode(prefix), prefix: '', suffix: '', modifier: repeated };
                return;
            }
            var value = regexp === null ? segment : regexp.type === 'asterisk' ? '.*' : regexp.value, called = name !== null ? name.value : String(numeric++);
            if (names.indexOf(called) >= 0) throw wrong(text, 'the name ' + called + ' occurs twice');
            names[names.length] = called;
            var type = value === segment ? 'segment' : value === '.*' ? 'wildcard' : 'regexp';
            parts[parts.length] = { type: type, name: called, value: value, prefix: encode(prefix), suffix: encode(suffix), modifier: repeated };
        }
        while (at < tokens.length) {
            var character = take('char'), name = take('name'), regexp = regexpOrWildcard(name);
            if (name !== null || regexp !== null) {
                var prefix = character === null ? '' : character.value;
                if (prefix !== '' && prefix !== options.prefix) { fixed += prefix; prefix = ''; }
                flush();
                add(prefix, name, regexp, '', modifier());
                continue;
            }
            var one = character || take('escaped');
            if (one !== null) { fixed += one.value; continue; }
            if (take('open') !== null) {
                var before = plainText(), inner = take('name'), within = regexpOrWildcard(inner), after = plainText();
                required('close');
                add(before, inner, within, after, modifier());
                continue;
            }
            flush();
            required('end');
        }
        return { parts: parts, names: names };
    }

    function forRegExp(text) { return text.replace(/[.+*?^${}()[\]|\/\\]/g, '\\$&'); }
    function forPattern(text) { return text.replace(/[+*?:{}()\\]/g, '\\$&'); }
    K.patternText = forPattern;

    function regexpOf(parts) {
        var made = '^';
        for (var i = 0; i < parts.length; i++) {
            var part = parts[i], value = part.value, times = part.modifier, before = forRegExp(part.prefix), after = forRegExp(part.suffix), many = times === '*' || times === '+';
            if (part.type === 'fixed') made += times === '' ? forRegExp(value) : '(?:' + forRegExp(value) + ')' + times;
            else if (before === '' && after === '') made += many ? '((?:' + value + ')' + times + ')' : '(' + value + ')' + times;
            else if (!many) made += '(?:' + before + '(' + value + ')' + after + ')' + times;
            else made += '(?:' + before + '((?:' + value + ')(?:' + after + before + '(?:' + value + '))*)' + after + ')' + (times === '*' ? '?' : '');
        }
        return made + '$';
    }

    /* Whether a part must stand in braces, so that it is read back as what it is. */
    function needsBraces(parts, i, options, named) {
        var part = parts[i], before = parts[i - 1], next = parts[i + 1];
        if (part.suffix !== '' || part.prefix !== '' && part.prefix !== options.prefix) return true;
        if (named && part.type === 'segment' && part.modifier === '' && next !== undefined && next.prefix === '' && next.suffix === '') {
            if (next.type === 'fixed' ? NAME.test(next.value.charAt(0)) : /^\d/.test(next.name)) return true;
        }
        return part.prefix === '' && options.prefix !== '' && before !== undefined && before.type === 'fixed' && before.value.slice(-1) === options.prefix;
    }

    function patternOf(parts, options, segment) {
        var made = '';
        for (var i = 0; i < parts.length; i++) {
            var part = parts[i], before = parts[i - 1], named = /^[^\d]/.test(part.name);
            if (part.type === 'fixed') { made += part.modifier === '' ? forPattern(part.value) : '{' + forPattern(part.value) + '}' + part.modifier; continue; }
            var braces = needsBraces(parts, i, options, named);
            made += (braces ? '{' : '') + forPattern(part.prefix) + (named ? ':' + part.name : '');
            if (part.type === 'regexp') made += '(' + part.value + ')';
            else if (part.type === 'segment' && !named) made += '(' + segment + ')';
            else if (part.type === 'wildcard') made += !named && (before === undefined || before.type === 'fixed' || before.modifier !== '' || braces || part.prefix !== '') ? '*' : '(.*)';
            if (part.type === 'segment' && named && NAME.test(part.suffix.charAt(0))) made += '\\';
            made += forPattern(part.suffix) + (braces ? '}' : '') + part.modifier;
        }
        return made;
    }

    K.patternComponent = function (text, encode, options) {
        var segment = '[^' + forRegExp(options.delimiter) + ']+?', read = partsOf(text, encode, options, segment), regexp;
        try {
            regexp = new RegExp(regexpOf(read.parts), options.ignoreCase ? 'i' : '');
        } catch (error) {
            throw wrong(text, String(error.message));
        }
        return { pattern: patternOf(read.parts, options, segment), names: read.names, regexp: regexp, groups: read.parts.some(function (part) { return part.type === 'regexp'; }) };
    };
}(__kernel));
