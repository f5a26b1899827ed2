"""Tests of what reads the call stack while Duktape runs: it must change nothing."""

from __future__ import annotations

import json
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from tests.support.sandbox import ROOT

_INTERRUPTED = r"""
import json, signal, sys
import pyduktape2
from sandbox.callstack import CallStack
from sandbox.deadline_report import DeadlineReporter

SOURCE = '''(function () {
  function make(count) {
    var made = {};
    for (var i = 0; i < count; i++) made['k' + i * 7919 % 1000] = { a: [i, 'x' + i], f: function () { return i; } };
    return made;
  }
  function take(made) {
    var sum = 0;
    for (var key in made) { sum += made[key].a[0] + made[key].a[1].length; delete made[key]; }
    return sum;
  }
  function deep(count) { return count === 0 ? 0 : 1 + deep(count - 1); }
  var total = 0;
  for (var round = 0; round < 300; round++) {
    total += take(make(300)) + deep(500) + JSON.stringify(JSON.parse(JSON.stringify(make(50)))).length;
    total += 'abc'.replace(/b/, function () { return 'yy'; }).length;
  }
  return total;
}())'''
context = pyduktape2.DuktapeContext()
stack = CallStack(int(context.eval_js("String(Duktape.info(Duktape.Thread.current()).hptr)"), 16))
seen = set()
count = 0

def frames():
    global count
    found = stack.frames()
    count += 1
    seen.update(line.split(b" ")[1].decode() for line in found)
    # Enough: the rest of the script is not interrupted, so that no signal comes when Python runs.
    if count % 10:
        reporter.arm()
        signal.setitimer(signal.ITIMER_PROF, 0.001)
    return found

def inside():
    return context.eval_js(SOURCE)

reporter = DeadlineReporter(frames=frames, inside=[inside.__code__])
expected = inside()
results = set()
while count < 100 and len(results) < 2:
    begun = count
    reporter.arm()
    signal.setitimer(signal.ITIMER_PROF, 0.001)
    results.add(inside())
    assert count == begun + 10, "the script is too short for this machine"
json.dump({"results": list(results), "expected": expected, "seen": sorted(seen)}, sys.stdout)
"""


class Interrupted(SynchronousTestCase):
    """A script that is interrupted very often."""

    def test_nothing_is_changed(self) -> None:
        """A script that allocates, frees and recurses computes the same however often its stack is read."""
        ended = subprocess.run(
            [sys.executable, "-c", _INTERRUPTED], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
        )
        self.assertEqual(ended.returncode, 0, ended.stderr[-2000:])
        answer = json.loads(ended.stdout)
        self.assertEqual(answer["results"], [answer["expected"]])
        self.assertLessEqual({"make", "take", "deep"}, set(answer["seen"]))
