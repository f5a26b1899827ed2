/*
 * What of secrets is made of host calls: keys, and the header of a user with a password.
 *
 * A value of a secret is never here; `secrets.ref` returns a placeholder.
 */
(function (K) {
    'use strict';

    var secrets = K.object('secrets'), ref = secrets.ref, own = K.own;

    K.define(secrets, 'basic', function basic(user, name) {
        user = K.textOf('secrets.basic', 'user', user);
        if (user.indexOf(':') >= 0) throw K.HostError({ code: 'invalid', call: 'secrets.basic', message: 'secrets.basic: a user name must not contain a colon.' });
        return 'Basic ' + K.base64(K.utf8(user + ':' + ref(name)));
    });

    K.define(secrets, 'key', function key(name, algorithm, usages, options) {
        var after = K.pending();
        try {
            if (K.keyRequest === undefined) throw K.HostError({ code: 'unsupported', call: 'secrets.key', message: 'secrets.key: this server has no cryptography.' });
            var request = K.keyRequest(algorithm, usages);
            if (options && own(options, 'format') && options.format !== undefined) request.format = String(options.format);
            K.when(K.hostCall('secrets.importKey', [K.textOf('secrets.key', 'name', name), request]), function (answer) {
                try { K.resolve(after, K.makeCryptoKey(answer.key)); } catch (error) { K.reject(after, error); }
            }, function (error) { K.reject(after, K.cryptoError(error)); });
        } catch (error) {
            K.reject(after, error);
        }
        return after;
    });
}(__kernel));
