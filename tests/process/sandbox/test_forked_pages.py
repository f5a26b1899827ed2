"""Tests of what a fork copies."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import os, resource, threading
from sandbox.forker import keep_threads

def copied():
    read, write = os.pipe()
    for _ in range(3):
        child = os.fork()
        if not child:
            assert threading.current_thread() is threading.main_thread()
            os.write(write, b"%d " % resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
            os._exit(0)
        os.waitpid(child, 0)
    return int(os.read(read, 100).split()[-1])

before = copied()
keep_threads()
print(before - copied())
"""


def test_threads_are_not_listed_again() -> None:
    """A forked child does not copy pages for a new list of threads, and is still the main thread."""
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, timeout=60, check=True)
    assert int(done.stdout) > 20
