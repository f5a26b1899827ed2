"""What features add reaches the machinery."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.assembly.listening import connect
from aiwebengine.host.registration.kinds import RegistrationKind
from aiwebengine.machinery import Parts


def never(_: Any) -> Any:
    """Check nothing: no script registers anything here."""
    raise AssertionError


class Added:
    """Stands for every part of the machinery that features add something to."""

    def __init__(self) -> None:
        self.added: list[tuple[Any, ...]] = []

    def add(self, *given: Any, guide: str | None = None) -> None:
        """Keep what is added."""
        self.added.append((*given, guide) if guide is not None else given)


class ConnectTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Make a machinery of what features add to."""
        self.host, self.current, self.commits, self.relay = Added(), Added(), Added(), Added()
        self.machinery: Any = SimpleNamespace(
            host=self.host,
            current=self.current,
            commits=self.commits,
            relay=self.relay,
            base=SimpleNamespace(unpacking_threads=None),
        )

    def test_everything_is_added(self) -> None:
        """Calls come with the guide of their feature; effects, deliveries and kinds by their names."""
        calls: Any = SimpleNamespace(calls=(), functions={})
        effects: Any = object()
        kind = RegistrationKind(name="page", functions=(), noun="page", nouns="pages", check=never)
        parts = Parts(groups=[calls], effects={"notes": effects}, deliver={"mail": never}, kinds=[kind])
        connect(self.machinery, [parts], guides=["docs/howto/notes.md"])
        (((_registering, given), guide),) = self.host.added
        self.assertEqual((given, guide), (calls, "docs/howto/notes.md"))
        self.assertEqual(self.current.added, [({"page": kind.index},)])
        self.assertEqual(self.commits.added, [("notes", effects)])
        self.assertEqual(self.relay.added, [("mail", never)])

    def test_in_order(self) -> None:
        """Features are added in the order of their list, each with its own guide."""
        connect(self.machinery, [Parts(), Parts()], guides=["a.md", "b.md"])
        self.assertEqual([guide for _, guide in self.host.added], ["a.md", "b.md"])

    def test_a_guide_for_each(self) -> None:
        """There must be as many guides as features."""
        self.assertRaises(ValueError, connect, self.machinery, [Parts()], guides=[])
