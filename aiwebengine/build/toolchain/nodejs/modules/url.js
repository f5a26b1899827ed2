/*
 * node:url.  The web's URL and URLSearchParams, and the package `url` for what was there before.
 */
const { Url, parse, resolve, resolveObject, format: formatLegacy } = require('npm:url');

const URL = globalThis.URL;

function invalid(what, code) {
  return Object.assign(new TypeError(what), { code });
}

function fileURLToPath(given) {
  const url = typeof given === 'string' ? new URL(given) : given;
  if (url?.protocol !== 'file:') throw invalid('The URL must be of scheme file', 'ERR_INVALID_URL_SCHEME');
  if (/%2f/i.test(url.pathname)) throw invalid('File URL path must not include encoded / characters', 'ERR_INVALID_FILE_URL_PATH');
  return decodeURIComponent(url.pathname);
}

function pathToFileURL(path) {
  const written = path.replace(/[%\\\n\r\t?#]/g, (one) => encodeURIComponent(one));
  return new URL(`file://${written.startsWith('/') ? '' : '/'}${written}`);
}

function format(given, { auth = true, fragment = true, search = true } = {}) {
  if (!(given instanceof URL)) return formatLegacy(given);
  const made = new URL(given.href);
  if (!auth) made.username = made.password = '';
  if (!fragment) made.hash = '';
  if (!search) made.search = '';
  return made.href;
}

const domain = (name) => {
  try {
    return new URL(`ws://${name}`).hostname;
  } catch {
    return '';
  }
};

module.exports = {
  URL,
  URLSearchParams: globalThis.URLSearchParams,
  URLPattern: globalThis.URLPattern,
  Url,
  parse,
  resolve,
  resolveObject,
  format,
  fileURLToPath,
  pathToFileURL,
  domainToASCII: domain,
  domainToUnicode: (name) => require('node:punycode').toUnicode(domain(name)),
  urlToHttpOptions: (url) => ({
    protocol: url.protocol,
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    hash: url.hash,
    search: url.search,
    pathname: url.pathname,
    path: `${url.pathname}${url.search}`,
    href: url.href,
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    ...(url.username || url.password ? { auth: `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}` } : {}),
  }),
};
