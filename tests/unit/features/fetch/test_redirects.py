"""What a redirect makes of a request."""

from __future__ import annotations

import pytest

from aiwebengine.errors import Invalid, Unavailable
from aiwebengine.features.fetch.network.bodies import BytesBody, WrittenBody
from aiwebengine.features.fetch.network.targets import read_target
from aiwebengine.features.fetch.redirects import Outgoing, followed

HEADERS = [
    ("authorization", "Bearer x"),
    ("cookie", "a=b"),
    ("content-type", "text/plain"),
    ("content-language", "en"),
    ("x-own", "1"),
]


def outgoing(method="GET", body=None, headers=HEADERS):
    return Outgoing(target=read_target("https://a.example/x"), method=method, headers=headers, body=body)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"])
def test_method(status, method):
    """303 makes a GET of everything but GET and HEAD, 301 and 302 of POST; a body and its headers go with it."""
    body = None if method in {"GET", "HEAD"} else BytesBody(b"x")
    new = followed(outgoing(method, body), status, "/y")
    becomes_get = (status == 303 and method not in {"GET", "HEAD"}) or (status in {301, 302} and method == "POST")
    assert new.method == ("GET" if becomes_get else method)
    assert new.body is (None if becomes_get else body)
    assert ("content-type" in dict(new.headers)) is not becomes_get
    assert ("content-language" in dict(new.headers)) is not becomes_get
    assert new.target.url == "https://a.example/y"
    assert dict(new.headers)["authorization"] == "Bearer x"


@pytest.mark.parametrize(
    ("location", "kept"),
    [
        ("/y", True),
        ("https://a.example:443/y", True),
        ("https://A.EXAMPLE/y", True),
        ("http://a.example/y", False),
        ("https://a.example:444/y", False),
        ("https://b.example/y", False),
        ("https://sub.a.example/y", False),
    ],
)
def test_other_origin(location, kept):
    """Another scheme, host or port gets neither authorization nor cookies; other headers go along."""
    headers = dict(followed(outgoing(), 302, location).headers)
    assert ("authorization" in headers, "cookie" in headers) == (kept, kept)
    assert headers["x-own"] == "1"


def test_streamed_body():
    """A body that was streamed cannot be sent again; if the redirect drops it, that is not needed."""
    body = WrittenBody(length=None, most_bytes=10)
    with pytest.raises(Unavailable, match="redirects with status 307") as refused:
        followed(outgoing("POST", body), 307, "/y")
    assert refused.value.details == {"reason": "redirect"}
    assert followed(outgoing("POST", body), 303, "/y").body is None


def test_nowhere():
    """A redirect to something else than http or https, or with a password, is not followed."""
    for location in ("ftp://a.example/", "javascript:alert(1)", "https://u:p@a.example/", "https://a.example:22/"):
        with pytest.raises(Invalid):
            followed(outgoing(), 302, location)
