//// lodash
import _ from 'lodash';
export default () => [_.groupBy([1, 2, 3], (n) => n % 2), _.merge({ a: { b: 1 } }, { a: { c: 2 } }), _.camelCase('Foo bar-baz'), _.uniqBy([{ i: 1 }, { i: 1 }], 'i')];

//// ramda
import * as R from 'ramda';
export default () => [R.pipe(R.map(R.inc), R.filter((n) => n > 2))([1, 2, 3]), R.assocPath(['a', 'b'], 1, {}), R.groupBy(String, [1, 1, 2])];

//// immer
import { produce } from 'immer';
export default () => { const a = { list: [1], m: { x: 1 } }; const b = produce(a, (d) => { d.list.push(2); d.m.x += 1; }); return [a, b, Object.isFrozen(b)]; };

//// rxjs
import { from, lastValueFrom, map, mergeMap, of, toArray } from 'rxjs';
export default () => lastValueFrom(from([1, 2, 3]).pipe(mergeMap((n) => of(n, n * 10)), map((n) => n + 1), toArray()));

//// fp-ts
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
export default () => pipe(E.right(2), E.map((n) => n + 1), E.chain((n) => (n > 5 ? E.left('big') : E.right(n))));

//// effect
import { Effect } from 'effect';
export default () => Effect.runPromise(Effect.gen(function* () { const a = yield* Effect.succeed(2); return a + (yield* Effect.promise(async () => 3)); }));

//// neverthrow
import { ok, err } from 'neverthrow';
export default () => [ok(1).map((n) => n + 1).unwrapOr(0), err('no').mapErr((e) => e + '!').match(() => 0, (e) => e)];

//// ts-pattern
import { match, P } from 'ts-pattern';
export default () => [{ type: 'a', n: 3 }, { type: 'b' }].map((one) => match(one).with({ type: 'a', n: P.select() }, (n) => n * 2).otherwise(() => 'other'));

//// mathjs
import { evaluate, matrix, multiply, derivative } from 'mathjs';
export default () => [evaluate('sqrt(16) + 2^3'), multiply(matrix([[1, 2], [3, 4]]), 2).toArray(), derivative('x^2 + x', 'x').toString()];

//// decimal.js
import Decimal from 'decimal.js';
export default () => [new Decimal('0.1').plus('0.2').toString(), new Decimal(2).sqrt().toString(), Decimal.exp(1).toFixed(10)];

//// bignumber.js
import { BigNumber } from 'bignumber.js';
export default () => [new BigNumber('123456789012345678901234567890').times(3).toFixed(), new BigNumber(1).div(3).toFormat(5)];

//// big.js
import Big from 'big.js';
export default () => [Big('0.1').plus(0.2).toString(), Big(10).div(3).round(4).toString()];

//// fraction.js
import Fraction from 'fraction.js';
export default () => [new Fraction(1, 3).add('1/6').toFraction(), new Fraction('0.(3)').toString()];

//// deepmerge
import merge from 'deepmerge';
export default () => merge({ a: [1], b: { c: 1 } }, { a: [2], b: { d: 2 } });

//// fast-deep-equal
import equal from 'fast-deep-equal';
export default () => [equal({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }), equal([1], [2]), equal(new Date(0), new Date(0))];

//// fast-json-patch
import jsonpatch from 'fast-json-patch';
export default () => { const a = { x: 1, l: [1, 2] }; return [jsonpatch.compare(a, { x: 2, l: [1] }), jsonpatch.applyPatch(a, [{ op: 'add', path: '/l/-', value: 3 }]).newDocument]; };

//// object-hash
import hash from 'object-hash';
export default () => [hash({ a: 1, b: [2] }), hash({ b: [2], a: 1 }), hash('x', { algorithm: 'md5' })];

//// superjson
import superjson from 'superjson';
export default () => { const text = superjson.stringify({ d: new Date(0), s: new Set([1]), m: new Map([['k', /x/g]]), u: undefined }); return [text, superjson.parse(text).s.has(1)]; };

//// devalue
import { parse, stringify, uneval } from 'devalue';
export default () => { const a = { d: new Date(0), s: new Set([1]) }; a.self = a; return [stringify(a), uneval({ x: [1, , 3], r: /a/ }), parse(stringify(a)).s.has(1)]; };

//// eventemitter3
import EventEmitter from 'eventemitter3';
export default () => { const seen = []; const e = new EventEmitter(); e.on('x', (v) => seen.push(v)); e.once('x', (v) => seen.push(-v)); e.emit('x', 1); e.emit('x', 2); return [seen, e.listenerCount('x')]; };

//// mitt
import mitt from 'mitt';
export default () => { const seen = []; const e = mitt(); e.on('*', (t, v) => seen.push([t, v])); e.emit('a', 1); return seen; };

//// p-limit
import pLimit from 'p-limit';
export default () => { const limit = pLimit(2); return Promise.all([1, 2, 3].map((n) => limit(async () => n * 2))); };

//// p-queue
import PQueue from 'p-queue';
export default async () => { const q = new PQueue({ concurrency: 1 }); const out = []; await q.addAll([async () => out.push('a'), async () => out.push('b')]); return [out, q.size]; };

//// p-retry
import pRetry from 'p-retry';
export default () => { let n = 0; return pRetry(async () => { n += 1; if (n < 3) throw new Error('again'); return n; }, { retries: 3, minTimeout: 1 }); };

//// p-map
import pMap from 'p-map';
export default () => pMap([1, 2, 3], async (n) => n + 1, { concurrency: 2 });

//// async
import async from 'async';
export default async () => [await async.mapLimit([1, 2, 3], 2, async (n) => n * 2), await async.series([async () => 'a', async () => 'b'])];

//// bottleneck
import Bottleneck from 'bottleneck/light.js';
export default async () => { const b = new Bottleneck({ maxConcurrent: 1 }); return [await b.schedule(async () => 1), await b.schedule(async () => 2)]; };

//// lru-cache
import { LRUCache } from 'lru-cache';
export default () => { const c = new LRUCache({ max: 2 }); c.set('a', 1); c.set('b', 2); c.get('a'); c.set('c', 3); return [...c.keys(), c.has('b')]; };

//// quick-lru
import QuickLRU from 'quick-lru';
export default () => { const c = new QuickLRU({ maxSize: 2 }); c.set('a', 1).set('b', 2).set('c', 3); return [c.get('c'), c.size]; };

//// xstate
import { createActor, createMachine } from 'xstate';
export default () => { const a = createActor(createMachine({ initial: 'off', states: { off: { on: { T: 'on' } }, on: { on: { T: 'off' } } } })).start(); a.send({ type: 'T' }); return a.getSnapshot().value; };

//// zustand
import { createStore } from 'zustand/vanilla';
export default () => { const s = createStore((set) => ({ n: 0, inc: () => set((x) => ({ n: x.n + 1 })) })); s.getState().inc(); return s.getState().n; };

//// @reduxjs/toolkit
import { configureStore, createSlice } from '@reduxjs/toolkit';
export default () => { const s = createSlice({ name: 'c', initialState: { n: 0 }, reducers: { add(st, a) { st.n += a.payload; } } }); const store = configureStore({ reducer: s.reducer }); store.dispatch(s.actions.add(3)); return store.getState(); };

//// @preact/signals-core
import { computed, effect, signal } from '@preact/signals-core';
export default () => { const a = signal(1); const b = computed(() => a.value * 2); const seen = []; effect(() => { seen.push(b.value); }); a.value = 5; return seen; };
