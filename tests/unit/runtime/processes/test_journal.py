"""The journal of a load: what the host answered, in the order in which it did."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.runtime.processes.journal import Journal


def recorded(calls: int, order: list[int]) -> Journal:
    """Record so many calls, answered in that order after all were made, and read the text again."""
    first = Journal("", seed="0" * 32, now=5)
    for number in range(calls):
        assert first.ask("kv.get", f'["{number}"]') == number
    for number in order:
        first.answer(number, f'{{"ok":{number}}}')
    return Journal(first.text(), seed="other", now=6)


class JournalTests(SynchronousTestCase):
    """Recording and replaying."""

    def test_time_and_seed(self) -> None:
        """A replay has the seed and the time of the recording."""
        again = recorded(0, [])
        self.assertEqual((again.seed, again.now, again.next_name), ("0" * 32, 5, ""))

    @given(st.permutations(range(5)))
    def test_order(self, order: list[int]) -> None:
        """Answers come back in the order in which they came, and none before its call."""
        again = recorded(5, order)
        given_back: list[int] = []
        for number in range(5):
            due = again.replay("kv.get", f'["{number}"]')
            assert due is not None
            self.assertTrue(all(index <= number and answer == f'{{"ok":{index}}}' for index, answer in due))
            given_back += [index for index, _ in due]
        self.assertEqual(given_back, order)
        self.assertEqual(again.next_name, "")

    def test_plain_order_is_not_told(self) -> None:
        """A journal whose answers came as they were asked for has no order to tell."""
        self.assertNotIn("order", json.loads(recorded(3, [0, 1, 2]).text()))
        self.assertEqual(json.loads(recorded(2, [1, 0]).text())["order"], [1, 0])

    def test_differs(self) -> None:
        """Another name, other arguments, or one call more is not what was recorded."""
        for name, argument in (("kv.set", '["0"]'), ("kv.get", '["1"]')):
            self.assertIsNone(recorded(1, [0]).replay(name, argument))
        again = recorded(1, [0])
        self.assertEqual(again.next_name, "kv.get")
        self.assertIsNotNone(again.replay("kv.get", '["0"]'))
        self.assertIsNone(again.replay("kv.get", '["0"]'))

    def test_registrations(self) -> None:
        """A registration is the same if path, methods and handler are; its stack is not looked at."""

        def route(stack: str, handler: int = 0, path: str = "/a") -> str:
            data = {"path": path, "methods": ["GET"], "handler": {"id": handler, "name": ""}, "stack": stack}
            return json.dumps([data])

        def replayed(argument: str) -> bool:
            first = Journal("", seed="", now=0)
            first.answer(first.ask("register.route", route("at 1")), "{}")
            return Journal(first.text(), seed="", now=0).replay("register.route", argument) is not None

        self.assertTrue(replayed(route("at 2")))
        for other in (route("at 1", handler=1), route("at 1", path="/b"), "[]", "[7]", "{"):
            self.assertFalse(replayed(other), other)

    def test_registrations_without_path(self) -> None:
        """One that has no path, or no handler, is the same if all but its form is."""

        def part(name: str, handler: object, **changing: object) -> str:
            return json.dumps([{"kind": "scalar", "name": name, "handler": handler, **changing}])

        def replayed(argument: str) -> bool:
            first = Journal("", seed="", now=0)
            recorded_now = part("Day", None, options={"parse": 1}, stack="at 1", call="registerScalar")
            first.answer(first.ask("register.graphql", recorded_now), "{}")
            return Journal(first.text(), seed="", now=0).replay("register.graphql", argument) is not None

        self.assertTrue(replayed(part("Day", None, options={}, stack="at 2")))
        for other in (part("Week", None), part("Day", {"id": 1})):
            self.assertFalse(replayed(other), other)

    def test_torn(self) -> None:
        """What is no journal is not read as one."""
        for text in ("{", "{}", '{"seed":"","now":0,"calls":[[1]]}'):
            with self.assertRaises((ValueError, KeyError, TypeError)):
                Journal(text, seed="", now=0)
