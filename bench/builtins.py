"""
How much the prelude costs everyday built-ins: this engine bare, and with the prelude in place.

Run with `python bench/builtins.py`; it needs `sandbox/prelude/core.js`, which installing the
package makes.  Prints microseconds a call and the ratio; exits with 1 if a ratio passes the target
(2.5).  Built-ins that the bare engine lacks are shown without a ratio.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pyduktape2

PRELUDE = Path(__file__).resolve().parent.parent / "sandbox" / "prelude"
TARGET = 2.5

SETUP = """
var list = [], words = [], text = 'the quick brown fox jumps over the lazy dog', bits = [3, 1, 2];
for (var i = 0; i < 20; i++) { list[i] = i; words[i] = 'w' + i; }
var object = { id: 7, name: 'a name', tags: ['x', 'y'], nested: { on: true, at: 1.5 }, none: null };
var jsonText = JSON.stringify(object), jsonUnicode = { name: 'M\\u00fcller', at: 'K\\u00f6ln' };
var double = function (x) { return x * 2; }, odd = function (x) { return x % 2; };
var add = function (a, b) { return a + b; };
var upper = function (m) { return m.toUpperCase(); }, never = function () { return false; };
var vowels = /[aeiou]/g, word = /quick/, comma = 'a,b,c,d,e,f';
"""

CASES = {
    "push": "var a = []; a.push(1); a.push(2); a.push(3)",
    "pop, shift": "var a = [1, 2, 3]; a.pop(); a.shift()",
    "concat": "list.concat(bits)",
    "slice": "list.slice(2, 9)",
    "splice": "var a = [1, 2, 3, 4]; a.splice(1, 2)",
    "indexOf": "list.indexOf(15)",
    "includes": "list.includes(15)",
    "join": "list.join(',')",
    "reverse": "[1, 2, 3].reverse()",
    "sort numbers": "[3, 1, 2, 9, 5, 4].sort(function (a, b) { return a - b; })",
    "sort default": "['c', 'a', 'b'].sort()",
    "forEach": "list.forEach(double)",
    "map": "list.map(double)",
    "filter": "list.filter(odd)",
    "reduce": "list.reduce(add, 0)",
    "some": "list.some(never)",
    "every": "list.every(double)",
    "find": "list.find(never)",
    "Array.isArray": "Array.isArray(list)",
    "Object.keys": "Object.keys(object)",
    "Object.assign": "Object.assign({}, object)",
    "Object.entries": "Object.entries(object)",
    "hasOwnProperty": "object.hasOwnProperty('name')",
    "defineProperty": "Object.defineProperty({}, 'x', { value: 1 })",
    "JSON.stringify": "JSON.stringify(object)",
    "JSON.stringify unicode": "JSON.stringify(jsonUnicode)",
    "JSON.parse": "JSON.parse(jsonText)",
    "replace text": "text.replace('fox', 'cat')",
    "replace regexp": "text.replace(vowels, '_')",
    "replace function": "text.replace(vowels, upper)",
    "RegExp.test": "word.test(text)",
    "RegExp.exec": "word.exec(text)",
    "match": "text.match(word)",
    "match all": "text.match(vowels)",
    "split text": "comma.split(',')",
    "split regexp": "comma.split(/,/)",
    "search": "text.search(word)",
    "text.indexOf": "text.indexOf('lazy')",
    "text.slice": "text.slice(4, 9)",
    "trim": "'  x  '.trim()",
    "toUpperCase": "text.toUpperCase()",
    "startsWith": "text.startsWith('the')",
    "padStart": "'7'.padStart(3, '0')",
    "String(n)": "String(12345)",
    "toFixed": "(1.005).toFixed(2)",
    "parseInt": "parseInt('123', 10)",
    "Math.max": "Math.max(1, 2, 3)",
    "Date": "var d = new Date(0); d.getTime(); d.getUTCDate(); d.toISOString()",
    "Date.now": "Date.now()",
    "new RegExp": "new RegExp('a+', 'g')",
    "Map set get": "var m = new Map(); m.set('a', 1); m.get('a')",
    "Set add has": "var s = new Set(); s.add('a'); s.has('a')",
    "await chain of 5": "chain()",
}

CHAIN = """
var chain = typeof Promise === 'undefined' ? null : function () {
    var p = Promise.resolve(1);
    for (var i = 0; i < 5; i++) p = p.then(double);
};
"""

MEASURE = """
(function () {
    var results = {}, cases = %s;
    Object.keys(cases).forEach(function (name) {
        var run;
        try {
            run = __compile('(function (n) { for (var i = 0; i < n; i++) { ' + cases[name] + ' } })');
            run(10);
        } catch (error) { results[name] = null; return; }
        var best = Infinity, count = 2000;
        for (var round = 0; round < 5; round++) {
            var begin = __time();
            run(count);
            best = Math.min(best, (__time() - begin) * 1000 / count);
            __drain();
        }
        results[name] = best;
    });
    return JSON.stringify(results);
}())
"""

# Before the prelude: the few things the measuring itself needs, and a kernel of the smallest kind.
BEFORE = """
var __compile = eval, __time = performance.now, __drain = function () {};
"""


def measure(sources: Sequence[str]) -> dict[str, float | None]:
    """
    Time every case in a fresh engine.

    Args:
        sources: What is evaluated first, in order.

    Returns:
        Microseconds for one call; None where the engine cannot run the case.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        engine = pyduktape2.DuktapeContext()
        for source in (BEFORE, *sources, SETUP, CHAIN):
            engine.eval_js(source)
        answer = engine.eval_js(MEASURE % json.dumps(CASES))
        os.write(writing, answer.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return dict(json.loads(answer))


def prelude_sources() -> list[str]:
    """Read the prelude in its order of evaluation."""
    names = json.loads((PRELUDE / "order.json").read_text())
    return [(PRELUDE / name).read_text() for name in names]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 if a built-in that the engine has costs more than the target."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--target", type=float, default=TARGET, help="highest ratio allowed (%(default)s)")
    options = parser.parse_args(arguments)
    bare, with_prelude = measure([]), measure(prelude_sources())
    slow = 0
    sys.stdout.write(f"{'built-in':26}{'bare us':>9}{'prelude us':>12}{'ratio':>8}\n")
    for name in CASES:
        before, after = bare[name], with_prelude[name]
        ratio = after / before if before and after is not None else None
        slow += ratio is not None and ratio > options.target
        shown = "" if ratio is None else f"{ratio:.2f}" + (" !" if ratio > options.target else "")
        sys.stdout.write(
            f"{name:26}{'-' if before is None else format(before, '.2f'):>9}"
            f"{'-' if after is None else format(after, '.2f'):>12}{shown:>8}\n"
        )
    sys.stdout.write(f"{slow} above {options.target}\n")
    return 1 if slow else 0


if __name__ == "__main__":
    raise SystemExit(main())
