"""
The protections of the server from the processes of scripts.

The sandbox tries it when it starts and reports the result (`Zygote.report`); here is decided whether that
is enough.  What may be missing is a setting, so that nothing goes missing unnoticed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiwebengine.settings.schema import PROTECTIONS


def missing(report: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the protections that do not hold, in the order of `PROTECTIONS`."""
    return tuple(name for name in PROTECTIONS if report.get(name) is not True)


def refusal(report: Mapping[str, Any], *, allowed: Sequence[str]) -> str | None:
    """
    Return why scripts may not be run.

    Args:
        report: What the sandbox reported.
        allowed: Names of protections that may be missing, or `all`.

    Returns:
        Why not and what to do, for people; None if they may.
    """
    left = [name for name in missing(report) if name not in allowed and "all" not in allowed]
    if not left:
        return None
    return (
        f"Required protections of script processes are missing: {described(report, left)}. Fix that "
        "(`aiwebengine doctor` shows the current state), or, if you accept the risk, name them in the setting "
        f"sandbox.allow_missing: [{', '.join(left)}]."
    )


def described(report: Mapping[str, Any], names: Sequence[str]) -> str:
    """Name protections with what the sandbox says of their absence."""
    notes = report.get("notes", {})
    return "; ".join(f"{name} ({notes[name]})" if name in notes else name for name in names)


def health(report: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what health reports say; None as long as nothing is known."""
    return {"missing": list(missing(report))} if report else None
