/*
 * What the tests of web standards call: `test`, `promise_test`, `async_test`, the assertions, and
 * what surrounds them, under the names that the Web Platform Tests use.
 *
 * `makeHarness(files)` returns them, with `run(program)`, which runs a program of tests and returns
 * `[[name, message], ...]`; the message of a test that passed is the empty string.
 */
function makeHarness(files) {
  const LONGEST_MESSAGE = 200;
  const MOST_MILLISECONDS = 4000;
  const PASSED = '';
  const DOM_CODES = {
    IndexSizeError: 1, HierarchyRequestError: 3, WrongDocumentError: 4, InvalidCharacterError: 5, NoModificationAllowedError: 7,
    NotFoundError: 8, NotSupportedError: 9, InUseAttributeError: 10, InvalidStateError: 11, SyntaxError: 12,
    InvalidModificationError: 13, NamespaceError: 14, InvalidAccessError: 15, TypeMismatchError: 17, SecurityError: 18,
    NetworkError: 19, AbortError: 20, URLMismatchError: 21, QuotaExceededError: 22, TimeoutError: 23,
    InvalidNodeTypeError: 24, DataCloneError: 25,
  };
  const OLD_NAMES = {
    INDEX_SIZE_ERR: 'IndexSizeError', NOT_FOUND_ERR: 'NotFoundError', NOT_SUPPORTED_ERR: 'NotSupportedError',
    INVALID_STATE_ERR: 'InvalidStateError', SYNTAX_ERR: 'SyntaxError', INVALID_ACCESS_ERR: 'InvalidAccessError',
    DATA_CLONE_ERR: 'DataCloneError', ABORT_ERR: 'AbortError', TIMEOUT_ERR: 'TimeoutError', INVALID_CHARACTER_ERR: 'InvalidCharacterError',
  };
  const setTimer = globalThis.setTimeout;
  const clearTimer = globalThis.clearTimeout;
  const send = globalThis.fetch;

  class AssertionError extends Error {}

  const results = [];
  let waiting = Promise.resolve();
  const open = [];
  let unnamed = 0;

  function shown(value) {
    if (typeof value === 'string') return JSON.stringify(value);
    if (value === 0 && 1 / value < 0) return '-0';
    if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`;
    try {
      return String(value);
    } catch {
      return Object.prototype.toString.call(value);
    }
  }

  function fail(message, description) {
    throw new AssertionError(description ? `${description}: ${message}` : message);
  }

  function same(a, b) {
    return a === b ? a !== 0 || 1 / a === 1 / b : a !== a && b !== b;
  }

  function words(error) {
    let text;
    try {
      text = error instanceof AssertionError ? error.message : String(error);
    } catch {
      text = 'an object that cannot be shown';
    }
    return text.slice(0, LONGEST_MESSAGE) || 'failed';
  }

  function report(name, message) {
    results.push([name, message]);
  }

  class Test {
    constructor(name) {
      this.name = name === undefined ? `test ${++unnamed}` : String(name);
      this.cleanups = [];
      this.message = PASSED;
      this.finished = false;
      this.properties = {};
      this.ended = new Promise((resolve) => { this.end = resolve; });
    }

    step(func, self, ...given) {
      if (this.finished) return undefined;
      try {
        return func.apply(self === undefined ? this : self, given);
      } catch (error) {
        this.failed(error);
        return undefined;
      }
    }

    step_func(func, self) {
      const test = this;
      return function (...given) { return test.step(func, self === undefined ? this : self, ...given); };
    }

    step_func_done(func, self) {
      const test = this;
      return function (...given) {
        if (func) test.step(func, self === undefined ? this : self, ...given);
        test.done();
      };
    }

    unreached_func(description) {
      return this.step_func(() => fail('reached what must not be reached', description));
    }

    step_timeout(func, milliseconds, ...given) {
      return setTimer(this.step_func(func), milliseconds, ...given);
    }

    step_wait(condition, description, most = 3000, pause = 20) {
      let left = Math.ceil(most / pause);
      return new Promise((resolve, reject) => {
        const look = () => {
          let seen;
          try { seen = condition(); } catch (error) { reject(error); return; }
          if (seen) resolve();
          else if (--left < 0) reject(new AssertionError(`${description}: waited in vain`));
          else setTimer(look, pause);
        };
        look();
      });
    }

    add_cleanup(func) { this.cleanups.push(func); }

    failed(error) {
      if (this.finished) return;
      this.message = words(error);
      this.done();
    }

    done() {
      if (this.finished) return;
      this.finished = true;
      this.end();
    }

    async close() {
      for (const cleanup of this.cleanups) {
        try {
          await cleanup();
        } catch (error) {
          this.message = this.message || `cleanup: ${words(error)}`;
        }
      }
      report(this.name, this.message);
    }
  }

  function limited(promise, test) {
    return new Promise((resolve) => {
      const timer = setTimer(() => { test.failed('it did not end in time'); resolve(); }, MOST_MILLISECONDS);
      promise.then(() => { clearTimer(timer); resolve(); }, (error) => { clearTimer(timer); test.failed(error); resolve(); });
    });
  }

  function test(func, name) {
    const one = new Test(name);
    one.step(func, one, one);
    one.done();
    if (one.cleanups.length) open.push(one.close());
    else report(one.name, one.message);
  }

  function async_test(func, name) {
    const one = new Test(typeof func === 'function' ? name : func);
    if (typeof func === 'function') one.step(func, one, one);
    open.push(limited(one.ended, one).then(() => one.close()));
    return one;
  }

  function promise_test(func, name) {
    const one = new Test(name);
    waiting = waiting.then(async () => {
      const given = new Promise((resolve) => resolve(func.call(one, one)));
      await limited(Promise.race([given, one.ended]), one);
      one.done();
      await one.close();
    });
  }

  function thrown(func) {
    try {
      func();
    } catch (error) {
      return [error];
    }
    return fail('nothing was thrown');
  }

  function isDomException(error, kind) {
    const name = OLD_NAMES[kind] || kind;
    if (typeof error !== 'object' || error === null) fail(`${shown(error)} was thrown instead of ${name}`);
    if (error.name !== name) fail(`${shown(error)} was thrown, ${name} was expected`);
    if (typeof name === 'string' && name !== 'QuotaExceededError' && error.code !== (DOM_CODES[name] || 0)) fail(`code ${error.code} of ${name}`);
    if (error.constructor !== DOMException && !(error instanceof DOMException)) fail(`${name} is no DOMException`);
  }

  function isJsError(error, constructor) {
    if (typeof error !== 'object' || error === null) fail(`${shown(error)} was thrown, ${constructor.name} was expected`);
    if (error.constructor !== constructor && error.name !== constructor.name) fail(`${shown(error)} was thrown, ${constructor.name} was expected`);
  }

  function domArguments(given) {
    return typeof given[0] === 'function' && given[0].name === 'DOMException' ? given.slice(1) : given;
  }

  async function rejection(promise, description) {
    try {
      await promise;
    } catch (error) {
      return error;
    }
    return fail('the promise was not rejected', description);
  }

  const asserts = {
    assert_true: (value, description) => { if (value !== true) fail(`${shown(value)} instead of true`, description); },
    assert_false: (value, description) => { if (value !== false) fail(`${shown(value)} instead of false`, description); },
    assert_equals: (seen, wanted, description) => {
      if (typeof seen !== typeof wanted || !same(seen, wanted)) fail(`${shown(seen)} instead of ${shown(wanted)}`, description);
    },
    assert_not_equals: (seen, wanted, description) => { if (same(seen, wanted)) fail(`${shown(seen)}`, description); },
    assert_in_array: (seen, list, description) => { if (!list.includes(seen)) fail(`${shown(seen)} is not in ${shown(list)}`, description); },
    assert_object_equals: (seen, wanted, description) => {
      const left = JSON.stringify(seen), right = JSON.stringify(wanted);
      if (left !== right) fail(`${left} instead of ${right}`, description);
    },
    assert_array_equals: (seen, wanted, description) => {
      if (typeof seen !== 'object' || seen === null || !('length' in seen)) fail(`${shown(seen)} is no array`, description);
      if (seen.length !== wanted.length) fail(`length ${seen.length} instead of ${wanted.length}: ${shown(Array.from(seen).slice(0, 8))}`, description);
      for (let i = 0; i < wanted.length; i++) if (!same(seen[i], wanted[i])) fail(`${shown(seen[i])} instead of ${shown(wanted[i])} at ${i}`, description);
    },
    assert_array_approx_equals: (seen, wanted, least, description) => {
      if (seen.length !== wanted.length) fail('other lengths', description);
      for (let i = 0; i < wanted.length; i++) if (Math.abs(seen[i] - wanted[i]) > least) fail(`${seen[i]} at ${i}`, description);
    },
    assert_approx_equals: (seen, wanted, least, description) => { if (!(Math.abs(seen - wanted) <= least)) fail(`${seen} instead of ${wanted}`, description); },
    assert_less_than: (seen, most, description) => { if (!(seen < most)) fail(`${shown(seen)} is not below ${most}`, description); },
    assert_greater_than: (seen, least, description) => { if (!(seen > least)) fail(`${shown(seen)} is not above ${least}`, description); },
    assert_less_than_equal: (seen, most, description) => { if (!(seen <= most)) fail(`${shown(seen)} is above ${most}`, description); },
    assert_greater_than_equal: (seen, least, description) => { if (!(seen >= least)) fail(`${shown(seen)} is below ${least}`, description); },
    assert_between_exclusive: (seen, least, most, description) => { if (!(seen > least && seen < most)) fail(shown(seen), description); },
    assert_between_inclusive: (seen, least, most, description) => { if (!(seen >= least && seen <= most)) fail(shown(seen), description); },
    assert_regexp_match: (seen, pattern, description) => { if (!pattern.test(seen)) fail(`${shown(seen)} does not match ${pattern}`, description); },
    assert_class_string: (value, name, description) => {
      const seen = Object.prototype.toString.call(value);
      if (seen !== `[object ${name}]`) fail(`${seen} instead of ${name}`, description);
    },
    assert_own_property: (value, name, description) => { if (!Object.prototype.hasOwnProperty.call(value, name)) fail(`no own ${String(name)}`, description); },
    assert_not_own_property: (value, name, description) => { if (Object.prototype.hasOwnProperty.call(value, name)) fail(`own ${String(name)}`, description); },
    assert_inherits: (value, name, description) => {
      if (Object.prototype.hasOwnProperty.call(value, name) || !(name in value)) fail(`${String(name)} is not inherited`, description);
    },
    assert_idl_attribute: (value, name, description) => { if (!(name in value)) fail(`${String(name)} is missing`, description); },
    assert_readonly: (value, name, description) => {
      const before = value[name];
      try { value[name] = `${before}1`; } catch { /* strict code throws */ }
      if (!same(value[name], before)) fail(`${String(name)} can be assigned to`, description);
    },
    assert_throws_js: (constructor, func, description) => { const [error] = thrown(func); try { isJsError(error, constructor); } catch (wrong) { fail(wrong.message, description); } },
    assert_throws_dom: (kind, ...rest) => { const [func] = domArguments(rest); isDomException(thrown(func)[0], kind); },
    assert_throws_exactly: (wanted, func, description) => { const [error] = thrown(func); if (!same(error, wanted)) fail(`${shown(error)} was thrown`, description); },
    assert_throws_quotaexceedederror: (func) => { const [error] = thrown(func); if (error.name !== 'QuotaExceededError') fail(shown(error)); },
    assert_unreached: (description) => fail('reached what must not be reached', description),
    assert_implements: (value, description) => { if (!value) fail('not implemented', description); },
    assert_implements_optional: (value, description) => { if (!value) fail('not implemented', description); },
    assert_any: (assertion, seen, list, ...rest) => {
      for (const wanted of list) { try { assertion(seen, wanted, ...rest); return; } catch { /* another one may do */ } }
      fail(`${shown(seen)} is none of ${shown(list)}`);
    },
    promise_rejects_js: async (_test, constructor, promise, description) => {
      const error = await rejection(promise, description);
      try { isJsError(error, constructor); } catch (wrong) { fail(wrong.message, description); }
    },
    promise_rejects_dom: async (_test, kind, ...rest) => {
      const [promise, description] = domArguments(rest);
      isDomException(await rejection(promise, description), kind);
    },
    promise_rejects_exactly: async (_test, wanted, promise, description) => {
      const error = await rejection(promise, description);
      if (!same(error, wanted)) fail(`rejected with ${shown(error)}`, description);
    },
    promise_rejects_quotaexceedederror: async (_test, promise) => {
      const error = await rejection(promise);
      if (error.name !== 'QuotaExceededError') fail(shown(error));
    },
  };

  class EventWatcher {
    constructor(_test, target, types) {
      const kept = [];
      let wanted = null;
      for (const type of [].concat(types)) {
        target.addEventListener(type, (event) => { if (wanted) { const w = wanted; wanted = null; w(event); } else kept.push(event); });
      }
      this.wait_for = () => (kept.length ? Promise.resolve(kept.shift()) : new Promise((resolve) => { wanted = resolve; }));
    }
  }

  /* The files that tests read beside themselves; everything else goes to the network. */
  function fetchFiles(input, init) {
    const name = typeof input === 'string' ? input.replace(/^\.\//, '').replace(/^.*\/(?=resources\/)/, '') : '';
    if (Object.prototype.hasOwnProperty.call(files, name)) return Promise.resolve(new Response(files[name], { headers: { 'content-type': 'application/json' } }));
    return send(input, init);
  }

  async function run(program) {
    if (typeof globalThis.self === 'undefined') globalThis.self = globalThis;
    try {
      const more = program.call(globalThis);
      if (more && typeof more.then === 'function') await more;
    } catch (error) {
      report('the file as a whole', words(error));
    }
    let seen;
    do {
      seen = waiting;
      await seen;
      await Promise.all(open);
    } while (seen !== waiting);
    return results;
  }

  return {
    ...asserts,
    test, async_test, promise_test, run, EventWatcher, AssertionError,
    fetch: fetchFiles,
    setup: (func) => { if (typeof func === 'function') func(); },
    promise_setup: (func) => { waiting = waiting.then(func); },
    done: () => undefined,
    step_timeout: (func, milliseconds, ...given) => setTimer(func, milliseconds, ...given),
    subsetTest: (func, ...given) => func(...given),
    subsetTestByKey: (_key, func, ...given) => func(...given),
    shouldRunSubTest: () => true,
    generate_tests: (func, list) => list.forEach((given) => test(() => func(...given.slice(1)), given[0])),
    format_value: shown,
    add_completion_callback: () => undefined,
    on_event: (target, type, func) => target.addEventListener(type, func, false),
    garbageCollect: () => Promise.resolve(),
    token: () => 'token',
    location: { search: '', href: 'http://web-platform.test/', origin: 'http://web-platform.test', protocol: 'http:', host: 'web-platform.test', hostname: 'web-platform.test', port: '', pathname: '/' },
    GLOBAL: { isWindow: () => false, isWorker: () => true, isShadowRealm: () => false },
  };
}
