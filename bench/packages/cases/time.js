//// date-fns
import { addDays, differenceInDays, formatISO, format, parseISO } from 'date-fns';
export default () => [addDays(new Date(0), 3).toISOString(), differenceInDays(parseISO('2024-03-01'), parseISO('2024-02-01')), format(new Date(2024, 0, 2, 3, 4), 'yyyy-MM-dd HH:mm EEEE')];

//// date-fns-tz date-fns
import { formatInTimeZone } from 'date-fns-tz';
export default () => [formatInTimeZone(new Date(0), 'Europe/Berlin', 'yyyy-MM-dd HH:mm'), formatInTimeZone(new Date(1720000000000), 'America/New_York', 'HH:mm')];

//// dayjs
import dayjs from 'dayjs';
import utc from 'dayjs/plugin/utc.js';
dayjs.extend(utc);
export default () => [dayjs.utc('2024-01-31').add(1, 'month').format('YYYY-MM-DD dddd'), dayjs.utc(0).toISOString(), dayjs.utc('2024-02-01').diff('2024-01-01', 'day')];

//// luxon
import { DateTime, Duration } from 'luxon';
export default () => [DateTime.fromISO('2024-05-06T07:08:09Z', { zone: 'utc' }).plus({ months: 1 }).toISO(), DateTime.fromISO('2024-05-06T07:08:09Z').setZone('Europe/Paris').toFormat('yyyy LLL dd HH:mm'), Duration.fromObject({ hours: 3, minutes: 5 }).toISO()];

//// moment
import moment from 'moment';
export default () => [moment.utc('2024-01-31').add(1, 'month').format('YYYY-MM-DD'), moment.utc(0).format('LLLL'), moment.duration(90, 'minutes').humanize()];

//// cron-parser
import { CronExpressionParser } from 'cron-parser';
export default () => { const it = CronExpressionParser.parse('*/15 * * * *', { currentDate: '2024-01-01T00:01:00Z', tz: 'UTC' }); return [it.next().toDate().toISOString(), it.next().toDate().toISOString()]; };

//// croner
import { Cron } from 'croner';
export default () => new Cron('0 0 12 * * 1', { timezone: 'UTC' }).nextRuns(2, '2024-01-01T13:00:00').map((d) => d.toISOString());

//// rrule
import * as rrule from 'rrule';
const { RRule } = rrule.default ?? rrule;
export default () => new RRule({ freq: RRule.WEEKLY, count: 3, dtstart: new Date(Date.UTC(2024, 0, 1)) }).all();

//// ical.js
import ICAL from 'ical.js';
export default () => { const c = new ICAL.Component(ICAL.parse('BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Hi\r\nDTSTART:20240101T100000Z\r\nEND:VEVENT\r\nEND:VCALENDAR')); const e = new ICAL.Event(c.getFirstSubcomponent('vevent')); return [e.summary, e.startDate.toString()]; };

//// ms
import ms from 'ms';
export default () => [ms('2 days'), ms(60000), ms(90000, { long: true })];

//// pretty-ms
import prettyMs from 'pretty-ms';
export default () => [prettyMs(1337000000), prettyMs(133), prettyMs(61000, { verbose: true })];

//// humanize-duration
import humanize from 'humanize-duration';
export default () => [humanize(97320000), humanize(3000, { language: 'de' })];

//// @js-temporal/polyfill
import { Temporal } from '@js-temporal/polyfill';
export default () => [Temporal.PlainDate.from('2024-02-28').add({ days: 2 }).toString(), Temporal.Duration.from('PT90M').round({ largestUnit: 'hour' }).toString()];
