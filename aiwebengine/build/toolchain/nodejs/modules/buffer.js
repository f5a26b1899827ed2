/*
 * node:buffer.  The package `buffer` with what came later: base64url, and subarray() as a Buffer.
 */
const shim = require('npm:buffer');

const { Buffer } = shim;
const URL_SAFE = /^base64-?url$/i;
const UNKNOWN = ['transcode', 'resolveObjectURL'];

/* What base64url differs in when it is read, base64 knows already. */
const readable = (encoding) => (typeof encoding === 'string' && URL_SAFE.test(encoding) ? 'base64' : encoding);

const { from, alloc, byteLength, isEncoding } = Buffer;
Buffer.from = function from_(value, encoding, length) {
  return from(value, readable(encoding), length);
};
Buffer.alloc = (size, fill, encoding) => alloc(size, fill, readable(encoding));
Buffer.byteLength = (value, encoding) => byteLength(value, readable(encoding));
Buffer.isEncoding = (encoding) => isEncoding(encoding) || (typeof encoding === 'string' && URL_SAFE.test(encoding));
Buffer.of = (...bytes) => Buffer.from(bytes);
Buffer.copyBytesFrom = (view, offset = 0, length = view.length - offset) => {
  const part = view.slice(offset, offset + length);
  return Buffer.from(part.buffer, part.byteOffset, part.byteLength);
};
for (const name of ['from', 'of', 'alloc', 'byteLength', 'isEncoding', 'copyBytesFrom']) {
  Object.defineProperty(Buffer, name, { value: Buffer[name], writable: true, configurable: true, enumerable: true });
  Object.defineProperty(Buffer[name], 'name', { value: name, configurable: true });
}

const { prototype } = Buffer;
const { toString, write, fill, indexOf, lastIndexOf, includes } = prototype;
function define(name, value) {
  Object.defineProperty(value, 'name', { value: name, configurable: true });
  Object.defineProperty(prototype, name, { value, writable: true, configurable: true, enumerable: true });
}
define('toString', function (encoding, start, end) {
  if (typeof encoding !== 'string' || !URL_SAFE.test(encoding)) return toString.call(this, ...arguments);
  return toString.call(this, 'base64', start, end).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
});
define('toLocaleString', prototype.toString);
define('write', function (...given) { return write.apply(this, given.map(readable)); });
define('fill', function (value, ...given) { return fill.call(this, value, ...given.map(readable)); });
define('indexOf', function (value, ...given) { return indexOf.call(this, value, ...given.map(readable)); });
define('lastIndexOf', function (value, ...given) { return lastIndexOf.call(this, value, ...given.map(readable)); });
define('includes', function (value, ...given) { return includes.call(this, value, ...given.map(readable)); });
define('slice', function slice(start, end) {
  const part = Uint8Array.prototype.subarray.call(this, start, end);
  return Object.setPrototypeOf(part, prototype);
});
define('subarray', prototype.slice);

const { equals, compare } = prototype;
const asBuffer = (value) => (value instanceof Uint8Array && !Buffer.isBuffer(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value);
define('equals', function (other) { return equals.call(this, asBuffer(other)); });
define('compare', function (other, ...range) { return compare.call(this, asBuffer(other), ...range); });

function missing(name) {
  return function () { throw new Error(`${name} does not exist here; see the documentation for what node:buffer has.`); };
}

module.exports = {
  Buffer,
  SlowBuffer: shim.SlowBuffer,
  INSPECT_MAX_BYTES: 50,
  kMaxLength: shim.kMaxLength,
  kStringMaxLength: shim.kMaxLength,
  constants: { MAX_LENGTH: shim.kMaxLength, MAX_STRING_LENGTH: shim.kMaxLength },
  Blob: globalThis.Blob,
  File: globalThis.File,
  atob: globalThis.atob,
  btoa: globalThis.btoa,
  isAscii: (bytes) => new Uint8Array(bytes.buffer ?? bytes, bytes.byteOffset ?? 0, bytes.byteLength).every((one) => one < 128),
  isUtf8(bytes) {
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      return true;
    } catch {
      return false;
    }
  },
  ...Object.fromEntries(UNKNOWN.map((name) => [name, missing(`buffer.${name}`)])),
};
