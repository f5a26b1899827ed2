/*
 * Dates as text, both ways: Date.parse, and toString and its kin.
 *
 * The engine's own parser takes dates that do not exist, reads local times as UTC and knows ISO forms only; its
 * printer has a form of its own.  The standard fixes the ISO form and what toString, toDateString, toTimeString and
 * toUTCString print (ECMA-262, 21.4.1.32 and 21.4.4.41); of the loose forms it says nothing, and what people rely
 * on is what browsers and node take.  The rules for them here:
 *
 *   words       months by three letters or more, am and pm, Z, UT, UTC, GMT and the zones of the USA; any other word
 *               is ignored in front of the first number and refused behind it; what stands in parentheses is ignored
 *   numbers     one before ":" is of the time, and so is what follows it; others are of the date: month, day, year,
 *               or year, month, day if the first can be no day; with a month's name day, year, or year, day
 *   years       of 0 to 49 are of 2000, of 50 to 99 of 1900
 *   offsets     a sign behind a time or a zone, with hh, hhmm or hh:mm
 *
 * K.parseDate(text) -> milliseconds or NaN; K.httpDate(date) -> the form of RFC 9110.
 */
(function (K, global) {
    'use strict';

    var NativeDate = K.NativeDate, prototype = NativeDate.prototype, nativeParse = NativeDate.parse, nativeUTC = NativeDate.UTC;
    var test = K.captured.test, codeAt = K.captured.charCodeAt, slice = K.captured.slice, floor = Math.floor, toNumber = Number;
    var DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'], MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

    /* -- reading --------------------------------------------------------------------------- */

    /* What the engine's own parser reads rightly: most dates are of this form. */
    var USUAL = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])(?:T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{3})?)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d))?$/;
    var NUMBER = 1, WORD = 2, SIGN = 3, SYMBOL = 4, SPACE = 5, OTHER = 6, END = 7;
    var WORDS = K.bare();
    (function () {
        for (var i = 0; i < 12; i++) WORDS[MONTHS[i].toLowerCase()] = { month: i + 1 };
        WORDS.am = { noon: 0 };
        WORDS.pm = { noon: 12 };
        WORDS.t = { t: true };
        var zones = { ut: 0, utc: 0, z: 0, gmt: 0, est: -5, edt: -4, cst: -6, cdt: -5, mst: -7, mdt: -6, pst: -8, pdt: -7 };
        for (var name in zones) WORDS[name] = { zone: zones[name], z: name === 'z' };
    }());

    function isLetter(code) { return code >= 65 && !isSpace(code); }
    function isSpace(code) { return code === 32 || code >= 9 && code <= 13 || code === 160 || code === 0xfeff || code === 0x2028 || code === 0x2029 || code === 0x1680 || code >= 0x2000 && code <= 0x200a || code === 0x202f || code === 0x205f || code === 0x3000; }
    function isDigit(code) { return code >= 48 && code <= 57; }

    /* All parts of a text, in order, and one that says that it ends. */
    function partsOf(text) {
        var parts = [], at = 0, length = text.length;
        while (at < length) {
            var from = at, code = codeAt(text, at);
            if (isDigit(code)) {
                while (at < length && isDigit(codeAt(text, at))) at++;
                parts[parts.length] = { kind: NUMBER, digits: slice(text, from, at), value: toNumber(slice(text, from, at)) };
            } else if (isLetter(code)) {
                while (at < length && isLetter(codeAt(text, at))) at++;
                var known = WORDS[slice(text, from, at - from > 3 ? from + 3 : at).toLowerCase()];
                // Only a month may be longer than three letters.
                if (at - from > 3 && known !== undefined && known.month === undefined) known = undefined;
                parts[parts.length] = { kind: WORD, known: known };
            } else if (isSpace(code)) {
                while (at < length && isSpace(codeAt(text, at))) at++;
                parts[parts.length] = { kind: SPACE };
            } else if (code === 40) {
                at = behindParentheses(text, at);
                parts[parts.length] = { kind: OTHER };
            } else {
                at++;
                parts[parts.length] = code === 43 || code === 45 ? { kind: SIGN, sign: 44 - code } : code === 58 || code === 46 || code === 41 ? { kind: SYMBOL, code: code } : { kind: OTHER };
            }
        }
        parts[parts.length] = { kind: END };
        return parts;
    }

    function behindParentheses(text, at) {
        var open = 0;
        do {
            var code = codeAt(text, at++);
            if (code === 40) open++;
            else if (code === 41) open--;
        } while (open > 0 && at < text.length);
        return at;
    }

    /* What is known of a date while it is read; `at` is the next part. */
    function Reading(parts) {
        this.parts = parts;
        this.at = 0;
        this.days = [];
        this.month = 0;
        this.times = [];
        this.full = false;
        this.noon = -1;
        this.sign = 0;
        this.zoneHour = -1;
        this.zoneMinute = -1;
        this.iso = false;
    }
    function peek(reading) { return reading.parts[reading.at]; }
    function isSymbol(part, code) { return part.kind === SYMBOL && part.code === code; }
    function skip(reading, code) {
        var part = peek(reading);
        if (code === 45 ? part.kind !== SIGN || part.sign !== -1 : !isSymbol(part, code)) return false;
        reading.at++;
        return true;
    }
    /* A number of so many digits between two values. */
    function fits(part, digits, low, high) { return part.kind === NUMBER && part.digits.length === digits && part.value >= low && part.value <= high; }

    function milliseconds(digits) { return toNumber(slice(digits + '00', 0, 3)); }

    var LOOSE = 0, READ = 1, WRONG = 2;

    /* The standard's own form; LOOSE if it is another one, from the part at which reading stands. */
    function readIso(reading) {
        var part = peek(reading), days = reading.days;
        if (part.kind === SIGN) {
            var year = reading.parts[1];
            if (year.kind !== NUMBER || year.digits.length !== 6) return LOOSE;
            reading.at = 2;
            // There is no year minus zero.
            if (part.sign < 0 && year.value === 0) return LOOSE;
            days[0] = part.sign * year.value;
        } else if (fits(part, 4, 0, 9999)) {
            days[0] = part.value;
            reading.at = 1;
        } else return LOOSE;
        if (skip(reading, 45)) {
            if (!fits(peek(reading), 2, 1, 12)) return LOOSE;
            days[1] = reading.parts[reading.at++].value;
            if (skip(reading, 45)) {
                if (!fits(peek(reading), 2, 1, 31)) return LOOSE;
                days[2] = reading.parts[reading.at++].value;
            }
        }
        part = peek(reading);
        if (part.kind === WORD && part.known !== undefined && part.known.t) {
            reading.at++;
            if (!readIsoTime(reading) || !readIsoZone(reading) || peek(reading).kind !== END) return WRONG;
        } else if (part.kind !== END) return LOOSE;
        else setZone(reading, 0);
        reading.iso = true;
        return READ;
    }

    function readIsoTime(reading) {
        var part = reading.parts[reading.at++], times = reading.times, most = part.value === 24 ? 0 : 59;
        if (!fits(part, 2, 0, 24) || !skip(reading, 58) || !fits(peek(reading), 2, 0, most)) return false;
        times[0] = part.value;
        times[1] = reading.parts[reading.at++].value;
        if (!skip(reading, 58)) return true;
        if (!fits(peek(reading), 2, 0, most)) return false;
        times[2] = reading.parts[reading.at++].value;
        if (!skip(reading, 46)) return true;
        part = reading.parts[reading.at++];
        if (part.kind !== NUMBER || most === 0 && part.value > 0) return false;
        times[3] = milliseconds(part.digits);
        return true;
    }

    function readIsoZone(reading) {
        var part = peek(reading);
        if (part.kind === WORD && part.known !== undefined && part.known.z) {
            reading.at++;
            setZone(reading, 0);
            return true;
        }
        if (part.kind !== SIGN) return true;
        reading.at++;
        reading.sign = part.sign;
        part = reading.parts[reading.at++];
        if (part.kind !== NUMBER) return false;
        if (part.digits.length === 4) {
            reading.zoneHour = floor(part.value / 100);
            reading.zoneMinute = part.value % 100;
            return reading.zoneHour <= 23 && reading.zoneMinute <= 59;
        }
        if (!fits(part, 2, 0, 23) || !skip(reading, 58) || !fits(peek(reading), 2, 0, 59)) return false;
        reading.zoneHour = part.value;
        reading.zoneMinute = reading.parts[reading.at++].value;
        return true;
    }

    function setZone(reading, hours) {
        reading.sign = hours < 0 ? -1 : 1;
        reading.zoneHour = hours < 0 ? -hours : hours;
        reading.zoneMinute = 0;
    }

    function addTime(reading, value) {
        if (reading.full || reading.times.length > 3) return false;
        reading.times[reading.times.length] = value;
        return true;
    }
    /* Whether a number goes on with a time that has begun. */
    function expectsTime(reading, value) {
        var count = reading.full ? 4 : reading.times.length;
        return (count === 1 || count === 2) && value < 60 || count === 3 && value < 1000;
    }

    /* Any other form, from where reading stands; false if it is none. */
    function readLoose(reading) {
        var seen = reading.days.length > 0;
        for (;;) {
            var part = reading.parts[reading.at++];
            if (part.kind === END) return true;
            if (part.kind === NUMBER) {
                seen = true;
                if (!readNumber(reading, part)) return false;
            } else if (part.kind === WORD) {
                var known = part.known;
                if (known !== undefined && known.noon !== undefined && reading.times.length > 0) reading.noon = known.noon;
                else if (known !== undefined && known.month !== undefined) {
                    reading.month = known.month;
                    skip(reading, 45);
                } else if (known !== undefined && known.zone !== undefined && seen) setZone(reading, known.zone);
                else if (seen || peek(reading).kind === NUMBER) return false;
            } else if (part.kind === SIGN && (reading.times.length > 0 || reading.zoneHour === 0 && reading.zoneMinute === 0)) {
                seen = true;
                if (!readOffset(reading, part)) return false;
            } else if (seen && (part.kind === SIGN || isSymbol(part, 41))) return false;
        }
    }

    function readNumber(reading, part) {
        var value = part.value;
        if (skip(reading, 58)) {
            if (skip(reading, 58)) {
                if (reading.times.length > 0) return false;
                return addTime(reading, value) && addTime(reading, 0);
            }
            if (!addTime(reading, value)) return false;
            if (isSymbol(peek(reading), 46)) reading.at++;
            return true;
        }
        var dot = skip(reading, 46);
        if (dot && expectsTime(reading, value)) {
            addTime(reading, value);
            part = reading.parts[reading.at++];
            if (part.kind !== NUMBER) return false;
            addTime(reading, milliseconds(part.digits));
            reading.full = true;
            return true;
        }
        if (reading.zoneHour >= 0 && reading.zoneMinute < 0 && value < 60) {
            reading.zoneMinute = value;
            return true;
        }
        if (expectsTime(reading, value)) {
            addTime(reading, value);
            reading.full = true;
            var next = peek(reading);
            return next.kind === END || next.kind === SPACE || next.kind === SIGN || next.kind === WORD && next.known !== undefined && next.known.z === true;
        }
        if (reading.days.length > 2) return false;
        reading.days[reading.days.length] = value;
        skip(reading, 45);
        return true;
    }

    function readOffset(reading, part) {
        var value = 0, length = 0;
        reading.sign = part.sign;
        if (peek(reading).kind === NUMBER) {
            var number = reading.parts[reading.at++];
            value = number.value;
            length = number.digits.length;
        }
        if (isSymbol(peek(reading), 58)) {
            reading.zoneHour = value;
            reading.zoneMinute = -1;
        } else if (length === 1 || length === 2) {
            reading.zoneHour = value;
            reading.zoneMinute = 0;
        } else if (length === 3 || length === 4) {
            reading.zoneHour = floor(value / 100);
            reading.zoneMinute = value % 100;
        } else return false;
        return true;
    }

    function timeOf(reading) {
        var days = reading.days, year, month, day, times = reading.times;
        if (days.length === 0) return NaN;
        var count = days.length, first = days[0], second = count > 1 ? days[1] : 1, third = count > 2 ? days[2] : 1;
        if (reading.month > 0) {
            month = reading.month;
            if (first < 1 || first > 31) { year = first; day = second; } else { day = first; year = second; }
        } else if (reading.iso || first < 1 || first > 31) { year = first; month = second; day = third; } else { month = first; day = second; year = third; }
        if (!reading.iso && year >= 0 && year < 100) year += year < 50 ? 2000 : 1900;
        if (month < 1 || month > 12 || day < 1 || day > 31 || year > 1e6) return NaN;
        var hour = times.length > 0 ? times[0] : 0, minute = times.length > 1 ? times[1] : 0, second60 = times.length > 2 ? times[2] : 0, ms = times.length > 3 ? times[3] : 0;
        if (reading.noon >= 0) {
            if (hour > 12) return NaN;
            hour = hour % 12 + reading.noon;
        }
        if ((hour > 23 || minute > 59 || second60 > 59 || ms > 999) && (hour !== 24 || minute > 0 || second60 > 0 || ms > 0)) return NaN;
        return composed(reading, [year, month - 1, day, hour, minute, second60, ms]);
    }

    /* Without an offset a time is a local one. */
    function composed(reading, parts) {
        if (reading.sign === 0) {
            var local = new NativeDate(2000, 0, 1);
            local.setFullYear(parts[0], parts[1], parts[2]);
            local.setHours(parts[3], parts[4], parts[5], parts[6]);
            return local.getTime();
        }
        var offset = (reading.zoneHour > 0 ? reading.zoneHour * 60 : 0) + (reading.zoneMinute > 0 ? reading.zoneMinute : 0);
        return clipped(utc(parts) - reading.sign * offset * 60000);
    }

    /* The most days from 1970 that a date may be away. */
    function clipped(time) { return time >= -8.64e15 && time <= 8.64e15 ? time > -1 && time < 1 ? 0 : time : NaN; }

    /* Date.UTC for four-digit years as well; unlike the engine's it may be a little beyond what a Date can hold. */
    function utc(parts) {
        var day = nativeUTC(2000 + parts[0] % 400, parts[1], parts[2]) / 864e5 + floor((parts[0] - parts[0] % 400 - 2000) / 400) * 146097;
        return day * 864e5 + parts[3] * 36e5 + parts[4] * 6e4 + parts[5] * 1e3 + parts[6];
    }

    function parseDate(text) {
        if (test(USUAL, text)) return nativeParse(text);
        var reading = new Reading(partsOf(text)), read = readIso(reading);
        return read === WRONG || read === LOOSE && !readLoose(reading) ? NaN : timeOf(reading);
    }
    K.parseDate = parseDate;

    K.define(global.Date, 'parse', function parse(text) { return parseDate(String(text)); });

    var holder = { UTC: function (year, month) {
        var fields = [toNumber(year), arguments.length > 1 ? toNumber(month) : 0, 1, 0, 0, 0, 0];
        for (var i = 2; i < arguments.length && i < 7; i++) fields[i] = toNumber(arguments[i]);
        for (var j = 0; j < 7; j++) {
            if (!isFinite(fields[j])) return NaN;
            fields[j] = fields[j] < 0 ? Math.ceil(fields[j]) : floor(fields[j]);
        }
        if (fields[0] >= 0 && fields[0] <= 99) fields[0] += 1900;
        return nativeUTC(fields[0], fields[1], fields[2], fields[3], fields[4], fields[5], fields[6]);
    } };
    Object.defineProperty(holder.UTC, 'length', { value: 7, configurable: true });
    K.define(global.Date, 'UTC', holder.UTC);

    /* -- changing -------------------------------------------------------------------------- */

    var setTime = K.free(prototype.setTime), apply = K.captured.apply, holderOf = {}, DAY_AT = { Date: 0, Month: 1, FullYear: 2 };
    /*
     * Without an argument the engine's setters change nothing; a month that is not given is no number.  From a day the
     * engine takes one before it rounds, so that half a day would be the next one.
     */
    ['Milliseconds', 'Seconds', 'Minutes', 'Hours', 'Date', 'Month', 'FullYear'].forEach(function (field) {
        ['set' + field, 'setUTC' + field].forEach(function (name) {
            var native = prototype[name];
            var at = DAY_AT[field];
            holderOf[name] = function () {
                if (arguments.length > at) arguments[at] = K.wholeDay(arguments[at]);
                return arguments.length === 0 ? setTime(this, NaN) : apply(native, this, arguments);
            };
            Object.defineProperty(holderOf[name], 'name', { value: name, configurable: true });
            Object.defineProperty(holderOf[name], 'length', { value: native.length, configurable: true });
            K.define(prototype, name, holderOf[name]);
        });
    });

    K.define(prototype, 'setTime', { setTime: function (time) { return setTime(this, clipped(toNumber(time))); } }.setTime);

    /* -- writing --------------------------------------------------------------------------- */

    function two(number) { return number < 10 ? '0' + number : '' + number; }
    function yearText(year) {
        var size = year < 0 ? -year : year;
        return (year < 0 ? '-' : '') + (size < 1000 ? slice('000' + size, -4) : size);
    }
    function dayText(date) { return DAYS[date.getDay()] + ' ' + MONTHS[date.getMonth()] + ' ' + two(date.getDate()) + ' ' + yearText(date.getFullYear()); }
    function clockText(date) {
        var offset = -date.getTimezoneOffset(), size = offset < 0 ? -offset : offset;
        return two(date.getHours()) + ':' + two(date.getMinutes()) + ':' + two(date.getSeconds()) +
            ' GMT' + (offset < 0 ? '-' : '+') + two(floor(size / 60)) + two(size % 60) + (offset === 0 ? ' (Coordinated Universal Time)' : '');
    }

    /* IMF-fixdate (RFC 9110, 5.6.7), which is also what toUTCString prints. */
    K.httpDate = function (when) {
        return DAYS[when.getUTCDay()] + ', ' + two(when.getUTCDate()) + ' ' + MONTHS[when.getUTCMonth()] + ' ' + yearText(when.getUTCFullYear()) +
            ' ' + two(when.getUTCHours()) + ':' + two(when.getUTCMinutes()) + ':' + two(when.getUTCSeconds()) + ' GMT';
    };

    function method(name, text) {
        var made = {};
        made[name] = function () { return isNaN(prototype.getTime.call(this)) ? 'Invalid Date' : text(this); };
        Object.defineProperty(made[name], 'name', { value: name, configurable: true });
        K.define(prototype, name, made[name]);
    }
    method('toString', function (date) { return dayText(date) + ' ' + clockText(date); });
    method('toDateString', dayText);
    method('toTimeString', clockText);
    method('toUTCString', function (date) { return K.httpDate(date); });
    K.define(prototype, 'toGMTString', prototype.toUTCString);
}(__kernel, globalThis));
