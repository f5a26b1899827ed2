/*
 * node:util and node:util/types.
 */
const { inspect, format, formatWithOptions, stripVTControlCharacters } = require('./inspect.js');
const types = require('./types.js');

const PROMISIFIED = Symbol.for('nodejs.util.promisify.custom');

const wrong = (message, code = 'ERR_INVALID_ARG_TYPE') => Object.assign(new TypeError(message), { code });

function requireFunction(value, name) {
  if (typeof value !== 'function') throw wrong(`The "${name}" argument must be of type function. Received ${inspect(value)}`);
}

function like(made, original) {
  Object.setPrototypeOf(made, Object.getPrototypeOf(original));
  for (const name of Reflect.ownKeys(original)) {
    const own = Object.getOwnPropertyDescriptor(made, name);
    if (own === undefined || own.configurable) Object.defineProperty(made, name, Object.getOwnPropertyDescriptor(original, name));
  }
  return made;
}

function promisify(original) {
  requireFunction(original, 'original');
  const custom = original[PROMISIFIED];
  if (custom !== undefined) {
    requireFunction(custom, 'util.promisify.custom');
    return Object.defineProperty(custom, PROMISIFIED, { value: custom, configurable: true });
  }
  function promised(...given) {
    return new Promise((resolve, reject) => {
      original.call(this, ...given, (error, value) => (error ? reject(error) : resolve(value)));
    });
  }
  return Object.defineProperty(like(promised, original), PROMISIFIED, { value: promised, configurable: true });
}
promisify.custom = PROMISIFIED;

function callbackify(original) {
  requireFunction(original, 'original');
  function called(...given) {
    const done = given.pop();
    requireFunction(done, 'last argument');
    original.apply(this, given).then(
      (value) => queueMicrotask(() => done.call(this, null, value)),
      (reason) => queueMicrotask(() => done.call(this, reason || Object.assign(new Error('Promise was rejected with a falsy value'), { code: 'ERR_FALSY_VALUE_REJECTION', reason }))),
    );
  }
  return Object.defineProperty(called, 'name', { value: `${original.name}Callbackified`, configurable: true });
}

function inherits(constructor, parent) {
  requireFunction(constructor, 'ctor');
  requireFunction(parent, 'superCtor');
  Object.defineProperty(constructor, 'super_', { value: parent, writable: true, configurable: true });
  Object.setPrototypeOf(constructor.prototype, parent.prototype);
}

const warned = new Set();
function deprecate(fn, message, code) {
  let told = false;
  function deprecated(...given) {
    if (!told && !(code !== undefined && warned.has(code))) {
      console.warn(`${code === undefined ? '' : `[${code}] `}DeprecationWarning: ${message}`);
      warned.add(code);
    }
    told = true;
    return new.target ? Reflect.construct(fn, given, new.target) : fn.apply(this, given);
  }
  if (fn.prototype) deprecated.prototype = fn.prototype;
  return deprecated;
}

function debuglog(section) {
  const enabled = new RegExp(`(?:^|,)(?:${section}|\\*)(?:,|$)`, 'i').test(String(require('node:process').env.NODE_DEBUG ?? ''));
  const log = (...given) => { if (enabled) console.error(`${section.toUpperCase()}: ${format(...given)}`); };
  return Object.assign(log, { enabled });
}

function aborted(signal) {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => { signal.addEventListener('abort', () => resolve(), { once: true }); });
}

function styleText(style, text) {
  const chosen = [style].flat();
  return chosen.reduce((made, name) => {
    const codes = inspect.colors[name];
    if (codes === undefined) throw wrong(`The argument 'format' must be one of ${Object.keys(inspect.colors).join(', ')}. Received ${inspect(name)}`, 'ERR_INVALID_ARG_VALUE');
    return `\u001b[${codes[0]}m${made}\u001b[${codes[1]}m`;
  }, text);
}

function missing(name) {
  return function () { throw new Error(`util.${name} does not exist here; see the documentation for what node:util has.`); };
}

module.exports = {
  inspect,
  format,
  formatWithOptions,
  stripVTControlCharacters,
  styleText,
  types,
  promisify,
  callbackify,
  inherits,
  deprecate,
  debuglog,
  debug: debuglog,
  aborted,
  isDeepStrictEqual: (one, other) => require('npm:assert/build/internal/util/comparisons.js').isDeepStrictEqual(one, other),
  isArray: Array.isArray,
  toUSVString: (text) => String(text).toWellFormed(),
  TextEncoder: globalThis.TextEncoder,
  TextDecoder: globalThis.TextDecoder,
  _extend: (target, source) => (source === null || typeof source !== 'object' ? target : Object.assign(target, source)),
  parseArgs: missing('parseArgs'),
  getSystemErrorName: missing('getSystemErrorName'),
  MIMEType: missing('MIMEType'),
};
