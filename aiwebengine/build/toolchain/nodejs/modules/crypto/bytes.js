/*
 * What functions of node:crypto are given, as bytes, and what they give back.
 */
const { Buffer } = require('node:buffer');

function wrong(message, code = 'ERR_INVALID_ARG_TYPE', Kind = TypeError) {
  return Object.assign(new Kind(message), { code });
}

function bytesOf(value, encoding, name = 'data') {
  if (typeof value === 'string') return Buffer.from(value, encoding === 'buffer' ? 'utf8' : encoding);
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer) return Buffer.from(value);
  throw wrong(`The "${name}" argument must be of type string or an instance of Buffer, TypedArray, or DataView.`);
}

const given = (bytes, encoding) => (encoding === undefined || encoding === 'buffer' ? bytes : bytes.toString(encoding));

/* The name of a hash function as the Web Cryptography API has it: `sha256`, `RSA-SHA256`, `SHA2-256`. */
function hashName(name) {
  const plain = String(name).toUpperCase().replace(/^(?:RSA|ECDSA|HMAC)-/, '').replace(/^SHA(?:2-(?=\d{3})|[-/]?(?=\d))/, 'SHA-');
  if (plain === 'MD5' || plain === 'SSL3-MD5') return 'MD5';
  if (['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512'].includes(plain)) return plain;
  throw wrong(`Digest method "${name}" is not supported here; there are sha1, sha256, sha384, sha512 and md5.`, 'ERR_OSSL_EVP_UNSUPPORTED', Error);
}

module.exports = { Buffer, bytesOf, given, hashName, wrong };
