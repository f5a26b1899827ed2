"""
The head of a request: its first line and its header fields, as plain functions over bytes.

A head is what stands before the first empty line:

    POST /notes?draft=1 HTTP/1.1        parse_line  -> method, target, minor version
    host: example.org                   parse_fields -> Fields
    content-length: 12

Everything that two programs could read in two ways is refused (RFC 9112, sections 2.2, 5 and 6):
folded lines, lines that end with a bare LF, spaces before a colon, more than one length, a length
beside chunks, control characters.  A message says which rule was broken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import unquote_to_bytes

from aiwebengine.errors import CallerError, HeadersTooLarge, Invalid, NotImplementedByServer, UnsupportedVersion

_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}) ([\x21-\x7e]+) HTTP/1\.([01])")
_VERSION = re.compile(rb"HTTP/\d\.\d|HTTP/\d")
_FIELD = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*"
_FIELDS = re.compile(rb"(?:" + _FIELD + rb"\r\n)*")
_ONE_FIELD = re.compile(_FIELD)
_ABSOLUTE = re.compile(r"https?://([^/?#]*)(.*)", re.IGNORECASE)
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_MAX_LENGTH_DIGITS = 18
_SHOWN = 80
_ONCE = frozenset({"host", "content-length", "transfer-encoding", "content-type", "content-encoding", "authorization"})
"""Fields that have one value; two of them would leave it open which one counts."""

_NAMES: dict[bytes, str] = {
    written: written.decode("ascii").lower()
    for name in (
        "Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Cache-Control", "Connection",
        "Content-Length", "Content-Type", "Cookie", "Host", "If-None-Match", "Origin", "Referer", "User-Agent",
        "X-Forwarded-For", "X-Forwarded-Proto", "X-Request-Id",
    )
    for written in (name.encode("ascii"), name.lower().encode("ascii"))
}  # fmt: skip


class Fields:
    """The header fields of a request, read once for all requests of a connection that repeat them."""

    __slots__ = ("chunked", "close", "continues", "encoding", "headers", "length", "pairs")

    pairs: Sequence[tuple[bytes, bytes]]
    """As they came, without the white space around values."""
    headers: Mapping[str, str]
    """Lower-case names; repeated ones joined by `, `, cookies by `; `."""
    length: int | None
    """`content-length`; 0 if there is no body, None if it comes in chunks."""
    chunked: bool
    close: bool
    """The client requested that the connection is closed after the answer."""
    continues: bool
    """The client waits for `100 Continue` before it sends the body."""
    encoding: str
    """`content-encoding`; empty if there is none."""


def parse_line(line: bytes) -> tuple[str, str, int]:
    """
    Read the first line of a request.

    Returns:
        Method, target as it stands, and 0 or 1 for HTTP/1.0 or HTTP/1.1.

    Raises:
        Invalid: It is not such a line; the message says why.
        UnsupportedVersion: It is of another version of HTTP.
    """
    match = _LINE.fullmatch(line)
    if match is None:
        raise _line_fault(line)
    method, target, minor = match.groups()
    return method.decode("ascii"), target.decode("ascii"), 1 if minor == b"1" else 0


def parse_fields(block: bytes, *, most: int) -> Fields:
    """
    Read header lines.

    Args:
        block: The lines, joined by CRLF, without a CRLF at the end; empty if there are none.
        most: How many there may be.

    Raises:
        HeadersTooLarge: There are more.
        Invalid: One of them is not a header, or they contradict each other.
    """
    lines = block.split(b"\r\n") if block else []
    if len(lines) > most:
        raise HeadersTooLarge(f"A request may have at most {most:,} headers; this one has {len(lines):,}.")
    if lines and not _FIELDS.fullmatch(block + b"\r\n"):
        raise Invalid(_field_fault(lines))
    pairs: list[tuple[bytes, bytes]] = []
    headers: dict[str, str] = {}
    for line in lines:
        written, _, rest = line.partition(b":")
        value = rest.strip(b" \t")
        pairs.append((written, value))
        name = _NAMES.get(written) or written.decode("ascii").lower()
        text = value.decode("latin-1")
        if name in headers:
            if name in _ONCE:
                raise Invalid(f"A request may have the header {name} once; it has it twice.")
            headers[name] += ("; " if name == "cookie" else ", ") + text
        else:
            headers[name] = text
    fields = Fields()
    fields.pairs = pairs
    fields.headers = headers
    fields.chunked, fields.length = _framing(headers)
    fields.close = "connection" in headers and "close" in _tokens(headers["connection"])
    fields.continues = headers.get("expect", "").lower() == "100-continue"
    fields.encoding = headers.get("content-encoding", "")
    return fields


def check_fields(fields: Fields, minor: int) -> None:
    """
    Refuse fields that the version of the request does not allow.

    Raises:
        Invalid: HTTP/1.1 without a host, HTTP/1.0 with chunks.
    """
    if minor:
        if "host" not in fields.headers:
            raise Invalid("A request with HTTP/1.1 needs a Host header; this one has none.")
    elif fields.chunked:
        raise Invalid("HTTP/1.0 has no chunked bodies; send a content-length, or use HTTP/1.1.")


def with_host(fields: Fields, host: str) -> Fields:
    """Return *fields* with another host: that of an absolute target counts more than the header (RFC 9112, 3.2.2)."""
    changed = Fields()
    changed.headers = {**fields.headers, "host": host}
    pairs = [pair for pair in fields.pairs if pair[0].lower() != b"host"]
    changed.pairs = [(b"Host", host.encode("latin-1")), *pairs]
    changed.length = fields.length
    changed.chunked = fields.chunked
    changed.close = fields.close
    changed.continues = fields.continues
    changed.encoding = fields.encoding
    return changed


def split_target(target: str) -> tuple[str | None, str]:
    """
    Take an absolute target apart.

    Args:
        target: Not one that begins with `/`.

    Returns:
        Its host, None if it names none, and the rest: a path with its query, or `*`.

    Raises:
        Invalid: It is neither an absolute address of this kind of server nor `*`.
    """
    if target == "*":
        return None, target
    match = _ABSOLUTE.fullmatch(target)
    if match is None or not match[1] or "@" in match[1]:
        raise Invalid(
            f"The target of a request must be a path that begins with /; it is {_quoted(target.encode('ascii'))}."
        )
    rest = match[2]
    return match[1], rest if rest.startswith("/") else "/" + rest


def check_path(path: str) -> None:
    """
    Refuse a path that cannot be decoded; to be called if it has a `%` or a `#`.

    Raises:
        Invalid: A `%` without two hexadecimal digits, bytes that are not UTF-8, a NUL, a fragment.
    """
    if "#" in path:
        raise Invalid("The path of a request must not have a fragment: leave out # and what follows, or write %23.")
    if bad := _BAD_PERCENT.search(path):
        raise Invalid(
            "A % in a path must be followed by two hexadecimal digits; "
            f"found {_quoted(path[bad.start() :][:3].encode())}. Write %25 for a percent sign."
        )
    raw = unquote_to_bytes(path)
    if b"\x00" in raw:
        raise Invalid("A path must not have a NUL; remove %00.")
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Invalid("A path must be percent-encoded UTF-8; this one has other bytes.") from None


def early_fault(data: bytes) -> str | None:
    """Return what is wrong with the beginning of a head that is not complete yet; None if it may become one."""
    first = data[0]
    if first < 0x21 or first > 0x7E:
        return "This is not HTTP: a request begins with a method. (Is it HTTPS to a port that speaks HTTP?)"
    at = data.find(b"\n")
    if at >= 0 and data[at - 1 : at] != b"\r":
        return "The lines of a request's head must end with CR LF; found LF alone."
    return None


def _framing(headers: Mapping[str, str]) -> tuple[bool, int | None]:
    """Return how the body ends: by chunks, or after a number of bytes (RFC 9112, 6.3)."""
    transfer = headers.get("transfer-encoding")
    length = headers.get("content-length")
    if transfer is not None:
        if length is not None:
            raise Invalid("A request must not have both a content-length and a transfer-encoding.")
        codings = _tokens(transfer)
        if len(codings) > 1 and codings[-1] == "chunked" and codings.count("chunked") == 1:
            raise NotImplementedByServer(
                f'The only transfer coding that this server knows is "chunked"; the request has "{_shown(transfer)}".'
            )
        if codings != ["chunked"]:
            raise Invalid(f'The transfer-encoding of a request must be "chunked"; it is "{_shown(transfer)}".')
        return True, None
    if length is None:
        return False, 0
    if not (length.isascii() and length.isdigit() and len(length) <= _MAX_LENGTH_DIGITS):
        raise Invalid(f'The content-length must be a number of bytes; it is "{_shown(length)}".')
    return False, int(length)


def _tokens(value: str) -> list[str]:
    return [token.strip() for token in value.lower().split(",")]


def _line_fault(line: bytes) -> CallerError:
    parts = line.split(b" ")
    if len(parts) == 3 and _VERSION.fullmatch(parts[2]) and parts[2] not in {b"HTTP/1.0", b"HTTP/1.1"}:
        return UnsupportedVersion(f"This server speaks HTTP/1.1; the request says {_quoted(parts[2])}.")
    if any(byte > 0x7E or byte < 0x20 for byte in line):
        return Invalid(
            "The first line of a request must be ASCII without control characters; percent-encode others in its target."
        )
    return Invalid(f'The first line of a request must be a method, a target and "HTTP/1.1"; it is {_quoted(line)}.')


def _field_fault(lines: Sequence[bytes]) -> str:
    for line in lines:
        if not _ONE_FIELD.fullmatch(line):
            if line[:1] in {b" ", b"\t"}:
                return "A header must be on one line; one continues on the next line."
            name, colon, _ = line.partition(b":")
            if not colon:
                return f"A header must be a name, a colon and a value; found {_quoted(line)}."
            if name != name.strip(b" \t"):
                return f"Nothing may be between the name of a header and its colon; found {_quoted(name + b':')}."
            if re.fullmatch(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", name):
                return f"The header {_shown(name.decode('ascii'))} has a control character in its value."
            return f"The name of a header may have letters, digits and hyphens; found {_quoted(name)}."
    return "A header of the request is not a name, a colon and a value."


def _quoted(data: bytes) -> str:
    """Return bytes from a client for an error message, bounded and harmless."""
    return '"' + _shown(data.decode("latin-1")) + '"'


def _shown(text: str) -> str:
    cut = text[:_SHOWN].encode("unicode_escape").decode("ascii")
    return cut + ("..." if len(text) > _SHOWN else "")
