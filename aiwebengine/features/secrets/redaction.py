"""
Finds values of secrets in what scripts say, and replaces them by `[secret NAME]`.

A value is found as it is, as it stands in JSON, HTML and in addresses, and within base64, wherever it begins there:
each of the three places in a group of three bytes gives other letters.  Values of fewer than eight bytes are not looked
for, since they occur everywhere.  A value that a script has changed in another way, such as reversed, is not found.

All forms are looked for at once (Aho and Corasick), so that it does not matter how many there are.  In what comes in
pieces the end of a piece is kept back as long as it may be the beginning of a value.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import quote, quote_plus

from aiwebengine.features.secrets.values import Secret

LEAST_BYTES = 8
"""Shorter values are not looked for."""
_HEAD = 8
_UNRESERVED = "!'()*~"
_ESCAPE = re.compile(r"%[0-9A-F]{2}")


def forms_of(value: bytes) -> Iterable[bytes]:
    """Return a value in all forms in which it is looked for; none if it is too short."""
    if len(value) < LEAST_BYTES:
        return ()
    found = {value: None, **dict.fromkeys(_in_base64(value))}
    escaped = [quote(value, safe=""), quote(value), quote(value, safe=_UNRESERVED), quote_plus(value)]
    for text in escaped:
        found[text.encode()] = None
        found[_ESCAPE.sub(lambda match: match[0].lower(), text).encode()] = None
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return found
    for ascii_only in (True, False):
        written = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        found[written.encode()] = None
        found[written.replace("/", "\\/").encode()] = None
    found[html.escape(text).encode()] = None
    return found


def _in_base64(value: bytes) -> Iterable[bytes]:
    """Return the letters that stand for nothing but the value, by where it begins in a group of three bytes."""
    for before in range(3):
        first, last = -(-8 * before // 6), 8 * (before + len(value)) // 6
        letters = base64.b64encode(bytes(before) + value + bytes(3))[first:last]
        yield letters
        yield letters.replace(b"+", b"-").replace(b"/", b"_")


class SecretForms:
    """
    See `interfaces.Redaction`.

    Args:
        secrets: Whose values are replaced.
    """

    def __init__(self, secrets: Iterable[Secret]) -> None:
        names: dict[bytes, str] = {}
        for secret in secrets:
            for form in forms_of(secret.value):
                names.setdefault(form, secret.name)
        self._names: Mapping[bytes, str] = names
        self._patterns = list(names)
        self._longest = max(map(len, self._patterns), default=0)

    @property
    def empty(self) -> bool:
        """Return whether there is nothing to look for."""
        return not self._patterns

    @cached_property
    def _automaton(self) -> Any:
        from ahocorasick_rs import BytesAhoCorasick, MatchKind  # noqa: PLC0415  Most servers have no secrets.

        return BytesAhoCorasick(self._patterns, matchkind=MatchKind.LeftmostLongest)

    def text(self, text: str) -> str:
        """See `interfaces.Redaction.text`."""
        data = text.encode("utf-8", "surrogatepass")
        clean = self.data(data)
        return text if clean is data else clean.decode("utf-8", "surrogatepass")

    def data(self, data: bytes) -> bytes:
        """See `interfaces.Redaction.data`."""
        if not self._patterns:
            return data
        matches = self._automaton.find_matches_as_indexes(data)
        if not matches:
            return data
        clean, at = [], 0
        for pattern, start, end in matches:
            clean += [data[at:start], b"[secret %s]" % self._names[self._patterns[pattern]].encode()]
            at = end
        return b"".join([*clean, data[at:]])

    def scan(self) -> PieceScan:
        """See `interfaces.Redaction.scan`."""
        return PieceScan(self)

    def beginning_in(self, data: bytes) -> int:
        """Return how many bytes at the end of *data* may be the beginning of a value."""
        tail = data[-self._longest + 1 :] if self._longest > 1 else b""
        most = 0
        for pattern in self._patterns:
            most = max(most, _overlap(tail, pattern))
        return most


class PieceScan:
    """
    See `interfaces.SecretScan`.

    Args:
        forms: What is looked for.
    """

    def __init__(self, forms: SecretForms) -> None:
        self._forms = forms
        self._kept = b""

    def text(self, text: str) -> str:
        """See `interfaces.SecretScan.text`."""
        return self._forms.text(text)

    def feed(self, piece: bytes) -> bytes:
        """See `interfaces.SecretScan.feed`."""
        data = self._forms.data(self._kept + piece)
        kept = self._forms.beginning_in(data)
        self._kept = data[len(data) - kept :]
        return data[: len(data) - kept]

    def end(self) -> bytes:
        """See `interfaces.SecretScan.end`."""
        kept, self._kept = self._kept, b""
        return kept


def _overlap(tail: bytes, pattern: bytes) -> int:
    """Return the length of the longest end of *tail* with which *pattern* begins, without being all of it."""
    tail = tail[-len(pattern) + 1 :]
    head = pattern[:_HEAD]
    at = tail.find(head)
    while at >= 0:
        if pattern.startswith(tail[at:]):
            return len(tail) - at
        at = tail.find(head, at + 1)
    for length in range(min(len(head) - 1, len(tail)), 0, -1):
        if tail.endswith(head[:length]):
            return length
    return 0
