/*
 * createCipheriv and createDecipheriv, by AES in the modes GCM, CBC and CTR.  Everything comes from final().
 */
const { Buffer, bytesOf, given, wrong } = require('./bytes.js');
const { KeyObject } = require('./keys.js');

const NAME = /^aes-?(128|192|256)-(gcm|cbc|ctr)$/i;
const TAG = 16;

class Cipher {
  constructor(name, key, iv, options = {}) {
    const [, bits, mode] = NAME.exec(name) ?? [];
    if (bits === undefined) throw wrong(`Unknown cipher "${name}"; there are aes-128-gcm, aes-128-cbc, aes-128-ctr, and the same of 192 and 256 bits.`, 'ERR_CRYPTO_UNKNOWN_CIPHER', Error);
    const material = key instanceof KeyObject ? key.export() : bytesOf(key, 'utf8', 'key');
    if (material.length * 8 !== Number(bits)) throw wrong('Invalid key length', 'ERR_CRYPTO_INVALID_KEYLEN', RangeError);
    this.mode = mode.toUpperCase();
    this.bytes = bytesOf(iv, 'utf8', 'iv');
    this.tagLength = options.authTagLength ?? TAG;
    this.key = crypto.importKeySync('raw', material, `AES-${this.mode}`, false, ['encrypt', 'decrypt']);
    this.parts = [];
    this.tag = null;
  }

  get algorithm() {
    if (this.mode === 'CBC') return { name: 'AES-CBC', iv: this.bytes };
    if (this.mode === 'CTR') return { name: 'AES-CTR', counter: this.bytes, length: 128 };
    return { name: 'AES-GCM', iv: this.bytes, tagLength: this.tagLength * 8, ...(this.additional === undefined ? {} : { additionalData: this.additional }) };
  }

  update(data, encoding, wanted) {
    this.parts.push(Buffer.from(bytesOf(data, encoding)));
    return given(Buffer.alloc(0), wanted);
  }

  setAAD(data) {
    this.additional = bytesOf(data);
    return this;
  }

  setAutoPadding(padded = true) {
    if (!padded) throw wrong('Padding cannot be switched off here.', 'ERR_INVALID_ARG_VALUE', Error);
    return this;
  }
}

class Cipheriv extends Cipher {
  final(encoding) {
    const sealed = Buffer.from(crypto.encryptSync(this.algorithm, this.key, Buffer.concat(this.parts)));
    if (this.mode !== 'GCM') return given(sealed, encoding);
    this.tag = Buffer.from(sealed.subarray(sealed.length - this.tagLength));
    return given(Buffer.from(sealed.subarray(0, sealed.length - this.tagLength)), encoding);
  }

  getAuthTag() {
    if (this.tag === null) throw wrong('Invalid state for operation getAuthTag', 'ERR_CRYPTO_INVALID_STATE', Error);
    return this.tag;
  }
}

class Decipheriv extends Cipher {
  setAuthTag(tag, encoding) {
    this.tag = bytesOf(tag, encoding, 'tag');
    this.tagLength = this.tag.length;
    return this;
  }

  final(encoding) {
    if (this.mode === 'GCM' && this.tag === null) throw new Error('Unsupported state or unable to authenticate data');
    try {
      return given(Buffer.from(crypto.decryptSync(this.algorithm, this.key, Buffer.concat([...this.parts, ...(this.mode === 'GCM' ? [this.tag] : [])]))), encoding);
    } catch (error) {
      if (error.name !== 'OperationError') throw error;
      throw this.mode === 'GCM' ? new Error('Unsupported state or unable to authenticate data') : wrong('bad decrypt', 'ERR_OSSL_BAD_DECRYPT', Error);
    }
  }
}

module.exports = {
  Cipheriv,
  Decipheriv,
  createCipheriv: (...values) => new Cipheriv(...values),
  createDecipheriv: (...values) => new Decipheriv(...values),
  getCiphers: () => ['gcm', 'cbc', 'ctr'].flatMap((mode) => [128, 192, 256].map((bits) => `aes-${bits}-${mode}`)),
};
