/*
 * Makes sandbox/prelude/text/locales.js of what node's Intl (CLDR) writes.
 *
 * Run as `node tests/support/tables/locale_tables.mjs > sandbox/prelude/text/locales.js` with the node of the build.
 * Only what is written with digits is taken: numbers, currencies, percent, and dates and times without words.
 */
const LOCALES = ['en', 'en-GB', 'en-CA', 'en-AU', 'en-NZ', 'en-IE', 'en-ZA', 'en-IN', 'de', 'de-AT', 'de-CH', 'fr', 'fr-CA', 'fr-CH', 'fr-BE', 'es', 'es-MX', 'es-AR', 'es-CO',
  'it', 'it-CH', 'pt', 'pt-PT', 'nl', 'nl-BE', 'sv', 'da', 'nb', 'fi', 'et', 'lv', 'lt', 'pl', 'cs', 'sk', 'sl', 'hr', 'hu', 'ro', 'bg', 'el', 'tr', 'ru', 'uk', 'he', 'id', 'vi',
  'ca', 'ja', 'ko', 'zh', 'zh-TW'];
/* Regions that write as their language does. */
const SAME = { en: 'US', de: 'DE', fr: 'FR', es: 'ES', it: 'IT', pt: 'BR', nl: 'NL', sv: 'SE', da: 'DK', fi: 'FI', et: 'EE', lv: 'LV', lt: 'LT', pl: 'PL', cs: 'CZ', sk: 'SK', sl: 'SI', hr: 'HR', hu: 'HU', ro: 'RO', bg: 'BG', el: 'GR', tr: 'TR', ru: 'RU', uk: 'UA', he: 'IL', id: 'ID', vi: 'VN', ca: 'ES', ja: 'JP', ko: 'KR', zh: 'CN' };
const CURRENCIES = ['USD', 'EUR', 'GBP', 'JPY', 'INR', 'CNY', 'KRW', 'BRL', 'AUD', 'CAD', 'NZD', 'MXN', 'HKD', 'ILS', 'VND', 'TWD', 'XAF', 'PHP', 'CHF', 'SEK', 'NOK', 'DKK', 'PLN', 'CZK', 'HUF', 'TRY', 'RUB', 'UAH', 'IDR', 'ZAR', 'SGD', 'THB', 'RON', 'BGN', 'ARS', 'COP'];
const [n, d] = ['numeric', '2-digit'];
const DATES = [
  { year: n, month: n, day: n }, { year: n, month: d, day: d }, { year: d, month: d, day: d }, { year: d, month: n, day: n },
  { year: n, month: n }, { year: n, month: d }, { month: n, day: n }, { month: d, day: d }, { dateStyle: 'short' },
];
const TIMES = [{ hour: n, minute: n, second: n }, { hour: n, minute: n }, { hour: d, minute: d, second: d }, { hour: d, minute: d }, { timeStyle: 'medium' }, { timeStyle: 'short' }];
const MORNING = Date.UTC(2003, 3, 5, 6, 7, 8), EVENING = Date.UTC(2003, 3, 5, 18, 7, 8);
const LETTERS = { year: ['y', 'yy'], month: ['M', 'MM'], day: ['d', 'dd'], hour: ['h', 'hh'], minute: ['m', 'mm'], second: ['s', 'ss'] };
const base = new Map();

function pattern(locale, options, at) {
  return new Intl.DateTimeFormat(locale, { timeZone: 'UTC', ...options }).formatToParts(at).map(({ type, value }) => {
    if (type === 'literal') return value;
    if (type === 'dayPeriod') return '%a';
    const long = type === 'year' ? value.length === 2 : value.length === 2 && value.startsWith('0');
    return `%${LETTERS[type][long ? 1 : 0]}`;
  }).join('');
}

const period = (locale, at) => new Intl.DateTimeFormat(locale, { hour: n, hour12: true, timeZone: 'UTC' }).formatToParts(at).find(({ type }) => type === 'dayPeriod').value;

/* Where date and time stand, `1` and `0`, for parts and for styles. */
function glue(locale, options, first, second) {
  const text = new Intl.DateTimeFormat(locale, { timeZone: 'UTC', hour12: false, ...options }).format(MORNING);
  return text.replace(new Intl.DateTimeFormat(locale, { timeZone: 'UTC', ...first }).format(MORNING), '\u0001').replace(new Intl.DateTimeFormat(locale, { timeZone: 'UTC', hour12: false, ...second }).format(MORNING), '\u0002').replace('\u0001', '{1}').replace('\u0002', '{0}');
}

/* `#` the digits, `*` the currency, `-` the sign, `%` the percent sign. */
function numberPattern(locale, options, value) {
  const signs = { currency: '*', minusSign: '-', percentSign: '%', literal: null };
  return new Intl.NumberFormat(locale, options).formatToParts(value).map(({ type, value: text }) => (type in signs ? signs[type] ?? text : '#')).join('').replace(/#+/, '#');
}

const part = (locale, options, value, type) => new Intl.NumberFormat(locale, options).formatToParts(value).find((one) => one.type === type)?.value ?? '';
const symbols = (locale, currencyDisplay) => Object.fromEntries(CURRENCIES.map((currency) => [currency, part(locale, { style: 'currency', currency, currencyDisplay }, 1, 'currency')]));
/* The symbols that differ from the English ones. */
const differing = (locale, display) => Object.entries(symbols(locale, display)).filter(([currency, symbol]) => base.get(display)[currency] !== symbol).map(([currency, symbol]) => currency + symbol).join(';');

function row(locale) {
  const euro = { style: 'currency', currency: 'EUR', currencyDisplay: 'narrowSymbol' }, code = { ...euro, currencyDisplay: 'code' };
  const group = part(locale, {}, 12345678, 'group');
  return [
    part(locale, {}, 1.5, 'decimal'), group, part(locale, euro, 1.5, 'decimal'), part(locale, euro, 12345678, 'group'),
    part(locale, {}, 1234, 'group') === '' ? '2' : '1', new Intl.NumberFormat(locale).format(12345678).split(group).length === 4 ? '2' : '3', part(locale, {}, -1, 'minusSign'),
    ...[{}, { style: 'percent' }, euro, code].flatMap((options) => [numberPattern(locale, options, 5), numberPattern(locale, options, -5)]),
    differing(locale, 'symbol'),
    new Intl.DateTimeFormat(locale, { hour: n }).resolvedOptions().hour12 ? '12' : '24', period(locale, MORNING), period(locale, EVENING),
    ...DATES.map((options) => pattern(locale, options, MORNING)),
    ...TIMES.flatMap((options) => [pattern(locale, { ...options, hour12: true }, MORNING), pattern(locale, { ...options, hour12: false }, MORNING)]),
    glue(locale, { ...DATES[0], ...TIMES[0] }, DATES[0], TIMES[0]), glue(locale, { dateStyle: 'short', timeStyle: 'short' }, { dateStyle: 'short' }, { timeStyle: 'short' }),
    differing(locale, 'narrowSymbol'),
  ];
}

/* English units, `#` the number: short for one and for more, long, narrow. */
const COMPOUND = ['kilometer-per-hour', 'mile-per-hour', 'meter-per-second', 'mile-per-gallon', 'megabyte-per-second', 'megabit-per-second'];
const units = Object.fromEntries([...Intl.supportedValuesOf('unit'), ...COMPOUND].map((unit) => [unit, ['short', 'long', 'narrow']
  .flatMap((unitDisplay) => [1, 5].map((value) => new Intl.NumberFormat('en', { style: 'unit', unit, unitDisplay }).format(value).replace(/\d/, '#'))).join('|')]));

const text = (value) => JSON.stringify(value).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
for (const display of ['symbol', 'narrowSymbol']) base.set(display, symbols('en', display));
const rows = LOCALES.map((locale) => `        ${text(locale)}: ${text(row(locale).join('|'))}`);
process.stdout.write(`/*
 * How numbers, dates and times without words are written in languages and regions.
 *
 * Made by tests/support/tables/locale_tables.mjs, which says what a row holds.
 */
(function (K) {
    'use strict';

    K.localeRows = {
${rows.join(',\n')}
    };
    K.sameRegions = ${text(SAME)};
    K.currencySymbols = ${text(base.get('symbol'))};
    K.narrowSymbols = ${text(base.get('narrowSymbol'))};
    K.englishUnits = {
${Object.entries(units).map(([unit, shown]) => `        ${text(unit)}: ${text(shown)}`).join(',\n')}
    };
}(__kernel));
`);
