"""
What a child answered, checked: everything in it may be forged.

On the wire an answer is a head (JSON; empty means 200 and application/json), and the bytes of its body.
"""

from __future__ import annotations

import json
import re
from typing import Any

from aiwebengine.errors import ScriptFailed
from aiwebengine.values import Answer, tuple_of

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,200}")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "trailer", "te"})
_MAX_HEADERS = 200
_MAX_VALUE = 16 * 1024
_MAX_HEADERS_BYTES = 64 * 1024
_BODYLESS = frozenset({204, 304})

_JSON_HEADERS = ((b"content-type", b"application/json"),)


class Head:
    """The head of an answer, checked."""

    __slots__ = ("headers", "problem", "rollback", "status", "streamed")

    def __init__(
        self,
        status: int,
        headers: tuple[tuple[bytes, bytes], ...],
        *,
        rollback: bool = False,
        streamed: bool = False,
        problem: bool = False,
    ) -> None:
        self.status = status
        self.headers = headers
        self.rollback = rollback
        self.streamed = streamed
        self.problem = problem
        """See `Answer.problem`."""


_PLAIN = Head(200, _JSON_HEADERS)


def read_head(text: bytes) -> Head:
    """
    Check a head.

    Raises:
        ScriptFailed: It is not one; the message names the value.
    """
    if not text:
        return _PLAIN
    try:
        head = json.loads(text)
    except (ValueError, RecursionError):
        raise _invalid("its head is not JSON") from None
    if not isinstance(head, dict):
        raise _invalid("its head is not an object")
    if head.get("streamed") is True:
        return Head(200, (), streamed=True)
    status = head.get("status")
    if not isinstance(status, int) or isinstance(status, bool) or not 200 <= status <= 599:
        raise _invalid(f"the status must be an integer from 200 to 599; it is {_shown(status)}")
    headers = _headers(head.get("type"), head.get("headers"))
    return Head(status, headers, rollback=head.get("rollback") is True, problem=head.get("problem") is True)


def read_answer(head_text: bytes, body: bytes, *, max_bytes: int) -> tuple[Head, Answer]:
    """
    Check a whole answer.

    Raises:
        ScriptFailed: It is not one; the message names the value.
    """
    head = read_head(head_text)
    if len(body) > max_bytes:
        raise ScriptFailed(
            f"The answer has {len(body)} bytes; at most {max_bytes} are sent whole. "
            "Return an async iterable to stream it, or raise its limit (answer; at most limits.answer_bytes)."
        )
    if head.status in _BODYLESS:
        body = b""
    return head, tuple_of(Answer, (head.status, head.headers, body, head.problem))


def _headers(kind: Any, headers: Any) -> tuple[tuple[bytes, bytes], ...]:
    pairs: list[tuple[bytes, bytes]] = []
    if kind is not None:
        pairs.append((b"content-type", _value("content-type", kind)))
    if headers is None:
        return tuple(pairs)
    if not isinstance(headers, list) or len(headers) > _MAX_HEADERS:
        raise _invalid(f"it must have a list of at most {_MAX_HEADERS} headers")
    for pair in headers:
        if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], str):
            raise _invalid(f"a header must be a name and a value; it is {_shown(pair)}")
        name = pair[0].lower()
        if not _NAME.fullmatch(name):
            raise _invalid(f"{_shown(pair[0])} cannot be the name of a header")
        if name in _FRAMING:
            # The server frames the answer itself; a second opinion would split it.
            continue
        pairs.append((name.encode("ascii"), _value(name, pair[1])))
    if sum(len(name) + len(value) for name, value in pairs) > _MAX_HEADERS_BYTES:
        raise _invalid(f"its headers have more than {_MAX_HEADERS_BYTES} bytes")
    return tuple(pairs)


def _value(name: str, value: Any) -> bytes:
    if not isinstance(value, str) or len(value) > _MAX_VALUE or not _VALUE.fullmatch(value):
        raise _invalid(f"the value of the header {name} must be a string without line breaks; it is {_shown(value)}")
    return value.encode("latin-1")


def _shown(value: Any) -> str:
    return ascii(value)[:100]


def _invalid(why: str) -> ScriptFailed:
    return ScriptFailed(f"The handler's answer cannot be sent: {why}.")
