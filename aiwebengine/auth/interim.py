"""
Who sends a request and what they may do, until there are users and rights.

The administrator is known by the token; there are no other users.  The administrator may do everything;
a script may do everything with its own data, for any client.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred

from aiwebengine.interfaces import Identify
from aiwebengine.values import ADMINISTRATOR, ANONYMOUS, Decision, Principal, Request

_SCHEME = "bearer "


class TokenPrincipals:
    """
    See `interfaces.Identify`.

    Args:
        is_valid: Returns whether a string is the administrator's token.
        others: Asked if the request has no such token; None: they are not known.
    """

    def __init__(self, *, is_valid: Callable[[str], bool], others: Identify | None = None) -> None:
        self._is_valid = is_valid
        self._others = others

    def principal(self, request: Request) -> Principal | Deferred[Principal]:
        """See `Identify.principal`."""
        header = request.headers.get("authorization", "")
        if header[: len(_SCHEME)].lower() == _SCHEME and self._is_valid(header[len(_SCHEME) :].strip()):
            return ADMINISTRATOR
        return ANONYMOUS if self._others is None else self._others.principal(request)


class InterimRights:
    """See `interfaces.Decide`."""

    def decide(self, principal: Principal, action: str, *, script: str = "", by: str = "") -> Decision:
        """See `Decide.decide`; every action alike."""
        if principal.kind == ADMINISTRATOR.kind:
            return Decision(allowed=True, reason="The administrator may do everything.")
        if by and by == script:
            return Decision(allowed=True, reason="A script may do everything with its own data.")
        return Decision(allowed=False, reason=f"Only the administrator may do this ({action}).")
