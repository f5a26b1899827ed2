"""A template whose clones serve one request each: which pages a run touches is learned, and they are touched before."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.sandbox import Clone, Template, Zygote

HELLO = 'registerWebHandler("/", function (req) { return { hello: req.path }; });'
CALLING = 'registerWebHandler("/", function () { return kv.get("a"); });'
ENDLESS = 'registerWebHandler("/", function (req) { while (req.path === "/"); return 1; });'
COUNTING = 'var seen = 0; registerWebHandler("/", function () { seen += 1; return seen; });'
_PATIENCE_SECONDS = 20.0
_PAGES = """
import mmap, os, resource, sys
from ctypes import addressof, c_char
from sandbox.pages import PageList, Range, touched

memory = mmap.mmap(-1, 32 * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
for page in range(32):
    memory[page * 4096] = 1
at = addressof(c_char.from_buffer(memory))
pages = PageList()

def in_a_child(work):
    pid = os.fork()
    if not pid:
        work()
        sys.stdout.flush()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0

def write():
    for page in (3, 4, 9):
        memory[page * 4096] = 2

def learn():
    write()
    found = touched([Range(at, 32 * 4096, True), Range(4096, 4096, True)])
    print([((start - at) // 4096, size // 4096) for start, size, _ in found])
    pages.write(found)

def prepared():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    write()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)

def touch_first():
    prepared.__code__, write.__code__
    pages.touch()
    prepared()

in_a_child(learn)
in_a_child(prepared)
in_a_child(touch_first)
"""


def rehearse(template: Template, handler: int = 0) -> int:
    """Have a template rehearse, with nobody at the other end of the socket; return the status of the process."""
    ours, theirs = socket.socketpair()
    number = template.ask({"op": "rehearse"}, theirs)
    Clone(ours, number=number, pid=0, template=template).start(handler, wall_ms=200, cpu_ms=200)
    ours.close()
    return int(template.event("exit", number)["status"])


def faults(clone: Clone) -> int:
    """Return how many page faults a process has had."""
    return int(Path(f"/proc/{clone.pid}/stat").read_text("ascii").rpartition(")")[2].split()[7])


def faults_of_a_run(template: Template) -> int:
    """Return how many page faults the first run of a process takes."""
    clone = template.clone()
    ends = time.monotonic() + _PATIENCE_SECONDS
    while (Path(f"/proc/{clone.pid}/wchan").exists() and not _waits(clone)) and time.monotonic() < ends:
        time.sleep(0.002)
    before = faults(clone)
    assert clone.run().code == ""
    taken = faults(clone) - before
    clone.close()
    return taken


def _waits(clone: Clone) -> bool:
    """Return whether a process sleeps, which it first does when it waits for its run."""
    return Path(f"/proc/{clone.pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] == "S"


def test_pages() -> None:
    """The pages that a process has written to are found, and are not copied again where they were touched before."""
    done = subprocess.run([sys.executable, "-c", _PAGES], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found, plain, prepared = done.stdout.splitlines()
    assert found == "[(3, 2), (9, 1)]"
    assert int(plain) >= 3
    assert int(prepared) <= int(plain) - 3


@pytest.fixture(name="zygote", scope="module")
def _zygote():
    """Start a zygote."""
    with Zygote() as zygote:
        yield zygote


def test_fewer_faults(zygote: Zygote) -> None:
    """After the rehearsal a process has touched most of what its run touches before the run begins."""
    template = zygote.template(HELLO, once=True)
    plain = faults_of_a_run(template)
    assert rehearse(template) == 0
    assert faults_of_a_run(template) < plain / 3


def test_only_where_each_serves_one(zygote: Zygote) -> None:
    """A template whose clones serve many requests knows no rehearsal."""
    template = zygote.template(HELLO)
    ours, theirs = socket.socketpair()
    number = template.ask({"op": "rehearse"}, theirs)
    assert "rehearse" in template.event("failed", number)["message"]
    ours.close()


def test_calls_are_not_answered(zygote: Zygote) -> None:
    """A rehearsal ends when its handler waits for the host, and what it has touched until then counts."""
    template = zygote.template(CALLING, once=True)
    plain = zygote.template(CALLING, once=True)
    assert rehearse(template) == 0
    assert faults_of_a_run(template) < faults_of_a_run(plain) / 2


def test_endless(zygote: Zygote) -> None:
    """A rehearsal ends at its deadline, and the template serves all the same."""
    template = zygote.template(ENDLESS, once=True)
    assert rehearse(template) != 0
    clone = template.clone(once=True)
    assert clone.run(path="/a").value == 1


def test_nothing_is_kept(zygote: Zygote) -> None:
    """What a rehearsal has changed in the script's memory no request sees."""
    template = zygote.template(COUNTING, once=True)
    assert rehearse(template) == 0
    assert [template.clone(once=True).run().value for _ in range(3)] == [1, 1, 1]
