/*
 * What node:crypto does: each case is a function whose result, as JSON, is the same in Node.js and in a script.
 */
import { Buffer } from 'node:buffer';
import crypto, { createHash, createHmac, createPrivateKey, createPublicKey, createSecretKey } from 'node:crypto';
import { promisify } from 'node:util';

import { keys } from './node-keys.mjs';

const told = (run) => {
  try {
    return run();
  } catch (error) {
    return error.name;
  }
};
const data = Buffer.from('some text é');

function signedBy(kind, algorithm, options = {}) {
  const { pem, open } = keys[kind];
  const signature = crypto.sign(algorithm, data, { key: pem, ...options });
  const again = algorithm === null ? signature : crypto.createSign(algorithm).update('some text ').update('é').sign({ key: createPrivateKey(pem), ...options });
  const verify = (bytes, made) => crypto.verify(algorithm, bytes, { key: open, ...options }, made);
  return [verify(data, signature), verify(data, again), verify(Buffer.from('other'), signature), verify(data, Buffer.from('nonsense')), verify(data, Buffer.from(keys[kind].signature, 'hex')), options.dsaEncoding ? signature.length : 0];
}

export const cases = {
  'hashes': () => ['md5', 'sha1', 'sha256', 'SHA384', 'sha512', 'RSA-SHA256'].map((name) => createHash(name).update('a').update(Buffer.from('b')).update('63', 'hex').digest('hex')),
  'hash forms': () => {
    const hash = createHash('sha256').update('a');
    const copy = hash.copy().update('b').digest('base64');
    return [copy, hash.digest('base64url'), Buffer.isBuffer(createHash('md5').digest()), told(() => hash.update('x')), told(() => hash.digest()), told(() => createHash('none')), told(() => createHash('md5').update(5))];
  },
  'hmac': () => [createHmac('sha256', 'key').update('text').digest('hex'), createHmac('md5', Buffer.from('key')).update('é').digest('base64'), createHmac('sha512', createSecretKey(Buffer.from('key'))).update('text').digest('hex'), createHmac('sha1', '').update('').digest('hex')],
  'random': () => [crypto.randomBytes(5).length, crypto.randomBytes(70000).length, /^[\da-f-]{36}$/.test(crypto.randomUUID()), [1, 2, 3].includes(crypto.randomInt(1, 4)), crypto.randomInt(1), crypto.randomFillSync(Buffer.alloc(4)).length, told(() => crypto.randomBytes(-1)), told(() => crypto.randomInt(3, 3))],
  'random later': async () => [(await promisify(crypto.randomBytes)(3)).length],
  'equal': () => [crypto.timingSafeEqual(Buffer.from('a'), new Uint8Array([97])), crypto.timingSafeEqual(Buffer.from('a'), Buffer.from('b')), told(() => crypto.timingSafeEqual(Buffer.from('a'), Buffer.from('ab')))],
  'pbkdf2': async () => [crypto.pbkdf2Sync('secret', 'salt', 1000, 32, 'sha512').toString('hex'), (await promisify(crypto.pbkdf2)('secret', Buffer.from('salt'), 10, 20, 'sha1')).toString('hex')],
  'scrypt': async () => [crypto.scryptSync('secret', 'salt', 64).toString('hex'), (await promisify(crypto.scrypt)('secret', 'salt', 16, { N: 1024, r: 4, p: 2 })).toString('hex'), told(() => crypto.scryptSync('secret', 'salt', 64, { N: 3 })) !== undefined],
  'hkdf': () => Buffer.from(crypto.hkdfSync('sha256', 'key', 'salt', 'info', 40)).toString('hex'),

  'RSA': () => signedBy('rsa', 'sha256'),
  'RSA PKCS #1': () => signedBy('pkcs1', 'RSA-SHA512'),
  'RSA PSS': () => signedBy('pss', 'sha256', { padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST }),
  'EC': () => signedBy('ec', 'sha256'),
  'EC SEC1': () => signedBy('sec1', 'sha384'),
  'EC side by side': () => signedBy('raw', 'sha256', { dsaEncoding: 'ieee-p1363' }),
  'Ed25519': () => signedBy('ed25519', null),
  'keys': () => ['rsa', 'pkcs1', 'ec', 'sec1', 'ed25519'].map((kind) => {
    const key = createPrivateKey(keys[kind].pem);
    const open = createPublicKey(keys[kind].pem);
    return [key.type, key.asymmetricKeyType, key.asymmetricKeyDetails.modulusLength ?? null, key.asymmetricKeyDetails.namedCurve ?? null, open.export({ type: 'spki', format: 'pem' }) === createPublicKey(keys[kind].open).export({ type: 'spki', format: 'pem' }), key.export({ type: 'pkcs8', format: 'der' }).length > 40, open.equals(createPublicKey(key)), key.export({ format: 'jwk' }).kty];
  }),
  'keys of JWK': () => {
    const jwk = createPublicKey(keys.ec.open).export({ format: 'jwk' });
    const open = createPublicKey({ key: jwk, format: 'jwk' });
    return [jwk, open.asymmetricKeyDetails, createSecretKey('ab', 'hex').export({ format: 'jwk' }), createSecretKey(Buffer.from('abc')).symmetricKeySize];
  },
  'certificate': () => [createPublicKey(keys.certificate).asymmetricKeyType, createPublicKey(keys.certificate).asymmetricKeyDetails.modulusLength],
  'keys that are none': () => [told(() => createPrivateKey('nonsense')), told(() => createPublicKey(Buffer.from('x'))), told(() => createPrivateKey(keys.rsa.open)), told(() => crypto.sign('sha256', data, keys.rsa.open))],

  'ciphers': () => ['aes-128-gcm', 'aes-256-gcm', 'aes-192-cbc', 'aes-256-ctr'].map((name) => {
    const [key, iv] = [Buffer.alloc(Number(name.slice(4, 7)) / 8, 7), Buffer.alloc(name.endsWith('gcm') ? 12 : 16, 9)];
    const cipher = crypto.createCipheriv(name, key, iv);
    if (name.endsWith('gcm')) cipher.setAAD(Buffer.from('more'));
    const sealed = cipher.update('some text é', 'utf8', 'hex') + cipher.final('hex');
    const opening = crypto.createDecipheriv(name, key, iv);
    if (name.endsWith('gcm')) opening.setAAD(Buffer.from('more')).setAuthTag(cipher.getAuthTag());
    const opened = opening.update(sealed, 'hex', 'utf8') + opening.final('utf8');
    return [sealed, name.endsWith('gcm') ? cipher.getAuthTag().toString('hex') : '', opened];
  }),
  'ciphers refuse': () => {
    const opening = crypto.createDecipheriv('aes-128-gcm', Buffer.alloc(16), Buffer.alloc(12));
    opening.setAuthTag(Buffer.alloc(16));
    opening.update('00', 'hex');
    return [told(() => opening.final()), told(() => crypto.createCipheriv('aes-128-gcm', 'short', Buffer.alloc(12))), told(() => crypto.createCipheriv('none', 'a', 'b'))];
  },
  'webcrypto': async () => [crypto.webcrypto.subtle === globalThis.crypto.subtle, (await crypto.subtle.digest('SHA-1', data)).byteLength, typeof crypto.getRandomValues],
};

/** By name, what each gave, or its error. */
export async function results() {
  const made = {};
  for (const [name, run] of Object.entries(cases)) {
    try {
      made[name] = JSON.parse(JSON.stringify((await run()) ?? null));
    } catch (error) {
      made[name] = { error: String(error?.stack ?? error).slice(0, 600) };
    }
  }
  return made;
}
