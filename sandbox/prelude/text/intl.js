/*
 * Intl: numbers, dates and times as some fifty languages and regions write them, plurals, and English words.
 *
 * NumberFormat, DateTimeFormat (dates.js), PluralRules (plurals.js), RelativeTimeFormat, ListFormat, Collator.  Digits
 * are written by the rows of locales.js.  What takes words of another language is English here, and then
 * resolvedOptions() tells `en`, which is what the standard asks of an implementation that lacks a locale.
 */
(function (K) {
    'use strict';

    var Intl = {};
    K.define(Intl, Symbol.toStringTag, 'Intl', true);
    var NO_MINOR = { JPY: 0, KRW: 0, VND: 0, CLP: 0, ISK: 0, XAF: 0, XOF: 0, PYG: 0, UGX: 0, BHD: 3, KWD: 3, JOD: 3, OMR: 3, TND: 3 };

    /* What locales.js says of a locale, by its place there. */
    var ROWS = K.localeRows, rows = {}, DECIMAL = 0, GROUP = 1, LEAST_GROUP = 4, GROUPING = 5, MINUS = 6, PATTERNS = 7, SYMBOLS = 15, NARROW = 42;
    function rowOf(locale) {
        var made = rows[locale];
        if (made === undefined) made = rows[locale] = ROWS[K.own(ROWS, locale) ? locale : locale.split('-')[0]].split('|');
        return made;
    }

    /* A tag with its parts in their usual case and without extensions. */
    function canonicalTag(tag) {
        if (!/^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$/.test(tag)) throw new RangeError('Incorrect locale information provided: ' + K.quote(tag));
        return tag.replace(/-[A-Za-z0-9]-.*$/, '').split('-').map(function (part, i) {
            return i === 0 ? part.toLowerCase() : part.length === 4 && /^[A-Za-z]/.test(part) ? part.charAt(0).toUpperCase() + part.slice(1).toLowerCase() : part.length === 2 ? part.toUpperCase() : part.toLowerCase();
        }).join('-');
    }

    /* The locale that there is for a tag: itself, its language, or undefined. */
    function known(tag) {
        var language = tag.split('-')[0];
        if (K.own(ROWS, tag) || K.own(K.sameRegions, language) && tag === language + '-' + K.sameRegions[language]) return tag;
        return K.own(ROWS, language) ? language : undefined;
    }
    function tagsOf(locales) { return (locales === undefined ? [] : typeof locales === 'string' ? [locales] : Array.from(locales)).map(function (tag) { return canonicalTag(String(tag)); }); }
    function localeOf(locales) {
        var tags = tagsOf(locales);
        for (var i = 0; i < tags.length; i++) {
            var found = known(tags[i]);
            if (found !== undefined) return found;
        }
        return 'en-US';
    }
    /* The locale for what takes English words. */
    function english(locale) { return /^en(?:-US|-GB)?$/.test(locale) ? locale : 'en-US'; }

    function option(options, name, allowed, otherwise) {
        var value = options[name];
        if (value === undefined) return otherwise;
        value = String(value);
        if (allowed && allowed.indexOf(value) < 0) throw new RangeError('Value ' + value + ' out of range for Intl options property ' + name);
        return value;
    }

    function digits(options, name, low, high, otherwise) {
        if (options[name] === undefined) return otherwise;
        var value = Number(options[name]);
        if (!(value >= low && value <= high)) throw new RangeError(name + ' value is out of range.');
        return Math.floor(value);
    }

    /* A class of Intl: callable with and without new, with supportedLocalesOf and resolvedOptions. */
    function define(name, fill, methods, choose) {
        function Class(locales, options) {
            var made = this instanceof Class ? this : Object.create(Class.prototype);
            K.hide(made, fill((choose || localeOf)(locales), options === undefined || options === null ? {} : options));
            return made;
        }
        Object.defineProperty(Class, 'name', { value: name, configurable: true });
        K.define(Class.prototype, 'resolvedOptions', function resolvedOptions() { return Object.assign({}, K.hidden(this)); });
        K.define(Class.prototype, Symbol.toStringTag, 'Intl.' + name, true);
        K.define(Class, 'supportedLocalesOf', function supportedLocalesOf(locales) {
            return tagsOf(locales).filter(function (tag) { return choose === undefined ? known(tag) !== undefined : choose([tag]).split('-')[0] === tag.split('-')[0]; });
        });
        Object.keys(methods).forEach(function (method) { K.define(Class.prototype, method, methods[method]); });
        K.define(Intl, name, Class);
        return Class;
    }
    K.define(Intl, 'getCanonicalLocales', function getCanonicalLocales(locales) { return tagsOf(locales).filter(function (tag, i, all) { return all.indexOf(tag) === i; }); });

    /* -- numbers --------------------------------------------------------------------------- */

    function numberOptions(locale, options) {
        var style = option(options, 'style', ['decimal', 'percent', 'currency', 'unit'], 'decimal');
        var currency = options.currency === undefined ? undefined : String(options.currency).toUpperCase();
        if (style === 'currency' && currency === undefined) throw new TypeError('Currency code is required with currency style.');
        if (currency !== undefined && !/^[A-Z]{3}$/.test(currency)) throw new RangeError('Invalid currency code : ' + currency);
        var notation = option(options, 'notation', ['standard', 'compact', 'scientific', 'engineering'], 'standard');
        if (notation === 'scientific' || notation === 'engineering') throw new RangeError('The notation "' + notation + '" is not available in scripts; use toExponential()');
        if (style === 'unit') {
            if (options.unit === undefined) throw new TypeError('Unit is required with unit style.');
            if (!K.own(K.englishUnits, String(options.unit))) throw new RangeError('Invalid unit argument for Intl.NumberFormat() ' + K.quote(String(options.unit)) + ': scripts know kilometer, kilometer-per-hour and their like');
        }
        if (notation === 'compact' || style === 'unit') locale = english(locale);
        var minor = style === 'currency' ? NO_MINOR[currency] === undefined ? 2 : NO_MINOR[currency] : 0;
        var least = digits(options, 'minimumFractionDigits', 0, 100, undefined), most = digits(options, 'maximumFractionDigits', 0, 100, undefined);
        var usual = style === 'currency' ? minor : style === 'percent' || notation === 'compact' ? 0 : 3;
        if (least === undefined) least = most === undefined ? minor : Math.min(minor, most);
        if (most === undefined) most = Math.max(usual, least);
        if (least > most) throw new RangeError('maximumFractionDigits value is out of range.');
        var made = { locale: locale, numberingSystem: 'latn', style: style, notation: notation, minimumIntegerDigits: digits(options, 'minimumIntegerDigits', 1, 21, 1), minimumFractionDigits: least, maximumFractionDigits: most };
        if (currency !== undefined) { made.currency = currency; made.currencyDisplay = option(options, 'currencyDisplay', ['symbol', 'code', 'name', 'narrowSymbol'], 'symbol'); }
        if (made.currencyDisplay === 'name') throw new RangeError('Names of currencies are not available in scripts; use currencyDisplay: "code"');
        if (notation === 'compact') made.compactDisplay = option(options, 'compactDisplay', ['short', 'long'], 'short');
        if (options.unit !== undefined) { made.unit = String(options.unit); made.unitDisplay = option(options, 'unitDisplay', ['short', 'long', 'narrow'], 'short'); }
        if (options.maximumSignificantDigits !== undefined || options.minimumSignificantDigits !== undefined) {
            made.minimumSignificantDigits = digits(options, 'minimumSignificantDigits', 1, 21, 1);
            made.maximumSignificantDigits = digits(options, 'maximumSignificantDigits', 1, 21, 21);
        }
        made.useGrouping = options.useGrouping === undefined ? notation === 'compact' ? 'min2' : 'auto' : options.useGrouping;
        made.signDisplay = option(options, 'signDisplay', ['auto', 'never', 'always', 'exceptZero', 'negative'], 'auto');
        return made;
    }

    /* Decimal digits of a positive number with `most` fraction digits, rounded half away from zero. */
    function fixed(value, least, most) {
        var text = value < 1e21 ? rounded(value, most) : value.toLocaleString === undefined ? String(value) : bigText(value);
        var parts = text.split('.'), fraction = parts[1] || '';
        while (fraction.length > least && fraction.charAt(fraction.length - 1) === '0') fraction = fraction.slice(0, -1);
        while (fraction.length < least) fraction += '0';
        return [parts[0], fraction];
    }
    /* toFixed rounds the binary value; people expect that of the shortest decimal one. */
    function rounded(value, most) {
        var text = String(value), point = text.indexOf('.');
        if (text.indexOf('e') >= 0 || most > 20) return decimal(value, function (exponent) { return exponent + 1 + most; }).join('.');
        if (point < 0 || text.length - point - 1 <= most) return text;
        var kept = (text.slice(0, point) + text.slice(point + 1, point + 1 + most)).split(''), up = text.charAt(point + 1 + most) >= '5';
        for (var i = kept.length - 1; up && i >= 0; i--) {
            if (kept[i] === '9') kept[i] = '0';
            else { kept[i] = String(Number(kept[i]) + 1); up = false; }
        }
        var all = (up ? '1' : '') + kept.join(''), whole = all.length - most;
        return most === 0 ? all : all.slice(0, whole) + '.' + all.slice(whole);
    }
    /* The shortest decimal digits of a positive number, of which `keep(exponent of ten)` are kept: [whole, fraction]. */
    function decimal(value, keep) {
        var parts = /^(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(value.toExponential()), text = parts[1] + (parts[2] || ''), exponent = Number(parts[3]), kept = keep(exponent);
        if (kept < text.length) {
            var up = kept >= 0 && text.charAt(kept) >= '5', digits = kept > 0 ? text.slice(0, kept).split('') : [];
            for (var i = digits.length - 1; up && i >= 0; i--) {
                up = digits[i] === '9';
                digits[i] = up ? '0' : String(Number(digits[i]) + 1);
            }
            if (up) { digits.unshift('1'); exponent++; }
            text = digits.join('') || '0';
        }
        while (text.length <= exponent) text += '0';
        for (var j = exponent; j < 0; j++) text = '0' + text;
        return exponent < 0 ? [text.charAt(0), text.slice(1)] : [text.slice(0, exponent + 1), text.slice(exponent + 1)];
    }
    function bigText(value) {
        var parts = /^(\d)(?:\.(\d+))?e\+(\d+)$/.exec(String(value));
        if (!parts) return String(value);
        var made = parts[1] + (parts[2] || '');
        while (made.length <= Number(parts[3])) made += '0';
        return made;
    }

    function significant(value, least, most) {
        if (value === 0) return fixed(0, least - 1, least - 1);
        var parts = decimal(value, function () { return most; }), shown = parts[1].replace(/0+$/, '');
        var used = parts[0] === '0' ? shown.replace(/^0+/, '').length : parts[0].length + shown.length;
        for (; used < least; used++) shown += '0';
        return [parts[0], shown];
    }

    function grouped(whole, separator, least, inTwos) {
        return whole.length < least ? whole : whole.replace(inTwos ? /\B(?=(?:\d{2})*\d{3}$)/g : /\B(?=(?:\d{3})+$)/g, separator);
    }

    var LARGE = { short: ['', 'K', 'M', 'B', 'T'], long: ['', ' thousand', ' million', ' billion', ' trillion'] };
    function numberParts(state, value) {
        var digits = K.isBigInt(value) && state.notation !== 'compact' && state.maximumSignificantDigits === undefined ? K.bigText(value) : null;
        var number = digits === null ? Number(value) : digits.charAt(0) === '-' ? -1 : Number(digits !== '0'), suffix = '', parts = [], row = rowOf(state.locale), of = state.style === 'currency' ? 2 : 0, decimal = row[DECIMAL + of], group = row[GROUP + of];
        // By its decimal digits: 1.005 * 100 is less than 100.5.
        if (state.style === 'percent' && number - number === 0) number = Number(number.toExponential().replace(/e(.+)$/, function (all, exponent) { return 'e' + (Number(exponent) + 2); }));
        var negative = number < 0 || number === 0 && 1 / number < 0, size = Math.abs(number);
        if (size !== size) parts.push(['nan', 'NaN']);
        else if (size === Infinity) parts.push(['infinity', '\u221e']);
        else {
            if (state.notation === 'compact') {
                var step = size >= 999.5e9 ? 4 : size >= 999.5e6 ? 3 : size >= 999.5e3 ? 2 : size >= 1000 ? 1 : 0;
                suffix = LARGE[state.compactDisplay][step];
                size /= Math.pow(1000, step);
            }
            var both = digits !== null ? [digits.replace('-', '') + (state.style === 'percent' && digits !== '0' ? '00' : ''), new Array(state.minimumFractionDigits + 1).join('0')] : state.maximumSignificantDigits !== undefined ? significant(size, state.minimumSignificantDigits, state.maximumSignificantDigits)
                : state.notation === 'compact' && size < 100 && size !== Math.round(size) && state.maximumFractionDigits === 0 ? significant(size, 1, 2)
                    : fixed(size, state.minimumFractionDigits, state.maximumFractionDigits);
            while (both[0].length < state.minimumIntegerDigits) both[0] = '0' + both[0];
            if (!/[1-9]/.test(both[0] + both[1])) negative = negative && (state.signDisplay === 'auto' || state.signDisplay === 'always');
            var least = state.useGrouping === false || state.useGrouping === 'false' ? Infinity : state.useGrouping === 'min2' || row[LEAST_GROUP] === '2' && state.useGrouping !== 'always' && state.useGrouping !== true ? 5 : 4;
            var runs = grouped(both[0], '|', least, row[GROUPING] === '2').split('|');
            for (var i = 0; i < runs.length; i++) parts.push(['group', i ? group : ''], ['integer', runs[i]]);
            if (both[1] !== '') parts.push(['decimal', decimal], ['fraction', both[1]]);
            if (suffix) parts.push(['literal', suffix.charAt(0) === ' ' ? ' ' : ''], ['compact', suffix.trim()]);
        }
        return decorated(state, parts, negative, row);
    }

    function symbolOf(state, row) {
        if (state.currencyDisplay === 'code') return state.currency;
        var narrow = state.currencyDisplay === 'narrowSymbol', usual = narrow ? K.narrowSymbols : K.currencySymbols;
        var match = new RegExp('(?:^|;)' + state.currency + '([^;]+)').exec(row[narrow ? NARROW : SYMBOLS]);
        return match ? match[1] : K.own(usual, state.currency) ? usual[state.currency] : state.currency;
    }

    /* The digits with sign, currency and percent sign, where the locale has them. */
    function decorated(state, digits, negative, row) {
        var some = digits.some(function (part) { return /[1-9\u221e]/.test(part[1]); }), display = state.signDisplay;
        var sign = display === 'never' ? '' : negative ? '-' : display === 'always' || display === 'exceptZero' && some ? '+' : '';
        var symbol = state.style === 'currency' ? symbolOf(state, row) : '', at = PATTERNS + (sign === '' ? 0 : 1);
        if (state.style === 'percent') at += 2;
        if (state.style === 'currency') at += /[A-Za-z]/.test(symbol.charAt(row[PATTERNS + 4].charAt(0) === '*' ? symbol.length - 1 : 0)) ? 6 : 4;
        var pattern = row[at], parts = [];
        if (state.style === 'unit') {
            var shown = K.englishUnits[state.unit].split('|'), one = joined(digits) === '1' ? 0 : 1;
            pattern = (sign === '' ? '' : '-') + shown[{ short: 0, long: 2, narrow: 4 }[state.unitDisplay] + one];
        }
        for (var i = 0; i < pattern.length; i++) {
            var mark = pattern.charAt(i), last = parts[parts.length - 1];
            if (mark === '#') parts = parts.concat(digits);
            else if (mark === '*') parts.push(['currency', symbol]);
            else if (mark === '-' && (state.style !== 'unit' || i === 0)) parts.push(sign === '-' ? ['minusSign', row[MINUS]] : ['plusSign', '+']);
            else if (mark === '%' && state.style === 'percent') parts.push(['percentSign', '%']);
            else {
                var type = state.style === 'unit' && mark !== ' ' ? 'unit' : 'literal';
                if (last && last[0] === type) last[1] += mark;
                else parts.push([type, mark]);
            }
        }
        return parts.filter(function (part) { return part[1] !== ''; });
    }

    function joined(parts) { return parts.map(function (part) { return part[1]; }).join(''); }
    function asParts(parts) { return parts.map(function (part) { return { type: part[0], value: part[1] }; }); }

    var NumberFormat = define('NumberFormat', numberOptions, {
        formatToParts: function formatToParts(value) { return asParts(numberParts(K.hidden(this), value)); },
        formatRange: function formatRange(from, to) { return this.format(from) + '\u2013' + this.format(to); }
    });
    function bound(Class, format) {
        K.getter(Class.prototype, 'format', function () {
            var state = K.hidden(this);
            return function (value) { return format(state, value); };
        });
    }
    bound(NumberFormat, function (state, value) { return joined(numberParts(state, value)); });
    K.define(Number.prototype, 'toLocaleString', function toLocaleString(locales, options) { return new NumberFormat(locales, options).format(this); });

    /* -- words ----------------------------------------------------------------------------- */

    define('ListFormat', function (locale, options) {
        return { locale: english(locale), type: option(options, 'type', ['conjunction', 'disjunction', 'unit'], 'conjunction'), style: option(options, 'style', ['long', 'short', 'narrow'], 'long') };
    }, {
        format: function format(items) {
            var list = Array.from(items), state = K.hidden(this), word = state.type === 'disjunction' ? 'or' : state.type === 'unit' ? '' : state.style === 'long' ? 'and' : '&';
            if (list.length < 2) return list.join('');
            var narrow = state.style === 'narrow', between = narrow && state.type === 'unit' ? ' ' : ', ';
            var comma = list.length > 2 && state.locale !== 'en-GB' ? ', ' : ' ';
            var end = state.type === 'unit' ? between : narrow && state.type === 'conjunction' ? ', ' : comma + (state.locale === 'en-GB' && state.type === 'conjunction' ? 'and' : word) + ' ';
            return list.slice(0, -1).join(between) + end + list[list.length - 1];
        }
    });

    var UNITS = ['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'];
    var SHORT = { second: ['sec.', 'sec.', 's'], minute: ['min.', 'min.', 'm'], hour: ['hr.', 'hr.', 'h'], day: ['day', 'days', 'd'], week: ['wk.', 'wk.', 'w'], month: ['mo.', 'mo.', 'mo'], quarter: ['qtr.', 'qtrs.', 'q'], year: ['yr.', 'yr.', 'y'] };
    define('RelativeTimeFormat', function (locale, options) {
        return { locale: english(locale), numeric: option(options, 'numeric', ['always', 'auto'], 'always'), style: option(options, 'style', ['long', 'short', 'narrow'], 'long') };
    }, {
        format: function format(value, unit) {
            unit = String(unit).replace(/s$/, '');
            if (UNITS.indexOf(unit) < 0) throw new RangeError('Invalid unit argument for format() ' + K.quote(unit));
            var number = Number(value), state = K.hidden(this), past = number < 0 || 1 / number < 0, size = Math.abs(number);
            if (state.numeric === 'auto') {
                if (unit === 'day' && size <= 1) return size === 0 ? 'today' : past ? 'yesterday' : 'tomorrow';
                if (unit === 'second' && size === 0) return 'now';
                if (size === 0) return 'this ' + unit;
                if (size === 1 && UNITS.indexOf(unit) > 2) return (past ? 'last ' : 'next ') + unit;
            }
            var digits = new NumberFormat('en-US').format(size), text = state.style === 'long' ? digits + ' ' + unit + (size === 1 ? '' : 's') : digits + (state.style === 'short' ? ' ' : '') + SHORT[unit][state.style === 'short' ? size === 1 ? 0 : 1 : 2];
            return past ? text + ' ago' : 'in ' + text;
        }
    });

    /* -- order and characters -------------------------------------------------------------- */

    function folded(text) {
        return String(text).normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase();
    }
    function natural(a, b) {
        var left = a.match(/\d+|\D+/g) || [], right = b.match(/\d+|\D+/g) || [];
        for (var i = 0; i < left.length && i < right.length; i++) {
            if (left[i] === right[i]) continue;
            if (/^\d/.test(left[i]) && /^\d/.test(right[i]) && Number(left[i]) !== Number(right[i])) return Number(left[i]) - Number(right[i]);
            return left[i] < right[i] ? -1 : 1;
        }
        return left.length - right.length;
    }
    function compare(state, a, b) {
        a = String(a);
        b = String(b);
        var x = folded(a), y = folded(b), first = state.numeric ? natural(x, y) : x < y ? -1 : x > y ? 1 : 0;
        if (first !== 0 || state.sensitivity === 'base') return first < 0 ? -1 : first > 0 ? 1 : 0;
        x = a.normalize('NFD').toLowerCase();
        y = b.normalize('NFD').toLowerCase();
        if (state.sensitivity !== 'case' && x !== y) return x < y ? -1 : 1;
        if (state.sensitivity === 'accent' || a === b) return 0;
        return a > b ? -1 : 1;
    }
    var Collator = define('Collator', function (locale, options) {
        return { locale: english(locale), usage: 'sort', sensitivity: option(options, 'sensitivity', ['base', 'accent', 'case', 'variant'], 'variant'), numeric: !!options.numeric };
    }, {});
    K.getter(Collator.prototype, 'compare', function () {
        var state = K.hidden(this);
        return function (a, b) { return compare(state, a, b); };
    });
    K.define(String.prototype, 'localeCompare', function localeCompare(other, locales, options) { return new Collator(locales, options).compare(this, other); });

    K.Intl = { define: define, rowOf: rowOf, english: english, tagsOf: tagsOf, option: option, bound: bound, joined: joined, asParts: asParts };
    K.global('Intl', Intl);
}(__kernel));
