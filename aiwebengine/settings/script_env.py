"""
Plain settings of scripts, `env`: by the manifest, and above it by the settings of the server.

    "env": {"GREETING": "Hello", "PAGE_SIZE": 20}          the manifest; values are kept as strings
    scripts.env: ["shop:GREETING=Good day"]                 for the script `shop`, by an administrator
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

MOST_NAMES = 100
MOST_VALUE_CHARACTERS = 8 * 1024
MOST_CHARACTERS = 64 * 1024

_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,99}"
_NAMED = re.compile(_NAME)
_OVERRIDE = re.compile(rf"(.+?):({_NAME})=(.*)", re.DOTALL)


def read_env(value: Any) -> tuple[dict[str, str], str]:
    """Return what a manifest says, and what is wrong with it; empty if nothing is."""
    if not isinstance(value, Mapping):
        return {}, 'must be an object such as {"GREETING": "Hello"}'
    if len(value) > MOST_NAMES:
        return {}, f"may have at most {MOST_NAMES} names; it has {len(value)}"
    env: dict[str, str] = {}
    for name, item in value.items():
        if not _NAMED.fullmatch(name):
            return {}, f"{name[:100]!r} is no name: letters, digits and _, at most 100, and no digit first"
        if not isinstance(item, str | bool | int | float):
            return {}, f"{name}: a value must be a string, a number or a boolean"
        text = item if isinstance(item, str) else str(item).lower() if isinstance(item, bool) else str(item)
        if len(text) > MOST_VALUE_CHARACTERS:
            return {}, f"{name}: a value may have at most {MOST_VALUE_CHARACTERS} characters; it has {len(text)}"
        env[name] = text
    size = sum(len(name) + len(text) for name, text in env.items())
    if size > MOST_CHARACTERS:
        return {}, f"may have at most {MOST_CHARACTERS} characters in all; it has {size}"
    return env, ""


def is_override(text: str) -> bool:
    """Return whether it is a script, a name and a value: `shop:GREETING=Hello`."""
    match = _OVERRIDE.fullmatch(text)
    return match is not None and len(match[3]) <= MOST_VALUE_CHARACTERS


class ScriptEnv:
    """
    What scripts get as `env`.

    Args:
        overrides: Of the settings: `shop:GREETING=Hello`.
    """

    def __init__(self, overrides: Sequence[str] = ()) -> None:
        self._overrides: dict[str, dict[str, str]] = {}
        for text in overrides:
            match = _OVERRIDE.fullmatch(text)
            if match is not None:
                self._overrides.setdefault(match[1], {})[match[2]] = match[3]

    def of(self, script: str, manifest: Mapping[str, Any]) -> Mapping[str, str]:
        """Return the values of a script, by name."""
        return {**manifest.get("env", {}), **self._overrides.get(script, {})}
