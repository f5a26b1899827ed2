"""Who asks and what they may do, until there are users and rights."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred, succeed

from aiwebengine.auth.interim import InterimRights, TokenPrincipals
from aiwebengine.interfaces import Decide, Identify
from aiwebengine.values import ADMINISTRATOR, ANONYMOUS, SERVICE, Principal, Request

REQUEST = Request(id="r", method="GET", path="/", query="", headers={}, body=b"", client="", url="http://h/")
USER = Principal(id="ann", kind="user")


@pytest.mark.parametrize(
    ("header", "principal"),
    [
        ("Bearer right", ADMINISTRATOR), ("bearer  right ", ADMINISTRATOR), ("Bearer wrong", ANONYMOUS),
        ("Basic right", ANONYMOUS), ("right", ANONYMOUS), ("Bearer", ANONYMOUS), ("", ANONYMOUS),
    ],
)  # fmt: skip
def test_who_asks(header: str, principal: Principal) -> None:
    """The administrator is known by the token, and every other header is left to scripts."""
    identify: Identify = TokenPrincipals(is_valid=lambda token: token == "right")
    assert identify.principal(REQUEST._replace(headers={"authorization": header})) == principal
    assert identify.principal(REQUEST) == ANONYMOUS


class Badge:
    """Knows whoever wears a badge."""

    def principal(self, request: Request) -> Principal | Deferred[Principal]:
        """See `Identify.principal`."""
        return succeed(USER) if request.headers.get("badge") else ANONYMOUS


def test_who_else_asks() -> None:
    """The administrator's token is valid whoever else is known; the others are whom a feature says they are."""
    identify = TokenPrincipals(is_valid=lambda token: token == "right", others=Badge())
    both = {"authorization": "Bearer right", "badge": "ann"}
    assert identify.principal(REQUEST._replace(headers=both)) == ADMINISTRATOR
    found = identify.principal(REQUEST._replace(headers={"authorization": "Bearer wrong", "badge": "ann"}))
    assert isinstance(found, Deferred)
    received: list[Principal] = []
    found.addCallback(received.append)
    assert received == [USER]
    assert identify.principal(REQUEST) == ANONYMOUS


def test_what_they_may() -> None:
    """The administrator may do everything, others what a script does with its own things; each is told why."""
    decide: Decide = InterimRights()
    assert decide.decide(ADMINISTRATOR, "storage.read", script="shop").allowed
    for who in (ANONYMOUS, USER, SERVICE):
        assert decide.decide(who, "storage.read", script="shop", by="shop").allowed
        for script, by in (("shop", "other"), ("shop", ""), ("", "")):
            decision = decide.decide(who, "storage.read", script=script, by=by)
            assert not decision.allowed
            assert "storage.read" in decision.reason
