"""
What recordings hide: the values of headers that carry secrets, all cookies, and every member, parameter or field whose
name is in `recordings.mask`, wherever in a request, a host call or an answer it stands.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Sequence
from operator import is_
from typing import Any
from urllib.parse import unquote_plus

from aiwebengine.features.recordings.packed import read_json, write_json
from aiwebengine.values import Answer, Invocation

MASK = "***"
_HEADERS = frozenset(
    {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-auth-token", "x-csrf-token"}
)
_WORDS = re.compile(r"[^a-z0-9]+")
_FORM = "application/x-www-form-urlencoded"
_URL = re.compile(r"https?://\S+\Z")
_BOUNDARY = re.compile(r'(?i)^multipart/form-data\s*;.*?\bboundary="?([^";,\s]+)')
_NAME = re.compile(rb'(?i)\bname="([^"]*)"')


class Masks:
    """
    Hides what is secret by its name.

    Args:
        names: Of members, parameters and fields; case and punctuation make no difference.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(_folded(name) for name in names)

    def request(self, invocation: Invocation, *, body: bytes) -> dict[str, Any]:
        """
        Return the arguments of a handler.

        Args:
            body: A long one, which is put in its place; empty if there is none.
        """
        request: dict[str, Any] = read_json(invocation.payload)
        if body:
            try:
                request["body"] = body.decode("utf-8")
            except UnicodeDecodeError:
                request["bodyBase64"] = base64.b64encode(body).decode("ascii")
        if "cookies" in request:
            request["cookies"] = dict.fromkeys(request["cookies"], MASK)
        if isinstance(request.get("url"), str):
            request["url"] = self._address(request["url"])
        headers = request.get("headers")
        kind = headers.get("content-type", "") if isinstance(headers, dict) else ""
        if kind[: len(_FORM)].lower() == _FORM and "body" in request:
            request["body"] = self._pairs(request["body"])
        elif boundary := _BOUNDARY.match(kind):
            self._multipart(request, b"--" + boundary[1].encode())
        masked: dict[str, Any] = self._value(request)
        return masked

    def call(self, call: Sequence[str | None]) -> list[str | None]:
        """Return a host call: its name, and its arguments and answer as JSON."""
        return [call[0], *(None if text is None else self.text(text) for text in call[1:])]

    def text(self, text: str) -> str:
        """Return a string that may be JSON; one that is nested too deeply to look into is hidden."""
        try:
            read = read_json(text)
            masked = self._value(read)
        except ValueError:
            return text
        except RecursionError:
            return MASK
        return text if masked is read else write_json(masked, like=text)

    def answer(self, answer: Answer | None) -> dict[str, Any] | None:
        """Return an answer as recordings hold it."""
        if answer is None:
            return None
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers]
        return {
            "status": answer.status,
            "headers": [[name, MASK if self._is_secret(name) else value] for name, value in headers],
            "body": self.text(answer.body.decode("utf-8", "backslashreplace")),
        }

    def _value(self, value: Any) -> Any:
        """Return *value* without what is secret: the same object if nothing in it is."""
        if isinstance(value, dict):
            return self._members(value)
        if isinstance(value, list):
            if len(value) == 2 and isinstance(value[0], str) and self._is_secret(value[0]):
                # Query and forms are lists of pairs.
                return [value[0], MASK]
            items = [self._value(item) for item in value]
            return value if all(map(is_, items, value)) else items
        if isinstance(value, str) and value[:1] in {"{", "["}:
            return self.text(value)
        if isinstance(value, str) and value[:4] == "http" and _URL.match(value):
            return self._address(value)
        return value

    def _members(self, value: dict[str, Any]) -> dict[str, Any]:
        members = {
            key: MASK if member and self._is_secret(key) else self._value(member) for key, member in value.items()
        }
        if isinstance(members.get("text"), str) and _is_form(members.get("headers")):
            # A request of a script to another server.
            hidden = self._pairs(members["text"])
            members["text"] = members["text"] if hidden == members["text"] else hidden
        return value if all(map(is_, members.values(), value.values())) else members

    def _address(self, url: str) -> str:
        address, question, query = url.partition("?")
        masked = address + question + self._pairs(query)
        return url if masked == url else masked

    def _pairs(self, text: str) -> str:
        """Return a query or a form as it is sent."""
        pairs = [pair.partition("=") for pair in text.split("&")]
        return "&".join(
            f"{name}={MASK}" if value and self._is_secret(unquote_plus(name)) else f"{name}{equals}{value}"
            for name, equals, value in pairs
        )

    def _multipart(self, request: dict[str, Any], mark: bytes) -> None:
        if "body" in request:
            request["body"] = self._parts(request["body"].encode(), mark).decode()
        elif "bodyBase64" in request:
            parts = self._parts(base64.b64decode(request["bodyBase64"]), mark)
            request["bodyBase64"] = base64.b64encode(parts).decode("ascii")

    def _parts(self, body: bytes, mark: bytes) -> bytes:
        parts = body.split(mark)
        for place, part in enumerate(parts):
            head, blank, value = part.partition(b"\r\n\r\n")
            named = _NAME.search(head)
            if value and named and self._is_secret(named[1].decode("utf-8", "replace")):
                parts[place] = head + blank + MASK.encode() + b"\r\n"
        return mark.join(parts)

    def _is_secret(self, name: str) -> bool:
        return name.lower() in _HEADERS or _folded(name) in self._names


def _is_form(headers: Any) -> bool:
    """Return whether pairs of headers say that the body is a form."""
    if not isinstance(headers, list):
        return False
    kinds = [pair[1] for pair in headers if isinstance(pair, list) and len(pair) == 2 and pair[0] == "content-type"]
    return any(isinstance(kind, str) and kind[: len(_FORM)].lower() == _FORM for kind in kinds)


def _folded(name: str) -> str:
    return _WORDS.sub("", name.lower())
