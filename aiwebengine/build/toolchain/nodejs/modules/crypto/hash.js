/*
 * createHash, createHmac, hash.  All that is given to one is kept until its digest is asked for.
 */
const { Buffer, bytesOf, given, hashName, wrong } = require('./bytes.js');
const { KeyObject } = require('./keys.js');

class Hash {
  constructor(algorithm) {
    this.algorithm = hashName(algorithm);
    this.parts = [];
    this.done = false;
  }

  update(data, encoding) {
    if (this.done) throw wrong('Digest already called', 'ERR_CRYPTO_HASH_FINALIZED', Error);
    this.parts.push(Buffer.from(bytesOf(data, encoding)));
    return this;
  }

  digest(encoding) {
    if (this.done) throw wrong('Digest already called', 'ERR_CRYPTO_HASH_FINALIZED', Error);
    this.done = true;
    return given(Buffer.from(this.compute(Buffer.concat(this.parts))), encoding);
  }

  compute(data) {
    return crypto.digestSync(this.algorithm, data);
  }

  copy() {
    const made = Object.assign(Object.create(Object.getPrototypeOf(this)), this);
    made.parts = [...this.parts];
    return made;
  }

  /* What of a stream is used: hash.write(data); hash.end(); hash.read(). */
  write(data, encoding) {
    this.update(data, encoding);
    return true;
  }

  end(data, encoding) {
    if (data !== undefined) this.update(data, encoding);
    return this;
  }

  read() {
    return this.done ? null : this.digest();
  }
}

class Hmac extends Hash {
  constructor(algorithm, key) {
    super(algorithm);
    this.key = key instanceof KeyObject ? key.export() : bytesOf(key, 'utf8', 'key');
  }

  compute(data) {
    return crypto.hmacSync(this.algorithm, this.key, data);
  }
}

module.exports = {
  Hash,
  Hmac,
  createHash: (algorithm) => new Hash(algorithm),
  createHmac: (algorithm, key) => new Hmac(algorithm, key),
  hash: (algorithm, data, encoding = 'hex') => new Hash(algorithm).update(data).digest(encoding),
  getHashes: () => ['RSA-MD5', 'RSA-SHA1', 'RSA-SHA256', 'RSA-SHA384', 'RSA-SHA512', 'md5', 'sha1', 'sha256', 'sha384', 'sha512'],
};
