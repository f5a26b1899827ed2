"""Tests of what must hold scripts' processes."""

from __future__ import annotations

from aiwebengine.runtime import lockdown
from aiwebengine.settings.schema import PROTECTIONS

WHOLE = {**dict.fromkeys(PROTECTIONS, True), "user": False, "notes": {"user": "children run as the server's user"}}
LACKING = {**WHOLE, "landlock": False, "seccomp": False, "notes": {"landlock": "this kernel has no Landlock"}}


def test_whole() -> None:
    """Where all that must hold holds, nothing is missing, whatever else could hold as well."""
    assert lockdown.missing(WHOLE) == ()
    assert lockdown.refusal(WHOLE, allowed=()) is None
    assert lockdown.health(WHOLE) == {"missing": []}


def test_lacking() -> None:
    """What is missing is named with its reason and the setting that would allow it."""
    refused = lockdown.refusal(LACKING, allowed=())
    assert refused is not None
    assert "missing: landlock (this kernel has no Landlock); seccomp." in refused
    assert "sandbox.allow_missing: [landlock, seccomp]" in refused
    assert lockdown.health(LACKING) == {"missing": ["landlock", "seccomp"]}


def test_allowed() -> None:
    """What the setting names may be missing, and nothing else; it shows in the health report all the same."""
    assert lockdown.refusal(LACKING, allowed=("all",)) is None
    assert lockdown.refusal(LACKING, allowed=("landlock", "seccomp")) is None
    refused = lockdown.refusal(LACKING, allowed=("landlock",))
    assert refused is not None
    assert "missing: seccomp." in refused


def test_nothing_told() -> None:
    """A report that tells nothing, or something else than true, protects from nothing."""
    assert lockdown.missing({}) == PROTECTIONS
    assert "files" in lockdown.missing({**WHOLE, "files": "yes"})
    assert lockdown.health({}) is None
