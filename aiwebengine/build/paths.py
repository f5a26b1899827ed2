"""Paths of the server in what programs say, which are nothing for whoever deploys."""

from __future__ import annotations

import re

_PATH = re.compile(r"(?:file://|(?<![\w:/.]))(?:/[\w.@+~-]+){2,}/?(?::\d+)*")


def without_paths(text: str) -> str:
    """Return *text* with an ellipsis for every absolute path; addresses such as `https://host/path` stay."""
    return _PATH.sub("...", text)
