"""The two codecs agree: what one end makes the other reads, and neither keeps more than it may of any bytes."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.runtime.wire import boxes as server
from sandbox import bodies as child
from sandbox.boxes import BadBox as ChildBadBox
from sandbox.boxes import encode_pair
from tests.support.examples import examples

HEAD = encode_pair(b"_ask", b"1") + encode_pair(b"_command", b"host")
MOST = 1 << 20
PAIR = st.one_of(
    st.builds(encode_pair, st.binary(min_size=1, max_size=12), st.binary(max_size=2000)),
    st.builds(
        encode_pair, st.sampled_from([b"_command", b"v", b"_ask"]), st.sampled_from([b"more", b"", b"x" * 65535])
    ),
    st.sampled_from([b"\0\0", b"\0\0", b"\0\1", b"\1\0", b"\0\1v\xff\xff", b"\xff"]),
    st.binary(max_size=6),
)


def _endless(piece: bytes) -> Callable[[int], bytes]:
    return lambda _: piece


def _keys(number: int) -> bytes:
    return encode_pair(b"k%d" % number, b"x" * 65535)


MORE = encode_pair(b"_command", b"more")
FLOODS: dict[str, Callable[[int], bytes]] = {
    "a key that is announced and never comes": _endless(b"\0\xff"),
    "a value that is announced and never ends": lambda number: b"\0\1v\xff\xff" if number == 0 else b"",
    "ever new keys": _keys,
    "one key again and again": _endless(encode_pair(b"v", b"x" * 65535)),
    "pieces without an end": _endless(MORE + encode_pair(b"v", b"x" * 65535) + b"\0\0"),
    "small pieces": _endless((MORE + encode_pair(b"v", b"x" * 1024) + b"\0\0") * 64),
    "crumbs": _endless((MORE + encode_pair(b"v", b"x") + b"\0\0") * 500),
    "nothing": _endless(b"\0\0" * 2000),
}


class Codecs(SynchronousTestCase):
    """Both readers, on the same bytes."""

    @given(st.lists(PAIR, max_size=30), st.integers(1, 5000))
    def test_same_bytes(self, pairs: list[bytes], cut: int) -> None:
        """On any bytes each reader gives boxes or refuses; boxes that both give are the same."""
        data = b"".join(pairs)
        seen: list[list[Any]] = [[], []]
        refused = [False, False]
        readers: tuple[Any, Any] = (server.Parser(max_bytes=MOST), child.Receiver(max_bytes=MOST))
        for at in range(0, len(data), cut):
            for number, reader in enumerate(readers):
                try:
                    if not refused[number]:
                        seen[number] += reader.feed(data[at : at + cut])
                except (server.BadBox, ChildBadBox):
                    refused[number] = True
        both = min(len(seen[0]), len(seen[1]))
        if b"\0\0\0\0" not in data and not any(refused):
            self.assertEqual(seen[0][:both], seen[1][:both])

    @examples(50)
    @given(st.sampled_from([0, 1, 65_534, 65_535, 65_536, 131_070, 131_071, 700_000]), st.integers(1, 90_000))
    def test_each_reads_the_other(self, size: int, cut: int) -> None:
        """A value of any length that one end sends the other reads."""
        value = b"x" * size
        # A thousand pieces of a value are as good as one for each byte of it.
        cut = max(cut, size // 1000)
        for made, reader in (
            (child.encode(HEAD, value), server.Parser(max_bytes=MOST)),
            (server.encode(HEAD, value), child.Receiver(max_bytes=MOST)),
        ):
            boxes = [box for at in range(0, len(made), cut) for box in reader.feed(made[at : at + cut])]
            self.assertEqual(boxes, [{b"_ask": b"1", b"_command": b"host", b"v": value}])

    def test_floods(self) -> None:
        """A sender without end is refused, or keeps no more of the reader's memory than a value may have."""
        for name, piece in FLOODS.items():
            for reader in (server.Parser(max_bytes=MOST), child.Receiver(max_bytes=MOST)):
                tracemalloc.start()
                try:
                    sent = 0
                    for number in range(130):
                        data = piece(number)
                        sent += len(data)
                        reader.feed(data)
                        if sent > 8 * MOST:
                            break
                except (server.BadBox, ChildBadBox):
                    pass
                kept, _ = tracemalloc.get_traced_memory()
                tracemalloc.stop()
                self.assertLess(kept, 3 * MOST, (name, type(reader).__module__))
