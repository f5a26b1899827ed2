"""`POST /engine/api/token`: a new administrator token."""

from __future__ import annotations

from aiwebengine.auth.tokens import AdministratorToken
from aiwebengine.values import Answer
from aiwebengine.web.api.call import ApiCall, as_json
from aiwebengine.web.api.route import ApiRoute


class Token:
    """
    Replaces the token.

    Args:
        tokens: Keeps it.
    """

    def __init__(self, *, tokens: AdministratorToken) -> None:
        self._tokens = tokens

    def routes(self) -> list[ApiRoute]:
        """Return what this answers."""
        return [ApiRoute("POST", "/engine/api/token", self.rotate)]

    async def rotate(self, call: ApiCall) -> Answer:
        """Make a new token; the one that was used for this call ends with it."""
        call.only()
        return as_json({"token": self._tokens.rotate()}, status=201, headers=[("cache-control", "no-store")])
