"""Who asks and what they may do, until there are users and rights."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aiwebengine.auth.interim import OwnThings, TokenPrincipals
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
    assert identify.principal(replace(REQUEST, headers={"authorization": header})) == principal
    assert identify.principal(REQUEST) == ANONYMOUS


def test_what_they_may() -> None:
    """The administrator may do everything; others what a script does with its own things."""
    decide: Decide = OwnThings()
    assert decide.allows(ADMINISTRATOR, "storage.read", script="shop")
    for who in (ANONYMOUS, USER, SERVICE):
        assert decide.allows(who, "storage.read", script="shop", by="shop")
        assert not decide.allows(who, "storage.read", script="shop", by="other")
        assert not decide.allows(who, "storage.read", script="shop")
        assert not decide.allows(who, "storage.read", script="")
