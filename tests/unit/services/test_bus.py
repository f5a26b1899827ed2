"""The bus: each message once and in order, or a gap that is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import TooLarge, Unavailable
from aiwebengine.services.bus import Bus, TooManySubscribers
from aiwebengine.services.topics import DISCONNECT, GAP, Reason, TopicOptions
from aiwebengine.settings.schema import LiveSettings
from tests.support.fakes.turns import TurnClock, endless_turn, short_turns

GONE = Reason(code="gone", message="The stream is gone.")


class Reader:
    """A subscriber that writes down what it gets."""

    def __init__(self, bus, topic="news", *, after=None, attributes=(), owner="script"):
        self.got = []
        self.ids = []
        self.reasons = []
        self.subscription = bus.subscribe(
            topic,
            attributes=dict(attributes),
            deliver=self.deliver,
            ended=self.reasons.append,
            after=after,
            owner=owner,
        )

    def deliver(self, message):
        self.got.append(GAP if message.event == GAP else message.data)
        self.ids.append(message.id)


class BusCase(SynchronousTestCase):
    def setUp(self):
        self.make()

    def make(self, epoch="e1", **settings):
        self.bus = Bus(epoch=epoch, settings=LiveSettings(**settings), share=endless_turn())

    def publish(self, *texts, topic="news", **more):
        return [self.bus.publish(topic, text, **more) for text in texts]


class ManySubscribersTests(BusCase):
    """Messages for many subscribers are distributed in several turns."""

    def setUp(self):
        self.clock = TurnClock()
        self.bus = Bus(epoch="e1", settings=LiveSettings(), share=short_turns(self.clock, 10))

    def test_in_turns(self):
        """Each turn delivers some; everybody gets everything in order."""
        readers = [Reader(self.bus) for _ in range(30)]
        self.publish("1", "2", "3")
        delivered = sum(len(reader.got) for reader in readers)
        self.assertIn(delivered, range(1, 30))
        self.clock.turn()
        self.assertGreater(sum(len(reader.got) for reader in readers), delivered)
        self.clock.turns()
        self.assertEqual([reader.got for reader in readers], [["1", "2", "3"]] * 30)
        self.assertEqual({reader.subscription.last_id for reader in readers}, {"e1-3"})

    def test_position_meanwhile(self):
        """While a message is distributed, nobody is told a position from before it."""
        readers = [Reader(self.bus) for _ in range(30)]
        self.publish("1")
        self.assertEqual({reader.subscription.last_id for reader in readers}, {""})

    def test_who_comes_meanwhile(self):
        """A subscriber that comes while older messages are distributed gets those that come after it."""
        self.bus.configure("news", TopicOptions(history=5))
        readers = [Reader(self.bus) for _ in range(30)]
        self.publish("1")
        late, back = Reader(self.bus), Reader(self.bus, after="e1-0")
        self.publish("2")
        self.clock.turns()
        self.assertEqual((late.got, back.got, readers[-1].got), (["2"], ["1", "2"], ["1", "2"]))

    def test_with_a_filter(self):
        """The same with a filter, whether it answers at once or later."""
        answers = []

        def choose(message, attributes):
            if message.data == "1":
                return succeed([True, False] * (len(attributes) // 2))
            answers.append(Deferred())
            return answers[-1]

        self.bus.configure("news", TopicOptions(choose=choose))
        readers = [Reader(self.bus) for _ in range(30)]
        self.publish("1", "2")
        self.clock.turns()
        answers[0].callback([True] * 30)
        self.clock.turns()
        self.assertEqual([reader.got for reader in readers], [["1", "2"], ["2"]] * 15)

    def test_too_much(self):
        """If far more is published than can be distributed, it is dropped, and everybody is told of a gap."""
        readers = [Reader(self.bus) for _ in range(30)]
        self.publish(*["x"] * 10_100)
        self.clock.turns()
        self.publish("last")
        self.clock.turns()
        for reader in readers:
            self.assertEqual((reader.got[-1], reader.got.count(GAP)), ("last", 1))
        self.assertGreater(self.bus.state()["dropped"], 9000)

    def test_end(self):
        """A topic with many subscribers is ended in several turns."""
        readers = [Reader(self.bus) for _ in range(30)]
        self.bus.remove("news", GONE)
        self.assertIn(sum(len(reader.reasons) for reader in readers), range(1, 30))
        self.clock.turns()
        self.assertEqual([reader.reasons for reader in readers], [[GONE]] * 30)
        self.assertEqual(self.bus.state()["subscribers"], 0)


class BusTests(BusCase):
    def test_all_subscribers_get_every_message_in_order(self):
        """What is published is delivered to each, in the order of publishing, with rising ids."""
        readers = [Reader(self.bus), Reader(self.bus)]
        self.publish("1", "2", "3")
        for reader in readers:
            self.assertEqual(reader.got, ["1", "2", "3"])
            self.assertEqual(reader.ids, ["e1-1", "e1-2", "e1-3"])

    def test_only_the_topic(self):
        """A subscriber gets nothing of another topic."""
        reader = Reader(self.bus, "other")
        self.publish("1")
        self.assertEqual(reader.got, [])

    def test_only_those_whom_it_is_for(self):
        """A message with `to` is delivered to those whose attributes match."""
        ada, bob = Reader(self.bus, attributes={"user": "ada"}), Reader(self.bus, attributes={"user": "bob"})
        self.publish("1", to={"user": "ada"})
        self.publish("2")
        self.assertEqual((ada.got, bob.got), (["1", "2"], ["2"]))

    def test_a_cancelled_subscription_gets_nothing(self):
        """After cancel nothing is delivered, and the end is not told."""
        reader = Reader(self.bus)
        reader.subscription.cancel()
        reader.subscription.cancel()
        self.publish("1")
        self.assertEqual((reader.got, reader.reasons), ([], []))
        self.assertEqual(self.bus.state()["subscribers"], 0)

    def test_a_subscriber_that_fails_harms_nobody(self):
        """One whose delivery raises is ended with a reason; the next one gets the message."""

        def broken(message):
            raise ValueError

        reasons = []
        self.bus.subscribe("news", attributes={}, deliver=broken, ended=reasons.append, owner="script")
        reader = Reader(self.bus)
        self.publish("1", "2")
        self.assertEqual(reader.got, ["1", "2"])
        self.assertEqual([reason.code for reason in reasons], ["failed"])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_publishing_while_delivering_keeps_the_order(self):
        """What a subscriber publishes from within its delivery comes after, for all."""

        def answer(message):
            if message.data == "1":
                self.publish("2")

        self.bus.subscribe("news", attributes={}, deliver=answer, ended=self.fail, owner="script")
        reader = Reader(self.bus)
        self.publish("1")
        self.assertEqual(reader.got, ["1", "2"])

    def test_a_message_with_a_known_key_is_not_published_again(self):
        """The same key twice is one message, under one id."""
        self.bus.configure("news", TopicOptions(history=5))
        reader = Reader(self.bus)
        (first,), (second,) = self.publish("1", key="u/0"), self.publish("1", key="u/0")
        self.assertEqual(first.id, second.id)
        self.assertEqual(reader.got, ["1"])

    def test_a_second_delivery_has_the_same_id(self):
        """A message that an earlier life of the server has committed keeps its id; others get none like it."""
        (first,) = self.publish("1", key="u/0")
        (other,) = self.publish("2", key="u/1")
        self.make(epoch="e2")
        (again,) = self.publish("1", key="u/0", epoch="e1")
        (new,) = self.publish("3", key="u/2")
        self.assertEqual(first.id, again.id)
        self.assertEqual(len({first.id, other.id, new.id}), 3)

    def test_back_after_a_message_with_a_key(self):
        """Who comes back with the id of a message gets those behind it; with one of an earlier life, all with a gap."""
        self.bus.configure("news", TopicOptions(history=5))
        (first,) = self.publish("1", key="a")
        self.publish("2", key="b")
        self.publish("3", key="c")
        self.assertEqual(Reader(self.bus, after=first.id).got, ["2", "3"])
        self.publish("1", key="old", epoch="e0")
        (old,) = self.publish("1", key="old", epoch="e0")
        self.assertEqual(Reader(self.bus, after=old.id).got, [GAP, "1", "2", "3", "1"])
        self.assertEqual(Reader(self.bus, after="e1.unknown").got, [GAP, "1", "2", "3", "1"])

    @pytest.mark.setting("live.max_message_bytes")
    def test_a_message_that_is_too_large_is_refused(self):
        """A message beyond the limit is refused, with both numbers."""
        self.make(max_message_bytes=1024)
        with self.assertRaisesRegex(TooLarge, "at most 1024 bytes; this one has 1025"):
            self.publish("x" * 1025)


class PauseTests(BusCase):
    def test_what_comes_while_paused_comes_after(self):
        """A paused subscriber gets what has waited when it resumes, in order."""
        reader = Reader(self.bus)
        self.publish("1")
        reader.subscription.pause()
        self.publish("2", "3")
        self.assertEqual(reader.got, ["1"])
        reader.subscription.resume()
        self.publish("4")
        self.assertEqual(reader.got, ["1", "2", "3", "4"])

    def test_a_pause_within_a_delivery_holds_the_next(self):
        """Who pauses while it is given what has waited keeps the rest waiting."""
        reader = Reader(self.bus)
        reader.subscription.pause()
        self.publish("1", "2")

        deliver = reader.deliver
        reader.subscription._deliver = lambda message: (deliver(message), reader.subscription.pause())
        reader.subscription.resume()
        self.assertEqual(reader.got, ["1"])
        reader.subscription.resume()
        self.assertEqual(reader.got, ["1", "2"])

    def test_a_full_queue_drops_the_oldest_and_says_so(self):
        """The oldest that wait are dropped, and a gap is told in their place."""
        self.make(queue_messages=2)
        reader = Reader(self.bus)
        reader.subscription.pause()
        self.publish("1", "2", "3", "4")
        reader.subscription.resume()
        self.assertEqual(reader.got, [GAP, "3", "4"])
        self.assertEqual(reader.ids, ["e1-2", "e1-3", "e1-4"])
        self.assertEqual(self.bus.state()["dropped"], 2)

    def test_a_full_queue_may_disconnect(self):
        """With the policy `disconnect` the subscription ends, with the limit in the reason."""
        self.make(queue_messages=2)
        self.bus.configure("news", TopicOptions(slow=DISCONNECT))
        reader, other = Reader(self.bus), Reader(self.bus)
        reader.subscription.pause()
        self.publish("1", "2", "3")
        self.assertEqual([(reason.code, reason.message) for reason in reader.reasons],
                         [("slow", "The client was more than 2 messages behind.")])  # fmt: skip
        self.assertEqual(other.got, ["1", "2", "3"])
        self.assertEqual(self.bus.state()["disconnected"], 1)


class HistoryTests(BusCase):
    def setUp(self):
        self.make()
        self.bus.configure("news", TopicOptions(history=3))

    def test_who_comes_back_gets_what_it_missed(self):
        """After the last id that it had, a subscriber gets the rest and goes on, without a gap."""
        self.publish("1", "2", "3")
        reader = Reader(self.bus, after="e1-1")
        self.publish("4")
        self.assertEqual(reader.got, ["2", "3", "4"])

    def test_who_missed_nothing_gets_nothing(self):
        """The id of the last message gives neither messages nor a gap."""
        self.publish("1", "2", "3", "4", "5")
        self.assertEqual(Reader(self.bus, after="e1-5").got, [])

    def test_a_history_that_is_too_short_is_told(self):
        """If the next message is kept no longer, a gap comes before what is."""
        self.publish("1", "2", "3", "4", "5")
        self.assertEqual(Reader(self.bus, after="e1-1").got, [GAP, "3", "4", "5"])
        self.assertEqual(Reader(self.bus, after="e1-2").got, ["3", "4", "5"])

    def test_an_id_of_another_life_is_a_gap(self):
        """A foreign epoch, an id of the future and what is no id give a gap and all that is stored."""
        self.publish("1")
        for after in ("e0-1", "e1-2", "e1-", "nonsense", "e1-9" + "9" * 20, ""):
            self.assertEqual(Reader(self.bus, after=after).got, [GAP, "1"], after)

    def test_without_history_every_loss_is_told(self):
        """A topic that keeps nothing gives a gap exactly if something was published meanwhile."""
        self.bus.configure("news", TopicOptions(history=0))
        reader = Reader(self.bus)
        self.publish("1")
        self.assertEqual(Reader(self.bus, after=reader.ids[-1]).got, [])
        reader.subscription.cancel()
        self.publish("2")
        self.assertEqual(Reader(self.bus, after=reader.ids[-1]).got, [GAP])

    def test_history_is_filtered_by_attributes(self):
        """What is replayed is only what is for the subscriber."""
        self.publish("1", to={"user": "ada"})
        self.publish("2", to={"user": "bob"})
        self.assertEqual(Reader(self.bus, after="e1-0", attributes={"user": "bob"}).got, ["2"])

    @pytest.mark.setting("live.history_bytes")
    def test_history_is_bounded_in_bytes(self):
        """Large messages push out the older ones."""
        self.make(history_bytes=10)
        self.bus.configure("news", TopicOptions(history=3))
        self.publish("123456", "abcdef")
        self.assertEqual(Reader(self.bus, after="e1-0").got, [GAP, "abcdef"])

    def test_nothing_is_kept_unless_asked_for(self):
        """A topic whose options do not speak of a history keeps none."""
        self.bus.configure("news", TopicOptions())
        self.publish("1", "2", "3")
        self.assertEqual(self.bus.state()["kept"], 0)

    def test_ids_rise_after_a_topic_was_forgotten(self):
        """A topic that is removed and made anew goes on counting; who comes back is told of a gap."""
        self.publish("1", "2")
        self.bus.remove("news", GONE)
        self.bus.configure("news", TopicOptions(history=3))
        self.assertEqual(self.publish("3")[0].id, "e1-3")
        self.assertEqual(Reader(self.bus, after="e1-1").got, [GAP, "3"])

    def test_the_position_is_known_without_a_message(self):
        """A subscriber knows the id from which it would go on, also past messages for others."""
        reader = Reader(self.bus, attributes={"user": "ada"})
        self.assertEqual(reader.subscription.last_id, "e1-0")
        self.publish("1", to={"user": "bob"})
        self.assertEqual(reader.subscription.last_id, "e1-1")
        reader.subscription.pause()
        self.publish("2")
        self.assertEqual(reader.subscription.last_id, "")


class FilterTests(BusCase):
    def setUp(self):
        self.make()
        self.asked = []
        self.answers = []
        self.bus.configure("news", TopicOptions(history=10, choose=self.choose))

    def choose(self, message, attributes):
        self.asked.append((message.data, [dict(attribute) for attribute in attributes]))
        answer = Deferred()
        self.answers.append(answer)
        return answer

    def test_asked_once_for_each_message(self):
        """The filter is asked once, with the attributes of all whom `to` lets through."""
        ada, bob = Reader(self.bus, attributes={"user": "ada"}), Reader(self.bus, attributes={"user": "bob"})
        Reader(self.bus)
        self.publish("1", to={"user": ["ada", "bob"]})
        self.assertEqual(self.asked, [("1", [{"user": "ada"}, {"user": "bob"}])])
        self.answers[0].callback([False, True])
        self.assertEqual((ada.got, bob.got), ([], ["1"]))

    def test_messages_stay_in_order(self):
        """The second message is filtered after the first one was."""
        reader = Reader(self.bus)
        self.publish("1", "2")
        self.assertEqual(len(self.asked), 1)
        self.answers[0].callback([True])
        self.answers[1].callback([True])
        self.assertEqual(reader.got, ["1", "2"])

    def test_a_filter_that_fails_lets_nothing_through(self):
        """If the filter fails nobody gets the message, and the next one is filtered again."""
        reader = Reader(self.bus)
        self.publish("1", "2")
        self.answers[0].errback(Unavailable("No."))
        self.answers[1].callback([True])
        self.assertEqual(reader.got, ["2"])
        self.assertEqual(self.bus.state()["sieveFailures"], 1)

    def test_a_filter_that_answers_at_once(self):
        """Answers that are there at once, or raised, do as well."""
        self.bus.configure(
            "news", TopicOptions(choose=lambda message, them: succeed([message.data != "2"] * len(them)))
        )
        reader = Reader(self.bus)
        self.publish("1", "2", "3")
        self.bus.configure("news", TopicOptions(choose=lambda message, them: fail(Unavailable("No."))))
        self.publish("4")
        self.assertEqual(reader.got, ["1", "3"])

    def test_history_is_filtered(self):
        """What a subscriber missed is filtered for it alone; what comes meanwhile waits."""
        self.publish("1", "2")
        reader = Reader(self.bus, after="e1-0", attributes={"user": "ada"})
        self.publish("3")
        self.assertEqual(reader.got, [])
        for number in range(3):
            answered = next(answer for answer in self.answers if not answer.called)
            answered.callback([number != 0])
        self.assertEqual(sorted(text for text, _ in self.asked), ["1", "2", "3"])
        self.assertEqual(len(reader.got), 2)
        self.assertEqual(reader.got, sorted(reader.got))

    def test_who_joins_while_a_message_is_filtered(self):
        """A subscriber gets nothing that was published before it came."""
        Reader(self.bus)
        self.publish("1")
        late = Reader(self.bus)
        self.answers[0].callback([True])
        self.assertEqual(late.got, [])
        self.assertEqual(self.asked, [("1", [{}])])


class LimitTests(BusCase):
    @pytest.mark.setting("live.max_script_subscribers")
    def test_limits_bite(self):
        """One subscriber too many on a topic, of a script or in all is refused, and counted."""
        self.make(max_topic_subscribers=1, max_script_subscribers=2, max_subscribers=3)
        first = Reader(self.bus, "a")
        with self.assertRaisesRegex(TooManySubscribers, "at most 1 open subscriptions of this stream"):
            Reader(self.bus, "a")
        Reader(self.bus, "b")
        with self.assertRaisesRegex(TooManySubscribers, "at most 2 open subscriptions of this script"):
            Reader(self.bus, "c")
        Reader(self.bus, "c", owner="other")
        with self.assertRaisesRegex(TooManySubscribers, "at most 3 open subscriptions on this server"):
            Reader(self.bus, "d", owner="third")
        self.assertEqual(self.bus.state()["refused"], 3)
        first.subscription.cancel()
        Reader(self.bus, "a")

    def test_topics_that_nobody_needs_are_forgotten(self):
        """Without subscribers and declaration nothing is left of a topic."""
        reader = Reader(self.bus)
        self.publish("1")
        self.publish("1", topic="nobody")
        reader.subscription.cancel()
        self.assertEqual(self.bus.state()["topics"], 0)

    def test_the_end_is_told(self):
        """Subscribers of a removed topic, and all at the server's end, are told why."""
        first, second = Reader(self.bus, "a"), Reader(self.bus, "b")
        self.bus.remove("a", GONE)
        self.bus.remove("unknown", GONE)
        self.bus.end(Reason(code="stopping", message="The server stops."))
        self.assertEqual([reason.code for reason in first.reasons + second.reasons], ["gone", "stopping"])
        self.assertEqual(self.bus.state()["subscribers"], 0)


_steps = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.sampled_from([None, {"k": 0}, {"k": 1}])),
        st.tuples(st.sampled_from(["pause", "resume", "drop", "back", "answer"]), st.integers(0, 2)),
    ),
    max_size=60,
)


@given(_steps, st.integers(0, 5), st.integers(1, 4), st.booleans())
def test_nothing_is_lost_doubled_or_out_of_order_unless_told(steps, history, queue, filtered) -> None:
    """Whatever happens, a reader has each message for it once and in order, or a gap stands where one is missing."""
    bus = Bus(epoch="e", settings=LiveSettings(queue_messages=queue), share=endless_turn())
    answers: list[tuple[Deferred[list[bool]], int]] = []

    def choose(message, attributes):
        answer: Deferred[list[bool]] = Deferred()
        answers.append((answer, len(attributes)))
        return answer

    def settle():
        answer, many = answers.pop(0)
        answer.callback([True] * many)

    bus.configure("t", TopicOptions(history=history, choose=choose if filtered else None))
    published: list[tuple[int, object]] = []
    readers = [_Person(bus, number % 2) for number in range(3)]
    for what, which in steps:
        if what == "publish":
            published.append((bus.publish("t", "x", to=which).sequence, which))
        elif what == "answer":
            if answers:
                settle()
        else:
            getattr(readers[which], what)()
    for reader in readers:
        reader.back()
        reader.resume()
    while answers:
        settle()
    for reader in readers:
        reader.resume()
        reader.judge(published)


class _Person:
    """A client that comes and goes, and writes down what it sees."""

    def __init__(self, bus, number):
        self.bus = bus
        self.number = number
        self.seen: list[tuple[int, str | None]] = []
        self.last = None
        self.subscription = None
        self.first = None
        self.back()

    def deliver(self, message):
        self.seen.append((message.sequence, message.event))
        self.last = message.id

    def back(self):
        if self.subscription is None:
            self.subscription = self.bus.subscribe(
                "t", attributes={"k": self.number}, deliver=self.deliver, ended=print, after=self.last, owner="s"
            )
            self.last = self.last or self.subscription.last_id or None

    def drop(self):
        if self.subscription is not None:
            self.subscription.cancel()
            self.subscription = None

    def pause(self):
        if self.subscription is not None:
            self.subscription.pause()

    def resume(self):
        if self.subscription is not None:
            self.subscription.resume()

    def judge(self, published):
        due = [sequence for sequence, to in published if to is None or to["k"] == self.number]
        got = [sequence for sequence, event in self.seen if event is None]
        assert got == sorted(set(got)), "doubled or out of order"
        assert set(got) <= set(due), "not for this reader"
        gaps = [place for place, event in self.seen if event == GAP]
        for missing in sorted(set(due) - set(got)):
            after = min((sequence for sequence in got if sequence > missing), default=None)
            before = max((sequence for sequence in got if sequence < missing), default=0)
            assert any(before <= place and (after is None or place < after) for place in gaps), (missing, self.seen)
