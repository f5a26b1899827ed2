"""
Who asks and what they may do, until there are users and rights.

The administrator's token is known, and nobody else is.  The administrator may do everything;
a script may do everything with what is its own, for whoever asks it.
"""

from __future__ import annotations

from collections.abc import Callable

from aiwebengine.values import ADMINISTRATOR, ANONYMOUS, Principal, Request

_SCHEME = "bearer "


class TokenPrincipals:
    """
    See `interfaces.Identify`.

    Args:
        is_valid: Tells whether a text is the administrator's token.
    """

    def __init__(self, *, is_valid: Callable[[str], bool]) -> None:
        self._is_valid = is_valid

    def principal(self, request: Request) -> Principal:
        """See `Identify.principal`; scripts may use the same header for tokens of their own."""
        header = request.headers.get("authorization", "")
        if header[: len(_SCHEME)].lower() == _SCHEME and self._is_valid(header[len(_SCHEME) :].strip()):
            return ADMINISTRATOR
        return ANONYMOUS


class OwnThings:
    """See `interfaces.Decide`."""

    def allows(self, principal: Principal, action: str, *, script: str, by: str = "") -> bool:  # noqa: ARG002  a seam
        """See `Decide.allows`; every action alike."""
        return principal.kind == ADMINISTRATOR.kind or (bool(by) and by == script)
