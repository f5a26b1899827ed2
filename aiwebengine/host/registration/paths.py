"""Paths that scripts may register something at."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from aiwebengine.errors import Invalid
from aiwebengine.host.declare import described
from aiwebengine.runtime.reserved import Reserved, ReservedPaths
from aiwebengine.runtime.routes import parse_pattern

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Methods that a handler may be registered for."""

RESERVED: tuple[Reserved, ...] = (
    ("/engine/*", re.compile(r"/engine(/.*)?")),
    ("/mcp*", re.compile(r"/mcp.*")),
    ("/auth/*", re.compile(r"/auth(/.*)?")),
    ("/health/*", re.compile(r"/health/.*")),
    ("/.well-known/*", re.compile(r"/\.well-known(/.*)?")),
    ("/metrics", re.compile(r"/metrics")),
)
"""Paths that every engine reserves, whatever its features are."""

_LONGEST_PATH = 1024


def checked_path(path: Any, call: str, reserved: ReservedPaths) -> str:
    """
    Return a path in its normal form.

    Args:
        path: Not trusted.
        call: The JavaScript function that was called with it.
        reserved: Paths that scripts may not register.

    Raises:
        Invalid: It is no path, or one that the engine reserves for itself.
    """
    if not isinstance(path, str):
        raise Invalid(f'{call}: the path must be a string such as "/notes/:id"; {described(path)} was given.')
    if len(path) > _LONGEST_PATH:
        raise Invalid(f"{call}: a path may have at most {_LONGEST_PATH} characters; {len(path)} were given.")
    try:
        pattern = parse_pattern(path)
    except ValueError as error:
        raise Invalid(f"{call}: {error}.") from None
    for form in {pattern, unquote(pattern)}:
        if (written := reserved.form(form)) is not None:
            raise Invalid(
                f'{call}: the path "{pattern}" belongs to the engine, which keeps {written} for itself; choose another.'
            )
    return pattern
