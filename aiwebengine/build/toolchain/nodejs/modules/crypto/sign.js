/*
 * createSign, createVerify, sign, verify.
 */
const { Buffer, bytesOf, given, hashName, wrong } = require('./bytes.js');
const { signatureFromDer, signatureToDer } = require('./der.js');
const { keyFor, webKey } = require('./keys.js');

const PSS = 6;
const HASHED = { 'SHA-1': 20, 'SHA-256': 32, 'SHA-384': 48, 'SHA-512': 64 };
const NUMBERS = { prime256v1: 32, secp384r1: 48, secp521r1: 66 };
const SALT = { digest: -1, auto: -2, maxSignature: -3 };

/* How crypto.subtle is asked for a signature. */
function asked(algorithm, key, options) {
  const kind = key.asymmetricKeyType;
  if (kind === 'ed25519') return { name: 'Ed25519' };
  if (algorithm === null || algorithm === undefined) throw wrong('A hash function is needed for this key, such as "sha256".');
  const hash = hashName(algorithm);
  if (kind === 'ec') return { name: 'ECDSA', hash };
  if (kind !== 'rsa' && kind !== 'rsa-pss') throw wrong(`Keys of the type ${kind} do not sign.`, 'ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE');
  if (kind !== 'rsa-pss' && options.padding !== PSS) return { name: 'RSASSA-PKCS1-v1_5', hash };
  const most = Math.ceil((key.asymmetricKeyDetails.modulusLength - 1) / 8) - HASHED[hash] - 2;
  const length = options.saltLength ?? SALT.maxSignature;
  return { name: 'RSA-PSS', hash, saltLength: length === SALT.digest ? HASHED[hash] : length < 0 ? most : length };
}

function sign(algorithm, data, secret) {
  const { key, options } = keyFor(secret, false);
  const how = asked(algorithm, key, options);
  const signature = Buffer.from(crypto.signSync(how, webKey(key, { hash: how.hash, name: how.name, usages: ['sign'] }), bytesOf(data)));
  return how.name === 'ECDSA' && options.dsaEncoding !== 'ieee-p1363' ? signatureToDer(signature) : signature;
}

function verify(algorithm, data, open, signature) {
  const { key, options } = keyFor(open, true);
  const how = asked(algorithm, key, options);
  const web = webKey(key, { hash: how.hash, name: how.name, usages: ['verify'] });
  let bytes = bytesOf(signature, undefined, 'signature');
  if (how.name === 'ECDSA' && options.dsaEncoding !== 'ieee-p1363') {
    try {
      bytes = signatureFromDer(bytes, NUMBERS[key.asymmetricKeyDetails.namedCurve]);
    } catch {
      return false;
    }
  }
  if (how.name !== 'RSA-PSS' || (options.saltLength ?? SALT.auto) !== SALT.auto) return crypto.verifySync(how, web, bytes, bytesOf(data));
  // Any length of the salt will do: those that are used.
  return [...new Set([HASHED[how.hash], how.saltLength, 0])].some((saltLength) => crypto.verifySync({ ...how, saltLength }, web, bytes, bytesOf(data)));
}

class Signing {
  constructor(algorithm) {
    hashName(algorithm);
    this.algorithm = algorithm;
    this.parts = [];
  }

  update(data, encoding) {
    this.parts.push(Buffer.from(bytesOf(data, encoding)));
    return this;
  }

  write(data, encoding) {
    this.update(data, encoding);
    return true;
  }

  end(data, encoding) {
    if (data !== undefined) this.update(data, encoding);
    return this;
  }
}

class Sign extends Signing {
  sign(key, encoding) {
    return given(sign(this.algorithm, Buffer.concat(this.parts), key), encoding);
  }
}

class Verify extends Signing {
  verify(key, signature, encoding) {
    return verify(this.algorithm, Buffer.concat(this.parts), key, bytesOf(signature, encoding, 'signature'));
  }
}

const later = (compute) => (...values) => {
  const done = typeof values.at(-1) === 'function' ? values.pop() : null;
  if (done === null) return compute(...values);
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
  return undefined;
};

module.exports = {
  Sign,
  Verify,
  createSign: (algorithm) => new Sign(algorithm),
  createVerify: (algorithm) => new Verify(algorithm),
  sign: later(sign),
  verify: later(verify),
};
