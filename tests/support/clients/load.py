"""Clients that keep their connections alive and ask without a pause, each in a thread."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tests.support.waiting import wait_until


class Load:
    """
    Constant load for the length of a `with` block.

    A client opens a new connection when an answer said `connection: close`, and only then: a
    connection that ends in any other way is a failure.

    Args:
        address: `http://host:port`.
        path: What is asked for.
        clients: How many ask at the same time.
        expected: Tells whether an answer, status and body, is as it should be.
        pause: Seconds that a client waits between two requests.
    """

    def __init__(
        self,
        address: str,
        path: str,
        *,
        clients: int,
        expected: Callable[[int, bytes], bool],
        pause: float = 0.0,
    ) -> None:
        self._host = address.removeprefix("http://")
        self._path = path
        self._expected = expected
        self._pause = pause
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(clients)]
        self._lock = threading.Lock()
        self.answers: Counter[bytes] = Counter()
        """How often each body came."""
        self.failures: list[str] = []
        self.unconnected = 0
        """How often nobody accepted; a client ends with that."""
        self.closed = 0
        """How often an answer said that its connection ends."""

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """Let each client finish what it has in hand."""
        self._ending.set()
        for thread in self._threads:
            thread.join(30)

    @property
    def count(self) -> int:
        """How many answers came."""
        with self._lock:
            return sum(self.answers.values())

    def wait_for(self, more: int) -> None:
        """Wait until so many more answers have come, or one failed."""
        wanted = self.count + more
        wait_until(lambda: self.count >= wanted or self.failures, state=lambda: self.count)
        assert self.count >= wanted, self.failures

    def _ask(self) -> None:
        connection: http.client.HTTPConnection | None = None
        while not self._ending.is_set():
            if connection is None:
                connection = http.client.HTTPConnection(self._host, timeout=20)
                try:
                    connection.connect()
                except OSError:
                    self.unconnected += 1
                    return
            try:
                connection.request("GET", self._path)
                answer = connection.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException) as error:
                self._fail(f"{type(error).__name__}: {error}")
                return
            if not self._expected(answer.status, body):
                self._fail(f"{answer.status}: {body[:500]!r}")
                return
            with self._lock:
                self.answers[body] += 1
            if answer.will_close:
                self.closed += 1
                connection.close()
                connection = None
            if self._pause:
                time.sleep(self._pause)
        if connection is not None:
            connection.close()

    def _fail(self, why: str) -> None:
        with self._lock:
            self.failures.append(why)
