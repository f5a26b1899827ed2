/* Web Cryptography: known answers, what a key may do, and the names of errors. */
const subtle = crypto.subtle;
function bytes(hex) { return Uint8Array.from(hex.match(/../g) || [], (one) => parseInt(one, 16)); }
function hex(buffer) { return Array.from(new Uint8Array(buffer), (one) => one.toString(16).padStart(2, '0')).join(''); }
function text(value) { return new TextEncoder().encode(value); }
async function raw(name, usages, length = 16, more = {}) { return subtle.importKey('raw', new Uint8Array(length).fill(7), { name, ...more }, true, usages); }

for (const [algorithm, wanted] of [['SHA-1', 'a9993e364706816aba3e25717850c26c9cd0d89d'], ['SHA-256', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'], ['SHA-384', 'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7'], ['SHA-512', 'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f']]) {
  for (const given of [algorithm, algorithm.toLowerCase(), { name: algorithm }]) promise_test(async () => assert_equals(hex(await subtle.digest(given, text('abc'))), wanted), `digest ${JSON.stringify(given)}`);
  promise_test(async () => assert_equals(hex(await subtle.digest(algorithm, new DataView(text('xabcx').buffer, 1, 3))), wanted), `digest ${algorithm} of a view`);
}
for (const given of ['MD5', '', 'SHA256', { name: 'x' }, 'AES-GCM']) promise_test(async (t) => promise_rejects_dom(t, 'NotSupportedError', subtle.digest(given, text('a'))), `no digest ${JSON.stringify(given)}`);
for (const given of [undefined, null, {}]) promise_test(async (t) => given === undefined || given === null ? promise_rejects_dom(t, 'NotSupportedError', subtle.digest(String(given), text('a'))) : promise_rejects_js(t, TypeError, subtle.digest(given, text('a'))), `no digest by ${JSON.stringify(given) ?? 'undefined'}`);
for (const given of ['x', 5, null, [1]]) promise_test(async (t) => promise_rejects_js(t, TypeError, subtle.digest('SHA-256', given)), `no digest of ${JSON.stringify(given)}`);

promise_test(async () => { const key = await subtle.importKey('raw', bytes('0b'.repeat(20)), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']), mac = await subtle.sign('HMAC', key, text('Hi There')); assert_equals(hex(mac), 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'); assert_true(await subtle.verify('HMAC', key, mac, text('Hi There'))); assert_false(await subtle.verify('HMAC', key, mac, text('Hi'))); }, 'HMAC');
promise_test(async () => { const key = await subtle.importKey('raw', text('password'), 'PBKDF2', false, ['deriveBits']); assert_equals(hex(await subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-1', salt: text('salt'), iterations: 2 }, key, 160)), 'ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957'); }, 'PBKDF2');
promise_test(async () => { const key = await subtle.importKey('raw', bytes('0b'.repeat(22)), 'HKDF', false, ['deriveBits']); assert_equals(hex(await subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: bytes('000102030405060708090a0b0c'), info: bytes('f0f1f2f3f4f5f6f7f8f9') }, key, 336)), '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865'); }, 'HKDF');
promise_test(async () => { const key = await subtle.importKey('raw', new Uint8Array(16), 'AES-GCM', false, ['encrypt', 'decrypt']); assert_equals(hex(await subtle.encrypt({ name: 'AES-GCM', iv: new Uint8Array(12) }, key, new Uint8Array(16))), '0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf'); }, 'AES-GCM');
promise_test(async () => { const key = await subtle.importKey('raw', bytes('2b7e151628aed2a6abf7158809cf4f3c'), 'AES-CBC', false, ['encrypt']); assert_equals(hex(await subtle.encrypt({ name: 'AES-CBC', iv: bytes('000102030405060708090a0b0c0d0e0f') }, key, bytes('6bc1bee22e409f96e93d7e117393172a'))).slice(0, 32), '7649abac8119b246cee98e9b12e9197d'); }, 'AES-CBC');
promise_test(async () => { const key = await subtle.importKey('raw', bytes('2b7e151628aed2a6abf7158809cf4f3c'), 'AES-CTR', false, ['encrypt']); assert_equals(hex(await subtle.encrypt({ name: 'AES-CTR', counter: bytes('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff'), length: 128 }, key, bytes('6bc1bee22e409f96e93d7e117393172a'))), '874d6191b620e3261bef6864990db6ce'); }, 'AES-CTR');
promise_test(async () => { const key = await subtle.importKey('raw', bytes('000102030405060708090a0b0c0d0e0f'), 'AES-KW', false, ['wrapKey', 'unwrapKey']), inner = await subtle.importKey('raw', bytes('00112233445566778899aabbccddeeff'), 'AES-GCM', true, ['encrypt']); assert_equals(hex(await subtle.wrapKey('raw', inner, key, 'AES-KW')), '1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5'); }, 'AES-KW');

const PAIRS = [
  [{ name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: bytes('010001'), hash: 'SHA-256' }, ['sign', 'verify'], { name: 'RSASSA-PKCS1-v1_5' }], [{ name: 'RSA-PSS', modulusLength: 2048, publicExponent: bytes('010001'), hash: 'SHA-256' }, ['sign', 'verify'], { name: 'RSA-PSS', saltLength: 32 }],
  [{ name: 'ECDSA', namedCurve: 'P-256' }, ['sign', 'verify'], { name: 'ECDSA', hash: 'SHA-256' }], [{ name: 'ECDSA', namedCurve: 'P-384' }, ['sign', 'verify'], { name: 'ECDSA', hash: 'SHA-384' }], [{ name: 'ECDSA', namedCurve: 'P-521' }, ['sign', 'verify'], { name: 'ECDSA', hash: 'SHA-512' }], [{ name: 'Ed25519' }, ['sign', 'verify'], 'Ed25519'],
];
for (const [algorithm, usages, how] of PAIRS) {
  const name = `${algorithm.name} ${algorithm.namedCurve ?? ''}`.trim();
  promise_test(async () => {
    const { publicKey, privateKey } = await subtle.generateKey(algorithm, true, usages);
    assert_equals(`${publicKey.type} ${privateKey.type} ${publicKey.usages} ${privateKey.usages} ${publicKey.extractable}`, 'public private verify sign true');
    const signature = await subtle.sign(how, privateKey, text('data'));
    assert_true(await subtle.verify(how, publicKey, signature, text('data')));
    assert_false(await subtle.verify(how, publicKey, signature, text('other')));
    for (const [format, key, of] of [['spki', publicKey, ['verify']], ['jwk', publicKey, ['verify']], ['pkcs8', privateKey, ['sign']], ['jwk', privateKey, ['sign']]]) {
      const again = await subtle.importKey(format, await subtle.exportKey(format, key), algorithm, true, of);
      if (of[0] === 'verify') assert_true(await subtle.verify(how, again, signature, text('data')), format);
      else assert_true(await subtle.verify(how, publicKey, await subtle.sign(how, again, text('x')), text('x')), format);
    }
  }, `${name}: generate, sign, verify, export, import`);
  promise_test(async (t) => { const { publicKey, privateKey } = await subtle.generateKey(algorithm, false, usages); await promise_rejects_dom(t, 'InvalidAccessError', subtle.sign(how, publicKey, text('x'))); await promise_rejects_dom(t, 'InvalidAccessError', subtle.verify(how, privateKey, text('x'), text('x'))); await promise_rejects_dom(t, 'InvalidAccessError', subtle.exportKey('pkcs8', privateKey)); }, `${name}: what its keys may not do`);
  promise_test(async (t) => promise_rejects_dom(t, 'SyntaxError', subtle.generateKey(algorithm, true, [])), `${name}: no usages`);
  promise_test(async (t) => promise_rejects_dom(t, 'SyntaxError', subtle.generateKey(algorithm, true, ['encrypt'])), `${name}: a wrong usage`);
  promise_test(async (t) => promise_rejects_js(t, TypeError, subtle.generateKey(algorithm, true, ['fly'])), `${name}: an unknown usage`);
}
for (const curve of ['P-256', 'P-384', 'P-521', 'X25519']) {
  const algorithm = curve === 'X25519' ? { name: curve } : { name: 'ECDH', namedCurve: curve };
  promise_test(async () => { const a = await subtle.generateKey(algorithm, true, ['deriveBits']), b = await subtle.generateKey(algorithm, true, ['deriveBits']); const one = await subtle.deriveBits({ name: algorithm.name, public: a.publicKey }, b.privateKey, 128), two = await subtle.deriveBits({ name: algorithm.name, public: b.publicKey }, a.privateKey, 128); assert_equals(hex(one), hex(two)); assert_equals(one.byteLength, 16); }, `${curve}: the same secret on both sides`);
  promise_test(async (t) => { const a = await subtle.generateKey(algorithm, true, ['deriveBits']); await promise_rejects_dom(t, 'OperationError', subtle.deriveBits({ name: algorithm.name, public: a.publicKey }, a.privateKey, 4096)); await promise_rejects_dom(t, 'InvalidAccessError', subtle.deriveBits({ name: algorithm.name, public: a.privateKey }, a.privateKey, 128)); }, `${curve}: too many bits, a wrong key`);
}
promise_test(async () => { const algorithm = { name: 'RSA-OAEP', modulusLength: 2048, publicExponent: bytes('010001'), hash: 'SHA-256' }, { publicKey, privateKey } = await subtle.generateKey(algorithm, true, ['encrypt', 'decrypt']), label = text('l'); const secret = await subtle.encrypt({ name: 'RSA-OAEP', label }, publicKey, text('hello')); assert_equals(hex(await subtle.decrypt({ name: 'RSA-OAEP', label }, privateKey, secret)), hex(text('hello'))); }, 'RSA-OAEP');

for (const name of ['AES-GCM', 'AES-CBC', 'AES-CTR', 'AES-KW']) {
  const usages = name === 'AES-KW' ? ['wrapKey', 'unwrapKey'] : ['encrypt', 'decrypt'];
  for (const length of [128, 192, 256]) promise_test(async () => { const key = await subtle.generateKey({ name, length }, true, usages); assert_equals(`${key.type} ${key.algorithm.name} ${key.algorithm.length}`, `secret ${name} ${length}`); assert_equals((await subtle.exportKey('raw', key)).byteLength, length / 8); const jwk = await subtle.exportKey('jwk', key); assert_equals(`${jwk.kty} ${jwk.ext}`, 'oct true'); const again = await subtle.importKey('jwk', jwk, name, true, usages); assert_equals(hex(await subtle.exportKey('raw', again)), hex(await subtle.exportKey('raw', key))); }, `${name} ${length}: generate, export, import`);
  for (const length of [0, 64, 127, 512]) promise_test(async (t) => promise_rejects_dom(t, 'OperationError', subtle.generateKey({ name, length }, true, usages)), `${name}: no length ${length}`);
  for (const size of [0, 15, 17, 64]) promise_test(async (t) => promise_rejects_dom(t, 'DataError', subtle.importKey('raw', new Uint8Array(size), name, true, usages)), `${name}: no key of ${size} bytes`);
  promise_test(async (t) => promise_rejects_dom(t, 'SyntaxError', raw(name, ['sign'])), `${name}: a wrong usage`);
  promise_test(async (t) => promise_rejects_dom(t, 'SyntaxError', raw(name, [])), `${name}: no usage`);
  promise_test(async (t) => { const key = await subtle.generateKey({ name, length: 128 }, false, usages); await promise_rejects_dom(t, 'InvalidAccessError', subtle.exportKey('raw', key)); }, `${name}: not extractable`);
  for (const format of ['spki', 'pkcs8']) promise_test(async (t) => promise_rejects_dom(t, 'NotSupportedError', subtle.importKey(format, new Uint8Array(16), name, true, usages)), `${name}: no ${format}`);
}
for (const [name, how] of [['AES-GCM', { name: 'AES-GCM', iv: new Uint8Array(12) }], ['AES-CBC', { name: 'AES-CBC', iv: new Uint8Array(16) }], ['AES-CTR', { name: 'AES-CTR', counter: new Uint8Array(16), length: 64 }]]) {
  promise_test(async () => { const key = await raw(name, ['encrypt', 'decrypt']); for (const size of [0, 1, 16, 100]) assert_equals((await subtle.decrypt(how, key, await subtle.encrypt(how, key, new Uint8Array(size)))).byteLength, size); }, `${name}: there and back`);
  promise_test(async (t) => { const key = await raw(name, ['decrypt']); await promise_rejects_dom(t, 'InvalidAccessError', subtle.encrypt(how, key, text('x'))); }, `${name}: a key that may not encrypt`);
  promise_test(async (t) => { const key = await raw(name, ['encrypt']); await promise_rejects_dom(t, 'InvalidAccessError', subtle.encrypt({ ...how, name: name === 'AES-GCM' ? 'AES-CBC' : 'AES-GCM', iv: new Uint8Array(16) }, key, text('x'))); }, `${name}: a key of another algorithm`);
  promise_test(async (t) => { const key = await raw(name, ['encrypt']); await promise_rejects_js(t, TypeError, subtle.encrypt({ name }, key, text('x'))); }, `${name}: parameters are missing`);
}
promise_test(async (t) => { const key = await raw('AES-GCM', ['decrypt']); await promise_rejects_dom(t, 'OperationError', subtle.decrypt({ name: 'AES-GCM', iv: new Uint8Array(12) }, key, new Uint8Array(32))); }, 'AES-GCM: a wrong tag');
promise_test(async (t) => { const key = await raw('AES-GCM', ['decrypt']); await promise_rejects_dom(t, 'OperationError', subtle.decrypt({ name: 'AES-GCM', iv: new Uint8Array(12) }, key, new Uint8Array(8))); }, 'AES-GCM: too short');
for (const tagLength of [0, 8, 24, 129]) promise_test(async (t) => { const key = await raw('AES-GCM', ['encrypt']); await promise_rejects_dom(t, 'OperationError', subtle.encrypt({ name: 'AES-GCM', iv: new Uint8Array(12), tagLength }, key, text('x'))); }, `AES-GCM: no tag of ${tagLength} bits`);
for (const size of [0, 15, 17]) promise_test(async (t) => { const key = await raw('AES-CBC', ['encrypt']); await promise_rejects_dom(t, 'OperationError', subtle.encrypt({ name: 'AES-CBC', iv: new Uint8Array(size) }, key, text('x'))); }, `AES-CBC: no iv of ${size} bytes`);
for (const length of [0, 129]) promise_test(async (t) => { const key = await raw('AES-CTR', ['encrypt']); await promise_rejects_dom(t, 'OperationError', subtle.encrypt({ name: 'AES-CTR', counter: new Uint8Array(16), length }, key, text('x'))); }, `AES-CTR: no counter of ${length} bits`);
for (const hash of ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512']) promise_test(async () => { const key = await subtle.generateKey({ name: 'HMAC', hash }, true, ['sign']); assert_equals(`${key.algorithm.hash.name} ${key.algorithm.length}`, `${hash} ${{ 'SHA-1': 512, 'SHA-256': 512, 'SHA-384': 1024, 'SHA-512': 1024 }[hash]}`); }, `HMAC with ${hash}`);
promise_test(async (t) => promise_rejects_dom(t, 'NotSupportedError', subtle.generateKey({ name: 'HMAC', hash: 'MD5' }, true, ['sign'])), 'HMAC with another hash');
promise_test(async (t) => promise_rejects_dom(t, 'DataError', subtle.importKey('raw', new Uint8Array(0), { name: 'HMAC', hash: 'SHA-256' }, true, ['sign'])), 'HMAC without a key');
promise_test(async (t) => promise_rejects_js(t, TypeError, subtle.importKey('raw', new Uint8Array(4), { name: 'HMAC' }, true, ['sign'])), 'HMAC without a hash');
for (const jwk of [{}, { kty: 'RSA' }, { kty: 'oct' }, { kty: 'oct', k: 'AAAA', alg: 'A128GCM' }, { kty: 'oct', k: 'AAAAAAAAAAAAAAAAAAAAAA', use: 'sig' }, { kty: 'oct', k: 'AAAAAAAAAAAAAAAAAAAAAA', ext: false }, { kty: 'oct', k: 'AAAAAAAAAAAAAAAAAAAAAA', key_ops: ['sign'] }]) promise_test(async (t) => promise_rejects_dom(t, 'DataError', subtle.importKey('jwk', jwk, 'AES-GCM', true, ['encrypt'])), `no key ${JSON.stringify(jwk)}`);
for (const given of ['x', null, 5]) promise_test(async (t) => promise_rejects_js(t, TypeError, subtle.importKey('jwk', given, 'AES-GCM', true, ['encrypt'])), `no JWK ${JSON.stringify(given)}`);
promise_test(async (t) => promise_rejects_js(t, TypeError, subtle.importKey('x', new Uint8Array(16), 'AES-GCM', true, ['encrypt'])), 'no such format');
promise_test(async (t) => promise_rejects_dom(t, 'NotSupportedError', subtle.importKey('raw', new Uint8Array(16), 'XYZ', true, ['encrypt'])), 'no such algorithm');
promise_test(async (t) => promise_rejects_dom(t, 'NotSupportedError', subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-1' }, true, ['sign'])), 'no such curve');
promise_test(async (t) => promise_rejects_dom(t, 'DataError', subtle.importKey('spki', new Uint8Array(20), { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify'])), 'bytes that are no key');
promise_test(async (t) => promise_rejects_dom(t, 'DataError', subtle.importKey('raw', new Uint8Array(65).fill(4), { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify'])), 'a point that is not on the curve');
promise_test(async (t) => { const key = await raw('PBKDF2', ['deriveBits'], 4).catch(() => subtle.importKey('raw', new Uint8Array(4), 'PBKDF2', false, ['deriveBits'])); await promise_rejects_dom(t, 'OperationError', subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: new Uint8Array(4), iterations: 0 }, key, 128)); await promise_rejects_dom(t, 'OperationError', subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: new Uint8Array(4), iterations: 1 }, key, 7)); }, 'PBKDF2: no iterations, odd bits');
promise_test(async (t) => promise_rejects_dom(t, 'SyntaxError', subtle.importKey('raw', new Uint8Array(4), 'PBKDF2', true, ['deriveBits'])), 'PBKDF2: never extractable');
promise_test(async (t) => { const key = await subtle.importKey('raw', new Uint8Array(4), 'HKDF', false, ['deriveKey']); await promise_rejects_dom(t, 'InvalidAccessError', subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: new Uint8Array(0) }, key, 128)); const made = await subtle.deriveKey({ name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: new Uint8Array(0) }, key, { name: 'AES-GCM', length: 256 }, true, ['encrypt']); assert_equals(made.algorithm.length, 256); }, 'HKDF: deriveKey');
promise_test(async () => { const wrapping = await raw('AES-GCM', ['wrapKey', 'unwrapKey']), key = await raw('AES-CBC', ['encrypt']), how = { name: 'AES-GCM', iv: new Uint8Array(12) }; for (const format of ['raw', 'jwk']) { const again = await subtle.unwrapKey(format, await subtle.wrapKey(format, key, wrapping, how), wrapping, how, 'AES-CBC', true, ['encrypt']); assert_equals(hex(await subtle.exportKey('raw', again)), '07'.repeat(16)); } }, 'wrapKey and unwrapKey');
test(() => assert_throws_js(TypeError, () => new CryptoKey()), 'no constructor of CryptoKey');
promise_test(async () => { const key = await raw('AES-GCM', ['encrypt']); assert_class_string(key, 'CryptoKey'); assert_readonly(key, 'extractable'); assert_true(key instanceof CryptoKey); }, 'CryptoKey');

for (const name of ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array']) test(() => { const given = new globalThis[name](32), seen = crypto.getRandomValues(given); assert_equals(seen, given); assert_true(given.some((one) => one !== 0)); }, `getRandomValues ${name}`);
for (const name of ['Float32Array', 'Float64Array']) test(() => assert_throws_dom('TypeMismatchError', () => crypto.getRandomValues(new globalThis[name](2))), `no getRandomValues ${name}`);
test(() => assert_throws_dom('TypeMismatchError', () => crypto.getRandomValues(new DataView(new ArrayBuffer(2)))), 'no getRandomValues DataView');
test(() => { const [error] = (() => { try { crypto.getRandomValues(new Uint8Array(65537)); } catch (thrown) { return [thrown]; } return [{}]; })(); assert_equals(error.name, 'QuotaExceededError'); }, 'too many random bytes');
test(() => crypto.getRandomValues(new Uint8Array(65536)), 'as many random bytes as may be');
test(() => { const seen = new Set(Array.from({ length: 50 }, () => crypto.randomUUID())); assert_equals(seen.size, 50); for (const one of seen) assert_regexp_match(one, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/); }, 'randomUUID');
test(() => { assert_class_string(crypto, 'Crypto'); assert_class_string(crypto.subtle, 'SubtleCrypto'); }, 'class strings');
