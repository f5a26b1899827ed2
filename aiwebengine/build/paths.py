"""Paths: a folder that is not built, and those of the server, which are of no use to the author of a script."""

from __future__ import annotations

import re

PUBLIC_FOLDER = "public/"
"""Its files are for clients: it is served as it is, and read by the build only if the script's code names it."""

_PATH = re.compile(r"(?:file://|(?<![\w:/.]))(?:/[\w.@+~-]+){2,}/?(?::\d+)*")


def without_paths(text: str) -> str:
    """Return *text* with an ellipsis for every absolute path; addresses such as `https://host/path` stay."""
    return _PATH.sub("...", text)
