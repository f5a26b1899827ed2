"""Names of secrets: letters, digits, `_`, `-` and `.`, at most 100, the first a letter or `_`."""

from __future__ import annotations

import re

from aiwebengine.errors import Invalid

LONGEST_NAME = 100
NAME = r"[A-Za-z_][A-Za-z0-9_.-]{0,99}"

_NAME = re.compile(NAME)


def is_name(text: str) -> bool:
    """Return whether a secret may have this name."""
    return _NAME.fullmatch(text) is not None


def check_name(text: str) -> str:
    """
    Return *text* if a secret may have this name.

    Raises:
        Invalid: It may not.
    """
    if is_name(text):
        return text
    raise Invalid(
        "the name of a secret has letters, digits, _, - and ., begins with a letter or _, and has at most "
        f"{LONGEST_NAME} characters."
    )
