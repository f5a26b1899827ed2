/*
 * Runs last: takes away what scripts must not have, and gives Python the pump.
 *
 * eval and Function would run source that was never lowered; they throw, unless a feature has given K.fromText what
 * makes functions and runs programs.  Duktape, CBOR, require and modSearch reach the engine's inside or the disk (see
 * the attacks in the tests).
 */
(function (K, global) {
    'use strict';

    var fromText = K.fromText, join = K.captured.join;

    function refused(name) {
        return new EvalError(name + ' is not available: code that is made at run time is neither compiled nor checked. Write the function itself, or import it.');
    }

    var constructor = function Function() {
        if (fromText.makeFunction === null) throw refused('new Function');
        var parameters = [], last = arguments.length - 1;
        for (var i = 0; i < last; i++) parameters[i] = String(arguments[i]);
        return fromText.makeFunction(join(parameters, ','), last < 0 ? '' : String(arguments[last]));
    };
    constructor.prototype = Function.prototype;
    Object.defineProperty(constructor, 'length', { value: 1, configurable: true });
    Object.defineProperty(Function.prototype, 'constructor', { value: constructor, writable: true, configurable: true, enumerable: false });
    K.define(global, 'Function', constructor);
    var evaluate = function (source) {
        if (typeof source !== 'string') return source;
        if (fromText.runProgram === null) throw refused('eval');
        return fromText.runProgram(source);
    };
    Object.defineProperty(evaluate, 'name', { value: 'eval', configurable: true });
    K.define(global, 'eval', evaluate);

    var gone = ['Duktape', 'CBOR', 'Buffer', 'require', 'print', 'alert', '__kernel', 'process', 'module', 'exports', 'performance_', '__core-js_shared__'];
    for (var i = 0; i < gone.length; i++) {
        if (gone[i] in global && !delete global[gone[i]]) throw new Error('cannot take away ' + gone[i]);
    }
    K.world.renew();
    return K.pump;
}(__kernel, globalThis));
