"""
Filters of scripts: which of its subscribers a message is for.

A filter is called once for a message, with many clients at a time, and answers with one `0` or `1` for each.
It only reads, has 50 ms of processor time, and runs as the script itself: it has no caller. If it does not answer, no
client gets the message; the reason is in the script's log.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from aiwebengine.errors import EngineError, ScriptFailed
from aiwebengine.runtime.invoker import Callee, Invoker
from aiwebengine.runtime.runs.sink import BodySink
from aiwebengine.services.topics import TopicMessage
from aiwebengine.values import SERVICE, Invocation

T = TypeVar("T")

_READ_ONLY = "A message filter may change nothing; change it in the handler that sends the message."

FILTER_LIMITS = {"cpu_ms": 50, "timeout_ms": 1000}
"""
The limits of a filter, by names of settings.

The limits in the script's manifest are for its handlers and do not count here: they may leave no room for the answer.
The wall-clock time is for a busy machine; a filter waits for nothing.
"""

_MOST_BYTES = 256 * 1024
"""Of clients in one invocation; a single one may have more."""

NO_CALLS = {"host_calls": 0}
"""What a filter may ask of the host that is a function of message and clients alone."""


class MessageFilter(Generic[T]):
    """
    One filter.

    Args:
        invoker: Runs it.
        warn: Writes a warning into its script's log.
        callee: Its function, with `FILTER_LIMITS`.
        encode: Makes JSON of a client, as the function receives it.
        most: How many clients go into one invocation.
    """

    def __init__(
        self,
        *,
        invoker: Invoker,
        warn: Callable[[Invocation, str], None],
        callee: Callee,
        encode: Callable[[T], str],
        most: int,
    ) -> None:
        self._invoker = invoker
        self._warn = warn
        self._callee = callee
        self._encode = encode
        self._most = most

    async def choose(self, message: TopicMessage, clients: Sequence[T]) -> list[bool]:
        """
        Return for each of *clients* whether *message* is for it.

        Raises:
            EngineError: The filter did not answer.
        """
        data = message.data if message.data.isascii() else json.dumps(json.loads(message.data))
        answers: list[bool] = []
        batch: list[str] = []
        size = 0
        for client in clients:
            encoded = self._encode(client)
            if batch and (len(batch) >= self._most or size + len(encoded) > _MOST_BYTES):
                answers += await self._ask(data, batch)
                batch, size = [], 0
            batch.append(encoded)
            size += len(encoded)
        if batch:
            answers += await self._ask(data, batch)
        return answers

    async def _ask(self, data: str, clients: Sequence[str]) -> Sequence[bool]:
        payload = f'{{"message":{data},"clients":[{",".join(clients)}]}}'
        invocation = self._invoker.invocation(self._callee, SERVICE, payload, read_only=_READ_ONLY)
        whole = BodySink()
        self._invoker.run(invocation, whole)
        try:
            return read_bits(await whole.body, len(clients))
        except ScriptFailed:
            # What the script itself did is in its log already.
            raise
        except EngineError as error:
            self._warn(invocation, f"{invocation.label}: the message was not delivered. {error}")
            raise


def read_bits(body: bytes, count: int) -> Sequence[bool]:
    """
    Read a filter's answer: a string of `0` and `1`, one for each client.

    Raises:
        ScriptFailed: It is something else.
    """
    if len(body) != count or body.strip(b"01"):
        raise ScriptFailed("A filter must return one boolean for each client.")
    return [letter == ord("1") for letter in body]
