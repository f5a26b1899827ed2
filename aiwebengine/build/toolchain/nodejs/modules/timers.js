/*
 * node:timers and node:timers/promises: the global timers, and setImmediate.
 */
const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis;

function setImmediate(callback, ...given) {
  return setTimeout(callback, 0, ...given);
}

function aborted(signal) {
  return Object.assign(new Error('The operation was aborted', { cause: signal.reason }), { name: 'AbortError', code: 'ABORT_ERR' });
}

function after(milliseconds, value, { signal } = {}) {
  if (signal?.aborted) return Promise.reject(aborted(signal));
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(aborted(signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve(value);
    }, milliseconds);
    signal?.addEventListener('abort', stop, { once: true });
  });
}

async function* every(milliseconds, value, options) {
  for (;;) yield await after(milliseconds, value, options);
}

const promises = {
  setTimeout: after,
  setImmediate: (value, options) => after(0, value, options),
  setInterval: every,
  scheduler: { wait: (milliseconds, options) => after(milliseconds, undefined, options), yield: () => after(0) },
};

module.exports = { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate: clearTimeout, promises };
