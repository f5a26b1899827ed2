"""What the documents show is what the server does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import quote

import pytest
import pytest_twisted

from tests.support.documents import ROOT, Step, documents, steps_of
from tests.support.engine import EngineUnderTest, Reply, running_engine

RUN = [path for path in documents() if any(step.kind != "commands" for step in steps_of(path))]


class Reader:
    """Somebody who does what a document says, from its top to its end."""

    def __init__(self, engine: EngineUnderTest) -> None:
        self._engine = engine
        self._files: dict[str, dict[str, str]] = {}
        self._changed: list[str] = []
        self._problems = ""

    async def do(self, step: Step) -> None:
        """Follow one step."""
        if step.kind == "file":
            uri, path, *more = step.words
            self._files[uri] = self._with(uri, path, step.text, add=bool(more))
            self._changed.append(uri)
        elif step.kind == "refused":
            uri, path, *more = step.words
            self._problems = await self._refusal(uri, self._with(uri, path, step.text, add=bool(more)))
        elif step.kind == "problem":
            assert step.text.strip() in self._problems
        elif step.kind in {"answer", "status"}:
            reply = await self._ask(*step.words)
            if step.kind == "answer":
                assert _normal(reply.text, reply) == _normal(step.text, reply)

    def _with(self, uri: str, path: str, text: str, *, add: bool) -> dict[str, str]:
        files = dict(self._files.get(uri, {}))
        files[path] = f"{files[path]}\n{text}\n" if add else f"{text}\n"
        return files

    async def _ask(self, method: str, path: str, status: str, body: str | None = None) -> Reply:
        for uri in dict.fromkeys(self._changed):
            await self._engine.deploy(uri, self._files[uri])
        self._changed.clear()
        headers = {"content-type": "application/json"} if body else {}
        reply = await self._engine.request(method, path, headers, body)
        assert reply.status == int(status), reply.text
        return reply

    async def _refusal(self, uri: str, files: Mapping[str, str]) -> str:
        reply = await self._engine.api("PUT", "/script?uri=" + quote(uri, safe=""), {"files": files})
        assert reply.status == 422, reply.text
        return json.dumps(reply.json()["problems"], ensure_ascii=False)


def _normal(text: str, reply: Reply) -> object:
    if reply.headers.get("content-type", "").startswith("application/json"):
        return json.loads(text)
    return text.strip()


@pytest.mark.parametrize("path", RUN, ids=[str(path.relative_to(ROOT)) for path in RUN])
@pytest_twisted.ensureDeferred
async def test_document_is_true(path) -> None:
    """Following a document from its top to its end gives what it shows."""
    async with running_engine() as engine:
        reader = Reader(engine)
        for step in steps_of(path):
            try:
                await reader.do(step)
            except AssertionError as error:
                raise AssertionError(f"{path.relative_to(ROOT)}:{step.line}: {error}") from error
