/*
 * node:crypto.  The server computes, as for crypto.subtle: see the functions of `crypto` that end in Sync.
 */
const { Buffer, bytesOf, wrong } = require('./crypto/bytes.js');
const hashes = require('./crypto/hash.js');
const { KeyObject, createPrivateKey, createPublicKey, createSecretKey } = require('./crypto/keys.js');

const MOST = 65536;
const MISSING = [
  'createDiffieHellman', 'createECDH', 'diffieHellman', 'generateKey', 'generateKeyPair', 'generateKeyPairSync', 'generateKeySync', 'generatePrime', 'generatePrimeSync',
  'privateDecrypt', 'privateEncrypt', 'publicDecrypt', 'publicEncrypt', 'setEngine',
];

function filled(bytes) {
  for (let at = 0; at < bytes.length; at += MOST) crypto.getRandomValues(new Uint8Array(bytes.buffer, bytes.byteOffset + at, Math.min(MOST, bytes.length - at)));
  return bytes;
}

function randomBytes(size, done) {
  if (!Number.isInteger(size) || size < 0) throw wrong(`The value of "size" is out of range. Received ${size}`, 'ERR_OUT_OF_RANGE', RangeError);
  const made = filled(Buffer.alloc(size));
  if (done === undefined) return made;
  queueMicrotask(() => done(null, made));
  return undefined;
}

function randomFillSync(value, offset = 0, size = value.byteLength - offset) {
  filled(new Uint8Array(value.buffer ?? value, (value.byteOffset ?? 0) + offset, size));
  return value;
}

function randomInt(first, second, third) {
  const [least, most, done] = typeof second === 'number' ? [first, second, third] : [0, first, second];
  const range = most - least;
  if (!Number.isSafeInteger(least) || !Number.isSafeInteger(most) || range <= 0 || range > 2 ** 48 - 1) throw wrong(`The value of "max" is out of range. Received ${most}`, 'ERR_OUT_OF_RANGE', RangeError);
  const limit = 2 ** 48 - (2 ** 48 % range);
  let value;
  do value = randomBytes(6).readUIntBE(0, 6); while (value >= limit);
  const made = least + (value % range);
  if (done === undefined) return made;
  queueMicrotask(() => done(null, made));
  return undefined;
}

function timingSafeEqual(one, other) {
  const [first, second] = [bytesOf(one, undefined, 'buf1'), bytesOf(other, undefined, 'buf2')];
  if (first.length !== second.length) throw wrong('Input buffers must have the same byte length', 'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH', RangeError);
  return crypto.timingSafeEqual(first, second);
}

function missing(name) {
  return function () { throw new Error(`crypto.${name} does not exist here; crypto.subtle has what the Web Cryptography API has.`); };
}

const web = globalThis.crypto;

module.exports = {
  ...hashes,
  ...require('./crypto/sign.js'),
  ...require('./crypto/derive.js'),
  ...require('./crypto/cipher.js'),
  KeyObject,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  randomBytes,
  pseudoRandomBytes: randomBytes,
  randomFillSync,
  randomFill(value, ...rest) {
    const done = rest.pop();
    randomFillSync(value, ...rest);
    queueMicrotask(() => done(null, value));
  },
  randomInt,
  randomUUID: () => crypto.randomUUID(),
  timingSafeEqual,
  getRandomValues: (value) => crypto.getRandomValues(value),
  webcrypto: web,
  subtle: web?.subtle,
  getCurves: () => ['prime256v1', 'secp384r1', 'secp521r1'],
  getFips: () => 0,
  constants: {
    RSA_PKCS1_PADDING: 1, RSA_NO_PADDING: 3, RSA_PKCS1_OAEP_PADDING: 4, RSA_PKCS1_PSS_PADDING: 6, RSA_PSS_SALTLEN_DIGEST: -1, RSA_PSS_SALTLEN_AUTO: -2, RSA_PSS_SALTLEN_MAX_SIGN: -2,
  },
  ...Object.fromEntries(MISSING.map((name) => [name, missing(name)])),
};
