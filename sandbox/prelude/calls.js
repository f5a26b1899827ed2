/*
 * Host calls that scripts name themselves: those of older scripts, synchronous and in the shapes they
 * always had, and those that a server was extended with, which `load` tells.
 */
(function (K) {
    'use strict';

    function sync(name, length) {
        K.global(name, function () {
            var args = [];
            for (var i = 0; i < length; i++) args[i] = arguments[i] === undefined ? null : arguments[i];
            while (args.length > 0 && args[args.length - 1] === null) args.length--;
            var given = K.hostCallSync(name, args);
            return given === null && NOTHING[name] ? undefined : given;
        });
    }

    var NOTHING = { upsertScript: true, upsertAsset: true };
    sync('listScripts', 0);
    sync('getScript', 1);
    sync('upsertScript', 2);
    sync('deleteScript', 1);
    sync('listLogs', 0);
    sync('listLogsForUri', 1);
    sync('listAssets', 0);
    sync('fetchAsset', 1);
    sync('upsertAsset', 3);
    sync('deleteAsset', 1);
    K.global('HostError', K.HostError);

    function extension(name, waits) {
        K.global(name, function () {
            var args = [];
            for (var i = 0; i < arguments.length; i++) args[i] = arguments[i] === undefined ? null : arguments[i];
            return waits ? K.hostCallSync(name, args) : K.hostCall(name, args);
        });
    }

    /* calls: [[name, whether it is synchronous], ...] */
    K.addCalls = function (calls) {
        for (var i = 0; i < calls.length; i++) extension(calls[i][0], calls[i][1]);
    };
}(__kernel));
