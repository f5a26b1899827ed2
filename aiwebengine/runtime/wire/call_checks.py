"""
Host calls as a child makes them, checked and counted before they are acted on.

The child may forge anything: names, ids and arguments are bounded here, what cannot be read cheaply is refused unread,
and a script that keeps calling after its calls are used up is ended.
"""

from __future__ import annotations

from aiwebengine.errors import ScriptFailed
from aiwebengine.runtime.wire.boxes import BadBox
from aiwebengine.settings.schema import LimitSettings
from aiwebengine.values import Allowance

LONGEST_NAME = 100
_LONGEST_TAG = 20
_LARGE_BYTES = 256 * 1024
_MOST_PARTS = 500_000
_MOST_REFUSALS = 1000
TOO_MANY_PARTS = '{"err":{"code":"too_large","message":"The arguments have too many parts; send less at once."}}'


def read_call(tag: bytes, name: bytes, argument: bytes) -> tuple[str, str]:
    """
    Read the name and the arguments of a call.

    Raises:
        BadBox: No script can cause a call such as this.
    """
    if len(tag) > _LONGEST_TAG or len(name) > LONGEST_NAME:
        raise BadBox("a host call with a long name")
    try:
        return name.decode("ascii"), argument.decode("ascii")
    except UnicodeDecodeError:
        raise BadBox("a host call is not ASCII") from None


def is_costly_to_read(text: str | bytes) -> bool:
    """Return whether reading this JSON would take many times its size."""
    if len(text) <= _LARGE_BYTES:
        return False
    if isinstance(text, str):
        return text.count(",") + text.count("[") + text.count("{") > _MOST_PARTS
    return text.count(b",") + text.count(b"[") + text.count(b"{") > _MOST_PARTS


def overspent(made: int, limits: Allowance | LimitSettings) -> ScriptFailed | None:
    """
    Make the error for a script that takes no refusal for an answer; None if it may still ask.

    Args:
        made: How many calls it has made.
        limits: How many it may.
    """
    if made <= limits.host_calls + _MOST_REFUSALS:
        return None
    return ScriptFailed(
        f"The script kept making host calls after its limit of {limits.host_calls} was reached, and was "
        "terminated; its changes were discarded. Let the error of a refused call end the handler, or make fewer calls."
    )
