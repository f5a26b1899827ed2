/*
 * node:querystring.
 */
const SAFE = /[^A-Za-z0-9\-_.!~*'()]/;

function escape(text) {
  const written = typeof text === 'string' ? text : String(text);
  return SAFE.test(written) ? encodeURIComponent(written) : written;
}

function unescape(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    // What is no text in UTF-8 becomes U+FFFD.
    const bytes = [];
    for (let at = 0; at < text.length; at += 1) {
      const hex = /^%[0-9a-f]{2}/i.test(text.slice(at, at + 3));
      if (hex) bytes.push(parseInt(text.slice(at + 1, at + 3), 16));
      else bytes.push(...new TextEncoder().encode(text[at]));
      at += hex ? 2 : 0;
    }
    return new TextDecoder().decode(new Uint8Array(bytes));
  }
}

const shown = (value) => (['string', 'boolean', 'bigint'].includes(typeof value) || (typeof value === 'number' && Number.isFinite(value)) ? String(value) : '');

function stringify(object, separator = '&', equals = '=', { encodeURIComponent: encoded = module.exports.escape } = {}) {
  if (object === null || typeof object !== 'object') return '';
  const pair = (name, value) => encoded(shown(name)) + equals + encoded(shown(value));
  return Object.keys(object).flatMap((name) => (Array.isArray(object[name]) ? object[name].map((one) => pair(name, one)) : [pair(name, object[name])])).join(separator);
}

function parse(text, separator = '&', equals = '=', { maxKeys = 1000, decodeURIComponent: decoded = module.exports.unescape } = {}) {
  const found = Object.create(null);
  if (typeof text !== 'string' || text === '') return found;
  const plain = (one) => decoded(one.replace(/\+/g, '%20'));
  let pairs = text.split(separator || '&');
  if (maxKeys > 0) pairs = pairs.slice(0, maxKeys);
  for (const one of pairs) {
    if (one === '') continue;
    const at = one.indexOf(equals || '=');
    const name = plain(at < 0 ? one : one.slice(0, at));
    const value = at < 0 ? '' : plain(one.slice(at + (equals || '=').length));
    if (!(name in found)) found[name] = value;
    else if (Array.isArray(found[name])) found[name].push(value);
    else found[name] = [found[name], value];
  }
  return found;
}

module.exports = { escape, unescape, stringify, parse, encode: stringify, decode: parse };
