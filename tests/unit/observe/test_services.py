"""Services that start and stop in order."""

from __future__ import annotations

from twisted.application.service import Service
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import CannotStart
from aiwebengine.observe.services import BoundedService, HeldService, OrderedServices


class Slow(Service):
    def __init__(self, name, events):
        self.label = name
        self.events = events
        self.starting = None
        self.stopping = None

    def privilegedStartService(self):
        self.events.append(f"privileged {self.label}")

    def startService(self):
        super().startService()
        self.events.append(f"start {self.label}")
        return self.starting

    def stopService(self):
        super().stopService()
        self.events.append(f"stop {self.label}")
        return self.stopping


class OrderedServicesTests(SynchronousTestCase):
    def setUp(self):
        self.events = []
        self.parts = [Slow(name, self.events) for name in "abc"]

    def make(self, **options):
        return OrderedServices(children=[(part.label, part) for part in self.parts], **options)

    def test_order(self):
        """Children start in order and stop in reverse, twice over."""
        services = self.make()
        services.privilegedStartService()
        self.assertEqual(self.events, ["privileged a", "privileged b", "privileged c"])
        for _ in range(2):
            self.events.clear()
            self.successResultOf(services.startService())
            self.assertTrue(services.is_ready)
            self.successResultOf(services.stopService())
            self.assertEqual(self.events, ["start a", "start b", "start c", "stop c", "stop b", "stop a"])
            self.assertFalse(services.is_ready)

    def test_each_start_is_awaited(self):
        """The next child starts when the one before it has."""
        self.parts[0].starting = Deferred()
        services = self.make()
        started = services.startService()
        ready = services.ready()
        self.assertEqual(self.events, ["start a"])
        self.assertNoResult(ready)
        self.parts[0].starting.callback(None)
        self.successResultOf(started)
        self.successResultOf(ready)
        self.successResultOf(services.ready())
        self.assertEqual(self.events, ["start a", "start b", "start c"])

    def test_each_stop_is_awaited(self):
        """A child stops only after those that use it have."""
        self.parts[2].stopping = Deferred()
        services = self.make()
        self.successResultOf(services.startService())
        self.events.clear()
        stopped = services.stopService()
        self.assertEqual(self.events, ["stop c"])
        self.parts[2].stopping.callback(None)
        self.successResultOf(stopped)
        self.assertEqual(self.events, ["stop c", "stop b", "stop a"])

    def test_failed_start(self):
        """If one child cannot start, those before it are stopped and the reason is told."""

        def refuse():
            raise RuntimeError("no")

        self.parts[2].startService = refuse
        services = self.make()
        self.failureResultOf(services.startService(), RuntimeError)
        self.assertEqual(self.events, ["start a", "start b", "stop b", "stop a"])
        self.assertFalse(services.running)

    def test_failed_start_is_told(self):
        """The root tells who was handed in, because nobody looks at its Deferred."""
        received = []
        self.parts[0].startService = lambda: 1 / 0
        services = self.make(failed=received.append)
        self.successResultOf(services.startService())
        received[0].trap(ZeroDivisionError)
        self.successResultOf(services.stopService())

    def test_stop_while_starting(self):
        """A server that is stopped before it has started stops what had."""
        self.parts[1].starting = Deferred()
        services = self.make()
        started = services.startService()
        self.successResultOf(services.stopService())
        self.successResultOf(started)
        self.assertEqual(self.events, ["start a", "start b", "stop a"])
        self.assertFalse(services.is_ready)

    def test_failed_stop(self):
        """One child that cannot stop does not keep the others running."""

        def refuse():
            raise RuntimeError("no")

        services = self.make()
        self.successResultOf(services.startService())
        self.parts[1].stopService = refuse
        self.successResultOf(services.stopService())
        self.assertEqual(self.events[-2:], ["stop c", "stop a"])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)


class LateTests(SynchronousTestCase):
    def setUp(self):
        self.events = []
        self.part = Slow("a", self.events)

    def test_in_its_turn(self):
        """Without a reason to wait it starts and stops in its turn."""
        late = HeldService(self.part, waits=False)
        late.startService()
        late.release()
        late.stopService()
        self.assertEqual(self.events, ["start a", "stop a"])

    def test_released(self):
        """One that waits starts when it is released, once."""
        late = HeldService(self.part, waits=True)
        late.startService()
        self.assertEqual(self.events, [])
        late.release()
        late.release()
        late.stopService()
        self.assertEqual(self.events, ["start a", "stop a"])

    def test_never_released(self):
        """One that was never released is never started, nor stopped."""
        late = HeldService(self.part, waits=True)
        late.startService()
        late.stopService()
        late.release()
        self.assertEqual(self.events, [])


class BoundedServiceTests(SynchronousTestCase):
    """Starts and stops that never end."""

    def setUp(self):
        self.clock = Clock()
        self.child = Slow("cache", [])
        self.service = BoundedService("cache", self.child, clock=self.clock, seconds=60.0)

    def test_in_time(self):
        """A start and a stop that end in time are waited for, and leave no timer."""
        self.service.privilegedStartService()
        self.child.starting, self.child.stopping = Deferred(), Deferred()
        for begin, waits in ((self.service.startService, "starting"), (self.service.stopService, "stopping")):
            done = begin()
            self.clock.advance(59)
            self.assertNoResult(done)
            getattr(self.child, waits).callback(None)
            self.successResultOf(done)
        self.assertEqual(self.child.events, ["privileged cache", "start cache", "stop cache"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_at_once(self):
        """A start that waits for nothing, and one that fails, are over at once; the failure names the service."""
        self.successResultOf(self.service.startService())
        self.child.starting = fail(ValueError("no."))
        failure = self.failureResultOf(self.service.startService(), CannotStart)
        self.assertIn('"cache" could not be started: ValueError: no. The server log', failure.value.public)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_explained(self):
        """A start that says itself what is wrong fails with just that."""
        self.child.starting = fail(CannotStart("The cache is full."))
        failure = self.failureResultOf(self.service.startService(), CannotStart)
        self.assertEqual(failure.value.public, "The cache is full.")

    def test_never(self):
        """A start or a stop that goes on for ever fails with its name, also if it cannot be cancelled."""
        stubborn = Deferred(lambda _: None)
        stubborn.addErrback(lambda _: Deferred())
        self.child.starting, self.child.stopping = Deferred(), stubborn
        started = self.service.startService()
        self.clock.advance(60)
        self.assertIn(
            '"cache" did not start within 60 seconds', self.failureResultOf(started, CannotStart).value.public
        )
        stopped = self.service.stopService()
        self.clock.advance(60)
        self.assertIn('"cache" did not stop within 60', str(self.failureResultOf(stopped, TimeoutError).value))

    def test_cancelled(self):
        """Who waits no longer cancels the start, and no timer is left."""
        self.child.starting = Deferred()
        started = self.service.startService()
        started.cancel()
        self.failureResultOf(started)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class NamedInTheLogTests(SynchronousTestCase):
    """What the log says of a service that fails."""

    def test_named(self):
        """A service that does not start is named; one whose error says what to change is not named twice."""
        events = []
        globalLogPublisher.addObserver(events.append)
        self.addCleanup(globalLogPublisher.removeObserver, events.append)
        for error in (KeyError("missing"), CannotStart("Change the port.")):
            child = Slow("cache", [])
            child.starting = fail(error)
            self.failureResultOf(OrderedServices(children=[("cache", child)]).startService())
        received = [event["log_format"].format(**event) for event in events if event.get("name") == "cache"]
        self.assertEqual(received, ["service cache did not start: KeyError('missing')"])

    def test_program_ended_at_stop(self):
        """A service that ends the program when it is stopped does not keep the others from stopping."""
        events = []
        first, last = Slow("first", events), Slow("last", events)
        services = OrderedServices(children=[("first", first), ("last", last)])
        self.successResultOf(services.startService())
        last.stopping = fail(SystemExit(3))
        self.successResultOf(services.stopService())
        self.assertEqual(events[-2:], ["stop last", "stop first"])
        self.flushLoggedErrors(SystemExit)
