"""Commands of the command line, called without a server: what it would answer is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import click
from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.terminal import session
from aiwebengine.terminal.exits import CommandFailed
from aiwebengine.terminal.target import Target

Answers = Mapping[tuple[str, str], Any]
"""By method and path, what the server answers; a function is given the query and the document."""


class FakeClient:
    """
    Stands for `terminal.client.ApiClient`.

    Args:
        answers: Of the server.
    """

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self.calls: list[tuple[str, str, dict[str, str], Any]] = []
        """Method, path, query and document of each call."""

    def call(self, method: str, path: str, *, query: Sequence[tuple[str, str]] = (), document: Any = None) -> Any:
        """See `ApiClient.call`."""
        self.calls.append((method, path, dict(query), document))
        answer = self._answers[method, path]
        if isinstance(answer, Exception):
            raise answer
        return answer(dict(query), document) if callable(answer) else answer

    raw = call

    def stream(self, method: str, path: str, **given: Any) -> Iterator[Any]:
        """See `ApiClient.stream`."""
        yield from self.call(method, path, **given)


def run_command(
    case: SynchronousTestCase, command: click.Command | Callable[..., Any], *words: str, answers: Answers
) -> tuple[FakeClient, int, str]:
    """Call a command; return what it asked the server, its exit code, and what it printed."""
    client = FakeClient(answers)
    target = Target(url="http://127.0.0.1:1", token="t", token_hint="here")
    case.patch(session, "find", lambda _, warn: target)
    case.patch(session, "ApiClient", lambda **_: client)
    assert isinstance(command, click.Command)
    done = CliRunner().invoke(command, list(words))
    if isinstance(done.exception, CommandFailed):
        return client, done.exception.code, f"{done.output}{done.exception.message}"
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return client, done.exit_code, done.output
