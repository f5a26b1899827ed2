"""What is sent when, and how often: requests that wait for their moment."""

from __future__ import annotations

import json

import sqlalchemy as sa
from twisted.internet.defer import execute, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Denied
from aiwebengine.features.fetch.deliveries import store
from aiwebengine.features.fetch.deliveries.sender import DeliverySender
from aiwebengine.features.fetch.exchange import Outside
from aiwebengine.features.fetch.peers import Peers
from aiwebengine.features.fetch.settings import FetchSettings
from aiwebengine.features.fetch.tables import TABLES
from tests.unit.features.fetch.test_exchange import FakeClient


class FakeDatabase:
    """Runs everything at once, in memory."""

    def __init__(self):
        self._engine = sa.create_engine("sqlite://")
        TABLES.create_all(self._engine)

    def run(self, work):
        def once():
            with self._engine.begin() as connection:
                return work(connection)

        return execute(once)

    read = run


class FakeDatabases:
    """A database for each script."""

    def __init__(self):
        self.made = {}

    def of(self, uri):
        return self.made.setdefault(uri, FakeDatabase())

    def holding(self):
        return succeed(dict.fromkeys(self.made, 0))


class SenderTests(SynchronousTestCase):
    """`DeliverySender`."""

    def setUp(self):
        self.clock = Clock()
        self.client = FakeClient(self.clock)
        self.databases = FakeDatabases()
        self.failed = []
        self.denied = set()

    def sender(self, *, alone=True, **settings):
        made = FetchSettings(**settings)
        outside = Outside(
            client=self.client,
            peers=Peers(settings=made, clock=self.clock),
            settings=made,
            reactor=self.clock,
            random=lambda: 1.0,
            wall=self.clock.seconds,
        )

        def check(uri, target):
            if uri in self.denied:
                raise Denied(f"{uri} may not reach {target.host}.")

        sender = DeliverySender(
            outside=outside,
            databases=self.databases,
            milliseconds=lambda: int(self.clock.seconds() * 1000),
            check=check,
            failed=lambda delivery, why: self.failed.append((delivery.id, why)),
            alone=alone,
        )
        self.addCleanup(sender.stopService)
        return sender

    def add(self, identity, *, uri="shop"):
        request = json.dumps({"url": "http://a.example/hook", "method": "POST", "headers": [], "text": "x"})
        now = int(self.clock.seconds() * 1000)
        self.databases.of(uri).run(
            lambda connection: store.add(connection, identity, uri=uri, version="v", request=request, now=now)
        )

    def waiting(self):
        found = []
        for database in self.databases.made.values():
            found += self.successResultOf(
                database.read(lambda connection: store.find(connection, state=None, limit=100))
            )
        return {delivery.id: (delivery.state, delivery.attempts) for delivery in found}

    def turn(self, seconds=0.01):
        self.clock.pump([seconds] * 3)

    def test_sent_at_the_start(self):
        """What waits when the server starts is sent, and is gone when it was accepted."""
        self.add("i.0.1")
        self.client.answers = [(204, {}, b"")]
        sender = self.sender()
        sender.startService()
        self.turn()
        self.assertEqual(self.client.sent, [("POST", "http://a.example/hook")])
        self.assertEqual(self.waiting(), {})
        self.assertEqual(sender.state(), {"sending": 0, "sent": 1, "failed": 0})

    def test_tried_again_at_growing_distances(self):
        """After 10 seconds, then 20, and so on; when it was tried often enough, it has failed, and somebody is told."""
        sender = self.sender(delivery_attempts=3)
        sender.startService()
        self.add("i.0.1")
        self.client.answers = [(500, {}, b""), (301, {}, b""), (404, {}, b"")]
        sender.wake_for("shop")
        self.turn()
        self.assertEqual(self.waiting(), {"i.0.1": ("waiting", 1)})
        self.clock.pump([1.0] * 8)
        self.assertEqual(len(self.client.sent), 1)
        self.clock.pump([1.0] * 4)
        self.assertEqual(self.waiting(), {"i.0.1": ("waiting", 2)})
        self.clock.pump([1.0] * 16)
        self.assertEqual(len(self.client.sent), 2)
        self.clock.pump([1.0] * 6)
        self.assertEqual(self.waiting(), {"i.0.1": ("failed", 3)})
        self.assertEqual(self.failed, [("i.0.1", "it was answered with 404.")])
        self.clock.pump([60.0] * 10)
        self.assertEqual(len(self.client.sent), 3)

    def test_few_of_one_script(self):
        """A script whose server hangs has a few requests under way, and another script's are sent meanwhile."""
        for number in range(10):
            self.add(f"a.{number}")
        self.clock.advance(0.001)
        self.add("b.0", uri="blog")
        self.client.answers = [None] * 4 + [(200, {}, b"")]
        sender = self.sender()
        sender.startService()
        self.turn()
        self.assertEqual(sender.state()["sending"], 4)
        self.assertNotIn("b.0", self.waiting())

    def test_not_allowed_any_more(self):
        """A grant that was revoked holds for what waits, too."""
        self.denied.add("shop")
        self.add("i.0.1")
        self.sender(delivery_attempts=1).startService()
        self.turn()
        self.assertEqual(self.client.sent, [])
        self.assertEqual(self.failed, [("i.0.1", "shop may not reach a.example.")])

    def test_rests_beside_another_server(self):
        """Nothing is sent while another server has the same data; afterwards everything."""
        self.add("i.0.1")
        self.client.answers = [(200, {}, b"")]
        sender = self.sender(alone=False)
        sender.startService()
        self.turn()
        self.assertEqual(self.client.sent, [])
        sender.rest(False)
        self.turn()
        self.assertEqual(self.waiting(), {})

    def test_stopped_while_it_sends(self):
        """A request that was under way when the server stopped still waits, as if it had not been tried."""
        self.add("i.0.1")
        self.client.answers = [None]
        sender = self.sender()
        sender.startService()
        self.turn()
        sender.stopService()
        self.assertEqual(self.waiting(), {"i.0.1": ("waiting", 0)})

    def test_fault(self):
        """A fault of ours counts as an attempt, and is logged; nothing is sent again at once."""
        self.add("i.0.1")
        self.client.answers = [KeyError("ours")]
        self.sender().startService()
        self.turn()
        self.assertEqual(self.waiting(), {"i.0.1": ("waiting", 1)})
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)

    def test_asked_for_again(self):
        """One that has failed can be sent again, and begins anew."""
        self.add("i.0.1")
        self.client.answers = [(500, {}, b""), (200, {}, b"")]
        sender = self.sender(delivery_attempts=1)
        sender.startService()
        self.turn()
        self.assertEqual(self.waiting(), {"i.0.1": ("failed", 1)})
        count = self.databases.of("shop").run(lambda connection: store.retry(connection, identity=None, now=0))
        self.assertEqual(self.successResultOf(count), 1)
        sender.wake_for("shop")
        self.turn()
        self.assertEqual(self.waiting(), {})
