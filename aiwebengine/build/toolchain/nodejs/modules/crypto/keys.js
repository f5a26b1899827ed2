/*
 * KeyObject, createSecretKey, createPrivateKey, createPublicKey.
 *
 * The key stays in the script, as it was given; crypto.subtle is given it for each use.
 */
const { Buffer, bytesOf, wrong } = require('./bytes.js');
const { fromDer, fromPem, insidePkcs8, insideSpki, toPem } = require('./der.js');

const SIGNED = { rsa: 'RSASSA-PKCS1-v1_5', 'rsa-pss': 'RSA-PSS', ec: 'ECDSA', ed25519: 'Ed25519', x25519: 'X25519' };
const inside = new WeakMap();

class KeyObject {
  constructor(type, found) {
    if (!['secret', 'public', 'private'].includes(type)) throw wrong("The argument 'type' is invalid", 'ERR_INVALID_ARG_VALUE');
    Object.defineProperty(this, 'type', { value: type, enumerable: true });
    inside.set(this, found);
  }

  get asymmetricKeyType() { return inside.get(this).kind; }

  get asymmetricKeyDetails() { return inside.get(this).details; }

  get symmetricKeySize() { return inside.get(this).secret?.length; }

  get [Symbol.toStringTag]() { return 'KeyObject'; }

  export({ type, format = 'pem', cipher } = {}) {
    const found = inside.get(this);
    if (this.type === 'secret') return format === 'jwk' ? { kty: 'oct', k: found.secret.toString('base64url') } : Buffer.from(found.secret);
    if (cipher !== undefined) throw wrong('Keys cannot be encrypted here: leave out cipher.', 'ERR_INVALID_ARG_VALUE', Error);
    if (format === 'jwk') return jwkOf(this);
    const isPublic = this.type === 'public';
    const chosen = type ?? (isPublic ? 'spki' : 'pkcs8');
    const der = { spki: () => found.der, pkcs8: () => found.der, pkcs1: () => (isPublic ? insideSpki : insidePkcs8)(found.der), sec1: () => insidePkcs8(found.der) }[chosen];
    if (der === undefined || (chosen === 'pkcs1' && found.kind !== 'rsa')) throw wrong(`The property 'options.type' is invalid. Received '${chosen}'`, 'ERR_INVALID_ARG_VALUE');
    if (format === 'der') return Buffer.from(der());
    const labels = { spki: 'PUBLIC KEY', pkcs8: 'PRIVATE KEY', pkcs1: `RSA ${isPublic ? 'PUBLIC' : 'PRIVATE'} KEY`, sec1: 'EC PRIVATE KEY' };
    return toPem(der(), labels[chosen]);
  }

  equals(other) {
    if (!(other instanceof KeyObject) || other.type !== this.type) return false;
    const bytes = (key) => inside.get(key).secret ?? inside.get(key).der;
    return bytes(this).equals(bytes(other));
  }
}

/* A key as crypto.subtle takes it for signing, agreeing, or only for changing its format. */
function webKey(key, { hash = 'SHA-256', name, usages, extractable = false }) {
  const { kind, web, der } = inside.get(key);
  const chosen = name ?? SIGNED[kind];
  const algorithm = { name: chosen, ...(kind.startsWith('rsa') ? { hash } : {}), ...(kind === 'ec' ? { namedCurve: web } : {}) };
  return crypto.importKeySync(key.type === 'public' ? 'spki' : 'pkcs8', der, algorithm, extractable, usages);
}

function usagesOf(key) {
  if (inside.get(key).kind === 'x25519') return key.type === 'public' ? [] : ['deriveBits'];
  return [key.type === 'public' ? 'verify' : 'sign'];
}

function jwkOf(key) {
  const { alg, key_ops, ext, ...jwk } = crypto.exportKeySync('jwk', webKey(key, { usages: usagesOf(key), extractable: true }));
  return jwk;
}

const CURVES = { 'P-256': 'ECDSA', 'P-384': 'ECDSA', 'P-521': 'ECDSA', Ed25519: 'Ed25519', X25519: 'X25519' };

/* The public or the private key of a JSON Web Key. */
function fromJwk(jwk, isPublic) {
  const name = jwk.kty === 'RSA' ? 'RSASSA-PKCS1-v1_5' : CURVES[jwk.crv];
  if (name === undefined) throw wrong(`There is no algorithm here for a key with kty "${jwk.kty}" and crv "${jwk.crv}".`, 'ERR_CRYPTO_INVALID_JWK', Error);
  const { kty, crv, x, y, n, e, d, p, q, dp, dq, qi } = jwk;
  const numbers = isPublic ? { kty, crv, x, y, n, e } : { kty, crv, x, y, n, e, d, p, q, dp, dq, qi };
  const algorithm = { name, ...(kty === 'RSA' ? { hash: 'SHA-256' } : {}), ...(name === 'ECDSA' ? { namedCurve: crv } : {}) };
  const usages = name === 'X25519' ? (isPublic ? [] : ['deriveBits']) : [isPublic ? 'verify' : 'sign'];
  const made = crypto.importKeySync('jwk', numbers, algorithm, true, usages);
  return fromDer(Buffer.from(crypto.exportKeySync(isPublic ? 'spki' : 'pkcs8', made)), isPublic ? 'spki' : 'pkcs8');
}

/* What a function is given as a key: a KeyObject, PEM, or `{ key, format, type }`. */
function found(given, isPublic) {
  if (given instanceof KeyObject) return inside.get(given);
  const { key = given, format, type, encoding } = typeof given === 'object' && !ArrayBuffer.isView(given) && !(given instanceof ArrayBuffer) ? given : {};
  if (key instanceof KeyObject) return inside.get(key);
  if (format === 'jwk') return fromJwk(key, isPublic);
  const bytes = bytesOf(key, encoding, 'key');
  return format === 'der' ? fromDer(bytes, type) : fromPem(bytes.toString());
}

function createSecretKey(key, encoding) {
  const secret = Buffer.from(bytesOf(key, encoding, 'key'));
  return new KeyObject('secret', { secret });
}

function createPrivateKey(given) {
  if (given instanceof KeyObject) throw wrong('The "key" argument must not be a KeyObject.');
  const made = found(given, false);
  if (made.type !== 'private') throw wrong('The key is not a private key.', 'ERR_OSSL_UNSUPPORTED', Error);
  return new KeyObject('private', made);
}

function createPublicKey(given) {
  const made = found(given, true);
  if (made.secret !== undefined) throw wrong('A secret key has no public key.', 'ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE');
  if (made.type === 'public') return new KeyObject('public', made);
  return new KeyObject('public', fromJwk(jwkOf(new KeyObject('private', made)), true));
}

/* The key to sign or to verify with, and the options beside it. */
function keyFor(given, isPublic) {
  const options = given instanceof KeyObject || typeof given === 'string' || ArrayBuffer.isView(given) || given instanceof ArrayBuffer ? {} : given;
  const made = found(given, isPublic);
  const key = made.secret !== undefined ? new KeyObject('secret', made) : new KeyObject(made.type, made);
  if (isPublic && key.type === 'private') return { key: createPublicKey(key), options };
  if (key.type !== (isPublic ? 'public' : 'private')) throw wrong(`Invalid key object type ${key.type}, expected ${isPublic ? 'public' : 'private'}.`, 'ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE', given instanceof KeyObject ? TypeError : Error);
  return { key, options };
}

module.exports = { KeyObject, createPrivateKey, createPublicKey, createSecretKey, keyFor, webKey };
