"""
Names that hold a hash of the content: what they name never changes, so clients need not ask again.

    app.3f2a9c1b.js, app-3f2a9c1b4e5d.min.css     8 to 64 hexadecimal digits, letters and digits among them
    index-B7xK2pQz.js, chunk-2M4XLKVT.css         8 letters and digits, as bundlers make them, of code and fonts

Dates, versions, words and UUIDs are not hashes: `report-20261128.pdf`, `jquery-3.7.1.js`, `page-Settings.js`.
"""

from __future__ import annotations

import re

_HEX = re.compile(r".*[.\-_](?=[0-9a-f]*[a-f])(?=[0-9a-f]*[0-9])[0-9a-f]{8,64}(?:\.[A-Za-z0-9]{1,10}){1,3}")
_BUNDLED = re.compile(
    r".*[.\-](?=[A-Za-z0-9_-]*[A-Z])(?=[A-Za-z0-9_-]*[0-9][A-Za-z0-9_-]*[A-Za-z])[A-Za-z0-9_-]{8}"
    r"\.(?:js|mjs|css|woff2?|wasm)(?:\.map)?"
)
_UUID = re.compile(r".*[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}.*")
_SHORTEST = 8
_WORD = re.compile(r"[0-9a-f]{8,64}")


def names_its_hash(path: str) -> bool:
    """Return whether the name of a file holds what looks like a hash of its content."""
    name = path.rpartition("/")[2]
    if _UUID.fullmatch(name):
        return False
    return _HEX.fullmatch(name) is not None or _BUNDLED.fullmatch(name) is not None


def holds_digest(text: str, digest: str) -> bool:
    """Return whether *text* holds the beginning of the content's own SHA-256, as hexadecimal digits."""
    return any(digest.startswith(word) for word in _WORD.findall(text.lower()) if len(word) >= _SHORTEST)
