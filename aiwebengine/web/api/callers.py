"""Who may call the management API."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from aiwebengine.errors import Denied, Unauthenticated
from aiwebengine.interfaces import Decide, Identify
from aiwebengine.values import ANONYMOUS, Principal, Request

_ANONYMOUS_CALLER = (
    "The management API needs the administrator token: Authorization: Bearer <token>. "
    "`aiwebengine token` shows it on the server."
)
_UNKNOWN_CALLER = "This is not the administrator token; `aiwebengine token` shows it on the server."


class ApiCallers:
    """
    Admits callers: any known caller that may read or change what the server has.

    Args:
        identify: Finds out who asks.
        decide: Decides whether they may: `api.read` for GET, `api.write` for everything else.
    """

    def __init__(self, *, identify: Identify, decide: Decide) -> None:
        self._identify = identify
        self._decide = decide

    async def admit(self, request: Request) -> Principal:
        """
        Return who asks.

        Raises:
            Unauthenticated: It is not known who does.
            Denied: They may not.
        """
        identified = self._identify.principal(request)
        principal = await identified if isinstance(identified, Deferred) else identified
        if principal.kind == ANONYMOUS.kind:
            kind, _, token = request.headers.get("authorization", "").partition(" ")
            has_token = kind.lower() == "bearer" and token.strip()
            raise Unauthenticated(_UNKNOWN_CALLER if has_token else _ANONYMOUS_CALLER)
        decision = self._decide.decide(principal, "api.read" if request.method in {"GET", "HEAD"} else "api.write")
        if not decision.allowed:
            raise Denied(decision.reason)
        return principal
