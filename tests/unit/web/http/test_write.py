"""Answers as bytes."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.values import Answer
from aiwebengine.web.http.write import Writer, chunk


class WriterTests(SynchronousTestCase):
    """`Writer`."""

    def setUp(self) -> None:
        self.now = 784111777.9
        self.writer = Writer(seconds=lambda: self.now)

    def whole(self, answer: Answer, **others: bool) -> bytes:
        """Write it with id 1."""
        given = {"head_only": False, "close": False, **others}
        return self.writer.whole(answer, request_id="1", **given)

    def test_the_date(self) -> None:
        """The date is that of the second."""
        answer = Answer(status=200, headers=(), body=b"")
        self.assertIn(b"date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", self.whole(answer))
        self.now += 1
        self.assertIn(b"date: Sun, 06 Nov 1994 08:49:38 GMT\r\n", self.whole(answer))

    def test_statuses(self) -> None:
        """Every status has a line, also one that nobody has named."""
        self.assertTrue(self.whole(Answer(status=299, headers=(), body=b"")).startswith(b"HTTP/1.1 299 Status\r\n"))
        self.assertTrue(self.whole(Answer(status=404, headers=(), body=b"")).startswith(b"HTTP/1.1 404 Not Found\r\n"))

    def test_headers_of_ours(self) -> None:
        """What the server says of itself cannot be said twice."""
        headers = (
            (b"date", b"x"),
            (b"server", b"x"),
            (b"x-request-id", b"x"),
            (b"set-cookie", b"a=b"),
            (b"set-cookie", b"c=d"),
        )
        written = self.whole(Answer(status=200, headers=headers, body=b""))
        self.assertEqual([written.count(name) for name in (b"date:", b"server:", b"x-request-id:")], [1, 1, 1])
        self.assertEqual(written.count(b"set-cookie: "), 2)

    def test_ends(self) -> None:
        """The last answer of a connection says so; 204 and 304 have no length."""
        self.assertIn(b"connection: close\r\n\r\n", self.whole(Answer(status=200, headers=(), body=b"a"), close=True))
        for status in (204, 304):
            written = self.whole(Answer(status=status, headers=(), body=b"a"))
            self.assertNotIn(b"content-length", written)
            self.assertTrue(written.endswith(b"\r\n\r\n"))

    def test_many_kinds_of_answer(self) -> None:
        """However many kinds there are, each is written as it is, and few are kept."""
        for number in range(1000):
            answer = Answer(status=200, headers=((b"x-n", b"%d" % number),), body=b"")
            self.assertIn(b"x-n: %d\r\n" % number, self.whole(answer))
        self.assertLessEqual(len(self.writer._heads), 256)

    def test_large_headers(self) -> None:
        """Large headers are written and not kept."""
        answer = Answer(status=200, headers=((b"x-a", b"a" * 5000),), body=b"")
        self.assertIn(b"a" * 5000, self.whole(answer))
        self.assertEqual(len(self.writer._heads), 0)

    def test_chunks(self) -> None:
        """A chunk is its size, itself and an end."""
        self.assertEqual(chunk(b"a" * 17), b"11\r\n" + b"a" * 17 + b"\r\n")
