//// uuid
import { parse, v4, v5, validate } from 'uuid';
export default () => [v5('x', '6ba7b810-9dad-11d1-80b4-00c04fd430c8'), validate(v4()), parse('6ba7b810-9dad-11d1-80b4-00c04fd430c8').length];

//// nanoid
import { customAlphabet, nanoid } from 'nanoid';
export default () => [nanoid().length, customAlphabet('a', 4)()];

//// ulid
import { decodeTime, ulid } from 'ulid';
export default () => [ulid(1000).slice(0, 10), decodeTime(ulid(5))];

//// @paralleldrive/cuid2
import { createId, isCuid } from '@paralleldrive/cuid2';
export default () => [isCuid(createId()), createId().length];

//// jose
import { SignJWT, jwtVerify } from 'jose';
export default async () => { const k = new TextEncoder().encode('0123456789abcdef0123456789abcdef'); const t = await new SignJWT({ a: 1 }).setProtectedHeader({ alg: 'HS256' }).setIssuedAt(1).sign(k); return [t, (await jwtVerify(t, k)).payload]; };

//// @noble/hashes
import { sha256 } from '@noble/hashes/sha2.js';
import { blake3 } from '@noble/hashes/blake3.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
export default () => [bytesToHex(sha256(utf8ToBytes('abc'))), bytesToHex(blake3(utf8ToBytes('abc')))];

//// @noble/curves
import { ed25519 } from '@noble/curves/ed25519.js';
export default () => { const k = new Uint8Array(32).fill(7); const p = ed25519.getPublicKey(k); const s = ed25519.sign(new Uint8Array([1, 2]), k); return [[...p], ed25519.verify(s, new Uint8Array([1, 2]), p)]; };

//// tweetnacl
import nacl from 'tweetnacl';
export default () => { const k = nacl.sign.keyPair.fromSeed(new Uint8Array(32).fill(1)); return [[...k.publicKey], [...nacl.hash(new Uint8Array([1]))].slice(0, 8)]; };

//// bcryptjs
import bcrypt from 'bcryptjs';
export default () => { const h = bcrypt.hashSync('x', '$2b$04$abcdefghijklmnopqrstuu'); return [h, bcrypt.compareSync('x', h)]; };

//// crypto-js
import CryptoJS from 'crypto-js';
export default () => [CryptoJS.SHA256('x').toString(), CryptoJS.HmacMD5('x', 'k').toString(), CryptoJS.AES.decrypt(CryptoJS.AES.encrypt('m', 'p').toString(), 'p').toString(CryptoJS.enc.Utf8)];

//// otpauth
import * as OTPAuth from 'otpauth';
export default () => new OTPAuth.TOTP({ secret: 'JBSWY3DPEHPK3PXP', digits: 6 }).generate({ timestamp: 0 });

//// base64-js
import { fromByteArray, toByteArray } from 'base64-js';
export default () => [fromByteArray(new Uint8Array([1, 2, 255])), [...toByteArray('AQL/')]];

//// hashids
import Hashids from 'hashids';
export default () => { const h = new Hashids('salt'); return [h.encode(1, 2, 3), h.decode(h.encode(45))]; };

//// sqids
import Sqids from 'sqids';
export default () => { const s = new Sqids(); return [s.encode([1, 2, 3]), s.decode('86Rf07')]; };

//// aws4fetch
import { AwsClient } from 'aws4fetch';
export default async () => { const a = new AwsClient({ accessKeyId: 'a', secretAccessKey: 's', service: 's3', region: 'r' }); return (await a.sign('https://x.example/k', { aws: { datetime: '20240101T000000Z' } })).headers.get('authorization'); };
