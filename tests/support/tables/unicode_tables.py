"""
Make sandbox/prelude/text/unicode.js from Python's own Unicode data.

Run as `python tests/support/tables/unicode_tables.py > sandbox/prelude/text/unicode.js` when a newer Unicode is wanted.
"""

from __future__ import annotations

import sys
import unicodedata

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def _base36(number: int) -> str:
    text = ""
    while True:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
        if not number:
            return text


def _is_hangul(code: int) -> bool:
    return 0xAC00 <= code < 0xAC00 + 11172


def decompositions() -> str:
    """
    List single decompositions: distance to the code point before, `~` if compatible only, the parts.

    A `!` instead says that the pair is never composed again.
    """
    entries = []
    before = 0
    for code in range(0x110000):
        mapping = unicodedata.decomposition(chr(code))
        if not mapping or _is_hangul(code):
            continue
        compatible = mapping.startswith("<")
        parts = [int(part, 16) for part in mapping.split() if not part.startswith("<")]
        mark = "~" if compatible else "" if unicodedata.normalize("NFC", chr(code)) == chr(code) else "!"
        entries.append(_base36(code - before) + (mark or ":") + ".".join(map(_base36, parts)))
        before = code
    return " ".join(entries)


def combining_classes() -> str:
    """List runs of equal combining class: distance to the end of the run before, length, class."""
    runs: list[tuple[int, int, int]] = []
    for code in range(0x110000):
        number = unicodedata.combining(chr(code))
        if not number:
            continue
        if runs and runs[-1][0] + runs[-1][1] == code and runs[-1][2] == number:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1, number)
        else:
            runs.append((code, 1, number))
    entries = []
    end = 0
    for start, length, number in runs:
        entries.append(f"{_base36(start - end)}.{_base36(length)}.{_base36(number)}")
        end = start + length
    return " ".join(entries)


def _folded(text: str, width: int = 160) -> str:
    lines = [text[at : at + width] for at in range(0, len(text), width)]
    return " +\n        ".join(f"'{line}'" for line in lines)


def main() -> None:
    """Print the file."""
    sys.stdout.write(
        f"""/*
 * Unicode {unicodedata.unidata_version}: what normalize.js needs, packed in base 36.
 * Made by tests/support/tables/unicode_tables.py.
 */
(function (K) {{
    'use strict';

    K.decompositions = {_folded(decompositions())};
    K.combiningClasses = {_folded(combining_classes())};
}}(__kernel));
"""
    )


if __name__ == "__main__":
    main()
