/*
 * Intl.DateTimeFormat and Date's toLocale methods: what is written with digits by the rows of locales.js, words in
 * English; UTC and zones of a fixed offset.
 *
 * There is no time zone database in the sandbox; a named zone other than UTC is refused with that reason
 * rather than answered wrongly.
 */
(function (K) {
    'use strict';

    var MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];
    var DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
    var option = K.Intl.option, WIDTHS = ['numeric', '2-digit', 'long', 'short', 'narrow'], NUMBERS = ['numeric', '2-digit'];
    var STYLES = {
        date: { full: { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' }, long: { year: 'numeric', month: 'long', day: 'numeric' }, medium: { year: 'numeric', month: 'short', day: 'numeric' }, short: { year: '2-digit', month: 'numeric', day: 'numeric' } },
        time: { full: { hour: 'numeric', minute: '2-digit', second: '2-digit', timeZoneName: 'short' }, long: { hour: 'numeric', minute: '2-digit', second: '2-digit', timeZoneName: 'short' }, medium: { hour: 'numeric', minute: '2-digit', second: '2-digit' }, short: { hour: 'numeric', minute: '2-digit' } }
    };
    var FIELDS = { weekday: ['long', 'short', 'narrow'], era: WIDTHS, year: NUMBERS, month: WIDTHS, day: NUMBERS, hour: NUMBERS, minute: NUMBERS, second: NUMBERS };

    function zone(name) {
        if (name === undefined || /^(?:UTC|GMT|Etc\/UTC|Etc\/GMT|Universal|Zulu)$/i.test(name)) return { name: 'UTC', minutes: 0 };
        var match = /^([+-])(\d\d):?(\d\d)$/.exec(name);
        if (match) return { name: String(name), minutes: (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3])) };
        throw new RangeError('Invalid time zone specified: ' + name + ' (the sandbox knows UTC and offsets such as +02:00)');
    }

    function settings(locale, options, required, defaults) {
        var made = { locale: locale, calendar: 'gregory', numberingSystem: 'latn', timeZone: zone(options.timeZone).name }, any = false;
        Object.keys(FIELDS).forEach(function (field) {
            var value = option(options, field, FIELDS[field], undefined);
            if (value === undefined) return;
            made[field] = value;
            if (required === 'any' || (required === 'date') === /weekday|year|month|day/.test(field)) any = true;
        });
        ['date', 'time'].forEach(function (kind) {
            var style = option(options, kind + 'Style', ['full', 'long', 'medium', 'short'], undefined);
            if (style === undefined) return;
            any = true;
            made[kind + 'Style'] = style;
            Object.assign(made, STYLES[kind][style]);
        });
        if (!any && (defaults === 'date' || defaults === 'all')) Object.assign(made, { year: 'numeric', month: 'numeric', day: 'numeric' });
        if (!any && (defaults === 'time' || defaults === 'all')) Object.assign(made, { hour: 'numeric', minute: '2-digit', second: '2-digit' });
        if (options.fractionalSecondDigits !== undefined) made.fractionalSecondDigits = Number(options.fractionalSecondDigits);
        if (options.timeZoneName !== undefined) made.timeZoneName = String(options.timeZoneName);
        K.define(made, 'pattern', patternOf(made, locale));
        if (made.pattern === undefined) made.locale = locale = K.Intl.english(locale);
        if (made.hour !== undefined) {
            made.hour12 = options.hour12 !== undefined ? !!options.hour12 : options.hourCycle !== undefined ? /^h1[12]$/.test(options.hourCycle) : K.Intl.rowOf(locale)[HOURS] === '12';
            made.hourCycle = made.hour12 ? 'h12' : 'h23';
        }
        return made;
    }

    /* Of the rows of locales.js: the hours of a day, the names of its halves, and the patterns. */
    var HOURS = 16, HALVES = 17, DATES = 19, TIMES = 28, GLUE = 40;
    var DATE_FIELDS = ['nnn', 'n22', '222', '2nn', 'nn-', 'n2-', '-nn', '-22'], TIME_FIELDS = ['nnn', 'nn-', '2nn', '2n-'];

    /* Which patterns write a date and a time without words; undefined if there are none, and English is written. */
    function patternOf(made, locale) {
        if (made.weekday || made.era || made.timeZoneName || made.fractionalSecondDigits) return undefined;
        function width(value) { return value === undefined ? '-' : value === 'numeric' ? 'n' : value === '2-digit' ? '2' : 'w'; }
        var date = -1, time = -1, some = made.year || made.month || made.day, minute = made.minute && 'n', second = made.second && 'n';
        if (made.dateStyle !== undefined) date = made.dateStyle === 'short' ? 8 : undefined;
        else if (some) date = DATE_FIELDS.indexOf(width(made.year) + width(made.month) + width(made.day));
        if (made.timeStyle !== undefined) time = made.timeStyle === 'medium' ? 4 : made.timeStyle === 'short' ? 5 : undefined;
        else if (made.hour || minute || second) time = TIME_FIELDS.indexOf(width(made.hour) + (minute || '-') + (second || '-'));
        if (date === undefined || time === undefined || date < 0 && some || time < 0 && (made.hour || minute || second)) return undefined;
        return { date: date, time: time, glue: made.dateStyle === undefined ? 0 : 1 };
    }

    function writtenBy(state, at) {
        var row = K.Intl.rowOf(state.locale), chosen = state.pattern, hour = at.getUTCHours();
        var date = chosen.date < 0 ? '' : row[DATES + chosen.date], time = chosen.time < 0 ? '' : row[TIMES + 2 * chosen.time + (state.hour12 ? 0 : 1)];
        var text = date === '' || time === '' ? date + time : row[GLUE + chosen.glue].replace('{1}', date).replace('{0}', time), parts = [];
        var shown = { y: ['year', at.getUTCFullYear()], M: ['month', at.getUTCMonth() + 1], d: ['day', at.getUTCDate()], h: ['hour', !state.hour12 ? hour : /^ja/.test(state.locale) ? hour % 12 : hour % 12 || 12], m: ['minute', at.getUTCMinutes()], s: ['second', at.getUTCSeconds()] };
        text.split(/(%(?:yy?|MM?|dd?|hh?|mm?|ss?|a))/).forEach(function (piece, i) {
            var field = shown[piece.charAt(1)];
            if (i % 2 === 0) parts.push(['literal', piece]);
            else if (field === undefined) parts.push(['dayPeriod', row[HALVES + (hour < 12 ? 0 : 1)]]);
            else parts.push([field[0], piece.length === 3 ? two(field[1] % 100) : String(field[1])]);
        });
        return parts.filter(function (part) { return part[1] !== ''; });
    }

    function two(value) { return value < 10 ? '0' + value : String(value); }
    function number(value, width) { return width === '2-digit' ? two(value % 100) : String(value); }
    function word(list, index, width) { return width === 'long' ? list[index] : list[index].slice(0, width === 'narrow' ? 1 : 3); }

    function partsOf(state, value) {
        var time = value === undefined ? Date.now() : Number(value);
        if (!isFinite(time)) throw new RangeError('Invalid time value');
        var at = new Date(time + zone(state.timeZone).minutes * 60000);
        if (state.pattern !== undefined) return writtenBy(state, at);
        var date = dateParts(state, at), clock = clockParts(state, at);
        if (date.length && clock.length) date.push(['literal', state.dateStyle === 'full' || state.dateStyle === 'long' ? ' at ' : ', ']);
        return date.concat(clock);
    }

    function dateParts(state, at) {
        var parts = [], textMonth = state.month !== undefined && NUMBERS.indexOf(state.month) < 0, british = /^en-(?!US)/i.test(state.locale) || !/^en/i.test(state.locale);
        var day = state.day && ['day', number(at.getUTCDate(), state.day)], year = state.year && ['year', number(at.getUTCFullYear(), state.year)];
        var month = state.month && ['month', textMonth ? word(MONTHS, at.getUTCMonth(), state.month) : number(at.getUTCMonth() + 1, british && state.day ? '2-digit' : state.month)];
        if (british && day && month && !textMonth) day[1] = two(at.getUTCDate());
        if (state.weekday && month && !day && !year) return [month, ['literal', ' '], ['weekday', word(DAYS, at.getUTCDay(), state.weekday)]];
        function add(part, before) {
            if (!part) return;
            if (parts.length) parts.push(['literal', before]);
            parts.push(part);
        }
        add(state.weekday && ['weekday', word(DAYS, at.getUTCDay(), state.weekday)], '');
        if (british) {
            add(day, year ? ', ' : ' ');
            add(month, textMonth ? ' ' : day ? '/' : ', ');
            add(year, textMonth ? ' ' : '/');
        } else {
            add(month, ', ');
            add(day, month ? textMonth ? ' ' : '/' : ', ');
            add(year, textMonth ? day ? ', ' : ' ' : month || day ? '/' : ', ');
        }
        return parts;
    }

    function clockParts(state, at) {
        var parts = [], hour = at.getUTCHours();
        if (state.hour) parts.push(['hour', state.hour12 ? number(hour % 12 || 12, state.hour) : two(hour)]);
        if (state.minute) parts.push(['literal', ':'], ['minute', state.hour || state.minute === '2-digit' ? two(at.getUTCMinutes()) : String(at.getUTCMinutes())]);
        if (state.second) parts.push(['literal', ':'], ['second', state.minute || state.second === '2-digit' ? two(at.getUTCSeconds()) : String(at.getUTCSeconds())]);
        if (parts.length && parts[0][0] === 'literal') parts.shift();
        if (state.fractionalSecondDigits) parts.push(['literal', '.'], ['fractionalSecond', ('00' + at.getUTCMilliseconds()).slice(-3).slice(0, state.fractionalSecondDigits)]);
        if (state.hour && state.hour12) parts.push(['literal', ' '], ['dayPeriod', hour < 12 ? 'AM' : 'PM']);
        if (state.timeZoneName) parts.push(['literal', ' '], ['timeZoneName', state.timeZone === 'UTC' ? 'UTC' : 'GMT' + state.timeZone]);
        return parts;
    }

    var DateTimeFormat = K.Intl.define('DateTimeFormat', function (locale, options) {
        return settings(locale, options, 'any', 'date');
    }, {
        formatToParts: function formatToParts(value) { return K.Intl.asParts(partsOf(K.hidden(this), value)); },
        formatRange: function formatRange(from, to) { return this.format(from) + ' \u2013 ' + this.format(to); }
    });
    /* As one text: like V8, with plain spaces for narrow ones. */
    function written(state, value) { return K.Intl.joined(partsOf(state, value)).replace(/\u202f/g, ' '); }
    K.Intl.bound(DateTimeFormat, written);

    function dateMethod(name, required, defaults) {
        var holder = {};
        holder[name] = function (locales, options) {
            if (isNaN(this.getTime())) return 'Invalid Date';
            var format = new DateTimeFormat(locales), locale = K.hidden(format).locale;
            return written(settings(locale, options || {}, required, defaults), this.getTime());
        };
        K.define(Date.prototype, name, holder[name]);
    }
    dateMethod('toLocaleString', 'any', 'all');
    dateMethod('toLocaleDateString', 'date', 'date');
    dateMethod('toLocaleTimeString', 'time', 'time');
}(__kernel));
