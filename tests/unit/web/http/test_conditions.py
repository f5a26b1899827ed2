"""Conditional requests."""

from __future__ import annotations

import pytest

from aiwebengine.values import Answer
from aiwebengine.web.http.conditions import met

_OLD, _NEW = "Mon, 09 Mar 2026 08:00:00 GMT", "Tue, 10 Mar 2026 08:00:00 GMT"
_HEADERS = ((b"content-type", b"text/plain"), (b"etag", b'"v1"'), (b"last-modified", _OLD.encode()), (b"x-kept", b"1"))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if-none-match": '"v1"'}, 304),
        ({"if-none-match": 'W/"v1"'}, 304),
        ({"if-none-match": '"v0", "v1"'}, 304),
        ({"if-none-match": "*"}, 304),
        ({"if-none-match": '"v2"'}, 200),
        ({"if-none-match": '"v2"', "if-modified-since": _NEW}, 200),
        ({"if-modified-since": _OLD}, 304),
        ({"if-modified-since": _NEW}, 304),
        ({"if-modified-since": "Sun, 08 Mar 2026 08:00:00 GMT"}, 200),
        ({"if-modified-since": "yesterday"}, 200),
        ({"if-match": '"v1"'}, 200),
        ({"if-match": '"v2"'}, 412),
        ({"if-match": 'W/"v1"'}, 412),
        ({"if-unmodified-since": "Sun, 08 Mar 2026 08:00:00 GMT"}, 412),
        ({"if-unmodified-since": _NEW}, 200),
    ],
)
def test_conditions(headers: dict[str, str], status: int) -> None:
    """Conditions are met by the tag first, then by the date, as RFC 9110 orders them."""
    result = met(Answer(status=200, headers=_HEADERS, body=b"whole"), headers)
    assert result.status == status
    if status == 304:
        assert result.body == b""
        assert (b"x-kept", b"1") in result.headers
        assert (b"etag", b'"v1"') in result.headers
        assert not any(name == b"content-type" for name, _ in result.headers)


def test_others_stay() -> None:
    """An answer without a tag or a date, and one that is not 200, stays as it is."""
    plain = Answer(status=200, headers=((b"content-type", b"text/plain"),), body=b"whole")
    assert met(plain, {"if-none-match": '"v1"', "if-modified-since": _NEW, "if-match": "x"}) is plain
    gone = Answer(status=404, headers=_HEADERS, body=b"")
    assert met(gone, {"if-none-match": '"v1"'}) is gone
