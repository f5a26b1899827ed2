/*
 * crypto.subtle, and what of crypto need not be awaited.
 *
 * Here values are converted, as Web IDL has it; what they mean the server checks.  Bytes are sent as Base64, and what
 * must not stand in recordings as a member `secret`.  A key is a handle that the server made; of what it shows of
 * itself nothing is sent back.
 */
(function (K, global) {
    'use strict';

    var define = K.define, getter = K.getter, hidden = K.hidden, own = K.own, text = String, base64 = K.base64, bytesOf = K.bytesOf;
    var call = Function.prototype.call, indexOf = call.bind(Array.prototype.indexOf), upper = call.bind(String.prototype.toUpperCase);
    var split = K.captured.split, slice = K.captured.slice, toArray = Array.from, floor = Math.floor, isArray = Array.isArray, number = Number;
    var DOMException = K.DOMException, HostError = K.HostError;
    var FORMATS = ['raw', 'spki', 'pkcs8', 'jwk'];
    var USAGES = ['encrypt', 'decrypt', 'sign', 'verify', 'deriveKey', 'deriveBits', 'wrapKey', 'unwrapKey'];
    var JWK = ['kty', 'use', 'key_ops', 'alg', 'ext', 'crv', 'x', 'y', 'd', 'n', 'e', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

    // -- algorithms ---------------------------------------------------------------------------

    /* The members that an algorithm takes for an operation; `?`: it may be left out. */
    var HASHES = { 'SHA-1': '', 'SHA-256': '', 'SHA-384': '', 'SHA-512': '' };
    var ciphers = { 'RSA-OAEP': 'label?', 'AES-CBC': 'iv', 'AES-CTR': 'counter length', 'AES-GCM': 'iv additionalData? tagLength?' };
    var signatures = { HMAC: '', 'RSASSA-PKCS1-v1_5': '', 'RSA-PSS': 'saltLength', ECDSA: 'hash', Ed25519: '' };
    var derivations = { ECDH: 'public', X25519: 'public', HKDF: 'hash salt info', PBKDF2: 'hash salt iterations', scrypt: 'salt N r p' };
    var lengths = { 'AES-CBC': 'length', 'AES-CTR': 'length', 'AES-GCM': 'length', 'AES-KW': 'length', HMAC: 'hash length?' };
    var keys = { ECDSA: 'namedCurve', ECDH: 'namedCurve', Ed25519: '', X25519: '' };
    var rsa = ['RSASSA-PKCS1-v1_5', 'RSA-PSS', 'RSA-OAEP'];

    function joined() {
        var made = {};
        for (var i = 0; i < arguments.length; i++) for (var name in arguments[i]) made[name] = arguments[i][name];
        return made;
    }

    function each(names, members) {
        var made = {};
        names.forEach(function (name) { made[name] = members; });
        return made;
    }

    var OPERATIONS = {
        digest: HASHES,
        digestSync: joined(HASHES, { MD5: '' }),
        encrypt: ciphers,
        sign: signatures,
        derive: derivations,
        wrap: joined(ciphers, { 'AES-KW': '' }),
        generate: joined(keys, lengths, each(rsa, 'modulusLength publicExponent hash')),
        imported: joined(keys, each(['AES-CBC', 'AES-CTR', 'AES-GCM', 'AES-KW', 'HKDF', 'PBKDF2', 'scrypt'], ''), each(rsa, 'hash'), { HMAC: 'hash length?' }),
        derived: joined(lengths, { HKDF: '', PBKDF2: '' })
    };

    function standard(name, message) { return name === 'TypeError' ? new TypeError(message) : new DOMException(message, name); }

    /* The name as the standard writes it. */
    function known(operation, name) {
        var folded = upper(name);
        for (var one in OPERATIONS[operation]) if (upper(one) === folded) return one;
        throw standard('NotSupportedError', K.quote(name) + ' is no algorithm for this; there are ' + Object.keys(OPERATIONS[operation]).join(', ') + '.');
    }

    function normalized(operation, given) {
        if (given === null || typeof given !== 'object' && typeof given !== 'function') given = { name: text(given) };
        if (given.name === undefined) throw new TypeError('The algorithm has no name.');
        var made = { name: known(operation, text(given.name)) }, members = OPERATIONS[operation][made.name];
        if (members !== '') split(members, ' ').forEach(function (member) { take(made, given, member); });
        return made;
    }

    function take(made, given, member) {
        var optional = slice(member, -1) === '?', name = optional ? slice(member, 0, -1) : member, value = given[name];
        if (value === undefined && optional) return;
        if (value === undefined) throw new TypeError(made.name + ' needs the parameter ' + name + '.');
        made[name] = CONVERT[name](value, name);
    }

    function octets(value, name) {
        var bytes = bytesOf(value);
        if (bytes === null) throw new TypeError(name + ' must be an ArrayBuffer or a view of one; ' + K.quote(value) + ' was given.');
        return base64(bytes);
    }

    function whole(value, name) {
        var converted = number(value);
        if (!(converted > -1 && converted < 4294967296)) throw new TypeError(name + ' must be a number from 0 to 4294967295; ' + K.quote(value) + ' was given.');
        return floor(converted) + 0;
    }

    function handle(value, name) {
        var state = isKey(value) ? hidden(value) : undefined;
        if (state === undefined) throw new TypeError(name + ' must be a CryptoKey; ' + K.quote(value) + ' was given.');
        return state.handle;
    }

    var CONVERT = {
        hash: function (value) { return normalized('digest', value); },
        namedCurve: function (value) { return text(value); },
        'public': handle,
        iv: octets, counter: octets, additionalData: octets, label: octets, salt: octets, info: octets,
        publicExponent: octets,
        length: whole, tagLength: whole, saltLength: whole, iterations: whole, N: whole, r: whole, p: whole, modulusLength: whole
    };

    // -- keys ---------------------------------------------------------------------------------

    function CryptoKey() { throw new TypeError('Illegal constructor'); }

    function isKey(value) { return value !== null && typeof value === 'object' && value instanceof CryptoKey; }

    function madeOf(told) {
        var key = Object.create(CryptoKey.prototype), algorithm = told.algorithm;
        if (own(algorithm, 'publicExponent')) algorithm.publicExponent = K.fromBase64(algorithm.publicExponent);
        K.hide(key, { handle: told.handle, type: told.type, extractable: told.extractable, algorithm: algorithm, usages: told.usages });
        return key;
    }

    function shown(name) {
        getter(CryptoKey.prototype, name, function () {
            if (!isKey(this) || hidden(this) === undefined) throw new TypeError('Illegal invocation');
            return hidden(this)[name];
        });
    }
    ['type', 'extractable', 'algorithm', 'usages'].forEach(shown);
    define(CryptoKey.prototype, Symbol.toStringTag, 'CryptoKey', true);
    K.global('CryptoKey', CryptoKey);

    K.cloners[K.cloners.length] = function (value) {
        if (!isKey(value) || hidden(value) === undefined) return undefined;
        var state = hidden(value), algorithm = joined(state.algorithm);
        if (own(algorithm, 'publicExponent')) algorithm.publicExponent = base64(algorithm.publicExponent);
        if (own(algorithm, 'hash')) algorithm.hash = { name: algorithm.hash.name };
        return madeOf({ handle: state.handle, type: state.type, extractable: state.extractable, algorithm: algorithm, usages: toArray(state.usages) });
    };

    function formatOf(value) {
        value = text(value);
        if (indexOf(FORMATS, value) < 0) throw new TypeError(K.quote(value) + ' is no key format; there are ' + FORMATS.join(', ') + '.');
        return value;
    }

    function usagesOf(value) {
        if (value === null || value === undefined || typeof value !== 'object') throw new TypeError('keyUsages must be a list of strings; ' + K.quote(value) + ' was given.');
        return toArray(value).map(function (usage) {
            usage = text(usage);
            if (indexOf(USAGES, usage) < 0) throw new TypeError(K.quote(usage) + ' is no key usage; there are ' + USAGES.join(', ') + '.');
            return usage;
        });
    }

    function jwkOf(value) {
        if (value === null || typeof value !== 'object' || bytesOf(value) !== null) throw new TypeError('A key in the format jwk is an object; ' + K.quote(value) + ' was given.');
        var made = {};
        JWK.forEach(function (name) {
            var member = value[name];
            if (member === undefined) return;
            made[name] = name === 'ext' ? !!member : name === 'oth' ? [] : name === 'key_ops' ? toArray(member).map(text) : text(member);
        });
        return made;
    }

    // -- calls --------------------------------------------------------------------------------

    function thrown(error) {
        var details = error instanceof HostError ? error.details : undefined;
        return details !== undefined && details !== null && typeof details.exception === 'string' ? standard(details.exception, error.message) : error;
    }

    function ask(name, request, make) {
        var after = K.pending();
        K.when(K.hostCall('crypto.subtle.' + name, [request]), function (answer) {
            try { K.resolve(after, make(answer)); } catch (error) { K.reject(after, error); }
        }, function (error) { K.reject(after, thrown(error)); });
        return after;
    }

    /* Of a replay: the recording has no secret values. */
    function unmasked(value) {
        if (value === '***') throw standard('OperationError', 'The recording does not have this value: what is secret is masked.');
        return value;
    }

    function bufferOf(member) {
        return function (answer) { return K.fromBase64(unmasked(answer[member])).buffer; };
    }
    var data = bufferOf('data'), secret = bufferOf('secret');
    function key(answer) { return madeOf(answer.key); }

    function SubtleCrypto() { throw new TypeError('Illegal constructor'); }
    var subtle = Object.create(SubtleCrypto.prototype);

    var AT_ONCE = ['importKey', 'exportKey', 'sign', 'verify', 'encrypt', 'decrypt', 'deriveBits'];

    /* The same, not awaited: crypto.signSync() and others. */
    function sync(name, prepare) {
        var made = function () {
            var given = K.captured.apply(prepare, null, arguments), answer;
            try {
                answer = K.hostCallSync('crypto.' + name + 'Sync', [given.request]);
            } catch (error) {
                throw thrown(error);
            }
            return given.make(answer);
        };
        Object.defineProperty(made, 'name', { value: name + 'Sync', configurable: true });
        define(global.Crypto.prototype, name + 'Sync', made);
    }

    /* `prepare` gives what is sent and what is made of the answer; what it throws is a rejection. */
    function method(name, least, prepare) {
        var made = function () {
            var after, given;
            try {
                if (this !== subtle) throw new TypeError('Illegal invocation');
                if (arguments.length < least) throw new TypeError('crypto.subtle.' + name + ' needs ' + least + ' arguments; ' + arguments.length + ' were given.');
                given = K.captured.apply(prepare, null, arguments);
            } catch (error) {
                after = K.pending();
                K.reject(after, error);
                return after;
            }
            return ask(name, given.request, given.make);
        };
        Object.defineProperty(made, 'name', { value: name, configurable: true });
        Object.defineProperty(made, 'length', { value: least, configurable: true });
        define(SubtleCrypto.prototype, name, made);
        if (indexOf(AT_ONCE, name) >= 0) sync(name, prepare);
    }

    method('digest', 2, function (algorithm, input) {
        return { request: { algorithm: normalized('digest', algorithm), data: octets(input, 'data') }, make: data };
    });
    method('generateKey', 3, function (algorithm, extractable, usages) {
        return {
            request: { algorithm: normalized('generate', algorithm), extractable: !!extractable, usages: usagesOf(usages) },
            make: function (answer) {
                return own(answer, 'key') ? madeOf(answer.key) : { publicKey: madeOf(answer.publicKey), privateKey: madeOf(answer.privateKey) };
            }
        };
    });
    method('importKey', 5, function (format, input, algorithm, extractable, usages) {
        var request = { format: formatOf(format), algorithm: normalized('imported', algorithm), extractable: !!extractable, usages: usagesOf(usages) };
        var jwk = request.format === 'jwk', sent = jwk ? jwkOf(input) : octets(input, 'keyData');
        var isSecret = jwk ? own(sent, 'd') || own(sent, 'k') : request.format === 'pkcs8' || request.format === 'raw' && !own(keys, request.algorithm.name);
        request[isSecret ? 'secret' : 'data'] = sent;
        return { request: request, make: key };
    });
    method('exportKey', 2, function (format, exported) {
        var request = { format: formatOf(format), key: handle(exported, 'key') };
        return {
            request: request,
            make: function (answer) {
                var value = unmasked(own(answer, 'secret') ? answer.secret : answer.data);
                return request.format === 'jwk' ? value : K.fromBase64(value).buffer;
            }
        };
    });
    method('sign', 3, function (algorithm, signing, input) {
        return { request: { algorithm: normalized('sign', algorithm), key: handle(signing, 'key'), data: octets(input, 'data') }, make: data };
    });
    method('verify', 4, function (algorithm, verifying, signature, input) {
        return {
            request: { algorithm: normalized('sign', algorithm), key: handle(verifying, 'key'), signature: octets(signature, 'signature'), data: octets(input, 'data') },
            make: function (answer) { return answer.valid; }
        };
    });
    ['encrypt', 'decrypt'].forEach(function (name) {
        method(name, 3, function (algorithm, used, input) {
            return { request: { algorithm: normalized('encrypt', algorithm), key: handle(used, 'key'), data: octets(input, 'data') }, make: data };
        });
    });
    method('deriveBits', 2, function (algorithm, base, length) {
        var request = { algorithm: normalized('derive', algorithm), key: handle(base, 'baseKey') };
        if (length !== undefined && length !== null) request.length = whole(length, 'length');
        return { request: request, make: secret };
    });
    method('deriveKey', 5, function (algorithm, base, type, extractable, usages) {
        return {
            request: { algorithm: normalized('derive', algorithm), key: handle(base, 'baseKey'), derivedKeyType: normalized('derived', type), extractable: !!extractable, usages: usagesOf(usages) },
            make: key
        };
    });
    method('wrapKey', 4, function (format, wrapped, wrapping, algorithm) {
        return {
            request: { format: formatOf(format), key: handle(wrapped, 'key'), wrappingKey: handle(wrapping, 'wrappingKey'), algorithm: normalized('wrap', algorithm) },
            make: data
        };
    });
    method('unwrapKey', 7, function (format, wrapped, unwrapping, algorithm, type, extractable, usages) {
        return {
            request: {
                format: formatOf(format), data: octets(wrapped, 'wrappedKey'), unwrappingKey: handle(unwrapping, 'unwrappingKey'), algorithm: normalized('wrap', algorithm),
                keyAlgorithm: normalized('imported', type), extractable: !!extractable, usages: usagesOf(usages)
            },
            make: key
        };
    });
    define(SubtleCrypto.prototype, Symbol.toStringTag, 'SubtleCrypto', true);
    K.global('SubtleCrypto', SubtleCrypto);

    // -- crypto -------------------------------------------------------------------------------

    /* For what else makes keys. */
    K.makeCryptoKey = madeOf;
    K.keyRequest = function (algorithm, usages) { return { algorithm: normalized('imported', algorithm), usages: usagesOf(usages) }; };
    K.cryptoError = thrown;

    getter(global.Crypto.prototype, 'subtle', function () { return subtle; });

    function inputOf(value, name) { return typeof value === 'string' ? base64(K.utf8(value)) : octets(value, name); }

    function askSync(name, request) {
        var answer;
        try {
            answer = K.hostCallSync('crypto.' + name, [request]);
        } catch (error) {
            throw thrown(error);
        }
        return K.fromBase64(answer.data).buffer;
    }

    define(global.Crypto.prototype, 'digestSync', function digestSync(algorithm, input) {
        return askSync('digestSync', { algorithm: normalized('digestSync', algorithm), data: inputOf(input, 'data') });
    });
    define(global.Crypto.prototype, 'hmacSync', function hmacSync(hash, used, input) {
        var request = { hash: normalized('digestSync', hash), data: inputOf(input, 'data') };
        if (isKey(used)) {
            if (used.algorithm.name === 'HMAC' && used.algorithm.hash.name !== request.hash.name) throw standard('InvalidAccessError', 'The key is for ' + used.algorithm.hash.name + ', not for ' + request.hash.name + '.');
            request.key = handle(used, 'key');
        } else {
            request.secret = inputOf(used, 'key');
        }
        return askSync('hmacSync', request);
    });
    define(global.Crypto.prototype, 'timingSafeEqual', function timingSafeEqual(a, b) {
        var first = bytesOf(a), second = bytesOf(b), different = 0;
        if (first === null || second === null) throw new TypeError('crypto.timingSafeEqual compares ArrayBuffers and views of them; for strings use new TextEncoder().encode(text).');
        if (first.length !== second.length) return false;
        for (var i = 0; i < first.length; i++) different |= first[i] ^ second[i];
        return different === 0;
    });
}(__kernel, globalThis));
