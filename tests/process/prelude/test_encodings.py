"""Legacy encodings: every character that Python's codecs know too is decoded alike."""

from __future__ import annotations

import json

from tests.support.world import evaluate

_CODECS = {"euc-kr": "cp949", "shift_jis": "cp932", "gb18030": "gb18030", "euc-jp": "euc_jp"}
_PRIVATE = range(0xE000, 0xF900)


def _pairs(codec: str) -> dict[str, str]:
    """Map the pairs of bytes that are one character in Python, in hexadecimal, to that character."""
    found = {}
    for lead in range(0x81, 0xFF):
        for trail in range(0x40, 0xFF):
            try:
                text = bytes((lead, trail)).decode(codec)
            except UnicodeDecodeError:
                continue
            if len(text) == 1 and ord(text) not in _PRIVATE:
                found[f"{lead:02x}{trail:02x}"] = text
    return found


def test_as_python_has_them() -> None:
    """Pairs of bytes come to the characters that they come to in Python."""
    for label, codec in _CODECS.items():
        pairs = _pairs(codec)
        assert len(pairs) > 6000
        [seen] = evaluate(
            f"var decoder = new TextDecoder('{label}'); return {json.dumps(list(pairs))}.map(function (pair) {{ return"
            " decoder.decode(new Uint8Array([parseInt(pair.slice(0, 2), 16), parseInt(pair.slice(2), 16)])); })"
        )
        different = [both for both in zip(pairs.values(), seen, strict=True) if both[0] != both[1]]
        # Python's are older, or of other vendors.
        assert len(different) < 30, (label, different[:40])
