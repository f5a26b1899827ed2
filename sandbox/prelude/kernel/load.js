/*
 * Loading a version: its top level, which may wait, then `init`, then the list of what it registered.
 *
 * Each step waits until the calls of the one before are answered.
 */
(function (K, global) {
    'use strict';

    var captured = K.captured, evaluate = captured.evaluate, indexOf = captured.indexOf, exec = captured.exec, split = captured.split, join = captured.join, call = K.free(Function.prototype.call);
    var RESERVED = K.bare(), MOST_NAMES = 2000, LONGEST_SEARCHED = 1000000;
    var NAMES = /\b(?:function|var)\s+([A-Za-z_$][\w$]*)|,\s*([A-Za-z_$][\w$]*)\s*=[^=]/g;

    split('break case catch class const continue debugger default delete do else enum export extends false finally for function if import in instanceof let new null return static super switch this throw true try typeof var void while with yield', ' ').forEach(function (word) { RESERVED[word] = true; });

    /* Every name that may be declared at top level: offering one that is not costs nothing. */
    function declaredNames(source) {
        var seen = K.bare(), found, offers = [];
        if (source.length > LONGEST_SEARCHED) return offers;
        NAMES.lastIndex = 0;
        while (offers.length < MOST_NAMES && (found = exec(NAMES, source)) !== null) {
            var name = found[1] || found[2];
            if (seen[name] || RESERVED[name]) continue;
            seen[name] = true;
            offers[offers.length] = '"' + name + '":function(){return typeof ' + name + '==="function"?' + name + ':void 0}';
        }
        return offers;
    }

    /*
     * The script as a function: a synchronous call can yield out of a function, not out of a native
     * eval.  The frames of its functions are called "input", and its first line stays the first line.
     * A bundle tells its top-level names itself (`__names`), for a plain script it is done here, at
     * the end, so that a "use strict" in front keeps its meaning.
     */
    function programOf(source) {
        var offered = indexOf(source, '__names(') < 0 ? ';__names({' + join(declaredNames(source), ',') + '});' : '';
        return evaluate('(function(){' + source + '\n' + offered + '})');
    }

    /* Plain settings; each has a value of its own, whatever its name is. */
    function environmentOf(given) {
        var made = {};
        for (var name in given) if (K.own(given, name)) Object.defineProperty(made, name, { value: given[name], enumerable: true });
        return Object.freeze(made);
    }

    K.kinds.load = function (run, box) {
        K.beginRegistration(box.collect);
        K.global('env', environmentOf(box.env));
        K.loadNamedIn(box.source);
        var program = programOf(K.withoutPlaces(box.source));
        box.source = '';
        run.quiet = startInit;
        call(program, global);
        var loading = K.loading();
        if (loading === null) return;
        run.quiet = null;
        K.when(loading, function () { run.quiet = startInit; }, K.failWith);
    };

    function startInit(run) {
        run.box.began = true;
        var init = K.namedFunction('init');
        if (init === undefined) { loaded(run); return; }
        var value = init(K.makeContext(run, null));
        K.when(value, function () { run.quiet = loaded; }, K.failWith);
    }

    function loaded(run) {
        run.answer = { h: '', e: 'a', v: K.endRegistration() };
        run.settled = true;
    }
}(__kernel, globalThis));
