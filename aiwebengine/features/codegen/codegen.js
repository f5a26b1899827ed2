/*
 * Functions from strings: the server has the source lowered, and the engine's own constructor makes what comes back
 * a function.
 */
(function (K) {
    'use strict';

    var construct = K.captured.construct, call = K.free(Function.prototype.call), trimmed = /^\s*return this;?\s*$/;

    var allowed = false, later = /`|=>|\b(?:let|const|class|async|yield|of)\b/;

    /* As the language has it; a script that may not make code gets the error that browsers throw then. */
    function lowered(name, args) {
        var answer;
        try {
            answer = K.hostCallSync(name, args);
        } catch (error) {
            if (!(error instanceof K.HostError)) throw error;
            if (error.code === 'denied') throw new EvalError(error.message);
            if (error.code === 'unsupported') return plain(args, error);
            throw error;
        }
        allowed = true;
        if (answer.source === undefined) throw new SyntaxError(answer.syntax + (answer.line === null ? '' : ' (line ' + answer.line + ' of the code)'));
        return construct(answer.source)();
    }

    /*
     * Inside a getter nothing can wait for the server.  A function in ES5 needs no lowering; the server has let this
     * script make code before.
     */
    function plain(args, refusal) {
        if (!allowed || args.length !== 2 || K.captured.test(later, args[0]) || K.captured.test(later, args[1])) throw refusal;
        try {
            return construct(args[0], args[1]);
        } catch (error) {
            throw refusal;
        }
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
