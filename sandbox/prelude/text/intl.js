/*
 * Intl, thin and honest: English forms and what the numbers and dates themselves say.
 *
 * NumberFormat (decimal, percent, currency, unit, compact), DateTimeFormat (UTC and fixed offsets),
 * PluralRules, RelativeTimeFormat, ListFormat, Collator, Segmenter (by character).  A few separators of
 * other languages are known; resolvedOptions() tells the locale that was really used, which is what
 * the standard asks of an implementation that lacks one.
 */
(function (K) {
    'use strict';

    var Intl = {};
    K.define(Intl, Symbol.toStringTag, 'Intl', true);
    /* decimal point and group separator by language; the rest is written the English way */
    var SEPARATORS = { en: '.,', de: ',.', es: ',.', it: ',.', nl: ',.', pt: ',.', id: ',.', tr: ',.', da: ',.', fr: ',\u202f', ru: ',\u00a0', uk: ',\u00a0', pl: ',\u00a0', cs: ',\u00a0', sk: ',\u00a0', fi: ',\u00a0', sv: ',\u00a0', nb: ',\u00a0', no: ',\u00a0', hu: ',\u00a0', ja: '.,', zh: '.,', ko: '.,', he: '.,', th: '.,' };
    var SYMBOLS = { USD: '$', EUR: '\u20ac', GBP: '\u00a3', JPY: '\u00a5', INR: '\u20b9', CNY: 'CN\u00a5', KRW: '\u20a9', BRL: 'R$', AUD: 'A$', CAD: 'CA$', NZD: 'NZ$', MXN: 'MX$', HKD: 'HK$', ILS: '\u20aa', VND: '\u20ab', TWD: 'NT$', XAF: 'FCFA', PHP: '\u20b1' };
    var NO_MINOR = { JPY: 0, KRW: 0, VND: 0, CLP: 0, ISK: 0, XAF: 0, XOF: 0, PYG: 0, UGX: 0, BHD: 3, KWD: 3, JOD: 3, OMR: 3, TND: 3 };

    function localeOf(locales) {
        var list = locales === undefined ? [] : typeof locales === 'string' ? [locales] : Array.from(locales);
        for (var i = 0; i < list.length; i++) {
            var name = String(list[i]);
            if (!/^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$/.test(name)) throw new RangeError('Incorrect locale information provided: ' + K.quote(name));
            if (SEPARATORS[name.split('-')[0].toLowerCase()]) return name;
        }
        return 'en-US';
    }

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
    function define(name, fill, methods) {
        function Class(locales, options) {
            var made = this instanceof Class ? this : Object.create(Class.prototype);
            K.hide(made, fill(localeOf(locales), options === undefined || options === null ? {} : options));
            return made;
        }
        Object.defineProperty(Class, 'name', { value: name, configurable: true });
        K.define(Class.prototype, 'resolvedOptions', function resolvedOptions() { return Object.assign({}, K.hidden(this)); });
        K.define(Class.prototype, Symbol.toStringTag, 'Intl.' + name, true);
        K.define(Class, 'supportedLocalesOf', function supportedLocalesOf(locales) {
            return (typeof locales === 'string' ? [locales] : Array.from(locales || [])).filter(function (locale) { return !!SEPARATORS[String(locale).split('-')[0].toLowerCase()]; });
        });
        Object.keys(methods).forEach(function (method) { K.define(Class.prototype, method, methods[method]); });
        K.define(Intl, name, Class);
        return Class;
    }
    K.define(Intl, 'getCanonicalLocales', function getCanonicalLocales(locales) { return locales === undefined ? [] : typeof locales === 'string' ? [locales] : Array.from(locales); });

    /* -- numbers --------------------------------------------------------------------------- */

    function numberOptions(locale, options) {
        var style = option(options, 'style', ['decimal', 'percent', 'currency', 'unit'], 'decimal');
        var currency = options.currency === undefined ? undefined : String(options.currency).toUpperCase();
        if (style === 'currency' && currency === undefined) throw new TypeError('Currency code is required with currency style.');
        if (currency !== undefined && !/^[A-Z]{3}$/.test(currency)) throw new RangeError('Invalid currency code : ' + currency);
        var notation = option(options, 'notation', ['standard', 'compact', 'scientific', 'engineering'], 'standard');
        var minor = style === 'currency' ? NO_MINOR[currency] === undefined ? 2 : NO_MINOR[currency] : 0;
        var least = digits(options, 'minimumFractionDigits', 0, 100, undefined), most = digits(options, 'maximumFractionDigits', 0, 100, undefined);
        var usual = style === 'currency' ? minor : style === 'percent' || notation === 'compact' ? 0 : 3;
        if (least === undefined) least = most === undefined ? minor : Math.min(minor, most);
        if (most === undefined) most = Math.max(usual, least);
        if (least > most) throw new RangeError('maximumFractionDigits value is out of range.');
        var made = { locale: locale, numberingSystem: 'latn', style: style, notation: notation, minimumIntegerDigits: digits(options, 'minimumIntegerDigits', 1, 21, 1), minimumFractionDigits: least, maximumFractionDigits: most };
        if (currency !== undefined) { made.currency = currency; made.currencyDisplay = option(options, 'currencyDisplay', ['symbol', 'code', 'name', 'narrowSymbol'], 'symbol'); }
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
        if (text.indexOf('e') >= 0 || most > 20) return value.toFixed(Math.min(most, 20));
        if (point < 0 || text.length - point - 1 <= most) return text;
        var kept = (text.slice(0, point) + text.slice(point + 1, point + 1 + most)).split(''), up = text.charAt(point + 1 + most) >= '5';
        for (var i = kept.length - 1; up && i >= 0; i--) {
            if (kept[i] === '9') kept[i] = '0';
            else { kept[i] = String(Number(kept[i]) + 1); up = false; }
        }
        var all = (up ? '1' : '') + kept.join(''), whole = all.length - most;
        return most === 0 ? all : all.slice(0, whole) + '.' + all.slice(whole);
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
        var exponent = Math.floor(Math.log10(value)), shown = Number(value.toPrecision(Math.min(most, 21)));
        return fixed(shown, Math.max(0, least - 1 - exponent), Math.max(0, most - 1 - exponent));
    }

    function grouped(whole, separator, least) {
        return whole.length < least ? whole : whole.replace(/\B(?=(\d{3})+$)/g, separator);
    }

    function numberParts(state, value) {
        var number = Number(value), suffix = '', parts = [], marks = SEPARATORS[state.locale.split('-')[0].toLowerCase()];
        if (state.style === 'percent') number *= 100;
        var negative = number < 0 || number === 0 && 1 / number < 0, size = Math.abs(number);
        if (size !== size) parts.push(['nan', 'NaN']);
        else if (size === Infinity) parts.push(['infinity', '\u221e']);
        else {
            if (state.notation === 'compact') {
                var step = size >= 999.5e9 ? 4 : size >= 999.5e6 ? 3 : size >= 999.5e3 ? 2 : size >= 1000 ? 1 : 0;
                suffix = ['', 'K', 'M', 'B', 'T'][step];
                size /= Math.pow(1000, step);
            }
            var both = state.maximumSignificantDigits !== undefined ? significant(size, state.minimumSignificantDigits, state.maximumSignificantDigits)
                : state.notation === 'compact' && size < 100 && size !== Math.round(size) && state.maximumFractionDigits === 0 ? significant(size, 1, 2)
                    : fixed(size, state.minimumFractionDigits, state.maximumFractionDigits);
            while (both[0].length < state.minimumIntegerDigits) both[0] = '0' + both[0];
            if (!/[1-9]/.test(both[0] + both[1])) negative = negative && state.signDisplay === 'auto';
            var least = state.useGrouping === false || state.useGrouping === 'false' ? Infinity : state.useGrouping === 'min2' || /^(?:es|pt|pl)/.test(state.locale) ? 5 : 4;
            var runs = grouped(both[0], marks.charAt(1), least).split(marks.charAt(1));
            for (var i = 0; i < runs.length; i++) parts.push(['group', i ? marks.charAt(1) : ''], ['integer', runs[i]]);
            if (both[1] !== '') parts.push(['decimal', marks.charAt(0)], ['fraction', both[1]]);
            if (suffix) parts.push(['compact', suffix]);
        }
        return decorated(state, parts, negative);
    }

    function decorated(state, parts, negative) {
        var sign = state.signDisplay === 'never' ? '' : negative ? '-' : state.signDisplay === 'always' || state.signDisplay === 'exceptZero' && parts.some(function (part) { return /[1-9]/.test(part[1]); }) ? '+' : '';
        var english = SEPARATORS[state.locale.split('-')[0].toLowerCase()].charAt(0) === '.';
        if (state.style === 'percent') parts.push(['literal', english ? '' : '\u00a0'], ['percentSign', '%']);
        if (state.style === 'unit') parts.push(['literal', ' '], ['unit', state.unit]);
        if (state.style === 'currency') {
            var symbol = state.currencyDisplay === 'code' || state.currencyDisplay === 'name' ? state.currency : SYMBOLS[state.currency] || state.currency;
            if (state.currencyDisplay === 'narrowSymbol') symbol = symbol.replace(/^[A-Z]+(?=[^A-Z])/, '');
            if (english) parts.unshift(['currency', symbol], ['literal', /[A-Z]$/.test(symbol) ? '\u00a0' : '']);
            else parts.push(['literal', '\u00a0'], ['currency', symbol]);
        }
        if (sign) parts.unshift([sign === '-' ? 'minusSign' : 'plusSign', sign]);
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

    function plural(state, value) {
        var number = Math.abs(Number(value));
        if (state.type !== 'ordinal') return number === 1 ? 'one' : 'other';
        var ten = number % 10, hundred = number % 100;
        return ten === 1 && hundred !== 11 ? 'one' : ten === 2 && hundred !== 12 ? 'two' : ten === 3 && hundred !== 13 ? 'few' : 'other';
    }
    define('PluralRules', function (locale, options) {
        return { locale: 'en', type: option(options, 'type', ['cardinal', 'ordinal'], 'cardinal') };
    }, { select: function select(value) { return plural(K.hidden(this), value); } });

    define('ListFormat', function (locale, options) {
        return { locale: 'en', type: option(options, 'type', ['conjunction', 'disjunction', 'unit'], 'conjunction'), style: option(options, 'style', ['long', 'short', 'narrow'], 'long') };
    }, {
        format: function format(items) {
            var list = Array.from(items), state = K.hidden(this), word = state.type === 'disjunction' ? 'or' : state.type === 'unit' ? '' : state.style === 'long' ? 'and' : '&';
            if (list.length < 2) return list.join('');
            var end = state.type === 'unit' ? ', ' : (list.length > 2 ? ', ' : ' ') + word + ' ';
            return list.slice(0, -1).join(', ') + end + list[list.length - 1];
        }
    });

    var UNITS = ['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'];
    define('RelativeTimeFormat', function (locale, options) {
        return { locale: 'en', numeric: option(options, 'numeric', ['always', 'auto'], 'always'), style: option(options, 'style', ['long', 'short', 'narrow'], 'long') };
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
            var text = new NumberFormat('en-US').format(size) + ' ' + unit + (size === 1 ? '' : 's');
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
        return { locale: 'en', usage: 'sort', sensitivity: option(options, 'sensitivity', ['base', 'accent', 'case', 'variant'], 'variant'), numeric: !!options.numeric };
    }, {});
    K.getter(Collator.prototype, 'compare', function () {
        var state = K.hidden(this);
        return function (a, b) { return compare(state, a, b); };
    });
    K.define(String.prototype, 'localeCompare', function localeCompare(other, locales, options) { return new Collator(locales, options).compare(this, other); });

    K.Intl = { define: define, option: option, bound: bound, joined: joined, asParts: asParts };
    K.global('Intl', Intl);
}(__kernel));
