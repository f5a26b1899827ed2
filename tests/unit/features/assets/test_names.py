"""What the names of files say."""

from __future__ import annotations

import pytest

from aiwebengine.features.assets.hashed import holds_digest, names_its_hash
from aiwebengine.features.assets.media_types import compresses, type_of

DIGEST = "3f2a9c1b" + "0" * 56


@pytest.mark.parametrize(
    ("name", "hashed"),
    [
        ("assets/app.3f2a9c1b.js", True),
        ("app-3f2a9c1b4e5d.min.css", True),
        ("logo_0a1b2c3d4e5f.png", True),
        ("main.8f1c2a3b.js.map", True),
        ("index-B7xK2pQz.js", True),
        ("chunk-2M4XLKVT.css", True),
        ("font-B7xK2pQz.woff2", True),
        ("app.js", False),
        ("report-20261128.pdf", False),
        ("jquery-3.7.1.min.js", False),
        ("page-Settings.js", False),
        ("user-HomePage.js", False),
        ("photo-iPhone15.jpg", False),
        ("photo-B7xK2pQz.jpg", False),
        ("550e8400-e29b-41d4-a716-44665544000a.png", False),
        ("deadbeef.js", False),
        ("app-deadbeef.js", False),
        ("3f2a9c1b", False),
    ],
)
def test_hashes(name: str, hashed: bool) -> None:
    """A name with a hash of its content is told from dates, versions, words and UUIDs."""
    assert names_its_hash(name) is hashed


def test_own_digest() -> None:
    """What holds the beginning of the content's own hash, eight digits at least, never names another content."""
    assert holds_digest("/photo-3f2a9c1b00.png", DIGEST)
    assert holds_digest("3F2A9C1B", DIGEST)
    assert not holds_digest("3f2a9c1", DIGEST)
    assert not holds_digest("3f2a9c1c", DIGEST)


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("a/index.html", b"<p>", "text/html; charset=utf-8"),
        ("A.CSS", b"", "text/css; charset=utf-8"),
        ("app.mjs", b"", "text/javascript; charset=utf-8"),
        ("old.html", b"caf\xe9", "text/html"),
        ("data.json", b"{}", "application/json"),
        ("logo.svg", b"<svg/>", "image/svg+xml"),
        ("font.woff2", b"", "font/woff2"),
        ("LICENSE", b"", "application/octet-stream"),
        ("x.unknown", b"", "application/octet-stream"),
    ],
)
def test_types(path: str, content: bytes, expected: str) -> None:
    """The type is that of the name's ending; text that is UTF-8 says so."""
    assert type_of(path, content) == expected


def test_what_compresses() -> None:
    """Text and what is made of it compresses well, pictures and archives do not."""
    for kind in ("text/css; charset=utf-8", "application/json", "image/svg+xml", "application/ld+json"):
        assert compresses(kind)
    for kind in ("image/png", "application/zip", "video/mp4", "font/woff2", "application/octet-stream"):
        assert not compresses(kind)
