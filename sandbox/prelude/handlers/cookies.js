/*
 * Cookies of an answer, as set-cookie headers (RFC 6265).
 *
 * K.cookieHeaders(cookies, headers) appends [name, value] pairs to `headers`.  `cookies` maps a name to
 * text, to { value, path, domain, maxAge, expires, httpOnly, secure, sameSite, partitioned }, or to null,
 * which deletes the cookie.  Without options a cookie is for the whole site, not readable by page
 * scripts, and not sent along from other sites' forms.
 */
(function (K) {
    'use strict';

    var NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, PLAIN = /^[\x21\x23\x24\x26-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/, ATTRIBUTE = /^[\x20-\x3a\x3c-\x7e]*$/;
    var OPTIONS = ['value', 'path', 'domain', 'maxAge', 'expires', 'httpOnly', 'secure', 'sameSite', 'partitioned'];
    var SAME_SITE = { lax: 'Lax', strict: 'Strict', none: 'None' };

    function attribute(cookie, option, value) {
        value = String(value);
        if (!ATTRIBUTE.test(value)) throw new TypeError('Cookie ' + cookie + ': ' + option + ' ' + K.quote(value) + ' holds a character that is not allowed there.');
        return value;
    }

    function header(name, cookie) {
        if (!NAME.test(name)) throw new TypeError('Cookie name ' + K.quote(name) + " is not allowed: letters, digits and !#$%&'*+-.^_`|~ only.");
        if (cookie === null) cookie = { value: '', maxAge: 0 };
        if (typeof cookie !== 'object') cookie = { value: cookie };
        Object.keys(cookie).forEach(function (option) {
            if (OPTIONS.indexOf(option) < 0) throw new TypeError('Cookie ' + name + ' has the unknown option ' + K.quote(option) + '; there are ' + OPTIONS.join(', ') + '.');
        });
        var value = cookie.value === undefined || cookie.value === null ? '' : String(cookie.value);
        var text = name + '=' + (PLAIN.test(value) ? value : encodeURIComponent(K.wellFormed(value)));
        text += '; Path=' + attribute(name, 'path', cookie.path === undefined ? '/' : cookie.path);
        if (cookie.domain !== undefined) text += '; Domain=' + attribute(name, 'domain', cookie.domain);
        if (cookie.maxAge !== undefined) text += '; Max-Age=' + seconds(name, cookie.maxAge);
        if (cookie.expires !== undefined) text += '; Expires=' + date(name, cookie.expires);
        if (cookie.httpOnly !== false) text += '; HttpOnly';
        var sameSite = SAME_SITE[String(cookie.sameSite === undefined ? 'Lax' : cookie.sameSite).toLowerCase()];
        if (!sameSite) throw new TypeError('Cookie ' + name + ': sameSite ' + K.quote(cookie.sameSite) + ' is not one of Strict, Lax, None.');
        if (cookie.secure || sameSite === 'None' || cookie.partitioned) text += '; Secure';
        text += '; SameSite=' + sameSite;
        return cookie.partitioned ? text + '; Partitioned' : text;
    }

    function seconds(name, value) {
        if (typeof value !== 'number' || !isFinite(value)) throw new TypeError('Cookie ' + name + ': maxAge ' + K.quote(value) + ' is not a number of seconds.');
        return Math.floor(value);
    }

    function date(name, value) {
        var when = value instanceof Date ? value : new Date(value);
        if (isNaN(when.getTime())) throw new TypeError('Cookie ' + name + ': expires ' + K.quote(value) + ' is not a date.');
        return K.httpDate(when);
    }

    K.cookieHeaders = function (cookies, headers) {
        Object.keys(cookies).forEach(function (name) {
            if (cookies[name] !== undefined) headers[headers.length] = ['set-cookie', header(name, cookies[name])];
        });
    };
}(__kernel));
