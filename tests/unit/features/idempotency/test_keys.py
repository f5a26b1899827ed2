"""The header `idempotency-key` and the option that asks for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Invalid
from aiwebengine.features.idempotency.keys import check_option, idempotent_request
from aiwebengine.host.registration.kinds import Registration
from aiwebengine.values import Entry, Request
from tests.unit.web.support import a_route

REGISTRATION = Registration(kind="route", call="registerWebHandler", script="s", version="1")


def a_request(key: str | None = "k1", *, path: str = "/orders", body: bytes = b"", who: str = "") -> Request:
    """Make a request, with a key if one is given."""
    headers = {} if key is None else {"idempotency-key": key}
    if who:
        headers["authorization"] = who
    return Request(
        id="1",
        method="POST",
        path=path,
        query="",
        headers=headers,
        body=body,
        client="127.0.0.1",
        url=f"http://a{path}",
    )


def orders(idempotent: bool | str = True, script: str = "shop") -> Entry:
    """Make the route."""
    return replace(a_route("/orders", "POST", idempotent=idempotent), script=script)


class OptionTests(SynchronousTestCase):
    def test_what_it_may_be(self) -> None:
        """A route may take or demand a key, and nothing else."""
        right: tuple[Any, ...] = (True, False, "required")
        for value in right:
            self.assertEqual(check_option(REGISTRATION, value), value)
        wrong: tuple[Any, ...] = (1, "yes", [True])
        for value in wrong:
            with self.assertRaisesRegex(Invalid, 'idempotent must be true, false or "required"'):
                check_option(REGISTRATION, value)


class KeyTests(SynchronousTestCase):
    def test_when_a_request_is_run_as_any_other(self) -> None:
        """Without a key, or without the option, nothing is stored."""
        self.assertIsNone(idempotent_request(a_request(None), orders()))
        self.assertIsNone(idempotent_request(a_request(), orders(idempotent=False)))

    def test_a_key_that_is_demanded(self) -> None:
        """A route that demands a key refuses a request without one, and says what a key is."""
        with self.assertRaisesRegex(Invalid, "POST /orders needs the header idempotency-key"):
            idempotent_request(a_request(None), orders("required"))

    def test_what_is_no_key(self) -> None:
        """A key is visible ASCII of bounded length."""
        for key in ("a b", "ä", "x" * 256):
            with self.assertRaisesRegex(Invalid, "1 to 255 visible ASCII characters"):
                idempotent_request(a_request(key), orders())

    def test_what_makes_requests_the_same(self) -> None:
        """The key counts within a script, a route and a user; the request is its path, query and body."""
        first = idempotent_request(a_request(), orders())
        assert first is not None
        self.assertEqual(idempotent_request(a_request(), orders()), first)
        for other in (
            idempotent_request(a_request("k2"), orders()),
            idempotent_request(a_request(who="Bearer x"), orders()),
            idempotent_request(a_request(), orders(script="other")),
        ):
            assert other is not None
            self.assertNotEqual(other.key, first.key)
        for changed in (a_request(body=b"x"), a_request(path="/orders/")):
            other = idempotent_request(changed, orders())
            assert other is not None
            self.assertEqual(other.key, first.key)
            self.assertNotEqual(other.request, first.request)
