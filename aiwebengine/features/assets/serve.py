"""
One file over HTTP: conditions, ranges, codings, caching.

    If-None-Match, If-Modified-Since     304 if the client has it
    Range, If-Range                      206 with one part; several parts are answered with the whole file
    Accept-Encoding                      a copy that was deployed beside it (.br, .gz), else gzip if that saves much

A file whose name holds a hash of its content, or that was requested by its hash (`?v=3f2a9c1b`), is `immutable`;
every other one is `no-cache`: kept by clients, and asked for again each time.

`Last-Modified` is compared for equality, not for order: after a rollback an older time is the newer state.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from urllib.parse import parse_qs

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import INTERNAL_ERROR, EngineError, Unavailable
from aiwebengine.features.assets.contents import GZIP, IDENTITY, Content, Contents, KeptContent
from aiwebengine.features.assets.hashed import holds_digest
from aiwebengine.features.assets.media_types import compresses
from aiwebengine.values import Answer, Request
from aiwebengine.web.http.conditions import met
from aiwebengine.web.http.exchange import Exchange

_log = Logger()

_IMMUTABLE = b"public, max-age=31536000, immutable"
_REVALIDATED = b"no-cache"
_TAG_DIGITS = 32
_LEAST_PACKED = 1024
_MOST_PACKED = 16 * 1024 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_QUALITY = re.compile(r"q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)", re.IGNORECASE)
_PIECE = 256 * 1024
_MOST_CODINGS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedCopy:
    """A compressed copy that was deployed beside a file."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedFile:
    """What is served."""

    digest: str
    """SHA-256."""
    size: int
    type: str
    """Media type."""
    modified: float
    """Seconds since 1970."""
    immutable: bool = False
    """Its name holds a hash of its content."""
    packed: Mapping[str, PackedCopy] = field(default_factory=dict)
    """By coding: `br`, `gzip`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Representation:
    """What of a file is sent: a coding of it."""

    headers: tuple[tuple[bytes, bytes], ...]
    digest: str
    """Of what is stored."""
    size: int
    """Of what is stored."""
    pack: str = IDENTITY
    """The coding that is made of what is stored."""


class FileServer:
    """
    Sends files to clients.

    Args:
        contents: Has their bytes.
    """

    def __init__(self, contents: Contents) -> None:
        self._contents = contents

    def serve(self, exchange: Exchange, request: Request, file: ServedFile) -> None:
        """Answer a GET or HEAD with *file*, with the part that the client does not have, or with an error."""
        chosen = represented(file, request)
        known = met(Answer(status=200, headers=chosen.headers, body=b""), exact(request.headers, chosen.headers))
        if known.status != 200:
            exchange.answered(known)
            return
        part = None
        if request.method == "GET" and "range" in request.headers and _same(request.headers, chosen.headers):
            part = part_of(request.headers["range"], chosen.size)
        if part is not None and part[0] >= part[1]:
            exchange.answered(_no_such_part(chosen.size))
            return
        Deferred.fromCoroutine(self._send(exchange, chosen, part)).addErrback(answer_failure, exchange)

    def missing(self, exchange: Exchange, file: ServedFile) -> None:
        """Answer with *file* as the page for what is not there."""
        headers = ((b"content-type", file.type.encode("latin-1")), (b"cache-control", _REVALIDATED), _NOSNIFF)
        page = _Representation(headers=headers, digest=file.digest, size=file.size)
        Deferred.fromCoroutine(self._send(exchange, page, None, status=404)).addErrback(answer_failure, exchange)

    async def _send(
        self, exchange: Exchange, chosen: _Representation, part: tuple[int, int] | None, *, status: int = 200
    ) -> None:
        content = await self._contents.open(chosen.digest, chosen.size, chosen.pack)
        if not exchange.waiting:
            content.close()
            return
        first, end = part or (0, content.size)
        headers = chosen.headers
        if part is not None:
            status, headers = 206, (*headers, (b"content-range", b"bytes %d-%d/%d" % (first, end - 1, content.size)))
        answer = Answer(status=status, headers=headers, body=b"")
        if isinstance(content, KeptContent):
            exchange.answered(Answer(status=status, headers=headers, body=content.data[first:end]), checked=True)
        elif exchange.method == "HEAD":
            content.close()
            exchange.feed(answer, _EMPTY_BODY, length=end - first)
        else:
            download = Download(exchange=exchange, content=content, first=first, end=end)
            exchange.feed(answer, download, length=end - first)
            download.begin()


class Download:
    """
    Feeds a large file to a client, as fast as the client takes it; see `web.http.exchange.Body`.

    Args:
        exchange: The client's.
        content: What is read; closed at the end.
        first: The first byte.
        end: Behind the last byte.
    """

    def __init__(self, *, exchange: Exchange, content: Content, first: int, end: int) -> None:
        self._exchange = exchange
        self._content = content
        self._at = first
        self._end = end
        self._paused = False
        self._reading = False
        self._over = False

    def begin(self) -> None:
        """Read and send."""
        self._next()

    def pauseProducing(self) -> None:
        """See `Body.pauseProducing`."""
        self._paused = True

    def resumeProducing(self) -> None:
        """See `Body.resumeProducing`."""
        self._paused = False
        self._next()

    def lost(self) -> None:
        """See `Body.lost`."""
        self._over = True
        self._content.close()

    def _next(self) -> None:
        if self._paused or self._reading or self._over:
            return
        if self._at >= self._end:
            self.lost()
            self._exchange.finished()
            return
        self._reading = True
        self._content.read(self._at, min(_PIECE, self._end - self._at)).addCallbacks(self._read, self._failed)

    def _read(self, data: bytes) -> None:
        self._reading = False
        if self._over:
            return
        if not data:
            self._exchange.failed(Unavailable("The file is shorter than its size says.", retry_seconds=1.0))
            return
        self._at += len(data)
        self._exchange.push(data)
        self._next()

    def _failed(self, failure: Failure) -> None:
        self._reading = False
        if not self._over:
            answer_failure(failure, self._exchange)


class _EmptyBody:
    """The body of an answer to HEAD."""

    def pauseProducing(self) -> None:
        """See `Body.pauseProducing`."""

    def resumeProducing(self) -> None:
        """See `Body.resumeProducing`."""

    def lost(self) -> None:
        """See `Body.lost`."""


_EMPTY_BODY = _EmptyBody()
_NOSNIFF = (b"x-content-type-options", b"nosniff")


def represented(file: ServedFile, request: Request) -> _Representation:
    """Choose the coding of a file, and say what its answer says of it."""
    codings = [] if "range" in request.headers else accepted(request.headers.get("accept-encoding", ""))
    may_pack = compresses(file.type) and _LEAST_PACKED <= file.size <= _MOST_PACKED
    immutable = file.immutable or _names_digest(request.query, file.digest)
    headers = [
        (b"content-type", file.type.encode("latin-1")),
        (b"cache-control", _IMMUTABLE if immutable else _REVALIDATED),
        (b"last-modified", formatdate(file.modified, usegmt=True).encode("ascii")),
        _NOSNIFF,
    ]
    if may_pack or file.packed:
        headers.append((b"vary", b"accept-encoding"))
    tag, pack, digest, size = file.digest[:_TAG_DIGITS], IDENTITY, file.digest, file.size
    for coding in ("br", GZIP):
        if coding in codings and coding in file.packed:
            digest, size = file.packed[coding].digest, file.packed[coding].size
            headers.append((b"content-encoding", coding.encode("ascii")))
            tag = f"{digest[:_TAG_DIGITS]}-{coding}"
            break
    else:
        if may_pack and GZIP in codings:
            headers.append((b"content-encoding", b"gzip"))
            tag, pack = f"{tag}-gzip", GZIP
        else:
            headers.append((b"accept-ranges", b"bytes"))
    headers.append((b"etag", f'"{tag}"'.encode("ascii")))
    return _Representation(headers=tuple(headers), digest=digest, size=size, pack=pack)


def accepted(header: str) -> list[str]:
    """Return the codings of an `Accept-Encoding` header that the client takes; of very many only the first."""
    taken: list[str] = []
    for item in header.lower().split(",", _MOST_CODINGS)[:_MOST_CODINGS]:
        coding, _, parameters = item.partition(";")
        quality = _QUALITY.search(parameters)
        if coding.strip() and (quality is None or float(quality[1]) > 0):
            taken.append("gzip" if coding.strip() in {"*", "x-gzip"} else coding.strip())
    return taken


def exact(headers: Mapping[str, str], answer: tuple[tuple[bytes, bytes], ...]) -> Mapping[str, str]:
    """Return the headers of a request, without `If-Modified-Since` if it names another time than the answer."""
    since = headers.get("if-modified-since")
    if since is None or since.strip().encode("latin-1") == dict(answer)[b"last-modified"]:
        return headers
    return {name: value for name, value in headers.items() if name != "if-modified-since"}


def part_of(header: str, size: int) -> tuple[int, int] | None:
    """
    Return which part of a file a `Range` header asks for (RFC 9110, section 14).

    Returns:
        The first byte and the one behind the last; both equal if there is no such part; None if the whole file is to
        be sent: several parts were requested, or the header is not valid.
    """
    match = _RANGE.fullmatch(header.strip().replace(" ", ""))
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        length = min(int(match[2]), size)
        return size - length, size
    first = int(match[1])
    if match[2] and int(match[2]) < first:
        return None
    end = min(int(match[2]) + 1, size) if match[2] else size
    return (first, end) if first < size else (size, size)


def _same(headers: Mapping[str, str], answer: tuple[tuple[bytes, bytes], ...]) -> bool:
    """Return whether the file is still the one of which the client has a part."""
    condition = headers.get("if-range")
    headers_by_name = dict(answer)
    return condition is None or condition.strip().encode("latin-1") in {
        headers_by_name[b"etag"],
        headers_by_name[b"last-modified"],
    }


def _no_such_part(size: int) -> Answer:
    return Answer(status=416, headers=((b"content-range", b"bytes */%d" % size), _NOSNIFF), body=b"")


def _names_digest(query: str, digest: str) -> bool:
    if "v=" not in query:
        return False
    try:
        [version] = parse_qs(query, max_num_fields=20).get("v", [])
    except ValueError:
        return False
    return holds_digest(version, digest)


def answer_failure(failure: Failure, exchange: Exchange) -> None:
    """Answer with an error, whatever it is, or break off an answer that has begun."""
    error = failure.value
    if not isinstance(error, EngineError):
        _log.failure("a file could not be sent (request {request})", failure, request=exchange.id)
        error = EngineError(INTERNAL_ERROR)
    exchange.failed(error)
