/* Timers, microtasks and the clock (HTML standard, 8; High Resolution Time). */
function after(milliseconds, ...given) { return new Promise((resolve) => { setTimeout((...seen) => resolve(seen), milliseconds, ...given); }); }
promise_test(async () => assert_equals((await after(0)).length, 0), 'setTimeout');
promise_test(async () => assert_equals((await after(1, 'a', 2)).join(), 'a,2'), 'arguments of a timer');
for (const delay of [undefined, null, -5, '1', NaN, 1.5]) promise_test(async () => { await new Promise((resolve) => { setTimeout(resolve, delay); }); }, `the delay ${String(delay)}`);
promise_test(async () => { const seen = []; setTimeout(() => seen.push('b'), 12); setTimeout(() => seen.push('a'), 2); await after(30); assert_equals(seen.join(''), 'ab'); }, 'in the order of their times');
promise_test(async () => { const seen = []; for (let i = 0; i < 5; i++) setTimeout(() => seen.push(i), 5); await after(15); assert_equals(seen.join(''), '01234'); }, 'at the same time in the order in which they were set');
promise_test(async () => { let seen = false; clearTimeout(setTimeout(() => { seen = true; }, 1)); await after(10); assert_false(seen); }, 'clearTimeout');
promise_test(async () => { let seen = false; clearInterval(setTimeout(() => { seen = true; }, 1)); await after(10); assert_false(seen); }, 'clearInterval of a timeout');
promise_test(async () => { let count = 0; await new Promise((resolve) => { const id = setInterval(() => { if (++count === 3) { clearInterval(id); resolve(); } }, 1); }); await after(10); assert_equals(count, 3); }, 'setInterval');
promise_test(async () => { let seen = false; const second = [0]; setTimeout(() => clearTimeout(second[0]), 1); second[0] = setTimeout(() => { seen = true; }, 1); await after(10); assert_false(seen); }, 'a timer that another one clears');
promise_test(async () => { const seen = []; setTimeout(() => { seen.push('t'); Promise.resolve().then(() => seen.push('m')); }, 1); setTimeout(() => seen.push('u'), 1); await after(10); assert_equals(seen.join(''), 'tmu'); }, 'microtasks between timers');
for (const given of [undefined, null, 0, -1, 1e9, 'x', {}]) test(() => { clearTimeout(given); clearInterval(given); }, `nothing to clear: ${String(given)}`);
promise_test(async () => { const seen = []; setTimeout(() => seen.push('t'), 0); queueMicrotask(() => seen.push('m')); seen.push('s'); await after(5); assert_equals(seen.join(''), 'smt'); }, 'microtasks come before timers');
promise_test(async () => { const seen = []; queueMicrotask(() => { seen.push(1); queueMicrotask(() => seen.push(3)); }); queueMicrotask(() => seen.push(2)); await after(1); assert_equals(seen.join(''), '123'); }, 'microtasks in order');
promise_test(async () => { const seen = []; Promise.resolve().then(() => seen.push('p')); queueMicrotask(() => seen.push('q')); Promise.resolve().then(() => seen.push('r')); await after(1); assert_equals(seen.join(''), 'pqr'); }, 'microtasks and promises');
promise_test(async () => { let count; queueMicrotask(function () { count = arguments.length; }); await after(1); assert_equals(count, 0); }, 'a microtask gets no arguments');
for (const given of [undefined, null, 5, {}, 'x']) test(() => assert_throws_js(TypeError, () => queueMicrotask(given)), `no microtask: ${String(given)}`);
test(() => assert_equals(queueMicrotask(() => {}), undefined), 'queueMicrotask returns nothing');
promise_test(async () => { const seen = []; (async () => { seen.push(1); await null; seen.push(3); })(); seen.push(2); await after(1); assert_equals(seen.join(''), '123'); }, 'await takes one turn');
promise_test(async () => { const seen = []; (async () => { await 0; seen.push('a'); await 0; seen.push('c'); })(); (async () => { await 0; seen.push('b'); await 0; seen.push('d'); })(); await after(1); assert_equals(seen.join(''), 'abcd'); }, 'awaits take turns');

test(() => { const a = performance.now(), b = performance.now(); assert_true(b >= a); assert_equals(typeof a, 'number'); }, 'performance.now does not go back');
promise_test(async () => { const begin = performance.now(); await after(20); assert_greater_than_equal(performance.now() - begin, 19); }, 'performance.now goes on with timers');
promise_test(async () => { const begin = Date.now(); await after(20); assert_greater_than_equal(Date.now() - begin, 19); }, 'Date.now goes on with timers');
test(() => { assert_less_than(Math.abs(performance.timeOrigin + performance.now() - Date.now()), 100); }, 'timeOrigin');
test(() => assert_class_string(performance, 'Performance'), 'class of performance');
test(() => assert_equals(typeof performance.toJSON().timeOrigin, 'number'), 'performance.toJSON');
test(() => assert_true(performance instanceof EventTarget), 'performance is an EventTarget');
