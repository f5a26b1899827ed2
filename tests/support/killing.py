"""
Drives `tests.support.ledger`: puts load on it, has something killed, and looks for anything half-done.

Each request has an id of its own, and does the same things to it in one unit or several; some in two databases, some in
a transaction that is open for a while.  After
a kill (and, if it was the server, a restart) the books must agree:

- a unit is there with everything that it made durable, or not at all;
- what a client was told is done, is done;
- each committed message was delivered, under one id;
- nothing volatile happened that was not committed;
- somebody who listens to a stream hears every message of a committed unit once, and no other; only where a killed
  server took its memory with it, and a gap says so, one may be missing or come again.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from aiwebengine.services.db.script_files import path_of
from tests.support.shared import preloaded
from tests.support.waiting import wait_until

_CLIENTS = 4
_PAID = ("pay", "both")

SCRIPT = """
registerWebStream("/heard", { history: 10000 });
database.schema({ rows: { unit: { type: "string", primaryKey: true } } });

function row(unit) {
  if (unit.indexOf("both") !== 0) return database.table("rows").insert({ unit: unit });
  return database.query("INSERT INTO rows (unit) VALUES (:unit)", { unit: unit });
}

function pay(req) {
  var id = req.params.id;
  if (id.indexOf("both") === 0) upsertAsset("paid/" + id, "text/plain", btoa(id));
  kv.set("pay/" + id, id);
  sharedStorage.setItem("pay/" + id, id);
  console.log("pay " + id);
  sendStreamMessageToPath("/heard", id + "/1");
  ledgerPut(id + "/1");
  ledgerTell(id + "/1");
  return row(id).then(function () {
    return new Promise(function (resolve) {
      setTimeout(function () {
        ledgerPut(id + "/2");
        sendStreamMessage(id + "/2");
        resolve({ paid: id });
      }, 2);
    });
  });
}
registerWebHandler("/pay/:id", pay, "POST");
registerWebHandler("/both/:id", pay, "POST");

registerWebHandler("/publish/:id", function (req) {
  kv.set("published", req.params.id);
  upsertScript("published", 'registerWebHandler("/published", function () { return "' + req.params.id + '"; });');
  return "published";
}, "POST");
registerWebHandler("/kept", function () {
  return kv.get("published").then(function (id) { return "" + id; });
});

registerWebHandler("/stream/:id", function (req) {
  var id = req.params.id, piece = 0;
  console.log("stream " + id);
  sendStreamMessage(id + "/1");
  ledgerPut(id + "/1");
  ledgerPut(id + "/2");
  var pieces = {};
  pieces[Symbol.asyncIterator] = function () {
    return {
      next: function () {
        piece += 1;
        if (piece > 3) return Promise.resolve({ done: true });
        ledgerPut(id + "/p" + piece + "/1");
        ledgerPut(id + "/p" + piece + "/2");
        sendStreamMessage(id + "/p" + piece + "/1");
        return Promise.resolve({ done: false, value: "piece " + piece + "\\n" });
      }
    };
  };
  return pieces;
}, "POST");

registerWebHandler("/later/:id", function (req, ctx) {
  var id = req.params.id;
  console.log("later " + id);
  sendStreamMessage(id + "/1");
  ledgerPut(id + "/1");
  ledgerPut(id + "/2");
  ctx.waitUntil(new Promise(function (resolve) {
    setTimeout(function () {
      ledgerPut(id + "/w/1");
      ledgerPut(id + "/w/2");
      sendStreamMessage(id + "/w/1");
      resolve(row(id + "/w"));
    }, 3);
  }));
  return row(id).then(function () { return { paid: id }; });
}, "POST");
"""


@dataclass
class Books:
    """What the clients know."""

    asked: list[str] = field(default_factory=list)
    """Ids of all requests."""
    done: list[str] = field(default_factory=list)
    """Ids whose answer came whole, with status 200."""
    refused: list[str] = field(default_factory=list)
    """Ids that were answered with an error."""
    wrong: list[str] = field(default_factory=list)
    """Answers that must not be: a 200 with another body, an error that says nothing."""


class Ledgers:
    """
    The program, its clients and its books.

    Args:
        folder: Where everything is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.books = Books()
        self._number = 0
        self._lock = threading.Lock()
        self._process: preloaded.Forked | None = None
        self._before: set[str] = set()
        self._host = ""
        self._token = ""
        self._listener = StreamListener()

    def start(self) -> None:
        """Start the program and wait until it answers."""
        (self.folder / "arm").unlink(missing_ok=True)
        (self.folder / "address").unlink(missing_ok=True)
        with (self.folder / "output").open("ab") as output:
            self._process = preloaded.start("tests.support.ledger", [str(self.folder)], output)
        wait_until(self._serves, state=(self.folder / "output").read_text)
        answer = json.loads((self.folder / "address").read_text("ascii"))
        self._host, self._token = answer["address"].removeprefix("http://"), answer["token"]
        # Whoever was asked before may be missing from what is heard, if the server died.
        self._before = set(self.books.asked)

    def deploy(self) -> None:
        """Deploy the script."""
        connection = http.client.HTTPConnection(self._host, timeout=30)
        body = json.dumps({"files": {"main.js": SCRIPT}, "grants": ["assets", "scripts"]})
        headers = {"authorization": f"Bearer {self._token}", "content-type": "application/json"}
        connection.request("PUT", "/engine/api/script?uri=ledger", body, headers)
        answer = connection.getresponse()
        assert answer.status in {200, 201}, answer.read()
        connection.close()
        self._listener.listen(lambda: self._host, "/heard")

    def stop(self) -> None:
        """Kill the program if it still runs."""
        self._listener.stop()
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
        if self._process is not None:
            self._process.wait()

    @property
    def alive(self) -> bool:
        """Whether the program runs."""
        assert self._process is not None
        return self._process.poll() is None

    def arm(self, point: str, victim: str, times: int = 1) -> None:
        """Have *victim* killed when *point* has been passed so often."""
        new = self.folder / "arm.new"
        new.write_text(json.dumps({"point": point, "victim": victim, "times": times}), "ascii")
        new.rename(self.folder / "arm")

    @property
    def armed(self) -> bool:
        """Whether the kill is still to come."""
        return (self.folder / "arm").exists()

    def kill(self, victim: str) -> None:
        """Kill *victim* now, from outside."""
        for pid in self._pids(victim):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    @contextlib.contextmanager
    def load(self, *, least: int = 12) -> Iterator[None]:
        """Have clients ask for the length of the block, and each id is answered or lost at its end."""
        over = threading.Event()
        enough = len(self.books.asked) + least
        threads = [threading.Thread(target=self._client, args=(over, enough)) for _ in range(_CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def until(self, condition: str) -> None:
        """Wait until the kill has happened (`killed`) or the program has ended (`ended`)."""
        wait_until(
            lambda: not (self.armed if condition == "killed" else self.alive),
            state=lambda: (condition, (self.folder / "output").read_text()[-3000:]),
        )

    def check(self) -> None:
        """Compare the books; wait for what the relay still delivers."""
        wait_until(
            lambda: not self._disagreement(),
            state=lambda: self._disagreement() + "\n" + (self.folder / "output").read_text()[-3000:],
        )
        assert not self.books.wrong, self.books.wrong

    def kept(self) -> list[str]:
        """Return what a client of an earlier server is told when it comes back: an event's name, and messages."""
        connection = http.client.HTTPConnection(self._host, timeout=0.5)
        lines: list[str] = []
        with contextlib.suppress(TimeoutError):
            connection.request("GET", "/heard", headers={"Last-Event-ID": "another-1"})
            answer = connection.getresponse()
            while line := answer.readline().decode().strip():
                lines.append(line)
            while True:
                lines.append(answer.readline().decode().strip())
        connection.close()
        words = ("event: ", "data: pay", "data: both", "data: stream", "data: later")
        return [line.partition(": ")[2] for line in lines if line.startswith(words)]

    def logged(self) -> set[str]:
        """Return the ids of the requests whose log line is stored."""
        with closing(sqlite3.connect(self.folder / "data" / "evidence.sqlite3")) as database:
            rows = database.execute("SELECT message FROM script_logs").fetchall()
        return {message.split(" ")[1] for (message,) in rows if message.split(" ")[0] in {"pay", "stream", "later"}}

    def check_logs(self, ids: list[str]) -> None:
        """Require the log line of each of *ids*, which the server writes within a moment."""
        wait_until(
            lambda: not set(ids) - self.logged(), state=lambda: f"no log line of {sorted(set(ids) - self.logged())[:5]}"
        )

    def _serves(self) -> bool:
        assert self.alive, (self.folder / "output").read_text()
        return (self.folder / "address").exists()

    def ask(self, method: str, path: str) -> str:
        """Return what is answered; empty if the server dies instead."""
        connection = http.client.HTTPConnection(self._host, timeout=30)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.read().decode() if answer.status == 200 else f"{answer.status}"
        except (OSError, http.client.HTTPException):
            return ""
        finally:
            connection.close()

    # -- the books ----------------------------------------------------------------------------

    def _disagreement(self) -> str:
        with closing(sqlite3.connect(self.folder / "data" / "main.sqlite3")) as database:
            waiting = database.execute("SELECT count(*) FROM _outbox").fetchone()[0]
            assets = {path.partition("/")[2] for (path,) in database.execute("SELECT path FROM assets")}
        file = path_of(self.folder / "data" / "scripts", "ledger")
        if not file.exists():
            return "nothing is there" if self.books.done else ""
        with closing(sqlite3.connect(file)) as database:
            rows = {name for (name,) in database.execute("SELECT name FROM _entries WHERE area = 'ledger'")}
            stored = [
                {
                    name.partition("/")[2]
                    for (name,) in database.execute(
                        "SELECT name FROM _entries WHERE area = ? AND name != 'published'", [area]
                    )
                }
                for area in ("kv", "shared")
            ]
            waiting += database.execute("SELECT count(*) FROM _outbox").fetchone()[0]
            in_table = {unit for (unit,) in database.execute("SELECT unit FROM rows")}
        units: dict[str, set[str]] = {}
        for row in rows:
            unit, part, side = row.rsplit("/", 2)
            units.setdefault(unit, set()).add(part + side)
        torn = [unit for unit, parts in units.items() if parts != {"1a", "1b", "2a", "2b"}]
        if torn:
            return f"half of {torn[:5]} is there"
        writing = {unit for unit in units if not unit.startswith("stream")}
        if in_table != writing:
            return f"its table differs: {sorted(in_table ^ writing)[:5]}"
        paid = {unit for unit in units if unit.startswith(_PAID)}
        both = {unit for unit in units if unit.startswith("both")}
        if assets != both:
            return f"stored in one database of two: {sorted(assets ^ both)[:5]}"
        if stored != [paid, paid]:
            return f"kv or storage differ: {sorted((stored[0] ^ paid) | (stored[1] ^ paid))[:5]}"
        lost = [unit for unit in self.books.done if unit not in units]
        if lost:
            return f"{lost[:5]} were answered 200 and are not there"
        delivered = Counter(self._lines("delivered"))
        by_id: dict[str, str] = {}
        for line in delivered:
            message, content = line.split(" ")
            if by_id.setdefault(message, content) != content:
                return f"message {message} had two contents"
        published = Counter(by_id.values())
        wanted = {f"{unit}/{part}" for unit in units for part in ("1", "2")}
        if set(published) != wanted:
            missing, more = wanted - set(published), set(published) - wanted
            return f"{waiting} wait; not delivered: {sorted(missing)[:5]}; never committed: {sorted(more)[:5]}"
        twice = [content for content, times in published.items() if times > 1]
        if twice:
            return f"{twice[:5]} were published under two ids"
        if unheard := self._listener.disagreement(units, lost=self._before):
            return unheard
        result = Counter(self._lines("told"))
        if any(times > 1 for times in result.values()) or any(line.rsplit("/", 1)[0] not in units for line in result):
            return "something volatile happened twice, or without its commit"
        return ""

    def _lines(self, name: str) -> list[str]:
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    # -- clients and processes ----------------------------------------------------------------

    def _client(self, over: threading.Event, enough: int) -> None:
        while self.alive and not (over.is_set() and len(self.books.asked) >= enough):
            with self._lock:
                self._number += 1
                number = self._number
            kind = ("pay", "both", "stream", "later")[number % 4]
            request = f"{kind}{number}"
            self.books.asked.append(request)
            self._ask(kind, request)

    def _ask(self, kind: str, request: str) -> None:
        connection = http.client.HTTPConnection(self._host, timeout=20)
        try:
            connection.request("POST", f"/{kind}/{request}")
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            # The server died, or a stream broke off.
            return
        finally:
            connection.close()
        right = b"piece 1\npiece 2\npiece 3\n" if kind == "stream" else json.dumps({"paid": request}).encode()
        if answer.status == 200 and body.replace(b" ", b"") == right.replace(b" ", b""):
            self.books.done.append(request)
        elif answer.status in {500, 503, 409} and b'"code"' in body:
            self.books.refused.append(request)
        else:
            self.books.wrong.append(f"{request}: {answer.status} {body[:200]!r}")

    def _pids(self, victim: str) -> list[int]:
        assert self._process is not None
        if victim == "server":
            return [self._process.pid]
        zygotes = [pid for pid in children_of(self._process.pid) if b"sandbox" in command_of(pid)]
        if victim == "sandbox":
            return zygotes
        templates = [pid for zygote in zygotes for pid in children_of(zygote)]
        if victim == "template":
            return templates
        return [pid for template in templates for pid in children_of(template)][:2]


class StreamListener:
    """Somebody who listens to a stream, comes back when it breaks off, and writes down what is heard."""

    def __init__(self) -> None:
        self._lives: list[list[str]] = []
        """What was heard between one gap and the next; ids and messages."""
        self._ids: dict[str, set[str]] = {}
        """By message, over all lives."""
        self._last = ""
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def listen(self, host: Callable[[], str], path: str) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, args=(host, path), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, within a moment."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(5)

    def disagreement(self, units: Mapping[str, set[str]], *, lost: set[str]) -> str:
        """
        Return what is wrong with what was heard.

        Args:
            units: Those that were committed, such as `pay7` and `stream8/p2`.
            lost: Requests of earlier lives of the server, of which not all may have been heard.
        """
        lives = [list(life) for life in self._lives]
        for life in lives:
            twice = [message for message, times in Counter(life).items() if times > 1]
            if twice:
                return f"{twice[:5]} were heard twice"
        heard = {message for life in lives for message in life}
        committed = {f"{unit}/1" for unit in units}
        committed |= {f"{unit}/2" for unit in units if unit.startswith(_PAID)}
        if invented := heard - committed:
            return f"{sorted(invented)[:5]} were heard and never committed"
        missing = [message for message in committed - heard if message.split("/")[0] not in lost]
        if missing:
            return f"{sorted(missing)[:5]} were committed and not heard"
        if changed := [message for message, ids in self._ids.items() if len(ids) > 1]:
            return f"{changed[:5]} were heard again under another id"
        if len(set().union(*self._ids.values())) != len(self._ids):
            return "two messages had the same id"
        return ""

    def _run(self, host: Callable[[], str], path: str) -> None:
        while not self._over.is_set():
            connection = http.client.HTTPConnection(host(), timeout=0.5)
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection.request("GET", path, headers={"Last-Event-ID": self._last} if self._last else {})
                answer = connection.getresponse()
                if answer.status == 200:
                    self._hear(answer)
            connection.close()
            self._over.wait(0.02)

    def _hear(self, answer: http.client.HTTPResponse) -> None:
        if not self._lives:
            self._lives.append([])
        event: dict[str, str] = {}
        while not self._over.is_set():
            line = answer.readline().decode()
            if not line:
                return
            name, _, value = line.rstrip("\n").partition(": ")
            if name:
                event[name] = value
                continue
            self._last = event.get("id", self._last)
            if event.get("event") == "gap":
                self._lives.append([])
            elif "data" in event and "event" not in event:
                self._lives[-1].append(event["data"])
                self._ids.setdefault(event["data"], set()).add(event["id"])
            event = {}


def children_of(pid: int) -> list[int]:
    """Return the pids of a process's children; none if it is gone."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(word) for word in path.read_text().split()]
    return found


def command_of(pid: int) -> bytes:
    """Return a process's command line; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
