"""
What a run is begun with: JSON, and perhaps the body of a request behind it, as it came.

    {"k":"http",...,"q":{"method":"POST",...}}                       all of it
    {"k":"http",...,"q":{"method":"POST",...}} NUL bytes of the body  the body becomes a member of `q`

A long body is encoded as JSON here and not in the server, which serves others in the meantime.
"""

from __future__ import annotations

from binascii import b2a_base64
from json.encoder import encode_basestring_ascii

_LARGE = 1024 * 1024


def run_text(value: bytes) -> str:
    """
    Return the JSON with which a run begins.

    A body that is not UTF-8, or that would be far longer as JSON, stands as base64 in `bodyBase64` instead of `body`.

    Args:
        value: Of the box `run`; `q` is the last member.

    Raises:
        UnicodeError: What should be JSON is not ASCII.
    """
    at = value.find(b"\0")
    if at < 0:
        return value.decode("ascii")
    if value[at - 2 : at] != b"}}":
        raise UnicodeError("there is no q to which the body belongs")
    return f"{value[: at - 2].decode('ascii')},{_member(value[at + 1 :])}}}}}"


def _member(body: bytes) -> str:
    try:
        # As JSON in ASCII a character may take six bytes.
        text = encode_basestring_ascii(body.decode("utf-8"))
        if len(text) <= max(_LARGE, 2 * len(body)):
            return f'"body":{text}'
    except UnicodeDecodeError:
        pass
    return f'"bodyBase64":"{b2a_base64(body, newline=False).decode("ascii")}"'
