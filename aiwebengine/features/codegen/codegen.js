/*
 * Functions from strings: the server has the source lowered, and the engine's own constructor makes what comes back
 * a function.
 */
(function (K) {
    'use strict';

    var construct = K.captured.construct, call = K.free(Function.prototype.call), trimmed = /^\s*return this;?\s*$/;

    /* As the language has it; a script that may not make code gets the error that browsers throw then. */
    function lowered(name, args) {
        var answer;
        try {
            answer = K.hostCallSync(name, args);
        } catch (error) {
            if (error instanceof K.HostError && error.code === 'denied') throw new EvalError(error.message);
            throw error;
        }
        if (answer.source === undefined) throw new SyntaxError(answer.syntax + (answer.line === null ? '' : ' (line ' + answer.line + ' of the code)'));
        return construct(answer.source)();
    }

    /* Many packages look in this way for the global object; nothing has to be lowered for that. */
    function world() { return globalThis; }

    K.fromText.makeFunction = function (parameters, body) {
        if (parameters === '' && K.captured.test(trimmed, body)) return world;
        return lowered('codegen.function', [parameters, body]);
    };
    K.fromText.runProgram = function (body) {
        return call(lowered('codegen.program', [body]), globalThis);
    };
}(__kernel));
