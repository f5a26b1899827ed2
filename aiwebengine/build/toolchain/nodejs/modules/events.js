/*
 * node:events.  The package `events` with what came later: on(), errorMonitor, captureRejections is not among it.
 */
const EventEmitter = require('npm:events');

const errorMonitor = Symbol('events.errorMonitor');
const { emit, listeners } = EventEmitter.prototype;

EventEmitter.prototype.emit = function emit_(type, ...given) {
  if (type === 'error' && this._events?.[errorMonitor] !== undefined) emit.call(this, errorMonitor, ...given);
  return emit.call(this, type, ...given);
};
Object.defineProperty(EventEmitter.prototype.emit, 'name', { value: 'emit' });

const isTarget = (one) => typeof one?.addEventListener === 'function' && typeof one.on !== 'function';

function aborted(signal) {
  const error = new Error('The operation was aborted', { cause: signal.reason });
  return Object.assign(error, { name: 'AbortError', code: 'ABORT_ERR' });
}

/* An async iterator of the arguments of each event. */
function on(emitter, event, { signal, close = [] } = {}) {
  if (signal?.aborted) throw aborted(signal);
  const ready = [];
  const asked = [];
  let error = null;
  let done = false;
  const took = isTarget(emitter) ? (one) => take([one]) : (...given) => take(given);
  function take(value) {
    if (asked.length > 0) asked.shift().resolve({ value, done: false });
    else ready.push(value);
  }
  function fail(thrown) {
    if (asked.length > 0) asked.shift().reject(thrown);
    else error = thrown;
    finish();
  }
  const stop = () => fail(aborted(signal));
  function finish() {
    done = true;
    if (isTarget(emitter)) emitter.removeEventListener(event, took);
    else {
      emitter.removeListener(event, took);
      if (event !== 'error') emitter.removeListener('error', fail);
      for (const one of close) emitter.removeListener(one, finish);
    }
    signal?.removeEventListener('abort', stop);
    while (asked.length > 0) asked.shift().resolve({ value: undefined, done: true });
    return Promise.resolve({ value: undefined, done: true });
  }
  if (isTarget(emitter)) emitter.addEventListener(event, took);
  else {
    emitter.on(event, took);
    if (event !== 'error') emitter.on('error', fail);
    for (const one of close) emitter.on(one, finish);
  }
  signal?.addEventListener('abort', stop, { once: true });
  return {
    next() {
      if (ready.length > 0) return Promise.resolve({ value: ready.shift(), done: false });
      if (error !== null) {
        const thrown = error;
        error = null;
        return Promise.reject(thrown);
      }
      if (done) return Promise.resolve({ value: undefined, done: true });
      return new Promise((resolve, reject) => { asked.push({ resolve, reject }); });
    },
    return: finish,
    throw(thrown) {
      error = thrown;
      return finish();
    },
    [Symbol.asyncIterator]() { return this; },
  };
}

const { once } = EventEmitter;
Object.assign(EventEmitter, {
  on,
  /* The first event of a kind, as the list of its arguments. */
  once(emitter, event, { signal } = {}) {
    if (signal === undefined) return once(emitter, event);
    if (signal.aborted) return Promise.reject(aborted(signal));
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(aborted(signal)), { once: true });
      once(emitter, event).then(resolve, reject);
    });
  },
  errorMonitor,
  captureRejections: false,
  captureRejectionSymbol: Symbol.for('nodejs.rejection'),
  usingDomains: false,
  getEventListeners: (emitter, event) => listeners.call(emitter, event),
  getMaxListeners: (emitter) => emitter.getMaxListeners?.() ?? EventEmitter.defaultMaxListeners,
  setMaxListeners(count = EventEmitter.defaultMaxListeners, ...targets) {
    if (targets.length === 0) EventEmitter.defaultMaxListeners = count;
    for (const one of targets) one.setMaxListeners?.(count);
  },
  listenerCount: (emitter, event) => emitter.listenerCount(event),
  addAbortListener(signal, listener) {
    if (signal.aborted) queueMicrotask(() => listener());
    else signal.addEventListener('abort', listener, { once: true });
    const dispose = () => signal.removeEventListener('abort', listener);
    return { [Symbol.dispose]: dispose };
  },
});

module.exports = EventEmitter;
