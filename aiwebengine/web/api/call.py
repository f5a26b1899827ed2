"""
One call of the management API: its parameters in, its answer out.

Parameters are read from the raw query, never from twisted.web's `args`, which mixes in
form fields of the body.  A parameter that is not known is refused with the nearest one
that is.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from twisted.web.server import Request as WebRequest

from aiwebengine import long_json
from aiwebengine.errors import Invalid, TooLarge
from aiwebengine.long_json import no_checkpoint
from aiwebengine.observe.interpreter import no_collections
from aiwebengine.values import Answer, Principal

_MOST_PARAMETERS = 100
_ENCODE = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_ETAG = re.compile(r'(?:W/)?"(\d{1,9})"')
_DURATION = re.compile(r"(\d{1,9}(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


class ApiCall:
    """
    A request by an authorized caller.

    Args:
        request: Twisted's, complete with its body.
        principal: Who asks.
        max_body_bytes: Largest body that is looked at.
    """

    def __init__(self, *, request: WebRequest, principal: Principal, max_body_bytes: int) -> None:
        self.request = request
        self.principal = principal
        self._max_body_bytes = max_body_bytes
        self._pairs = _query(bytes(request.uri))

    def only(self, *known: str) -> None:
        """
        Accept these parameters.

        Raises:
            Invalid: There is another one; it and the nearest known one are named.
        """
        for name, _ in self._pairs:
            if name not in known:
                suggestions = difflib.get_close_matches(name[:64], known, n=1)
                advice = (
                    f'did you mean "{suggestions[0]}"?' if suggestions else f"known are {', '.join(known) or 'none'}."
                )
                raise Invalid(f'There is no parameter "{_shown(name)}" here; {advice}')

    def text(self, name: str) -> str | None:
        """Return a parameter; None if it is not there. If it is repeated, the last one counts."""
        return next((value for key, value in reversed(self._pairs) if key == name), None)

    def texts(self, name: str) -> list[str]:
        """Return all values of a parameter that may be repeated."""
        return [value for key, value in self._pairs if key == name]

    def required(self, name: str) -> str:
        """
        Return a parameter that must be there.

        Raises:
            Invalid: It is not.
        """
        value = self.text(name)
        if not value:
            raise Invalid(f'The parameter "{name}" is missing: ?{name}=...')
        return value

    def integer(self, name: str, *, least: int = 0, most: int = 2**31 - 1) -> int | None:
        """
        Return a whole number; None if it is not there.

        Raises:
            Invalid: It is not valid, or out of range.
        """
        value = self.text(name)
        if value is None:
            return None
        if not (value.isascii() and value.isdigit() and len(value) <= 10 and least <= int(value) <= most):
            raise Invalid(f'"{name}" must be a whole number from {least} to {most}; it is "{_shown(value)}".')
        return int(value)

    def flag(self, name: str) -> bool:
        """
        Return a yes or no; no if it is not there.

        Raises:
            Invalid: It is neither `true` nor `false`.
        """
        value = self.text(name)
        if value not in (None, "true", "false", ""):
            raise Invalid(f'"{name}" must be true or false; it is "{_shown(value)}".')
        return value in ("true", "")

    def moment(self, name: str, *, now: float) -> float | None:
        """
        Return a moment in seconds since 1970: milliseconds, or a duration before *now* such as `10m`.

        Raises:
            Invalid: It is neither.
        """
        value = self.text(name)
        if value is None:
            return None
        if match := _DURATION.fullmatch(value):
            return now - float(match[1]) * _SECONDS[match[2]]
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise Invalid(
                f'"{name}" must be milliseconds since 1970, or a duration before now such as 10m; '
                f'it is "{_shown(value)}".'
            )
        return number / 1000

    def header(self, name: str) -> str:
        """Return a header; empty if it is not there."""
        return self.request.getHeader(name) or ""

    def accepts(self, media_type: str) -> bool:
        """Return whether the client asks for *media_type* by name."""
        return any(part.split(";")[0].strip().lower() == media_type for part in self.header("accept").split(","))

    def expected(self, in_body: Any = None) -> int | None:
        """
        Return the version that must serve now: from the body, the query or the conditional headers.

        Args:
            in_body: What the body said.

        Raises:
            Invalid: It is no version.
        """
        if in_body is not None:
            if isinstance(in_body, bool) or not isinstance(in_body, int) or in_body < 0:
                raise Invalid(
                    f'"expected" must be the number of a version, or 0 for none; it is {json.dumps(in_body)[:80]}.'
                )
            return in_body
        expected = self.integer("expected")
        if expected is not None:
            return expected
        if self.header("if-none-match").strip() == "*":
            return 0
        condition = self.header("if-match").strip()
        if not condition or condition == "*":
            return None
        if not (match := _ETAG.fullmatch(condition)):
            raise Invalid(f'If-Match must be a version in quotes, such as "3"; it is {_shown(condition)}.')
        return int(match[1])

    def body(self) -> bytes:
        """
        Return the whole body.

        Raises:
            TooLarge: It is larger than this call takes.
        """
        content = self.request.content
        assert content is not None
        if isinstance(content, BytesIO):
            # Reading would copy it.
            size = content.getbuffer().nbytes
            if size <= self._max_body_bytes:
                return content.getvalue()
        content.seek(0, 2)
        size = content.tell()
        if size > self._max_body_bytes:
            raise TooLarge(f"The body may have at most {self._max_body_bytes:,} bytes; this one has {size:,}.")
        content.seek(0)
        return bytes(content.read())


class LongAnswer(NamedTuple):
    """An answer that may be long: it is made and written as JSON in a thread."""

    make: Callable[[], Any]
    """Makes the value; it may look at nothing that changes."""
    status: int = 200
    headers: Sequence[tuple[str, str]] = ()

    def written(self) -> Answer:
        """Return it as JSON, written piece by piece."""
        with no_collections():
            pieces = long_json.encode(self.make(), _ENCODE, no_checkpoint)
            return _answer(b"".join([piece.encode("ascii") for piece in pieces]), self.status, self.headers)


def as_json(value: Any, *, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> Answer:
    """Return *value*, which is short, as the answer."""
    return _answer(dumps(value), status, headers)


def _answer(body: bytes, status: int, headers: Iterable[tuple[str, str]]) -> Answer:
    pairs = [(b"content-type", b"application/json"), *((name.encode(), text.encode()) for name, text in headers)]
    return Answer(status=status, headers=tuple(pairs), body=body)


def nothing() -> Answer:
    """Return an empty answer, 204."""
    return Answer(status=204, headers=(), body=b"")


def dumps(value: Any) -> bytes:
    """Return compact ASCII JSON."""
    return _ENCODE(value).encode("ascii")


def _query(uri: bytes) -> Sequence[tuple[str, str]]:
    _, _, query = uri.partition(b"?")
    try:
        return parse_qsl(
            query.decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=_MOST_PARAMETERS,
        )
    except UnicodeError as error:
        raise Invalid("The query must be percent-encoded UTF-8.") from error
    except ValueError as error:
        raise Invalid(f"A query has at most {_MOST_PARAMETERS} parameters.") from error


def _shown(text: str | None) -> str:
    return json.dumps((text or "")[:80])[1:-1]
