/*
 * Any value as one line of ASCII that tells it from every other: node and the sandbox are compared by it.
 */

const own = Object.prototype.hasOwnProperty;

function text(value) {
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function list(values, depth) {
  return Array.from(values, (value) => describe(value, depth + 1)).join(', ');
}

function members(value, depth) {
  return Object.keys(value).map((key) => `${text(key)}: ${describe(value[key], depth + 1)}`).join(', ');
}

export function describe(value, depth = 0) {
  if (depth > 6) return '...';
  if (typeof value === 'string') return text(value);
  if (typeof value === 'symbol') return `symbol ${text(String(value.description))}`;
  if (typeof value === 'function') return `function ${text(value.name)}`;
  if (value === null || typeof value !== 'object') return Object.is(value, -0) ? '-0' : String(value);
  if (value instanceof Error) return `${own.call(value, 'name') ? value.name : value.constructor.name}!`;
  if (value instanceof Date) return `Date ${value.getTime()}`;
  if (value instanceof RegExp) return `RegExp ${text(String(value))}`;
  if (value instanceof Map) return `Map ${list(value, depth)}`;
  if (value instanceof Set) return `Set ${list(value, depth)}`;
  if (Array.isArray(value)) return `[${Array.from({ length: value.length }, (_, i) => (i in value ? describe(value[i], depth + 1) : 'hole')).join(', ')}]`;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return `${value.constructor.name} ${list(value, depth)}`;
  if (value instanceof ArrayBuffer) return `ArrayBuffer ${list(new Uint8Array(value), depth)}`;
  const prototype = Object.getPrototypeOf(value);
  const kind = prototype === null ? 'null ' : value.constructor && value.constructor.name === 'Object' ? '' : `${value.constructor && value.constructor.name} `;
  return `${kind}{${members(value, depth)}}`;
}

/* What a probe comes to: the description of its value, or the name of what it throws. */
export async function outcome(probe) {
  try {
    return describe(await probe());
  } catch (error) {
    return `threw ${error === null || typeof error !== 'object' ? describe(error) : error.name}`;
  }
}

export async function outcomes(probes) {
  const seen = [];
  for (const probe of probes) seen.push(await outcome(probe));
  return seen;
}
