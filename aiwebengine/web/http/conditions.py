"""
Conditional requests (RFC 9110, section 13): what a client has already is not sent again.

If a script's answer has an `ETag` or `Last-Modified`, the conditions of a GET or HEAD are handled for it. The
conditions of a request that changes something are the script's own: it alone can look before it changes anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from aiwebengine.values import Answer

CONDITIONS = frozenset({"if-none-match", "if-modified-since", "if-match", "if-unmodified-since"})
"""Header fields that make a request conditional, by which a server may answer less than all."""

_DROPPED = frozenset({b"content-type", b"content-encoding", b"content-language"})


def met(answer: Answer, headers: Mapping[str, str]) -> Answer:
    """
    Return what a GET or HEAD with conditions is answered.

    Args:
        answer: The whole answer.
        headers: Of the request.

    Returns:
        *answer*; 304 if the client has it already; 412 if it requires another one.
    """
    if answer.status != 200:
        return answer
    validators = {name: value for name, value in answer.headers if name in {b"etag", b"last-modified"}}
    etag = validators.get(b"etag", b"").decode("latin-1")
    modified = _time(validators.get(b"last-modified", b"").decode("latin-1"))
    if "if-match" in headers:
        if etag and not _matches(headers["if-match"], etag, strong=True):
            return _failed()
    elif modified is not None and "if-unmodified-since" in headers:
        since = _time(headers["if-unmodified-since"])
        if since is not None and modified > since:
            return _failed()
    if "if-none-match" in headers:
        return _unchanged(answer) if etag and _matches(headers["if-none-match"], etag, strong=False) else answer
    if modified is not None and "if-modified-since" in headers:
        since = _time(headers["if-modified-since"])
        if since is not None and modified <= since:
            return _unchanged(answer)
    return answer


def _matches(listed: str, etag: str, *, strong: bool) -> bool:
    if listed.strip() == "*":
        return True
    tags = [tag.strip() for tag in listed.split(",")]
    if strong:
        return not etag.startswith("W/") and etag in tags
    bare = etag.removeprefix("W/")
    return any(tag.removeprefix("W/") == bare for tag in tags)


def _time(text: str) -> float | None:
    if not text:
        return None
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None


def _unchanged(answer: Answer) -> Answer:
    headers = tuple(pair for pair in answer.headers if pair[0] not in _DROPPED)
    return answer._replace(status=304, headers=headers, body=b"")


def _failed() -> Answer:
    return Answer(status=412, headers=((b"content-type", b"text/plain; charset=utf-8"),), body=b"Precondition Failed")
