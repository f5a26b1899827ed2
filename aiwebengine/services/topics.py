"""
Topics and their subscribers: what the bus is made of.

A topic numbers its messages, keeps the last of them, and delivers each to its recipients, one message after the other.
A subscription holds what its subscriber cannot take yet, and says so when something had to be dropped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from aiwebengine.errors import EngineError
from aiwebengine.services.matching import matches
from aiwebengine.services.reactor.turn_share import TurnShare

_log = Logger()

GAP = "gap"
"""Event of the message that says that messages are missing."""
END = "end"
"""The event that says that a stream has ended, and why."""

DROP_OLDEST = "drop-oldest"
DISCONNECT = "disconnect"

_KEYS_KEPT = 1000
_MOST_PENDING = 10_000
_MOST_PENDING_BYTES = 128 * 1024 * 1024
"""What waits to be distributed; one invocation may send half of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicMessage:
    """One message of a topic."""

    id: str
    """
    What clients know it by: `<epoch>.<digest of its key>`, or `<epoch>-<sequence>` if it has no key.

    The epoch is the life of the server in which it was committed, so it is the same when it is delivered once more.
    """
    data: str
    """JSON text."""
    to: Mapping[str, Any] | None = None
    """Its recipients; None: for all."""
    event: str | None = None
    """Its kind; None: the usual one."""
    sequence: int = 0
    """The number in its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a subscription ended without being cancelled."""

    code: str
    """`slow`, `gone`, `stopping` or `failed`."""
    message: str
    """One sentence that the subscriber may read."""


Deliver = Callable[[TopicMessage], None]
Ended = Callable[[Reason], None]

ChooseSubscribers = Callable[[TopicMessage, Sequence[Mapping[str, Any]]], Deferred[Sequence[bool]]]
"""Returns for each subscriber's attributes whether the message is for it; if it fails, no subscriber gets the
message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicOptions:
    """How a topic behaves."""

    history: int = 0
    """How many of its last messages are kept for subscribers that were disconnected."""
    slow: str = DROP_OLDEST
    """For a subscriber whose queue is full: `drop-oldest`, which sends it a gap, or `disconnect`."""
    choose: ChooseSubscribers | None = None
    """Chooses among the subscribers that match, one message after the other."""


class Subscription:
    """
    One subscriber of a topic; made by `Bus.subscribe`.

    Args:
        topic: What it listens to.
        attributes: What the `to` of messages is compared with.
        deliver: Gets the messages.
        ended: Called when the subscription ends without being cancelled.
        owner: Whose limit it counts for.
        longest: Most messages that wait while it is paused.
    """

    __slots__ = (
        "_deliver", "_ended", "_held", "_lost", "_paused", "_queue", "_topic", "attributes", "longest", "owner",
        "since",
    )  # fmt: skip

    def __init__(
        self,
        *,
        topic: Topic,
        attributes: Mapping[str, Any],
        deliver: Deliver,
        ended: Ended,
        owner: str,
        longest: int,
    ) -> None:
        self.attributes = attributes
        self.owner = owner
        self.longest = longest
        self.since = topic.last
        """The sequence after which it gets what is published."""
        self._topic: Topic | None = topic
        self._deliver = deliver
        self._ended = ended
        self._queue: deque[TopicMessage] | None = None
        self._paused = False
        self._held = False
        self._lost = False

    @property
    def last_id(self) -> str:
        """The id up to which it has received everything that is for it; an empty string while messages wait."""
        topic = self._topic
        if topic is None or topic.delivering or self._held or self._queue or self._lost:
            return ""
        return topic.id_of(self._considered(topic))

    def cancel(self) -> None:
        """Listen no longer; `ended` is not called."""
        topic, self._topic, self._queue = self._topic, None, None
        if topic is not None:
            topic.remove(self)

    def pause(self) -> None:
        """Have messages wait."""
        self._paused = True

    def resume(self) -> None:
        """Get what has waited, and go on."""
        self._paused = False
        self._drain()

    def hold(self) -> None:
        """Have messages wait until `release`, whatever the subscriber says."""
        self._held = True

    def release(self, missed: Sequence[TopicMessage]) -> None:
        """Deliver *missed*, then what has waited."""
        self._held = False
        if self._topic is None:
            return
        if missed:
            queue = self._queue if self._queue is not None else deque()
            queue.extendleft(reversed(missed))
            self._queue = queue
        self._drain()

    def give(self, message: TopicMessage) -> None:
        """Deliver *message*, or keep it while paused."""
        if self._topic is None:
            return
        if not (self._paused or self._held or self._queue):
            self._send(message)
            return
        if self._queue is None:
            self._queue = deque()
        if len(self._queue) >= self.longest:
            if self._topic.options.slow == DISCONNECT:
                self._topic.counts.disconnected += 1
                self.end(Reason(code="slow", message=f"The client was more than {self.longest} messages behind."))
                return
            self._queue.popleft()
            self._topic.counts.dropped += 1
            self._lost = True
        self._queue.append(message)

    def end(self, reason: Reason) -> None:
        """Cancel, and notify the subscriber of the reason."""
        if self._topic is None:
            return
        self.cancel()
        try:
            self._ended(reason)
        except Exception:  # noqa: BLE001  one subscriber's fault is not the next one's
            _log.failure("a subscriber failed when its subscription ended")

    def mark_gap(self) -> None:
        """Report a gap before the next message."""
        self._lost = True

    def interrupt(self) -> None:
        """Report a gap now, or when the subscriber takes messages again."""
        self._lost = True
        self._drain()

    def _drain(self) -> None:
        while self._topic is not None and not (self._paused or self._held):
            if self._lost:
                self._lost = False
                before = self._queue[0].sequence - 1 if self._queue else self._considered(self._topic)
                self._send(self._topic.gap(before))
            elif self._queue:
                self._send(self._queue.popleft())
            else:
                self._queue = None
                return

    def _considered(self, topic: Topic) -> int:
        return max(self.since, topic.considered)

    def _send(self, message: TopicMessage) -> None:
        if self._topic is None:
            return
        self._topic.counts.delivered += 1
        try:
            self._deliver(message)
        except Exception:  # noqa: BLE001  one subscriber's fault is not the next one's
            _log.failure("a subscriber failed to take a message")
            self.end(Reason(code="failed", message="Internal server error; the subscription was ended."))


@dataclass(slots=True, kw_only=True)
class Counts:
    """What happened on all topics."""

    published: int = 0
    delivered: int = 0
    dropped: int = 0
    disconnected: int = 0
    refused: int = 0
    filter_failures: int = 0


class Topic:
    """
    One topic.

    Args:
        name: What it is called.
        epoch: Begins the ids.
        options: How it behaves.
        counts: Where it counts.
        history_bytes: Most bytes of messages that it keeps.
        share: How much is distributed in one turn of the reactor.
        emptied: Called when the last subscriber has left.
    """

    def __init__(
        self,
        *,
        name: str,
        epoch: str,
        last: int,
        options: TopicOptions,
        counts: Counts,
        history_bytes: int,
        share: TurnShare,
        emptied: Callable[[Subscription], None],
    ) -> None:
        self._share = share
        self.name = name
        self.epoch = epoch
        self.options = options
        self.counts = counts
        self.last = last
        """The sequence of the last message."""
        self.considered = last
        """The sequence of the last message that all its recipients have received."""
        self.subscriptions: dict[Subscription, None] = {}
        self._history_bytes = history_bytes
        self._emptied = emptied
        self._history: deque[TopicMessage] = deque()
        self._kept_bytes = 0
        self._forgotten = last
        self._pending: deque[TopicMessage] = deque()
        self._pending_bytes = 0
        self._distribution: Iterator[Deferred[None] | None] = iter(())
        self._busy = False
        self.delivering = False
        """Some subscribers have had the present message delivered, and others not yet."""
        self._keys: dict[str, TopicMessage] = {}

    def configure(self, options: TopicOptions) -> None:
        """Change the options of the topic."""
        self.options = options
        self._trim()

    def publish(
        self, data: str, to: Mapping[str, Any] | None, event: str | None, key: str | None, epoch: str | None
    ) -> TopicMessage:
        """See `Bus.publish`; of a message that was published before the data is not returned."""
        if key is not None and key in self._keys:
            return self._keys[key]
        self.last += 1
        name = self.id_of(self.last) if key is None else f"{epoch or self.epoch}.{_digest(key)}"
        message = TopicMessage(id=name, data=data, to=to, event=event, sequence=self.last)
        if key is not None:
            self._keys[key] = replace(message, data="")
            if len(self._keys) > _KEYS_KEPT + self.options.history:
                del self._keys[next(iter(self._keys))]
        self.counts.published += 1
        self._history.append(message)
        self._kept_bytes += len(data)
        self._trim()
        self._pending.append(message)
        self._pending_bytes += len(data)
        if not self._busy:
            self._distribution = self._distribute()
            self._work()
        elif len(self._pending) > _MOST_PENDING or self._pending_bytes > _MOST_PENDING_BYTES:
            self._overflow()
        return message

    def join(self, subscription: Subscription, after: str | None) -> None:
        """Add a subscriber, which first gets what came after *after*."""
        self.subscriptions[subscription] = None
        if after is None:
            return
        sequence = self._sequence(after)
        missed = [message for message in self._history if sequence is None or message.sequence > sequence]
        missed = [message for message in missed if matches(message.to, subscription.attributes)]
        if sequence is None or sequence < self._forgotten:
            subscription.mark_gap()
        subscription.hold()
        if self.options.choose is None or not missed:
            subscription.release(missed)
        else:
            self._choose_missed(self.options.choose, subscription, missed, [])

    def interrupt(self) -> None:
        """
        Notify all subscribers that messages may be missing, including those that reconnect later.

        The gap has a number of its own, so that an id from before it is known to be older.
        """
        self.last += 1
        self._forgotten = self.last
        if not self._busy:
            self.considered = self.last
        for subscription in list(self.subscriptions):
            subscription.interrupt()

    def remove(self, subscription: Subscription) -> None:
        """Have a subscriber no longer."""
        if self.subscriptions.pop(subscription, self) is None:
            self._emptied(subscription)

    def id_of(self, sequence: int) -> str:
        """Return the id of the place behind the message with this sequence."""
        return f"{self.epoch}-{sequence}"

    def gap(self, before: int) -> TopicMessage:
        """Make the message that says that messages are missing up to the sequence *before*."""
        text = '{"reason":"Messages were dropped; load the current state again."}'
        return TopicMessage(id=self.id_of(before), data=text, event=GAP, sequence=before)

    def kept(self) -> int:
        """Return how many messages it keeps."""
        return len(self._history)

    def _sequence(self, after: str) -> int | None:
        """Return the sequence of an id; None if it is not of this life of the server, or of a message long ago."""
        if after.startswith(f"{self.epoch}."):
            return next((message.sequence for message in self._keys.values() if message.id == after), None)
        epoch, _, number = after.rpartition("-")
        if epoch != self.epoch or not (number.isascii() and number.isdigit()) or len(number) > 15:
            return None
        sequence = int(number)
        return sequence if sequence <= self.last else None

    def _trim(self) -> None:
        while self._history and (len(self._history) > self.options.history or self._kept_bytes > self._history_bytes):
            oldest = self._history.popleft()
            self._kept_bytes -= len(oldest.data)
            self._forgotten = oldest.sequence

    def _work(self) -> None:
        """Distribute what is pending, as far as this turn's share reaches; the rest follows in later turns."""
        self._busy = True
        for choosing in self._distribution:
            if choosing is not None and not choosing.called:
                choosing.addCallback(lambda _: self._work())
                return
            if self._share.used_up:
                self._share.later(self._work)
                return
        self._busy = False

    def _distribute(self) -> Iterator[Deferred[None] | None]:
        """Distribute one message after the other; yield after each step, what is to be waited for or None."""
        while self._pending:
            message = self._pending.popleft()
            self._pending_bytes -= len(message.data)
            choose = self.options.choose
            chosen: list[Subscription] = []
            self.delivering = choose is None
            for subscription in list(self.subscriptions):
                if subscription.since < message.sequence and matches(message.to, subscription.attributes):
                    if choose is None:
                        subscription.give(message)
                    else:
                        chosen.append(subscription)
                yield None
            if choose is not None and chosen:
                answers: list[bool] = []
                yield self._choosing(choose, message, chosen, answers)
                self.delivering = True
                for subscription, is_chosen in zip(chosen, answers, strict=False):
                    if is_chosen:
                        subscription.give(message)
                    yield None
            self.considered = message.sequence
            self.delivering = False

    def _choosing(
        self, choose: ChooseSubscribers, message: TopicMessage, chosen: Sequence[Subscription], answers: list[bool]
    ) -> Deferred[None]:
        """Call *choose*; fires when *answers* holds its answers; there are none if it failed."""
        done: Deferred[None] = Deferred()
        choosing = _start_choosing(choose, message, [subscription.attributes for subscription in chosen])
        settled: Deferred[None] = choosing.addCallbacks(answers.extend, self._choosing_failed)
        settled.addCallback(done.callback)
        return done

    def _overflow(self) -> None:
        """Drop what is pending, and notify all subscribers: more is published than can be distributed."""
        self.counts.dropped += len(self._pending)
        self._pending.clear()
        self._pending_bytes = 0
        for subscription in list(self.subscriptions):
            subscription.interrupt()

    def _choosing_failed(self, failure: Any) -> None:
        self.counts.filter_failures += 1
        if failure.check(EngineError) is None:
            _log.failure("the filter of a topic failed", failure)

    def _choose_missed(
        self,
        choose: ChooseSubscribers,
        subscription: Subscription,
        missed: Sequence[TopicMessage],
        selected: Sequence[TopicMessage],
    ) -> None:
        """Choose among the messages that a subscriber missed, for it alone."""
        if not missed:
            subscription.release(selected)
            return
        choosing = _start_choosing(choose, missed[0], [subscription.attributes])
        choosing.addErrback(lambda _: [False])
        choosing.addCallback(
            lambda answers: self._choose_missed(
                choose, subscription, missed[1:], [*selected, missed[0]] if list(answers)[:1] == [True] else selected
            )
        )


def _start_choosing(
    choose: ChooseSubscribers, message: TopicMessage, attributes: Sequence[Mapping[str, Any]]
) -> Deferred[Sequence[bool]]:
    """Ask, and have whatever goes wrong fail the Deferred."""
    started: Deferred[None] = Deferred()
    choosing = started.addCallback(lambda _: choose(message, attributes))
    started.callback(None)
    return choosing


def _digest(key: str) -> str:
    """Return what stands for a key in ids: it names an invocation, which must not reach clients."""
    return blake2b(key.encode(), digest_size=8).hexdigest()
