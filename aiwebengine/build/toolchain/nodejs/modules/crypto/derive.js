/*
 * pbkdf2, scrypt and hkdf.
 */
const { Buffer, bytesOf, hashName } = require('./bytes.js');
const { KeyObject } = require('./keys.js');

const COST = 16384;
const BLOCK = 8;

function derived(name, secret, parameters, length) {
  const material = secret instanceof KeyObject ? secret.export() : bytesOf(secret, 'utf8', 'password');
  const key = crypto.importKeySync('raw', material, name, false, ['deriveBits']);
  return Buffer.from(crypto.deriveBitsSync({ name, ...parameters }, key, length * 8));
}

function pbkdf2Sync(password, salt, iterations, length, digest) {
  return derived('PBKDF2', password, { salt: bytesOf(salt, 'utf8', 'salt'), iterations, hash: hashName(digest) }, length);
}

function scryptSync(password, salt, length, options = {}) {
  const { N = options.cost ?? COST, r = options.blockSize ?? BLOCK, p = options.parallelization ?? 1 } = options;
  return derived('scrypt', password, { salt: bytesOf(salt, 'utf8', 'salt'), N, r, p }, length);
}

function hkdfSync(digest, secret, salt, info, length) {
  const made = derived('HKDF', secret, { salt: bytesOf(salt, 'utf8', 'salt'), info: bytesOf(info, 'utf8', 'info'), hash: hashName(digest) }, length);
  return made.buffer.slice(made.byteOffset, made.byteOffset + made.length);
}

const later = (compute) => (...values) => {
  const done = values.pop();
  if (typeof done !== 'function') throw Object.assign(new TypeError('The "callback" argument must be of type function.'), { code: 'ERR_INVALID_ARG_TYPE' });
  queueMicrotask(() => {
    let result;
    try {
      result = compute(...values);
    } catch (error) {
      done(error);
      return;
    }
    done(null, result);
  });
};

module.exports = { pbkdf2Sync, scryptSync, hkdfSync, pbkdf2: later(pbkdf2Sync), scrypt: later(scryptSync), hkdf: later(hkdfSync) };
