/*
 * Keys in PEM and DER: what kind of key they hold, as PKCS #8 or SubjectPublicKeyInfo, which crypto.subtle takes.
 */
const { Buffer, wrong } = require('./bytes.js');

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const KINDS = {
  '2a864886f70d010101': { kind: 'rsa' },
  '2a864886f70d01010a': { kind: 'rsa-pss' },
  '2a8648ce3d0201': { kind: 'ec' },
  '2b6570': { kind: 'ed25519' },
  '2b656e': { kind: 'x25519' },
};
const CURVES = { '2a8648ce3d030107': ['prime256v1', 'P-256'], '2b81040022': ['secp384r1', 'P-384'], '2b81040023': ['secp521r1', 'P-521'] };
const RSA = Buffer.from('300d06092a864886f70d0101010500', 'hex');
const EC = Buffer.from('06072a8648ce3d0201', 'hex');

const unreadable = (why) => wrong(`The key cannot be read: ${why}`, 'ERR_OSSL_UNSUPPORTED', Error);

/* One value at a place: its tag, its content, and where the next one begins. */
function read(bytes, at) {
  let length = bytes[at + 1];
  let start = at + 2;
  if (length > 127) {
    const size = length - 128;
    if (size === 0 || size > 4) throw unreadable('it is not DER.');
    length = bytes.readUIntBE(start, size);
    start += size;
  }
  if (!(start + length <= bytes.length)) throw unreadable('it ends too early.');
  return { tag: bytes[at], whole: bytes.subarray(at, start + length), content: bytes.subarray(start, start + length), next: start + length };
}

function members(bytes) {
  const made = [];
  for (let at = 0; at < bytes.length; at = made.at(-1).next) made.push(read(bytes, at));
  return made;
}

function write(tag, ...parts) {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

/* What an AlgorithmIdentifier says. */
function described(identifier) {
  const [id, parameters] = members(identifier.content);
  const found = KINDS[id.content.toString('hex')];
  if (found === undefined) throw unreadable('there is no algorithm here for it; there are RSA, EC on P-256, P-384 and P-521, Ed25519 and X25519.');
  if (found.kind !== 'ec') return found;
  const curve = CURVES[parameters?.content.toString('hex')];
  if (curve === undefined) throw unreadable('its curve is none of P-256, P-384 and P-521.');
  return { kind: 'ec', namedCurve: curve[0], web: curve[1] };
}

/* Bits and exponent of an RSA key: of RSAPublicKey, or of RSAPrivateKey, which begins with a version. */
function rsaDetails(der, isPrivate) {
  const numbers = members(read(der, 0).content);
  const [modulus, exponent] = numbers.slice(isPrivate ? 1 : 0).map(({ content }) => content.subarray(content[0] === 0 ? 1 : 0));
  const bits = modulus.length * 8 - Math.clz32(modulus[0]) + 24;
  const value = [...exponent].reduce((sum, one) => sum * 256 + one, 0);
  return { modulusLength: bits, publicExponent: typeof BigInt === 'function' ? BigInt(value) : value };
}

function publicKey(spki) {
  const [identifier, bits] = members(read(spki, 0).content);
  const found = described(identifier);
  return { type: 'public', der: spki, ...found, details: detailsOf(found, () => rsaDetails(bits.content.subarray(1), false)) };
}

function privateKey(pkcs8) {
  const [, identifier, octets] = members(read(pkcs8, 0).content);
  const found = described(identifier);
  return { type: 'private', der: pkcs8, ...found, details: detailsOf(found, () => rsaDetails(octets.content, true)) };
}

function detailsOf({ kind, namedCurve }, rsa) {
  if (kind === 'ec') return { namedCurve };
  return kind.startsWith('rsa') ? rsa() : {};
}

function fromPkcs1(der) {
  return privateKey(write(SEQUENCE, write(INTEGER, Buffer.from([0])), RSA, write(0x04, der)));
}

/* RFC 5915: the curve stands in its member [0], which PKCS #8 has in the algorithm. */
function fromSec1(der) {
  const curve = members(read(der, 0).content).find(({ tag }) => tag === 0xa0);
  if (curve === undefined) throw unreadable('it does not say its curve.');
  return privateKey(write(SEQUENCE, write(INTEGER, Buffer.from([0])), write(SEQUENCE, EC, curve.content), write(0x04, der)));
}

function fromCertificate(der) {
  const parts = members(read(read(der, 0).content, 0).content);
  return publicKey(parts[parts[0].tag === 0xa0 ? 6 : 5].whole);
}

const PEM = {
  'PRIVATE KEY': privateKey,
  'RSA PRIVATE KEY': fromPkcs1,
  'EC PRIVATE KEY': fromSec1,
  'PUBLIC KEY': publicKey,
  'RSA PUBLIC KEY': (der) => publicKey(write(SEQUENCE, RSA, write(0x03, Buffer.from([0]), der))),
  CERTIFICATE: fromCertificate,
};
const DER = { pkcs8: privateKey, pkcs1: fromPkcs1, sec1: fromSec1, spki: publicKey };

/** The key in a text. */
function fromPem(text) {
  const found = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/.exec(text);
  if (found === null) throw unreadable('it is not PEM, which begins with -----BEGIN.');
  if (found[1] === 'EC PARAMETERS') return fromPem(text.slice(found.index + found[0].length));
  if (found[1] === 'ENCRYPTED PRIVATE KEY' || found[2].includes('ENCRYPTED')) throw unreadable('it is encrypted; decrypt it first, with openssl pkcs8.');
  const make = PEM[found[1]];
  if (make === undefined) throw unreadable(`"${found[1]}" is no kind of key that is known here.`);
  return make(Buffer.from(found[2], 'base64'));
}

function fromDer(bytes, type) {
  const make = DER[type];
  if (make === undefined) throw wrong(`The property 'options.type' must be one of ${Object.keys(DER).join(', ')}.`, 'ERR_INVALID_ARG_VALUE');
  return make(bytes);
}

function toPem(der, label) {
  return `-----BEGIN ${label}-----\n${der.toString('base64').replace(/.{1,64}/g, '$&\n')}-----END ${label}-----\n`;
}

/* The private key inside PKCS #8, which is PKCS #1 of RSA. */
const insidePkcs8 = (pkcs8) => members(read(pkcs8, 0).content)[2].content;
const insideSpki = (spki) => members(read(spki, 0).content)[1].content.subarray(1);

/* A signature of an elliptic curve: two numbers in DER, or side by side. */
function signatureToDer(raw) {
  const half = raw.length / 2;
  const number = (part) => {
    let at = 0;
    while (at < part.length - 1 && part[at] === 0) at += 1;
    return write(INTEGER, part[at] > 127 ? Buffer.concat([Buffer.from([0]), part.subarray(at)]) : part.subarray(at));
  };
  return write(SEQUENCE, number(raw.subarray(0, half)), number(raw.subarray(half)));
}

function signatureFromDer(der, size) {
  const made = Buffer.alloc(size * 2);
  members(read(der, 0).content).slice(0, 2).forEach(({ content }, at) => {
    const number = content.subarray(Math.max(0, content.length - size));
    number.copy(made, size * (at + 1) - number.length);
  });
  return made;
}

module.exports = { fromDer, fromPem, insidePkcs8, insideSpki, signatureFromDer, signatureToDer, toPem };
