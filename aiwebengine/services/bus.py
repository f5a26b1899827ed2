"""
The bus: topics, and subscribers that get what is published on them.

It lives on the reactor and in memory.  A message gets an id by which clients know it, and
each subscriber whose attributes match gets it, in that order, exactly once.  One that pauses
has a bounded queue; what happens when that is full is the topic's policy.  A topic may keep
its last messages, so that a subscriber who was away gets what it missed. Whenever something can no longer be delivered,
the subscriber gets a message whose event is `gap`.

    publish -> history -> who is it for (`to`, then the topic's filter) -> queue -> deliver
        | forward                                                                   ^
        v                                                                           |
    other servers (`services/bus_link.py`) ------------------ receive -> history ...

Several servers may share what is published: each publishes what the others forward on its own
bus. Ids, histories and the order of messages from different servers are each server's own, so a client that reconnects
to another server gets a gap.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

from aiwebengine.errors import TooLarge, TooMany
from aiwebengine.services.reactor.turn_share import TurnShare
from aiwebengine.services.topics import Counts, Deliver, Ended, Reason, Subscription, Topic, TopicMessage, TopicOptions
from aiwebengine.settings.schema import LiveSettings

_RETRY_SECONDS = 5.0


class Forward(Protocol):
    """Sends a message to other servers."""

    def __call__(
        self, topic: str, data: str, *, to: Mapping[str, Any] | None, event: str | None, key: str | None
    ) -> None:
        """See `Bus.publish`."""


class TooManySubscribers(TooMany):
    """A limit for subscribers is reached."""


class Bus:
    """
    All topics.

    Args:
        epoch: Begins the ids; another one in each life of the server, without a hyphen at its end.
        settings: The limits.
        share: How much is distributed in one turn of the reactor.
    """

    def __init__(self, *, epoch: str, settings: LiveSettings, share: TurnShare) -> None:
        self._epoch = epoch
        self._share = share
        self._settings = settings
        self._topics: dict[str, Topic] = {}
        self._declared: set[str] = set()
        self._owners: dict[str, int] = {}
        self._subscribers = 0
        self._last = 0
        self._counts = Counts()
        self._forward: Forward | None = None

    @property
    def epoch(self) -> str:
        """Return the prefix of all message ids since this server started."""
        return self._epoch

    def configure(self, topic: str, options: TopicOptions) -> None:
        """Set the options of *topic*, which is kept with its history until `remove`."""
        self._declared.add(topic)
        self._topic(topic).configure(options)

    def remove(self, topic: str, reason: Reason) -> None:
        """Forget *topic*; its subscribers get *reason*."""
        self._declared.discard(topic)
        existing = self._topics.get(topic)
        if existing is None:
            return
        self._forget(existing)
        self._end_some(deque(existing.subscriptions), reason)

    def publish(
        self,
        topic: str,
        data: str,
        *,
        to: Mapping[str, Any] | None = None,
        event: str | None = None,
        key: str | None = None,
        epoch: str | None = None,
    ) -> TopicMessage:
        """
        Deliver a message to the topic's subscribers.

        Args:
            topic: Where it is published.
            data: JSON text.
            to: Its recipients; None: for all.
            event: Its kind.
            key: A message with a key that was published before is not published again.
            epoch: Of the life of the server in which it was committed, for its id; None: this one.

        Raises:
            TooLarge: It has more bytes than a message may have.
        """
        message, new = self._publish(topic, data, to=to, event=event, key=key, epoch=epoch)
        if new and self._forward is not None:
            self._forward(topic, data, to=to, event=event, key=key)
        return message

    def receive(
        self, topic: str, data: str, *, to: Mapping[str, Any] | None, event: str | None, key: str | None
    ) -> None:
        """
        Publish what another server has forwarded; see `publish`.

        Raises:
            TooLarge: It has more bytes than a message may have here.
        """
        self._publish(topic, data, to=to, event=event, key=key)

    def forward_to(self, forward: Forward) -> None:
        """Send what is published to other servers; before the engine starts."""
        self._forward = forward

    def interrupt(self) -> None:
        """Notify all subscribers that messages of other servers may be missing."""
        for topic in list(self._topics.values()):
            topic.interrupt()

    def subscribe(
        self,
        topic: str,
        *,
        attributes: Mapping[str, Any],
        deliver: Deliver,
        ended: Ended,
        after: str | None = None,
        owner: str,
        paused: bool = False,
    ) -> Subscription:
        """
        Have *deliver* called with what is published on *topic* from now on.

        Args:
            topic: What to listen to.
            attributes: What the `to` of messages is compared with.
            deliver: Gets the messages.
            ended: Called when the subscription ends without being cancelled.
            after: The last id that the subscriber has had: what came after it is delivered first,
                after a gap if that is not all that came.
            owner: Whose limit it counts for: the script's URI.
            paused: It begins paused.

        Raises:
            TooManySubscribers: A limit is reached.
        """
        existing = self._topics.get(topic)
        self._admit(topic, len(existing.subscriptions) if existing is not None else 0, owner)
        existing = self._topic(topic)
        subscription = Subscription(
            topic=existing,
            attributes=attributes,
            deliver=deliver,
            ended=ended,
            owner=owner,
            longest=self._settings.queue_messages,
        )
        if paused:
            subscription.pause()
        self._subscribers += 1
        self._owners[owner] = self._owners.get(owner, 0) + 1
        existing.join(subscription, after)
        return subscription

    def end(self, reason: Reason) -> None:
        """End all subscriptions: the server stops."""
        for topic in list(self._topics.values()):
            for subscription in list(topic.subscriptions):
                subscription.end(reason)

    def last_id(self, topic: str) -> str:
        """Return the id of the last message of *topic*, or the one after which its first will come."""
        existing = self._topics.get(topic)
        return existing.id_of(existing.last) if existing is not None else f"{self._epoch}-{self._last}"

    def subscribers(self, topic: str) -> int:
        """Return how many listen to *topic*."""
        existing = self._topics.get(topic)
        return len(existing.subscriptions) if existing is not None else 0

    def state(self) -> dict[str, int]:
        """Return figures for the state page."""
        counts = self._counts
        return {
            "topics": len(self._topics),
            "subscribers": self._subscribers,
            "kept": sum(topic.kept() for topic in self._topics.values()),
            "published": counts.published,
            "delivered": counts.delivered,
            "dropped": counts.dropped,
            "disconnected": counts.disconnected,
            "refused": counts.refused,
            "sieveFailures": counts.filter_failures,
        }

    def _publish(
        self,
        topic: str,
        data: str,
        *,
        to: Mapping[str, Any] | None,
        event: str | None,
        key: str | None,
        epoch: str | None = None,
    ) -> tuple[TopicMessage, bool]:
        """Publish here; return also whether it was not published before."""
        if len(data) > self._settings.max_message_bytes:
            raise TooLarge(
                f"A message may have at most {self._settings.max_message_bytes} bytes; this one has {len(data)}."
            )
        existing = self._topic(topic)
        before = self._counts.published
        message = existing.publish(data, to, event, key, epoch)
        new = self._counts.published != before
        if topic not in self._declared and not existing.subscriptions:
            self._forget(existing)
        return message, new

    def _admit(self, topic: str, on_topic: int, owner: str) -> None:
        settings = self._settings
        for has, most, what in (
            (self._subscribers, settings.max_subscribers, "on this server"),
            (self._owners.get(owner, 0), settings.max_script_subscribers, "of this script"),
            (on_topic, settings.max_topic_subscribers, "of this stream"),
        ):
            if has >= most:
                self._counts.refused += 1
                raise TooManySubscribers(
                    f"There may be at most {most} open subscriptions {what}; try again later.",
                    private=f"refused a subscription of {topic}",
                    retry_seconds=_RETRY_SECONDS,
                )

    def _end_some(self, ending: deque[Subscription], reason: Reason) -> None:
        """End the subscriptions of a removed topic, as many in each turn as it has room for."""
        while ending:
            if self._share.used_up:
                self._share.later(partial(self._end_some, ending, reason))
                return
            ending.popleft().end(reason)

    def _topic(self, name: str) -> Topic:
        topic = self._topics.get(name)
        if topic is None:
            topic = self._topics[name] = Topic(
                name=name,
                epoch=self._epoch,
                last=self._last,
                options=TopicOptions(),
                counts=self._counts,
                history_bytes=self._settings.history_bytes,
                share=self._share,
                emptied=lambda subscription: self._unsubscribed(name, subscription),
            )
        return topic

    def _unsubscribed(self, name: str, subscription: Subscription) -> None:
        self._subscribers -= 1
        rest = self._owners.get(subscription.owner, 0) - 1
        if rest > 0:
            self._owners[subscription.owner] = rest
        else:
            self._owners.pop(subscription.owner, None)
        topic = self._topics.get(name)
        if topic is not None and name not in self._declared and not topic.subscriptions:
            self._forget(topic)

    def _forget(self, topic: Topic) -> None:
        # A topic of that name that is made later begins after this one's ids, so they always rise.
        self._last = max(self._last, topic.last)
        self._topics.pop(topic.name, None)
