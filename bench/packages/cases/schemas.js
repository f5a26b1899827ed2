//// zod
import { z } from 'zod';
export default () => { const s = z.object({ a: z.string().min(2), n: z.coerce.number().int(), e: z.email().optional() }); return [s.parse({ a: 'xy', n: '3' }), s.safeParse({ a: 'x', n: 1.5, e: 'q' }).error.issues]; };

//// valibot
import * as v from 'valibot';
export default () => { const s = v.object({ a: v.pipe(v.string(), v.minLength(2)), n: v.number() }); return [v.parse(s, { a: 'xy', n: 1 }), v.safeParse(s, { a: 'x', n: '1' }).issues.map((i) => i.message)]; };

//// yup
import * as yup from 'yup';
export default async () => { const s = yup.object({ a: yup.string().required(), n: yup.number().min(3) }); return [await s.validate({ a: 'x', n: '4' }), await s.validate({ n: 1 }, { abortEarly: false }).catch((e) => e.errors)]; };

//// joi
import Joi from 'joi';
export default () => { const s = Joi.object({ a: Joi.string().email(), n: Joi.number().integer() }); return [s.validate({ a: 'a@b.org', n: '3' }).value, s.validate({ a: 'x' }).error.message]; };

//// ajv
import { Ajv } from 'ajv';
export default () => { const v = new Ajv({ allErrors: true }).compile({ type: 'object', properties: { a: { type: 'string', minLength: 2 } }, required: ['a'] }); return [v({ a: 'xy' }), v({ a: 'x' }), v.errors]; };

//// superstruct
import { assert, create, defaulted, number, object, string, validate } from 'superstruct';
export default () => { const s = object({ a: string(), n: defaulted(number(), 3) }); assert({ a: 'x', n: 1 }, s); return [create({ a: 'x' }, s), validate({ a: 1, n: 1 }, s)[0].message]; };

//// arktype
import { type } from 'arktype';
export default () => { const s = type({ a: 'string', 'n?': 'number > 2' }); return [s({ a: 'x', n: 3 }), s({ a: 1 }).summary]; };

//// @sinclair/typebox
import { Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
export default () => { const s = Type.Object({ a: Type.String({ minLength: 2 }), n: Type.Optional(Type.Integer()) }); return [Value.Check(s, { a: 'xy' }), [...Value.Errors(s, { a: 'x', n: 1.5 })].map((e) => e.message)]; };

//// validator
import validator from 'validator';
export default () => [validator.isEmail('a@b.org'), validator.isURL('http://x'), validator.isIBAN('DE89370400440532013000'), validator.escape('<a>'), validator.isUUID('x')];

//// libphonenumber-js
import { parsePhoneNumberFromString } from 'libphonenumber-js';
export default () => { const p = parsePhoneNumberFromString('(030) 123456', 'DE'); return [p.number, p.formatInternational(), p.isValid()]; };

//// class-validator
import { IsEmail, validateSync } from 'class-validator';
class User { constructor(mail) { this.mail = mail; } }
IsEmail()(User.prototype, 'mail');
export default () => [validateSync(new User('a@b.org')).length, validateSync(new User('x'))[0].constraints];
