/* Errors: what their stacks begin with, and what they hold. */
const first = (error) => String(error.stack).split('\n')[0];
const changed = (error, change) => { change(error); return [first(error), String(error)]; };
const thrown = (work) => { try { return work(); } catch (error) { return error; } };
class NotFound extends Error { constructor(...given) { super(...given); this.name = 'NotFound'; } }
class Plain extends TypeError {}

export default [
  () => [first(new Error('a')), first(new Error()), first(new TypeError('b')), first(Error('c')), first(new Plain('d')), first(new NotFound('e'))],
  () => changed(new Error('a'), (e) => { e.message = 'b'; }),
  () => changed(new Error('a'), (e) => { e.name = 'Other'; }),
  () => changed(new RangeError('a'), (e) => { e.message = ''; }),
  () => changed(new Error(), (e) => { e.message = 'b'; }),
  () => changed(new Error('a\n    at b (c:1)'), (e) => { e.message = 'd'; }),
  () => changed(new Error('a'), (e) => { e.stack = 'own'; }),
  () => changed(new NotFound('a'), (e) => { e.message = 'b'; }),
  () => changed(new Plain('a', { cause: 1 }), (e) => { e.message = 'b'; }),
  () => changed(thrown(() => { throw new Error('a'); }), (e) => { e.message = `b: ${e.message}`; }),
  () => { const e = new Error('a'); return [first(e), changed(e, (one) => { one.message = 'b'; })]; },
  () => { const e = thrown(() => null.x); const before = first(e); e.message = 'b'; return first(e) === before; },
  () => changed(thrown(() => null.x), (e) => { e.message = 'b'; }),
  () => [Object.keys(new Error('a')), Object.getOwnPropertySymbols(new Error('a')), Object.assign({}, new Error('a')), { ...new NotFound('a') }, JSON.stringify(new Error('a'))],
  () => Reflect.ownKeys(Object.getOwnPropertyDescriptors(new Error('a'))).filter((key) => typeof key === 'symbol'),
  () => { const e = new Error('a', { cause: 'c' }); return [e.cause, Object.hasOwn(e, 'cause'), Object.hasOwn(new Error('a', {}), 'cause'), Object.keys(e)]; },
  () => { const e = new AggregateError([1, new Error('x')], 'm'); return [e.errors, e.message, first(e), e instanceof Error]; },
  () => [new NotFound('a') instanceof NotFound, new NotFound('a').constructor.name, Object.prototype.toString.call(new NotFound('a')), String(new NotFound('a'))],
  () => { const e = structuredClone(new RangeError('a')); return [e.name, e.message, e instanceof RangeError, first(e)]; },
  () => Object.isFrozen(Object.freeze(new Error('a'))),
  () => [first(Object.freeze(new Error('a'))), first(Object.create(new Error('a')))],
  () => { const e = new Error('a'); Object.setPrototypeOf(e, NotFound.prototype); return [first(e), e instanceof NotFound]; },
];
