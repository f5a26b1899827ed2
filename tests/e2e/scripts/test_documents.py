"""What the documents show is what the server does."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from types import ModuleType
from urllib.parse import quote

import pytest
import pytest_twisted

from aiwebengine.feature import Feature
from aiwebengine.features.all import FEATURES
from tests.support.documents import ROOT, Step, documents, steps_of
from tests.support.engine import EngineUnderTest, Reply, running_engine, shared_engine

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
        elif step.kind in {"answer", "status", "administrator"}:
            token = self._engine.token if step.kind == "administrator" else ""
            reply = await self._ask(*step.words, token=token)
            if step.kind != "status":
                assert _normal(reply.text, reply) == _normal(step.text, reply)

    def _with(self, uri: str, path: str, text: str, *, add: bool) -> dict[str, str]:
        files = dict(self._files.get(uri, {}))
        files[path] = f"{files[path]}\n{text}\n" if add else f"{text}\n"
        return files

    async def _ask(self, method: str, path: str, status: str, body: str | None = None, *, token: str = "") -> Reply:
        for uri in dict.fromkeys(self._changed):
            await self._engine.deploy(uri, self._files[uri])
        self._changed.clear()
        headers = {"content-type": "application/json"} if body else {}
        if token:
            headers["authorization"] = f"Bearer {token}"
        reply = await self._engine.request(method, path, headers, body)
        assert reply.status == int(status), reply.text
        return reply

    async def _refusal(self, uri: str, files: Mapping[str, str]) -> str:
        reply = await self._engine.api("PUT", "/script?uri=" + quote(uri, safe=""), {"files": files})
        assert reply.status == 422, reply.text
        return json.dumps(reply.json()["problems"], ensure_ascii=False)


def _feature(step: Step, monkeypatch: pytest.MonkeyPatch) -> Feature:
    """Return the feature that a block defines, as if it were a module of an installed package."""
    [name] = step.words
    module = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    exec(compile(step.text, f"{name}.py", "exec"), vars(module))
    feature = vars(module)["FEATURE"]
    assert isinstance(feature, Feature)
    return feature


def _normal(text: str, reply: Reply) -> object:
    if reply.headers.get("content-type", "").startswith("application/json"):
        return json.loads(text)
    return text.strip()


@pytest.mark.parametrize("path", RUN, ids=[str(path.relative_to(ROOT)) for path in RUN])
@pytest_twisted.ensureDeferred
async def test_document_is_true(path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Following a document from its top to its end gives what it shows."""
    added = [_feature(step, monkeypatch) for step in steps_of(path) if step.kind == "feature"]
    async with running_engine(features=[*FEATURES, *added]) if added else shared_engine() as engine:
        reader = Reader(engine)
        for step in steps_of(path):
            try:
                await reader.do(step)
            except AssertionError as error:
                raise AssertionError(f"{path.relative_to(ROOT)}:{step.line}: {error}") from error
