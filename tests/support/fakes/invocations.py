"""Invocations for tests that need one and not all of it."""

from __future__ import annotations

from typing import Any

from aiwebengine.values import ANONYMOUS, Invocation


def an_invocation(script: str = "notes", **given: Any) -> Invocation:
    """Return an invocation of a request for *script*; what is given takes the place of a default."""
    values: dict[str, Any] = {
        "id": "i1",
        "version": f"{script}@1-abc",
        "kind": "http",
        "handler": None,
        "principal": ANONYMOUS,
        "payload": "{}",
        "wall_seconds": 1.0,
        "cpu_seconds": 1.0,
        **given,
    }
    return Invocation(script=script, **values)
