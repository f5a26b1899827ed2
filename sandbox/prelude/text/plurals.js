/*
 * Intl.PluralRules: the rules of CLDR for whole and decimal numbers, by families of languages.
 *
 * A language that is in none of them has English rules, and resolvedOptions() tells `en`.
 * n the number, i its whole part, v its decimals, f those as a number.
 */
(function (K) {
    'use strict';

    var option = K.Intl.option;
    function between(value, low, high) { return value >= low && value <= high; }

    var CARDINAL = [
        ['ja ko zh vi id th ms', function () { return 'other'; }],
        ['en de nl sv fi et nb no', function (n, i, v) { return i === 1 && v === 0 ? 'one' : 'other'; }],
        ['da', function (n, i, v, f) { return n === 1 || f !== 0 && (i === 0 || i === 1) ? 'one' : 'other'; }],
        ['el hu tr bg', function (n) { return n === 1 ? 'one' : 'other'; }],
        ['fr', function (n, i, v) { return i === 0 || i === 1 ? 'one' : i !== 0 && i % 1000000 === 0 && v === 0 ? 'many' : 'other'; }],
        ['es', function (n, i, v) { return n === 1 ? 'one' : i !== 0 && i % 1000000 === 0 && v === 0 ? 'many' : 'other'; }],
        ['pt', function (n, i, v) { return i === 0 || i === 1 ? 'one' : i !== 0 && i % 1000000 === 0 && v === 0 ? 'many' : 'other'; }],
        ['it ca pt-PT', function (n, i, v) { return i === 1 && v === 0 ? 'one' : i !== 0 && i % 1000000 === 0 && v === 0 ? 'many' : 'other'; }],
        ['cs sk', function (n, i, v) { return v !== 0 ? 'many' : i === 1 ? 'one' : between(i, 2, 4) ? 'few' : 'other'; }],
        ['pl', function (n, i, v) {
            if (v !== 0) return 'other';
            if (i === 1) return 'one';
            return between(i % 10, 2, 4) && !between(i % 100, 12, 14) ? 'few' : 'many';
        }],
        ['ru uk', function (n, i, v) {
            if (v !== 0) return 'other';
            if (i % 10 === 1 && i % 100 !== 11) return 'one';
            return between(i % 10, 2, 4) && !between(i % 100, 12, 14) ? 'few' : 'many';
        }],
        ['hr sr bs', function (n, i, v, f) {
            if (v === 0 && i % 10 === 1 && i % 100 !== 11 || f % 10 === 1 && f % 100 !== 11) return 'one';
            return v === 0 && between(i % 10, 2, 4) && !between(i % 100, 12, 14) || between(f % 10, 2, 4) && !between(f % 100, 12, 14) ? 'few' : 'other';
        }],
        ['sl', function (n, i, v) {
            if (v !== 0) return 'few';
            return i % 100 === 1 ? 'one' : i % 100 === 2 ? 'two' : i % 100 === 3 || i % 100 === 4 ? 'few' : 'other';
        }],
        ['lt', function (n, i, v, f) {
            if (f !== 0) return 'many';
            if (i % 10 === 1 && !between(i % 100, 11, 19)) return 'one';
            return between(i % 10, 2, 9) && !between(i % 100, 11, 19) ? 'few' : 'other';
        }],
        ['lv', function (n, i, v, f) {
            if (v === 0 && (i % 10 === 0 || between(i % 100, 11, 19)) || v === 2 && between(f % 100, 11, 19)) return 'zero';
            return v === 0 && i % 10 === 1 && i % 100 !== 11 || v === 2 && f % 10 === 1 && f % 100 !== 11 || v !== 2 && f % 10 === 1 ? 'one' : 'other';
        }],
        ['ro', function (n, i, v) { return i === 1 && v === 0 ? 'one' : v !== 0 || n === 0 || n !== 1 && between(i % 100, 1, 19) ? 'few' : 'other'; }],
        ['he', function (n, i, v) { return i === 1 && v === 0 || i === 0 && v !== 0 ? 'one' : i === 2 && v === 0 ? 'two' : 'other'; }],
        ['ar', function (n, i, v) {
            if (v !== 0) return 'other';
            return n === 0 ? 'zero' : n === 1 ? 'one' : n === 2 ? 'two' : between(n % 100, 3, 10) ? 'few' : between(n % 100, 11, 99) ? 'many' : 'other';
        }],
        ['hi fa bn', function (n, i) { return i === 0 || n === 1 ? 'one' : 'other'; }]
    ];
    function english(n) {
        return n % 10 === 1 && n % 100 !== 11 ? 'one' : n % 10 === 2 && n % 100 !== 12 ? 'two' : n % 10 === 3 && n % 100 !== 13 ? 'few' : 'other';
    }
    var ORDINAL = [
        ['en', english],
        ['de nl fi et nb no da el tr bg es pt cs sk pl ru hr sr bs sl lt lv he ar ja ko zh id th fa', function () { return 'other'; }],
        ['fr vi ms ro', function (n) { return n === 1 ? 'one' : 'other'; }],
        ['hu', function (n) { return n === 1 || n === 5 ? 'one' : 'other'; }],
        ['sv', function (n) { return (n % 10 === 1 || n % 10 === 2) && n % 100 !== 11 && n % 100 !== 12 ? 'one' : 'other'; }],
        ['it', function (n) { return n === 8 || n === 11 || n === 80 || n === 800 ? 'many' : 'other'; }],
        ['uk', function (n) { return n % 10 === 3 && n % 100 !== 13 ? 'few' : 'other'; }]
    ];
    var ORDER = ['zero', 'one', 'two', 'few', 'many', 'other'];

    function table(families) {
        var made = K.bare();
        families.forEach(function (family) { family[0].split(' ').forEach(function (name) { made[name] = family[1]; }); });
        return made;
    }
    var RULES = { cardinal: table(CARDINAL), ordinal: table(ORDINAL) };

    function ruleOf(state) { return RULES[state.type][state.locale] || RULES[state.type][state.locale.split('-')[0]]; }
    function choose(locales) {
        var tags = K.Intl.tagsOf(locales);
        for (var i = 0; i < tags.length; i++) {
            var language = tags[i].split('-')[0];
            if (RULES.cardinal[language]) return language === 'en' || RULES.cardinal[tags[i]] ? tags[i] : language;
        }
        return 'en-US';
    }

    /* What is counted is the number as it is written: 1 and 1.0 may differ. */
    function select(state, value) {
        var number = Math.abs(Number(value));
        if (!isFinite(number)) return 'other';
        var text = new Intl.NumberFormat('en-US', { useGrouping: false, minimumIntegerDigits: state.minimumIntegerDigits, minimumFractionDigits: state.minimumFractionDigits, maximumFractionDigits: state.maximumFractionDigits }).format(number);
        var parts = text.split('.'), decimals = parts[1] || '';
        return ruleOf(state)(Number(text), Number(parts[0]), decimals.length, Number(decimals || 0));
    }

    var PluralRules = K.Intl.define('PluralRules', function (locale, options) {
        var type = option(options, 'type', ['cardinal', 'ordinal'], 'cardinal'), state = { locale: locale, type: type };
        if (ruleOf(state) === undefined) state.locale = 'en';
        var digits = new Intl.NumberFormat('en-US', { minimumIntegerDigits: options.minimumIntegerDigits, minimumFractionDigits: options.minimumFractionDigits, maximumFractionDigits: options.maximumFractionDigits }).resolvedOptions();
        state.minimumIntegerDigits = digits.minimumIntegerDigits;
        state.minimumFractionDigits = digits.minimumFractionDigits;
        state.maximumFractionDigits = digits.maximumFractionDigits;
        return state;
    }, { select: function (value) { return select(K.hidden(this), value); } }, choose);
    var resolved = PluralRules.prototype.resolvedOptions;
    K.define(PluralRules.prototype, 'resolvedOptions', function resolvedOptions() {
        var made = resolved.call(this), seen = K.bare(), state = K.hidden(this);
        for (var n = 0; n <= 200; n++) seen[ruleOf(state)(n, n, 0, 0)] = true;
        seen[ruleOf(state)(1000000, 1000000, 0, 0)] = true;
        if (state.type === 'cardinal') for (var f = 1; f < 100; f++) seen[ruleOf(state)(f / 10, Math.floor(f / 10), 1, f % 10)] = true;
        else seen[ruleOf(state)(800, 800, 0, 0)] = true;
        made.pluralCategories = ORDER.filter(function (name) { return seen[name]; });
        return made;
    });
}(__kernel));
