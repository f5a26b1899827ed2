/* Dates: what is read, what is printed, and what is reckoned. */
const iso = (value) => new Date(value).toISOString();
const valid = (...texts) => texts.map((text) => { const at = Date.parse(text); return Number.isNaN(at) ? 'invalid' : iso(at); });
const printed = (...values) => values.map((value) => { const d = new Date(value); return [String(d), d.toDateString(), d.toTimeString(), d.toUTCString(), d.toJSON()]; });
const set = (change) => { const d = new Date(Date.UTC(2024, 0, 31, 10, 20, 30, 400)); const given = change(d); return [given, d.getTime()]; };

export default [
  // The standard's form.
  () => valid('2026-03-09T08:30:00+0200', '2026-03-09T08:30:00+02:00', '2026-03-09T08:30:00Z', '2026-03-09T08:30:00.5Z', '2026-03-09T08:30:00.123456789Z'),
  () => valid('2026', '2026-03', '2026-03-09', '2026-03-09T08:30', '2026-03-09T08:30:15', '2026-03-09T08', '2026-03-09T', '2026-3-9', '2026-03-09T8:30'),
  () => valid('2026-13-01', '2026-00-10', '2026-01-00', '2026-01-32', '2026-02-31', '2026-04-31', '2023-02-29', '2024-02-29'),
  () => valid('2026-03-09T25:00', '2026-03-09T10:60', '2026-03-09T10:20:60', '2026-03-09T24:00', '2026-03-09T24:01', '2026-03-09T24:00:00.001Z'),
  () => valid('2026-03-09T08:30+02', '2026-03-09T08:30+24:00', '2026-03-09T08:30+02:60', '2026-03-09T08:30-00:00', '2026-03-09T08:30:00 Z', '2026-03-09T08:30:00Zx'),
  () => valid('2026-03-09t08:30:00z', '2026-03-09 08:30:00z', '2026-03-09 08:30', '2026-03-09 08:30:00+02:00', '2026-03-09 08:30:00 +0200', '2026-03-09 08:30:00.250'),
  () => valid('+002026-03-09', '-000001-01-01T00:00Z', '-000000-01-01', '+275760-09-13', '+275760-09-14', '+012026-03-09T10:00Z', '12026-03-09', '20260309', '20260309T083000Z'),
  () => valid('0000-01-01', '0001-01-01T00:00:00Z', '0099-12-31', '9999-12-31T23:59:59.999Z', '-271821-04-20', '-271821-04-19'),
  () => valid(' 2026-03-09 ', '2026-03-09\n', '\t2026-03-09T08:30:00Z', '2026-03-09T08:30:00Z '),
  // RFC 1123, 850 and asctime.
  () => valid('Mon, 09 Mar 2026 08:30:00 GMT', 'Mon, 9 Mar 2026 08:30:00 +0200', '09 Mar 2026 08:30:00 EST', 'Monday, 09-Mar-26 08:30:00 GMT', 'Mon Mar  9 08:30:00 2026'),
  () => valid('Mon Mar 09 2026 08:30:00 GMT+0100 (Central European Standard Time)', 'Mon Mar 09 2026', 'Mon Mar 09 2026 08:30:00', '08:30:00 GMT+0000'),
  // Loose forms.
  () => valid('03/09/2026', '3/9/2026', '3/9/26', '3/9/99', '2026/03/09', '2026/3/9 8:30', '13/01/2026', '03-09-2026', '3-9-2026 10:20', '09.03.2026'),
  () => valid('Mar 9, 2026', 'March 9, 2026', 'Mar 9 2026', '9 March 2026', '9 Mar 2026', '9-Mar-2026', 'March 2026', 'Mar 9', 'Marsh 9, 2026', '2026 Mar 9', 'Sept 9, 2026'),
  () => valid('Mar 9, 2026 10:20', 'Mar 9, 2026 10:20 PM', 'Mar 9, 2026 12:00 am', 'Mar 9, 2026, 10:20:30 PM', 'Mar 9, 2026 13:00 PM', 'Mar 9, 2026 at 10:20', '3/9/2026, 8:30:00 AM'),
  () => valid('Mar 9, 2026 10:20 UTC', 'Mar 9, 2026 10:20 Z', 'Mar 9, 2026 10:20 PST', 'Mar 9, 2026 10:20 UTC+2', 'Mar 9, 2026 10:20 +02:00', 'Mar 9, 2026 10:20 GMT-12345', 'Mar 9, 2026 10:20 CEST'),
  () => valid('', ' ', 'x', 'today', '1', '12', '13', '32', '99', '100', '2026.5', '-1', '1e3', '0', '10:20', 'null', 'undefined', 'NaN'),
  () => valid('hello 2026-03-09', '2026-03-09 hello', '(x) Mar 9 2026 (y)', 'Mar 9 2026 (10:20)', 'Tue Mar 9 2026', 'Foo, 9 Mar 2026', 'Mar/9/2026', '2026-Mar-09'),
  () => valid('9 Mar 0026', '9 Mar 26', '9 Mar 50', '9 Mar 126', '1/1/0', 'Jan 1 49', 'Jan 1 50', 'Feb 30, 2026', 'Jan 32, 2026', 'Jan 0, 2026'),
  // Back from what is printed.
  () => [0, 1773014400000, -1, 8.64e15, -8.64e15, 253402300800000, -62198755200000].map((at) => { const d = new Date(at); return [d.toISOString(), d.toUTCString(), d.toString()].map((text) => Date.parse(text) - at); }),
  () => [0, 1, 999, 86399999, 1709210109123].map((at) => { const d = new Date(at); return [Date.parse(d.toLocaleString('en-US', { timeZone: 'UTC' })), Date.parse(d.toLocaleDateString('en-US', { timeZone: 'UTC' }))]; }),
  // Printing.
  () => printed(0, 1773014400123, NaN, -1, 8.64e15, -8.64e15),
  () => printed(253402300799999, 253402300800000, -62167219200000, -62167219200001, -62198755200000, -1e14),
  () => new Date(NaN).toISOString(),
  () => [String(Date).slice(0, 14), typeof Date(), Date.name, Date.length, Date.prototype.constructor === Date, Date() === String(new Date())],
  () => [new Date(5).toString === Date.prototype.toString, Date.prototype.toGMTString === Date.prototype.toUTCString, Object.keys(new Date()), typeof new Date(5).valueOf()],
  () => Date.prototype.toString.call({}),
  () => Date.prototype.getTime.call(5),
  () => Object.prototype.toString.call(new Date()),
  () => [`${new Date(0)}`, new Date(0) + 1, new Date(5) - 2, +new Date(7), new Date(3) > new Date(2), JSON.stringify({ d: new Date(0), n: new Date(NaN) })],
  () => new Date(0)[Symbol.toPrimitive]('number') + new Date(0)[Symbol.toPrimitive]('string'),
  () => new Date(0)[Symbol.toPrimitive]('x'),
  // Making.
  () => [Date.UTC(2026), Date.UTC(), Date.UTC(2026, 1), Date.UTC(99, 0), Date.UTC(100, 0), Date.UTC(-1, 0), Date.UTC(0)],
  () => [Date.UTC(2026, 14, 1), Date.UTC(2026, -1, 1), Date.UTC(2026, 0, 0), Date.UTC(2026, 0, 1, 25, 61, 61, 1001), Date.UTC(2026, NaN), Date.UTC(2026, 0, undefined), Date.UTC('2026', '5')],
  () => [Date.UTC(2026.9, 1.9, 1.9), Date.UTC(2026, -0.5), Date.UTC(275760, 8, 13), Date.UTC(275760, 8, 13, 0, 0, 0, 1), Date.UTC(-271821, 3, 20), Date.UTC(-271821, 3, 19, 23), Date.UTC(Infinity, 0)],
  () => [new Date(2026, 0), new Date(2026, 0, 31), new Date(99, 0), new Date(2026, 12), new Date(2026, 1, 29), new Date(2026, 0, 1, 2, 3, 4, 5), new Date(2026, NaN)],
  () => [new Date(2026), new Date('2026'), new Date(true), new Date(null), new Date(undefined), new Date(''), new Date('5'), new Date(5.9), new Date(-5.9), new Date([2026, 3]), new Date([])],
  () => [new Date(new Date(5)), new Date({ valueOf: () => 7 }), new Date({ toString: () => '2026' }), new Date(new String('2026')), new Date(new Number(9)), new Date({ [Symbol.toPrimitive]: () => '2025' }), new Date({})],
  () => [new Date(8.64e15), new Date(8.64e15 + 1), new Date(Infinity), new Date(1e81)],
  () => { class Day extends Date { twice() { return this * 2; } } const d = new Day(5); return [d.twice(), d instanceof Date, d.getTime(), d instanceof Day]; },
  () => new Date(Symbol('x')),
  () => [Date.parse(), Date.parse(undefined), Date.parse(0), Date.parse(20260309), Date.parse(new Date(1e12))],
  // Changing.
  () => [set((d) => d.setUTCMonth(1)), set((d) => d.setUTCDate(0)), set((d) => d.setUTCFullYear(2023, 1, 29)), set((d) => d.setUTCHours(25)), set((d) => d.setUTCMinutes(-1)), set((d) => d.setUTCSeconds(61, 5)), set((d) => d.setUTCMilliseconds(1001))],
  () => [set((d) => d.setMonth(1)), set((d) => d.setDate(31.9)), set((d) => d.setFullYear(99)), set((d) => d.setHours(1, 2, 3, 4)), set((d) => d.setYear(99)), set((d) => d.setYear(1999)), set((d) => d.setTime(5.9)), set((d) => d.setTime('7'))],
  () => [set((d) => d.setMonth(NaN)), set((d) => d.setMonth()), set((d) => d.setTime()), set((d) => d.setUTCHours(undefined)), set((d) => d.setUTCFullYear(1e9)), set((d) => d.setUTCFullYear(275760, 8, 13)), set((d) => d.setUTCDate(-1e7))],
  () => { const d = new Date(NaN); return [d.setMonth(1), d.setFullYear(2026), d.getTime()]; },
  () => { const d = new Date(NaN); return [d.setHours(1), d.setUTCFullYear(2026, 2, 3), d.getYear(), d.getTimezoneOffset()]; },
  () => { const d = new Date(-1); return [d.getFullYear(), d.getMonth(), d.getDate(), d.getDay(), d.getHours(), d.getMinutes(), d.getSeconds(), d.getMilliseconds(), d.getYear(), d.getTimezoneOffset()]; },
  () => { const d = new Date(NaN); return [d.getFullYear(), d.getDay(), d.getUTCHours(), d.valueOf(), d.toJSON(), String(d), d.toDateString(), d.toUTCString()]; },
  () => [new Date(1e15), new Date(-1e15), new Date(123456789012345)].map((d) => [d.getUTCFullYear(), d.getUTCMonth(), d.getUTCDate(), d.getUTCDay(), d.getUTCHours(), d.getUTCMinutes()]),
  () => [new Date(2024, 0, 31), new Date(2024, 1, 29)].map((d) => { d.setMonth(d.getMonth() + 1); return iso(d); }),
  () => Date.prototype.toJSON.call({ toISOString: () => 'mine', valueOf: () => 5 }),
  () => structuredClone(new Date(5)),
  () => ['toString', 'toISOString', 'toUTCString', 'setHours', 'getYear'].map((name) => [Date.prototype[name].name, Date.prototype[name].length]).concat([Date.UTC.length, Date.parse.length, Date.now.name]),
  () => [set((d) => d.setDate(0.5)), set((d) => d.setUTCDate(1e-9)), set((d) => d.setMonth(1, 0.9)), set((d) => d.setUTCFullYear(2024, 2, -0.5)), set((d) => d.setDate('0.5'))],
  () => [new Date(2026, 0, 0.5), new Date(2026, 0, -0.5, 1), new Date(2026, 0, '1.9'), new Date(2026, 0, 1.9, 1.9, 1.9), Date.UTC(2026, 0, 0.5)],
  () => [new Date(-0), new Date(-0.5), new Date(0).setTime(-0), new Date(5).setTime(-0.9), new Date(0.5)].map(Number),
];
