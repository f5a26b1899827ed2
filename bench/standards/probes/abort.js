/* AbortController and AbortSignal (DOM standard, 3). */
test(() => { const one = new AbortController(); assert_false(one.signal.aborted); assert_equals(one.signal.reason, undefined); assert_equals(one.signal, one.signal); }, 'a new one');
test(() => { const one = new AbortController(); one.abort(); assert_true(one.signal.aborted); assert_equals(one.signal.reason.name, 'AbortError'); assert_equals(one.signal.reason.code, 20); assert_true(one.signal.reason instanceof DOMException); }, 'abort');
for (const reason of [null, 0, 'x', false, {}]) test(() => { const one = new AbortController(); one.abort(reason); assert_equals(one.signal.reason, reason); assert_equals(AbortSignal.abort(reason).reason, reason); }, `the reason ${JSON.stringify(reason)}`);
test(() => { const one = new AbortController(); one.abort(undefined); assert_equals(one.signal.reason.name, 'AbortError'); }, 'undefined as a reason');
test(() => { const one = new AbortController(); one.abort(1); one.abort(2); assert_equals(one.signal.reason, 1); }, 'only the first counts');
test(() => { const one = new AbortController(); let count = 0; one.signal.addEventListener('abort', () => count++); one.abort(); one.abort(); assert_equals(count, 1); }, 'the event happens once');
test(() => { const one = new AbortController(); let seen; one.signal.onabort = (event) => { seen = event; }; one.abort(); assert_equals(seen.type, 'abort'); assert_equals(seen.target, one.signal); assert_true(seen.isTrusted); assert_false(seen.bubbles); assert_false(seen.cancelable); assert_true(seen instanceof Event); }, 'the event');
test(() => { const one = new AbortController(); let seen; one.signal.addEventListener('abort', () => { seen = [one.signal.aborted, one.signal.reason]; }); one.abort(7); assert_array_equals(seen, [true, 7]); }, 'it is aborted when the event happens');
test(() => { const one = AbortSignal.abort(); let count = 0; one.addEventListener('abort', () => count++); assert_true(one.aborted); assert_equals(count, 0); }, 'AbortSignal.abort has no event');
test(() => { assert_equals(AbortSignal.abort().reason.name, 'AbortError'); }, 'the reason of AbortSignal.abort');
test(() => { const one = new AbortController(); one.signal.throwIfAborted(); one.abort(5); assert_throws_exactly(5, () => one.signal.throwIfAborted()); }, 'throwIfAborted');
test(() => assert_throws_js(TypeError, () => new AbortSignal()), 'no constructor of AbortSignal');
test(() => assert_throws_js(TypeError, () => AbortController()), 'AbortController needs new');
test(() => assert_true(AbortSignal.abort() instanceof EventTarget), 'a signal is an EventTarget');
test(() => { assert_class_string(new AbortController(), 'AbortController'); assert_class_string(AbortSignal.abort(), 'AbortSignal'); }, 'class strings');
test(() => { const one = new AbortController(); one.signal.onabort = 5; assert_equals(one.signal.onabort, null); const f = () => {}; one.signal.onabort = f; assert_equals(one.signal.onabort, f); }, 'onabort keeps functions only');
test(() => { const one = new AbortController(), seen = []; one.signal.addEventListener('abort', () => seen.push(1)); one.signal.onabort = () => seen.push(2); one.signal.addEventListener('abort', () => seen.push(3)); one.abort(); assert_equals(seen.join(), '1,2,3'); }, 'onabort takes its turn');
test(() => { const one = new AbortController(), seen = []; one.signal.onabort = () => seen.push(1); one.signal.onabort = null; one.abort(); assert_equals(seen.length, 0); }, 'onabort is taken away');

promise_test(async () => { const signal = AbortSignal.timeout(5); assert_false(signal.aborted); await new Promise((resolve) => { signal.onabort = resolve; }); assert_true(signal.aborted); assert_equals(signal.reason.name, 'TimeoutError'); assert_equals(signal.reason.code, 23); }, 'timeout');
promise_test(async () => { const signal = AbortSignal.timeout(0); await new Promise((resolve) => { signal.onabort = resolve; }); assert_true(signal.aborted); }, 'timeout of nothing');
promise_test(async () => { const seen = []; const [a, b] = [AbortSignal.timeout(20), AbortSignal.timeout(5)]; a.onabort = () => seen.push('a'); b.onabort = () => seen.push('b'); await new Promise((resolve) => { a.addEventListener('abort', resolve); }); assert_equals(seen.join(), 'b,a'); }, 'timeouts in their order');
for (const given of [[], [-1], [NaN], [Infinity], ['x']]) test(() => assert_throws_js(TypeError, () => AbortSignal.timeout(...given)), `timeout(${given.map(String)})`);

test(() => { const signal = AbortSignal.any([]); assert_false(signal.aborted); assert_true(signal instanceof AbortSignal); }, 'any of none');
test(() => { const signal = AbortSignal.any([new AbortController().signal, AbortSignal.abort(3), AbortSignal.abort(4)]); assert_true(signal.aborted); assert_equals(signal.reason, 3); }, 'any of what is aborted');
test(() => { const a = new AbortController(), b = new AbortController(), signal = AbortSignal.any([a.signal, b.signal]); let count = 0; signal.onabort = () => count++; b.abort('b'); a.abort('a'); assert_true(signal.aborted); assert_equals(signal.reason, 'b'); assert_equals(count, 1); }, 'any of two');
test(() => { const a = new AbortController(), signal = AbortSignal.any([a.signal, a.signal]); a.abort(1); assert_equals(signal.reason, 1); }, 'any of one twice');
test(() => { const a = new AbortController(), one = AbortSignal.any([a.signal]), two = AbortSignal.any([one]); a.abort(1); assert_equals(two.reason, 1); }, 'any of any');
test(() => { const a = new AbortController(), one = AbortSignal.any([a.signal]); a.abort(); assert_equals(one.reason, a.signal.reason); }, 'the reason is the same object');
test(() => { const a = new AbortController(), one = AbortSignal.any([a.signal]), seen = []; a.signal.addEventListener('abort', () => seen.push(['source', one.aborted])); one.addEventListener('abort', () => seen.push(['made', one.aborted])); a.abort(); assert_equals(seen.join(), 'source,true,made,true'); }, 'all are aborted before the first event');
test(() => { const a = new AbortController(), seen = []; const list = [AbortSignal.any([a.signal]), AbortSignal.any([a.signal])]; list.forEach((signal, i) => { signal.onabort = () => seen.push(i); }); a.abort(); assert_equals(seen.join(), '0,1'); }, 'in the order in which they were made');
test(() => { assert_true(AbortSignal.any(new Set([AbortSignal.abort()])).aborted); }, 'any of an iterable');
for (const given of [[], [null], [5], [[1]], [[null]], [{}]]) test(() => assert_throws_js(TypeError, () => AbortSignal.any(...given)), `any(${JSON.stringify(given)})`);
