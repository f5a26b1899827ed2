/*
 * Runs last: takes away what scripts must not have, and gives Python the pump.
 *
 * eval and Function would run source that was never lowered or checked; Duktape, CBOR, require and
 * modSearch reach the engine's inside or the disk (see the attacks in the tests).
 */
(function (K, global) {
    'use strict';

    function refuse(name) {
        return function () {
            throw new EvalError(name + ' is not available: code that is made at run time is neither compiled nor checked. Write the function itself, or import it.');
        };
    }

    var disabled = function Function() { refuse('new Function')(); };
    disabled.prototype = Function.prototype;
    Object.defineProperty(Function.prototype, 'constructor', { value: disabled, writable: true, configurable: true, enumerable: false });
    K.define(global, 'Function', disabled);
    K.define(global, 'eval', refuse('eval'));

    var gone = ['Duktape', 'CBOR', 'Buffer', 'require', 'print', 'alert', '__kernel', 'process', 'module', 'exports', 'performance_', '__core-js_shared__'];
    for (var i = 0; i < gone.length; i++) {
        if (gone[i] in global && !delete global[gone[i]]) throw new Error('cannot take away ' + gone[i]);
    }
    K.world.renew();
    return K.pump;
}(__kernel, globalThis));
