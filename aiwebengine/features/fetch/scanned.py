"""An answer to a request that carried secrets: what the server sends back of them does not reach the script."""

from __future__ import annotations

from dataclasses import replace

from aiwebengine.features.fetch.network.bodies import AnswerBody
from aiwebengine.features.fetch.network.client import HttpAnswer
from aiwebengine.interfaces import SecretScan


class ScannedBody(AnswerBody):
    """
    See `AnswerBody`: one without secrets.

    Args:
        body: As it arrives.
        scan: Replaces values.
    """

    def __init__(self, body: AnswerBody, scan: SecretScan) -> None:
        self._body = body
        self._scan = scan
        self._ended = False

    @property
    def is_complete(self) -> bool:
        """See `AnswerBody.is_complete`."""
        return self._body.is_complete

    def take(self, most: int) -> bytes:
        """See `AnswerBody.take`."""
        clean = b""
        while len(clean) < most:
            piece = self._body.take(most)
            if not piece:
                return clean + (self._end() if self._body.is_complete else b"")
            clean += self._scan.feed(piece)
        return clean

    async def read(self, most: int) -> bytes:
        """See `AnswerBody.read`."""
        while piece := await self._body.read(most):
            if clean := self._scan.feed(piece):
                return clean
        return self._end()

    def abort(self) -> None:
        """See `AnswerBody.abort`."""
        self._body.abort()

    def _end(self) -> bytes:
        if self._ended:
            return b""
        self._ended = True
        return self._scan.end()


def scanned(answer: HttpAnswer, scan: SecretScan) -> HttpAnswer:
    """Return an answer without secrets; its length is no longer known."""
    headers = [(name, scan.text(value)) for name, value in answer.headers if name != "content-length"]
    return replace(answer, phrase=scan.text(answer.phrase), headers=headers, body=ScannedBody(answer.body, scan))
