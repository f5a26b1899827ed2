// Each case is run in a deployed script and in Node.js; both must give the same value, or an error of the same name.
const utf8 = (text) => new TextEncoder().encode(text);
const hex = (value) => [...new Uint8Array(value)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
const bytes = (text) => new Uint8Array((text.match(/../g) ?? []).map((pair) => parseInt(pair, 16)));
const count = (length, first = 0) => Uint8Array.from({ length }, (_, at) => (first + at) & 255);
const S = () => crypto.subtle;
const raw = (material, algorithm, ...usages) => S().importKey('raw', material, algorithm, true, usages);
const about = (key) => ({
  type: key.type, extractable: key.extractable, usages: [...key.usages],
  algorithm: { ...key.algorithm, ...(key.algorithm.publicExponent ? { publicExponent: [...key.algorithm.publicExponent] } : {}) },
});
const sorted = (value) => (value && typeof value === 'object' && !Array.isArray(value)
  ? Object.fromEntries(Object.keys(value).sort().map((name) => [name, sorted(value[name])])) : value);
const jwk = async (key) => sorted(await S().exportKey('jwk', key));
const HASHES = ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512'];
const ED = { kty: 'OKP', crv: 'Ed25519', d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' };
const P256 = { kty: 'EC', crv: 'P-256', x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4', y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM', d: '870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE' };
const RSA = {
  kty: 'RSA', e: 'AQAB',
  n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
  d: 'X4cTteJY_gn4FYPsXB8rdXix5vwsg1FLN5E3EaG6RJoVH-HLLKD9M7dx5oo7GURknchnrRweUkC7hT5fJLM0WbFAKNLWY2vv7B6NqXSzUvxT0_YSfqijwp3RTzlBaCxWp4doFk5N2o8Gy_nHNKroADIkJ46pRUohsXywbReAdYaMwFs9tv8d_cPVY3i07a3t8MN6TNwm0dSawm9v47UiCl3Sk5ZiG7xojPLu4sbg1U2jx4IBTNBznbJSzFHK66jT8bgkuqsk0GjskDJk19Z4qwjwbsnn4j2WBii3RL-Us2lGVkY8fkFzme1z0HbIkfz0Y6mqnOYtqc0X4jfcKoAC8Q',
  p: '83i-7IvMGXoMXCskv73TKr8637FiO7Z27zv8oj6pbWUQyLPQBQxtPVnwD20R-60eTDmD2ujnMt5PoqMrm8RfmNhVWDtjjMmCMjOpSXicFHj7XOuVIYQyqVWlWEh6dN36GVZYk93N8Bc9vY41xy8B9RzzOGVQzXvNEvn7O0nVbfs',
  q: '3dfOR9cuYq-0S-mkFLzgItgMEfFzB2q3hWehMuG0oCuqnb3vobLyumqjVZQO1dIrdwgTnCdpYzBcOfW5r370AFXjiWft_NGEiovonizhKpo9VVS78TzFgxkIdrecRezsZ-1kYd_s1qDbxtkDEgfAITAG9LUnADun4vIcb6yelxk',
  dp: 'G4sPXkc6Ya9y8oJW9_ILj4xuppu0lzi_H7VTkS8xj5SdX3coE0oimYwxIi2emTAue0UOa5dpgFGyBJ4c8tQ2VF402XRugKDTP8akYhFo5tAA77Qe_NmtuYZc3C3m3I24G2GvR5sSDxUyAN2zq8Lfn9EUms6rY3Ob8YeiKkTiBj0',
  dq: 's9lAH9fggBsoFR8Oac2R_E2gw282rT2kGOAhvIllETE1efrA6huUUvMfBcMpn8lqeW6vzznYY5SSQF7pMdC_agI3nG8Ibp1BUb0JUiraRNqUfLhcQb_d9GF4Dh7e74WbRsobRonujTYN1xCaP6TO61jvWrX-L18txXw494Q_cgk',
  qi: 'GyM_p6JrXySiz1toFgKbWV-JdI3jQ4ypu9rbMWx3rQJBfmt0FoYzgUIZEVFEcOqwemRN81zoDAaa-Bk0KWNGDjJHZDdDmFhW3AN7lI-puxk_mHZGJ11rxyR8O55XLSe3SPmRfKwZI6yU24ZxvQKFYItdldUKGzO6Ia6zTKhAVRU',
};
const rsaKey = (name, hash, ...usages) => S().importKey('jwk', RSA, { name, hash }, true, usages);
const publicOf = ({ d, p, q, dp, dq, qi, ...rest }) => rest;
const ecKey = (name, ...usages) => S().importKey('jwk', P256, { name, namedCurve: 'P-256' }, true, usages);

export const cases = {
  // -- digests: FIPS 180 -------------------------------------------------------------------
  ...Object.fromEntries(HASHES.map((name) => [`digest ${name}`, async () => [hex(await S().digest(name, utf8('abc'))), hex(await S().digest({ name: name.toLowerCase() }, new Uint8Array()))]])),
  'digest of views': async () => hex(await S().digest('sha-256', new DataView(utf8('xabcx').buffer, 1, 3))),
  'digest of a buffer': async () => hex(await S().digest('SHA-256', utf8('abc').buffer)),
  'digest of much': async () => hex(await S().digest('SHA-512', new Uint8Array(200000).fill(7))),
  'digest of text': () => S().digest('SHA-256', 'abc'),
  'digest of nothing': () => S().digest('SHA-256'),
  'digest unknown': () => S().digest('MD5', utf8('abc')),
  'digest of no name': () => S().digest({}, utf8('abc')),
  'digest of null': () => S().digest(null, utf8('abc')),
  'receiver': () => (0, S().digest)('SHA-256', utf8('a')),
  'shapes': async () => [String(S()), typeof CryptoKey, String(await raw(count(16), 'AES-GCM', 'encrypt')), S().sign.length, S().digest.name, S() === S(), Object.keys(await raw(count(16), 'AES-GCM', 'encrypt'))],
  'constructors': () => new CryptoKey(),
  'subtle constructor': () => new SubtleCrypto(),

  // -- HMAC: RFC 2202, RFC 4231 --------------------------------------------------------------
  ...Object.fromEntries(HASHES.map((hash) => [`HMAC ${hash}`, async () => {
    const key = await raw(new Uint8Array(20).fill(11), { name: 'HMAC', hash }, 'sign', 'verify');
    const signature = await S().sign('HMAC', key, utf8('Hi There'));
    const other = new Uint8Array(signature).map((byte, at) => (at === 0 ? byte ^ 1 : byte));
    return [hex(signature), about(key), await jwk(key), await S().verify('hmac', key, signature, utf8('Hi There')), await S().verify('HMAC', key, other, utf8('Hi There')), await S().verify('HMAC', key, signature.slice(1), utf8('Hi There'))];
  }])),
  'HMAC generate': async () => about(await S().generateKey({ name: 'HMAC', hash: 'SHA-384' }, false, ['verify', 'sign', 'sign'])),
  'HMAC generate length': async () => { const key = await S().generateKey({ name: 'HMAC', hash: { name: 'sha-1' }, length: 256 }, true, ['sign']); return [about(key), (await S().exportKey('raw', key)).byteLength]; },
  'HMAC generate no length': () => S().generateKey({ name: 'HMAC', hash: 'SHA-1', length: 0 }, true, ['sign']),
  'HMAC generate no usages': () => S().generateKey({ name: 'HMAC', hash: 'SHA-1' }, true, []),
  'HMAC generate wrong usage': () => S().generateKey({ name: 'HMAC', hash: 'SHA-1' }, true, ['encrypt']),
  'HMAC generate unknown usage': () => S().generateKey({ name: 'HMAC', hash: 'SHA-1' }, true, ['read']),
  'HMAC generate no hash': () => S().generateKey({ name: 'HMAC' }, true, ['sign']),
  'HMAC generate unknown hash': () => S().generateKey({ name: 'HMAC', hash: 'MD5' }, true, ['sign']),
  'HMAC empty': () => raw(new Uint8Array(), { name: 'HMAC', hash: 'SHA-1' }, 'sign'),
  'HMAC too long': () => raw(count(4), { name: 'HMAC', hash: 'SHA-1', length: 40 }, 'sign'),
  'HMAC too short': () => raw(count(4), { name: 'HMAC', hash: 'SHA-1', length: 24 }, 'sign'),
  'HMAC jwk': async () => about(await S().importKey('jwk', { kty: 'oct', k: 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow', alg: 'HS256', use: 'sig', key_ops: ['sign', 'verify'], ext: true }, { name: 'HMAC', hash: 'SHA-256' }, true, ['verify'])),
  ...Object.fromEntries(Object.entries({
    kty: { kty: 'RSA' }, alg: { alg: 'HS512' }, use: { use: 'enc' }, key_ops: { key_ops: ['verify'] }, twice: { key_ops: ['sign', 'sign'] }, ext: { ext: false }, k: { k: undefined }, 'wrong k': { k: '?!' },
  }).map(([name, change]) => [`HMAC jwk ${name}`, () => S().importKey('jwk', { kty: 'oct', k: 'AyM1', ...change }, { name: 'HMAC', hash: 'SHA-256' }, true, ['sign'])])),
  'HMAC jwk of bytes': () => S().importKey('jwk', count(4), { name: 'HMAC', hash: 'SHA-256' }, true, ['sign']),
  'HMAC raw of an object': () => S().importKey('raw', { kty: 'oct' }, { name: 'HMAC', hash: 'SHA-256' }, true, ['sign']),
  'HMAC spki': () => S().importKey('spki', count(4), { name: 'HMAC', hash: 'SHA-256' }, true, ['sign']),
  'unknown format': () => S().importKey('pem', count(4), { name: 'HMAC', hash: 'SHA-256' }, true, ['sign']),
  'usages of no list': () => S().importKey('raw', count(4), { name: 'HMAC', hash: 'SHA-256' }, true, 7),
  'sign against the usages': async () => S().sign('HMAC', await raw(count(4), { name: 'HMAC', hash: 'SHA-1' }, 'verify'), count(4)),
  'sign with another algorithm': async () => S().sign({ name: 'ECDSA', hash: 'SHA-256' }, await raw(count(4), { name: 'HMAC', hash: 'SHA-1' }, 'sign'), count(4)),
  'sign with no key': () => S().sign('HMAC', {}, count(4)),
  'export what is not extractable': async () => S().exportKey('raw', await S().importKey('raw', count(16), 'AES-GCM', false, ['encrypt'])),
  'clone': async () => { const key = structuredClone({ key: await raw(count(16), 'AES-CBC', 'encrypt') }).key; return [about(key), key instanceof CryptoKey, hex(await S().exportKey('raw', key))]; },
  'what a script writes to its key': async () => { const key = await S().importKey('raw', count(16), 'AES-GCM', false, ['encrypt']); try { key.extractable = true; key.usages.push('decrypt'); } catch { /* strict */ } return S().exportKey('raw', key); },

  // -- AES: SP 800-38A, GCM of McGrew and Viega, RFC 3394 ---------------------------------------
  'AES-CBC': async () => {
    const key = await raw(bytes('2b7e151628aed2a6abf7158809cf4f3c'), 'AES-CBC', 'encrypt', 'decrypt');
    const iv = count(16), plain = bytes('6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51');
    const sealed = await S().encrypt({ name: 'AES-CBC', iv }, key, plain);
    return [hex(sealed), hex(await S().decrypt({ name: 'AES-CBC', iv }, key, sealed)), about(key), await jwk(key), hex(await S().encrypt({ name: 'AES-CBC', iv }, key, new Uint8Array()))];
  },
  'AES-CBC wrong iv': async () => S().encrypt({ name: 'AES-CBC', iv: count(15) }, await raw(count(16), 'AES-CBC', 'encrypt'), count(4)),
  'AES-CBC no iv': async () => S().encrypt({ name: 'AES-CBC' }, await raw(count(16), 'AES-CBC', 'encrypt'), count(4)),
  'AES-CBC wrong padding': async () => S().decrypt({ name: 'AES-CBC', iv: count(16) }, await raw(count(16), 'AES-CBC', 'decrypt'), count(16)),
  'AES-CBC part of a block': async () => S().decrypt({ name: 'AES-CBC', iv: count(16) }, await raw(count(16), 'AES-CBC', 'decrypt'), count(15)),
  'AES-CTR': async () => {
    const key = await raw(bytes('603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4'), 'AES-CTR', 'encrypt', 'decrypt');
    const algorithm = { name: 'AES-CTR', counter: bytes('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff'), length: 128 };
    return hex(await S().encrypt(algorithm, key, bytes('6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51')));
  },
  'AES-CTR turns': async () => { const key = await raw(count(16), 'AES-CTR', 'encrypt'); return hex(await S().encrypt({ name: 'AES-CTR', counter: bytes('000102030405060708090a0b0c0d0eff'), length: 8 }, key, count(40))); },
  'AES-CTR turns all': async () => { const key = await raw(count(16), 'AES-CTR', 'encrypt'); return hex(await S().encrypt({ name: 'AES-CTR', counter: new Uint8Array(16).fill(255), length: 128 }, key, count(40))); },
  'AES-CTR odd length': async () => { const key = await raw(count(16), 'AES-CTR', 'encrypt'); return hex(await S().encrypt({ name: 'AES-CTR', counter: new Uint8Array(16).fill(255), length: 3 }, key, count(100))); },
  'AES-CTR too many blocks': async () => S().encrypt({ name: 'AES-CTR', counter: count(16), length: 2 }, await raw(count(16), 'AES-CTR', 'encrypt'), count(65)),
  'AES-CTR no length': async () => S().encrypt({ name: 'AES-CTR', counter: count(16), length: 0 }, await raw(count(16), 'AES-CTR', 'encrypt'), count(4)),
  'AES-CTR wrong counter': async () => S().encrypt({ name: 'AES-CTR', counter: count(12), length: 64 }, await raw(count(16), 'AES-CTR', 'encrypt'), count(4)),
  'AES-GCM': async () => {
    const key = await raw(bytes('feffe9928665731c6d6a8f9467308308'), 'AES-GCM', 'encrypt', 'decrypt');
    const algorithm = { name: 'AES-GCM', iv: bytes('cafebabefacedbaddecaf888'), additionalData: bytes('feedfacedeadbeeffeedfacedeadbeefabaddad2') };
    const sealed = await S().encrypt(algorithm, key, bytes('d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39'));
    return [hex(sealed), hex(await S().decrypt(algorithm, key, sealed)), await jwk(key)];
  },
  ...Object.fromEntries([32, 64, 96, 104, 112, 120, 128, 127, 0].map((tagLength) => [`AES-GCM tag of ${tagLength}`, async () => {
    const key = await raw(count(24), 'AES-GCM', 'encrypt', 'decrypt'), algorithm = { name: 'AES-GCM', iv: count(16), tagLength };
    const sealed = await S().encrypt(algorithm, key, count(20));
    return [hex(sealed), hex(await S().decrypt(algorithm, key, sealed))];
  }])),
  'AES-GCM changed': async () => { const key = await raw(count(32), 'AES-GCM', 'encrypt', 'decrypt'), algorithm = { name: 'AES-GCM', iv: count(12) }; const sealed = new Uint8Array(await S().encrypt(algorithm, key, count(9))); sealed[3] ^= 1; return S().decrypt(algorithm, key, sealed); },
  'AES-GCM too short': async () => S().decrypt({ name: 'AES-GCM', iv: count(12) }, await raw(count(32), 'AES-GCM', 'decrypt'), count(8)),
  'AES wrong size': () => raw(count(17), 'AES-GCM', 'encrypt'),
  'AES generate wrong size': () => S().generateKey({ name: 'AES-GCM', length: 200 }, true, ['encrypt']),
  'AES generate': async () => about(await S().generateKey({ name: 'aes-ctr', length: 192 }, false, ['decrypt', 'unwrapKey'])),
  'AES wrong usage': () => raw(count(16), 'AES-GCM', 'sign'),
  'AES encrypt against the usages': async () => S().encrypt({ name: 'AES-GCM', iv: count(12) }, await raw(count(16), 'AES-GCM', 'decrypt'), count(4)),
  'AES encrypt with another mode': async () => S().encrypt({ name: 'AES-CBC', iv: count(16) }, await raw(count(16), 'AES-GCM', 'encrypt'), count(4)),
  'AES jwk alg': () => S().importKey('jwk', { kty: 'oct', k: 'AAECAwQFBgcICQoLDA0ODw', alg: 'A256GCM' }, 'AES-GCM', true, ['encrypt']),
  'AES-KW': async () => {
    const wrapping = await raw(count(16), 'AES-KW', 'wrapKey', 'unwrapKey'), key = await raw(bytes('00112233445566778899aabbccddeeff'), 'AES-CBC', 'encrypt');
    const wrapped = await S().wrapKey('raw', key, wrapping, 'AES-KW');
    return [hex(wrapped), about(await S().unwrapKey('raw', wrapped, wrapping, 'AES-KW', 'AES-GCM', false, ['decrypt'])), await jwk(wrapping)];
  },
  'AES-KW changed': async () => S().unwrapKey('raw', count(24), await raw(count(16), 'AES-KW', 'unwrapKey'), 'AES-KW', 'AES-GCM', false, ['decrypt']),
  'AES-KW of an odd size': async () => S().wrapKey('raw', await raw(count(17), { name: 'HMAC', hash: 'SHA-1' }, 'sign'), await raw(count(16), 'AES-KW', 'wrapKey'), 'AES-KW'),
  'AES-KW encrypts': async () => S().encrypt('AES-KW', await raw(count(16), 'AES-KW', 'wrapKey'), count(16)),
  'wrap jwk': async () => {
    const wrapping = await raw(count(32), 'AES-GCM', 'wrapKey', 'unwrapKey', 'decrypt'), algorithm = { name: 'AES-GCM', iv: count(12) }, key = await raw(count(24), 'AES-CBC', 'encrypt');
    const wrapped = await S().wrapKey('jwk', key, wrapping, algorithm);
    return [about(await S().unwrapKey('jwk', wrapped, wrapping, algorithm, 'AES-CBC', true, ['encrypt'])), sorted(JSON.parse(new TextDecoder().decode(await S().decrypt(algorithm, wrapping, wrapped))))];
  },
  'wrap what is not extractable': async () => S().wrapKey('raw', await S().importKey('raw', count(16), 'AES-CBC', false, ['encrypt']), await raw(count(16), 'AES-KW', 'wrapKey'), 'AES-KW'),
  'wrap against the usages': async () => S().wrapKey('raw', await raw(count(16), 'AES-CBC', 'encrypt'), await raw(count(16), 'AES-KW', 'unwrapKey'), 'AES-KW'),
  'unwrap no usages': async () => { const wrapping = await raw(count(16), 'AES-KW', 'wrapKey', 'unwrapKey'); return S().unwrapKey('raw', await S().wrapKey('raw', wrapping, wrapping, 'AES-KW'), wrapping, 'AES-KW', 'AES-GCM', true, []); },
  'unwrap no jwk': async () => { const key = await raw(count(16), 'AES-CBC', 'encrypt', 'unwrapKey'), algorithm = { name: 'AES-CBC', iv: count(16) }; return S().unwrapKey('jwk', await S().encrypt(algorithm, key, utf8('no')), key, algorithm, 'AES-GCM', true, ['encrypt']); },

  // -- derivation: RFC 6070, RFC 5869 -----------------------------------------------------------
  'PBKDF2': async () => { const key = await S().importKey('raw', utf8('password'), 'PBKDF2', false, ['deriveBits', 'deriveKey']); return [hex(await S().deriveBits({ name: 'PBKDF2', hash: 'SHA-1', salt: utf8('salt'), iterations: 4096 }, key, 160)), hex(await S().deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: utf8('salt'), iterations: 2 }, key, 520)), about(key)]; },
  'PBKDF2 key': async () => { const key = await S().importKey('raw', utf8('password'), 'PBKDF2', false, ['deriveKey']); const derived = await S().deriveKey({ name: 'PBKDF2', hash: 'SHA-512', salt: utf8('salt'), iterations: 10 }, key, { name: 'AES-GCM', length: 256 }, true, ['encrypt']); return [about(derived), hex(await S().exportKey('raw', derived))]; },
  'PBKDF2 to HMAC': async () => { const key = await S().importKey('raw', utf8('password'), 'PBKDF2', false, ['deriveKey']); const derived = await S().deriveKey({ name: 'PBKDF2', hash: 'SHA-512', salt: utf8('salt'), iterations: 10 }, key, { name: 'HMAC', hash: 'SHA-384' }, true, ['sign']); return [about(derived), hex(await S().exportKey('raw', derived))]; },
  'PBKDF2 odd length': async () => S().deriveBits({ name: 'PBKDF2', hash: 'SHA-1', salt: utf8('salt'), iterations: 1 }, await S().importKey('raw', utf8('p'), 'PBKDF2', false, ['deriveBits']), 9),
  'PBKDF2 null length': async () => S().deriveBits({ name: 'PBKDF2', hash: 'SHA-1', salt: utf8('salt'), iterations: 1 }, await S().importKey('raw', utf8('p'), 'PBKDF2', false, ['deriveBits']), null),
  'PBKDF2 no iterations': async () => S().deriveBits({ name: 'PBKDF2', hash: 'SHA-1', salt: utf8('salt'), iterations: 0 }, await S().importKey('raw', utf8('p'), 'PBKDF2', false, ['deriveBits']), 8),
  'PBKDF2 missing salt': async () => S().deriveBits({ name: 'PBKDF2', hash: 'SHA-1', iterations: 1 }, await S().importKey('raw', utf8('p'), 'PBKDF2', false, ['deriveBits']), 8),
  'PBKDF2 negative iterations': async () => S().deriveBits({ name: 'PBKDF2', hash: 'SHA-1', salt: utf8('s'), iterations: -1 }, await S().importKey('raw', utf8('p'), 'PBKDF2', false, ['deriveBits']), 8),
  'PBKDF2 against the usages': async () => S().deriveKey({ name: 'PBKDF2', hash: 'SHA-1', salt: utf8('s'), iterations: 1 }, await S().importKey('raw', utf8('p'), 'PBKDF2', false, ['deriveBits']), { name: 'AES-GCM', length: 128 }, true, ['encrypt']),
  'PBKDF2 extractable': () => S().importKey('raw', utf8('p'), 'PBKDF2', true, ['deriveBits']),
  'PBKDF2 jwk': () => S().importKey('jwk', { kty: 'oct', k: 'AA' }, 'PBKDF2', false, ['deriveBits']),
  'PBKDF2 export': async () => S().exportKey('raw', await S().importKey('raw', utf8('p'), 'PBKDF2', false, ['deriveBits'])),
  'PBKDF2 generate': () => S().generateKey('PBKDF2', false, ['deriveBits']),
  'PBKDF2 empty password': async () => hex(await S().deriveBits({ name: 'PBKDF2', hash: 'SHA-1', salt: new Uint8Array(), iterations: 1 }, await S().importKey('raw', new Uint8Array(), 'PBKDF2', false, ['deriveBits']), 64)),
  'HKDF': async () => hex(await S().deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: bytes('000102030405060708090a0b0c'), info: bytes('f0f1f2f3f4f5f6f7f8f9') }, await S().importKey('raw', new Uint8Array(22).fill(11), 'HKDF', false, ['deriveBits']), 336)),
  'HKDF too long': async () => S().deriveBits({ name: 'HKDF', hash: 'SHA-1', salt: count(4), info: count(4) }, await S().importKey('raw', count(4), 'HKDF', false, ['deriveBits']), 255 * 160 + 8),
  'HKDF to HKDF': async () => about(await S().deriveKey({ name: 'HKDF', hash: 'SHA-1', salt: count(4), info: count(4) }, await S().importKey('raw', count(4), 'HKDF', false, ['deriveKey']), { name: 'AES-KW', length: 192 }, false, ['wrapKey'])),

  // -- RSA: the key of RFC 7515 -----------------------------------------------------------------
  ...Object.fromEntries(HASHES.map((hash) => [`RSA sign ${hash}`, async () => {
    const key = await rsaKey('RSASSA-PKCS1-v1_5', hash, 'sign'), signature = await S().sign('RSASSA-PKCS1-v1_5', key, utf8('text'));
    const verifying = await S().importKey('jwk', publicOf(RSA), { name: 'RSASSA-PKCS1-v1_5', hash }, true, ['verify']);
    return [hex(signature), about(key), about(verifying), await S().verify('RSASSA-PKCS1-v1_5', verifying, signature, utf8('text')), await S().verify('RSASSA-PKCS1-v1_5', verifying, signature, utf8('test')), await S().verify('RSASSA-PKCS1-v1_5', verifying, count(7), utf8('test'))];
  }])),
  'RSA formats': async () => { const key = await rsaKey('RSA-PSS', 'SHA-256', 'sign'); return [await jwk(key), hex(await S().exportKey('pkcs8', key))]; },
  'RSA public formats': async () => { const key = await S().importKey('jwk', publicOf(RSA), { name: 'RSA-OAEP', hash: 'SHA-1' }, true, ['encrypt']); const spki = await S().exportKey('spki', key); return [await jwk(key), hex(spki), about(await S().importKey('spki', spki, { name: 'RSA-PSS', hash: 'SHA-512' }, false, []))]; },
  'RSA pkcs8': async () => about(await S().importKey('pkcs8', await S().exportKey('pkcs8', await rsaKey('RSA-PSS', 'SHA-256', 'sign')), { name: 'RSA-OAEP', hash: 'SHA-384' }, false, ['decrypt', 'unwrapKey'])),
  'RSA PSS': async () => { const key = await rsaKey('RSA-PSS', 'SHA-256', 'sign'), verifying = await S().importKey('jwk', publicOf(RSA), { name: 'RSA-PSS', hash: 'SHA-256' }, true, ['verify']); const algorithm = { name: 'RSA-PSS', saltLength: 32 }, signature = await S().sign(algorithm, key, utf8('text')); return [signature.byteLength, await S().verify(algorithm, verifying, signature, utf8('text')), await S().verify({ ...algorithm, saltLength: 20 }, verifying, signature, utf8('text')), hex(await S().sign({ name: 'RSA-PSS', saltLength: 0 }, key, utf8('text')))]; },
  'RSA PSS salt too long': async () => S().sign({ name: 'RSA-PSS', saltLength: 2000 }, await rsaKey('RSA-PSS', 'SHA-256', 'sign'), utf8('text')),
  'RSA PSS no salt': async () => S().sign({ name: 'RSA-PSS' }, await rsaKey('RSA-PSS', 'SHA-256', 'sign'), utf8('text')),
  'RSA OAEP': async () => { const key = await rsaKey('RSA-OAEP', 'SHA-256', 'decrypt'), to = await S().importKey('jwk', publicOf(RSA), { name: 'RSA-OAEP', hash: 'SHA-256' }, true, ['encrypt']); const algorithm = { name: 'RSA-OAEP', label: utf8('label') }, sealed = await S().encrypt(algorithm, to, utf8('text')); return [sealed.byteLength, hex(await S().decrypt(algorithm, key, sealed))]; },
  'RSA OAEP wrong label': async () => { const key = await rsaKey('RSA-OAEP', 'SHA-256', 'decrypt'), to = await S().importKey('jwk', publicOf(RSA), { name: 'RSA-OAEP', hash: 'SHA-256' }, true, ['encrypt']); return S().decrypt('RSA-OAEP', key, await S().encrypt({ name: 'RSA-OAEP', label: utf8('label') }, to, utf8('text'))); },
  'RSA OAEP too long': async () => S().encrypt('RSA-OAEP', await S().importKey('jwk', publicOf(RSA), { name: 'RSA-OAEP', hash: 'SHA-256' }, true, ['encrypt']), count(200)),
  'RSA generate': async () => { const pair = await S().generateKey({ name: 'RSA-OAEP', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' }, false, ['encrypt', 'decrypt']); return [about(pair.publicKey), about(pair.privateKey), Object.keys(pair)]; },
  'RSA generate no private usage': () => S().generateKey({ name: 'RSA-PSS', modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' }, false, ['verify']),
  'RSA generate wrong exponent': () => S().generateKey({ name: 'RSA-PSS', modulusLength: 1024, publicExponent: new Uint8Array([2]), hash: 'SHA-256' }, false, ['sign']),
  'RSA generate number as exponent': () => S().generateKey({ name: 'RSA-PSS', modulusLength: 1024, publicExponent: 3, hash: 'SHA-256' }, false, ['sign']),
  'RSA wrong usage': () => S().importKey('jwk', publicOf(RSA), { name: 'RSA-PSS', hash: 'SHA-256' }, true, ['sign']),
  'RSA private without usages': () => rsaKey('RSA-PSS', 'SHA-256'),
  'RSA inconsistent': () => S().importKey('jwk', { ...RSA, d: RSA.dp }, { name: 'RSA-PSS', hash: 'SHA-256' }, true, ['sign']),
  'RSA incomplete': () => S().importKey('jwk', { ...RSA, q: undefined }, { name: 'RSA-PSS', hash: 'SHA-256' }, true, ['sign']),
  'RSA alg': () => S().importKey('jwk', { ...RSA, alg: 'PS512' }, { name: 'RSA-PSS', hash: 'SHA-256' }, true, ['sign']),
  'RSA raw': () => S().importKey('raw', count(4), { name: 'RSA-PSS', hash: 'SHA-256' }, true, ['verify']),
  'RSA no spki': () => S().importKey('spki', count(30), { name: 'RSA-PSS', hash: 'SHA-256' }, true, ['verify']),
  'RSA of EC': async () => S().importKey('pkcs8', await S().exportKey('pkcs8', await ecKey('ECDSA', 'sign')), { name: 'RSA-PSS', hash: 'SHA-256' }, true, ['sign']),
  'RSA sign with the public key': async () => S().sign('RSASSA-PKCS1-v1_5', await S().importKey('jwk', publicOf(RSA), { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, true, ['verify']), count(4)),
  'RSA spki of a private key': async () => S().exportKey('spki', await rsaKey('RSA-PSS', 'SHA-256', 'sign')),

  // -- elliptic curves ----------------------------------------------------------------------
  ...Object.fromEntries([['P-256', 'SHA-256'], ['P-384', 'SHA-512'], ['P-521', 'SHA-1']].map(([namedCurve, hash]) => [`ECDSA ${namedCurve}`, async () => {
    const { publicKey, privateKey } = await S().generateKey({ name: 'ECDSA', namedCurve }, true, ['sign', 'verify']), algorithm = { name: 'ECDSA', hash };
    const signature = await S().sign(algorithm, privateKey, utf8('text')), exported = await jwk(privateKey);
    const again = await S().importKey('pkcs8', await S().exportKey('pkcs8', privateKey), { name: 'ECDSA', namedCurve }, false, ['sign']);
    return [signature.byteLength, await S().verify(algorithm, publicKey, signature, utf8('text')), await S().verify(algorithm, publicKey, signature, utf8('test')), await S().verify(algorithm, publicKey, count(9), utf8('text')), about(publicKey), about(privateKey), about(again), Object.keys(exported), exported.d.length, (await S().exportKey('raw', publicKey)).byteLength];
  }])),
  'EC formats': async () => { const key = await ecKey('ECDSA', 'sign'), to = await S().importKey('jwk', publicOf(P256), { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']); return [await jwk(key), await jwk(to), hex(await S().exportKey('pkcs8', key)), hex(await S().exportKey('spki', to)), hex(await S().exportKey('raw', to))]; },
  'EC raw': async () => jwk(await S().importKey('raw', bytes('0430a0424cd21c2944838a2d75c92b37e76ea20d9f00893a3b4eee8a3c0aafec3ee04b65e92456d9888b52b379bdfbd51ee869ef1f0fc65b6659695b6cce081723'), { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify'])),
  'EC no point': () => S().importKey('raw', count(65, 4), { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']),
  'EC unknown curve': () => S().generateKey({ name: 'ECDSA', namedCurve: 'P-255' }, true, ['sign']),
  'EC other curve': () => S().importKey('jwk', P256, { name: 'ECDSA', namedCurve: 'P-384' }, true, ['sign']),
  'EC spki of another curve': async () => S().importKey('spki', await S().exportKey('spki', await S().importKey('jwk', publicOf(P256), { name: 'ECDSA', namedCurve: 'P-256' }, true, [])), { name: 'ECDSA', namedCurve: 'P-384' }, true, []),
  'EC wrong y': () => S().importKey('jwk', { ...P256, y: P256.x }, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign']),
  'EC short x': () => S().importKey('jwk', { ...publicOf(P256), x: 'AAAA' }, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']),
  'EC use': () => S().importKey('jwk', { ...P256, use: 'enc' }, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign']),
  'ECDSA wrong usage': () => ecKey('ECDSA', 'deriveBits'),
  'ECDSA no hash': async () => S().sign('ECDSA', await ecKey('ECDSA', 'sign'), count(4)),
  'ECDH': async () => { const key = await ecKey('ECDH', 'deriveBits', 'deriveKey'), to = await S().importKey('jwk', publicOf(P256), { name: 'ECDH', namedCurve: 'P-256' }, true, []); return [hex(await S().deriveBits({ name: 'ECDH', public: to }, key, 256)), hex(await S().deriveBits({ name: 'ECDH', public: to }, key, 128)), hex(await S().deriveBits({ name: 'ECDH', public: to }, key)), hex(await S().deriveBits({ name: 'ECDH', public: to }, key, 13)), hex(await S().exportKey('raw', await S().deriveKey({ name: 'ECDH', public: to }, key, { name: 'AES-CBC', length: 128 }, true, ['encrypt']))), about(to)]; },
  'ECDH too long': async () => S().deriveBits({ name: 'ECDH', public: await S().importKey('jwk', publicOf(P256), { name: 'ECDH', namedCurve: 'P-256' }, true, []) }, await ecKey('ECDH', 'deriveBits'), 264),
  'ECDH with a private key': async () => S().deriveBits({ name: 'ECDH', public: await ecKey('ECDH', 'deriveBits') }, await ecKey('ECDH', 'deriveBits'), 128),
  'ECDH with no key': async () => S().deriveBits({ name: 'ECDH', public: {} }, await ecKey('ECDH', 'deriveBits'), 128),
  'ECDH with another algorithm': async () => S().deriveBits({ name: 'ECDH', public: await S().importKey('jwk', publicOf(P256), { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']) }, await ecKey('ECDH', 'deriveBits'), 128),
  'ECDH with another curve': async () => S().deriveBits({ name: 'ECDH', public: (await S().generateKey({ name: 'ECDH', namedCurve: 'P-384' }, true, ['deriveBits'])).publicKey }, await ecKey('ECDH', 'deriveBits'), 128),
  'ECDH public with usages': () => S().importKey('jwk', publicOf(P256), { name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits']),

  // -- Ed25519 and X25519: RFC 8032, RFC 7748 -----------------------------------------------------
  'Ed25519': async () => { const key = await S().importKey('jwk', ED, 'Ed25519', true, ['sign']), to = await S().importKey('jwk', publicOf(ED), { name: 'ed25519' }, true, ['verify']); const signature = await S().sign('Ed25519', key, new Uint8Array()); return [hex(signature), await S().verify('Ed25519', to, signature, new Uint8Array()), await S().verify('Ed25519', to, signature, count(1)), about(key), about(to), await jwk(key), await jwk(to), hex(await S().exportKey('raw', to)), hex(await S().exportKey('spki', to)), hex(await S().exportKey('pkcs8', key))]; },
  'Ed25519 generate': async () => { const pair = await S().generateKey('Ed25519', true, ['sign', 'verify']); const signature = await S().sign('Ed25519', pair.privateKey, count(3)); return [about(pair.publicKey), about(pair.privateKey), await S().verify('Ed25519', pair.publicKey, signature, count(3))]; },
  'Ed25519 no pair': () => S().importKey('jwk', { ...ED, x: P256.x }, 'Ed25519', true, ['sign']),
  'Ed25519 short': () => S().importKey('raw', count(31), 'Ed25519', true, ['verify']),
  'Ed25519 kty': () => S().importKey('jwk', { ...ED, kty: 'EC' }, 'Ed25519', true, ['sign']),
  'Ed25519 crv': () => S().importKey('jwk', { ...ED, crv: 'X25519' }, 'Ed25519', true, ['sign']),
  'Ed25519 usage': () => S().generateKey('Ed25519', true, ['deriveBits']),
  'Ed25519 raw of a private key': async () => S().exportKey('raw', await S().importKey('jwk', ED, 'Ed25519', true, ['sign'])),
  'X25519': async () => {
    const der = (d) => bytes(`302e020100300506032b656e04220420${d}`);
    const bob = await S().importKey('pkcs8', der('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb'), 'X25519', true, ['deriveBits']);
    const alice = await S().importKey('raw', bytes('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a'), 'X25519', true, []);
    return [hex(await S().deriveBits({ name: 'X25519', public: alice }, bob, 256)), about(alice), about(bob), await jwk(bob)];
  },
  'X25519 small order': async () => { const { privateKey } = await S().generateKey('X25519', true, ['deriveBits']); return S().deriveBits({ name: 'X25519', public: await S().importKey('raw', new Uint8Array(32), 'X25519', true, []) }, privateKey, 256); },
};

export async function results() {
  const made = {};
  for (const [name, run] of Object.entries(cases)) {
    try {
      made[name] = await run();
      if (made[name] === undefined) made[name] = 'undefined';
    } catch (error) {
      made[name] = { error: error.name };
    }
  }
  return made;
}
