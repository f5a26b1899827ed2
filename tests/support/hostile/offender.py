"""
A script that does its worst, and a client that asks it for that.

    python -m tests.support.hostile.offender HOST:PORT SEED

It asks until it is killed.
"""

from __future__ import annotations

import http.client
import random
import sys

HOSTILE = """
registerWebHandler("/bad/loop", function () { for (;;) {} }, { timeout: 100 });
registerWebHandler("/bad/memory", function () {
  var all = [];
  for (;;) all.push(new Array(5000).join("x") + all.length);
}, { timeout: 500 });
registerWebHandler("/bad/pattern", function () {
  return /^(a+)+$/.test(new Array(40).join("a") + "b");
}, { timeout: 100 });
registerWebHandler("/bad/deep", function () { function f() { return f() + 1; } return f(); });
registerWebHandler("/bad/huge", function () { return new Array(1e7).join("x"); });
registerWebHandler("/bad/log", function () {
  for (var i = 0; i < 5000; i++) console.log(new Array(1000).join("x"));
  return 1;
});
registerWebHandler("/bad/throw", function () { throw null; });
registerWebHandler("/bad/hang", function () { return new Promise(function () {}); });
"""
PATHS = ("loop", "memory", "pattern", "deep", "huge", "log", "throw", "hang")


def main(address: str, seed: int) -> None:
    """Ask without end; whatever comes back is right."""
    chance = random.Random(seed)
    connection = http.client.HTTPConnection(address, timeout=30)
    while True:
        try:
            connection.request("GET", f"/bad/{chance.choice(PATHS)}")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            connection.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
