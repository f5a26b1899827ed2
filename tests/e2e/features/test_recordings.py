"""Recording invocations and doing them over again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from aiwebengine.features.recordings.settings import RecordingSettings
from tests.support.engine import EngineUnderTest, running_engine, settings_for
from tests.support.waiting import until

SCRIPT = """
let seen = 0;
registerWebHandler("/dice/:name", async (req) => {
  seen += 1;
  const before = Date.now();
  await new Promise((resolve) => setTimeout(resolve, 15));
  const scripts = listScripts();
  console.log("thrown for " + req.params.name);
  return {
    name: req.params.name, seen, dice: Math.random(), id: crypto.randomUUID(), before,
    waited: Date.now() - before, scripts,
  };
});
registerWebHandler("/stream", () => (async function* () {
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    yield `${i} at ${Date.now()}\\n`;
  }
})());
registerWebHandler("/login", (req) => ({ hello: JSON.parse(req.body).name, token: "t0ps3cret" }), { method: "POST" });
registerWebHandler("/fails", () => { throw new Error("it failed at " + Math.random()); });
registerWebHandler("/loop", () => { for (;;); }, { timeout: 200 });
"""
CHANGED = SCRIPT.replace("const scripts = listScripts();", 'const scripts = listScripts().concat(getScript("other"));')


async def _kept(engine: EngineUnderTest, number: int) -> list[Any]:
    """Return the recordings, newest first, when there are so many."""
    found: list[Any] = []

    async def kept() -> bool:
        found[:] = (await engine.api("GET", "/recordings")).json()["recordings"]
        return len(found) >= number

    await until(kept, state=lambda: found)
    return found


async def _replay(engine: EngineUnderTest, identity: str, query: str = "", document: Any = None) -> Any:
    reply = await engine.api("POST", f"/replay?id={identity}{query}", document)
    assert reply.status == 200, reply.text
    return reply.json()


@pytest_twisted.ensureDeferred
async def test_done_over_again() -> None:
    """A recorded invocation comes out the same to the last random digit, and nothing is touched by it."""
    async with running_engine() as engine:
        await engine.deploy("dice", {"main.ts": SCRIPT}, grants=["scripts"])
        await engine.request("GET", "/dice/nobody")
        assert (await engine.api("PUT", "/recording-rule?uri=dice")).status == 200
        first = await engine.request("GET", "/dice/ada?x=1")
        await engine.request("GET", "/stream")
        await engine.request("GET", "/fails")
        await engine.request("GET", "/loop")
        found = await _kept(engine, 4)
        assert [recording["outcome"] for recording in found] == [
            "script_timeout",
            "script_failed",
            "committed",
            "committed",
        ]
        for recording in found:
            again = await _replay(engine, recording["id"])
            assert again["same"], again
            assert again["exact"]
            assert again["whole"]
        again = await _replay(engine, found[-1]["id"])
        assert json.loads(again["answer"]["body"]) == first.json()
        assert first.json()["seen"] == 1
        assert again["logs"] == [["info", "thrown for ada"]]
        lines = (await engine.api("GET", "/logs?uri=dice&contains=ada")).json()["lines"]
        assert len(lines) == 1


@pytest_twisted.ensureDeferred
async def test_first_difference() -> None:
    """In another version, or in files that nobody has deployed, the first thing that differs is shown."""
    async with running_engine() as engine:
        await engine.deploy("dice", {"main.ts": SCRIPT}, grants=["scripts"])
        await engine.api("PUT", "/recording-rule?uri=dice&path=%2Fdice%2F%3Aname")
        await engine.request("GET", "/dice/ada")
        await engine.request("GET", "/fails")
        [recording] = await _kept(engine, 1)
        changed = await _replay(engine, recording["id"], document={"files": {"main.ts": CHANGED}})
        assert changed["difference"] == {
            "what": "call",
            "at": 2,
            "recorded": None,
            "now": {"name": "getScript", "arguments": ["other"]},
        }
        louder = SCRIPT.replace("return {\n    name:", "return {\n    louder: true, name:")
        assert (await _replay(engine, recording["id"], document={"files": {"main.ts": louder}}))["difference"][
            "what"
        ] == "body"
        same = await _replay(engine, recording["id"], document={"files": {"main.ts": "// moved\n" + SCRIPT}})
        assert same["same"], same
        scripts = (await engine.api("GET", "/scripts")).json()["scripts"]
        assert [(script["uri"], script["version"]) for script in scripts] == [("dice", 1)]
        await engine.deploy("dice", {"main.ts": CHANGED}, grants=["scripts"])
        assert (await _replay(engine, recording["id"]))["same"]
        assert not (await _replay(engine, recording["id"], "&version=2"))["same"]
        missing = await engine.api("POST", f"/replay?id={recording['id']}", {"files": {"main.js": "1;"}})
        assert missing.json()["code"] == "not_found"
        assert (await engine.api("POST", "/replay?id=nope")).status == 404


@pytest_twisted.ensureDeferred
async def test_secrets_are_masked() -> None:
    """What is secret by its header or its name is in no recording, and the rest is done over again all the same."""
    async with running_engine() as engine:
        await engine.deploy("dice", {"main.ts": SCRIPT}, grants=["scripts"])
        headers = {
            "x-aiwebengine-token": engine.token,
            "x-aiwebengine-record": "1",
            "authorization": "Bearer b3arer",
            "cookie": "session=c00kie",
        }
        body = json.dumps({"name": "ada", "pass-word": "pa55", "nested": {"API_KEY": "k3y"}})
        assert (await engine.request("POST", "/login", headers, body)).json()["token"] == "t0ps3cret"
        await engine.request("POST", "/login", {}, body)
        [recording] = await _kept(engine, 1)
        kept = (await engine.api("GET", f"/recording?id={recording['id']}")).text
        for secret in ("pa55", "k3y", "b3arer", "c00kie", "t0ps3cret", engine.token):
            assert secret not in kept, secret
        assert "ada" in kept
        assert (await _replay(engine, recording["id"]))["same"]
        whole = (await engine.api("POST", "/replay", {"recording": json.loads(kept)})).json()
        assert whole["same"], whole
        assert (await engine.api("DELETE", f"/recording?id={recording['id']}")).status == 204


@pytest_twisted.ensureDeferred
async def test_errors_only_and_samples() -> None:
    """A rule may keep failures only, or one of so many; it holds until it is taken back."""
    async with running_engine() as engine:
        await engine.deploy("dice", {"main.ts": SCRIPT}, grants=["scripts"])
        await engine.api("PUT", "/recording-rule?uri=dice&mode=errors")
        for path in ("/dice/a", "/fails", "/dice/b"):
            await engine.request("GET", path)
        [recording] = await _kept(engine, 1)
        assert recording["outcome"] == "script_failed"
        assert not (await _replay(engine, recording["id"]))["exact"]
        await engine.api("PUT", "/recording-rule?uri=dice&mode=sample&every=3")
        for _ in range(6):
            await engine.request("GET", "/dice/c")
        assert len(await _kept(engine, 3)) == 3
        assert (await engine.api("DELETE", "/recording-rule?uri=dice")).status == 204
        await engine.request("GET", "/fails")
        assert len(await _kept(engine, 3)) == 3
        refused = await engine.api("PUT", "/recording-rule?uri=dice&mode=often")
        assert "always, errors, sample" in refused.json()["detail"]


LONG = """
registerWebHandler("/long/:n", async (req) => {
  await kv.set("a", { n: req.params.n });
  await kv.set("b", "x".repeat(5000) + req.query.end);
  await kv.set("c", req.params.n + 1);
  return { end: req.query.end };
}, { params: { properties: { n: { type: "integer" } } } });
"""


@pytest.mark.setting("recordings.max_bytes")
@pytest_twisted.ensureDeferred
async def test_a_recording_without_room(tmp_path: Path) -> None:
    """A recording that had no room for more is compared as far as it goes; parameters are what their schema makes."""
    async with running_engine(settings_for(tmp_path, recordings=RecordingSettings(max_bytes=2048))) as engine:
        await engine.deploy("long", {"main.ts": LONG})
        await engine.api("PUT", "/recording-rule?uri=long")
        assert (await engine.request("GET", "/long/7?end=y")).json() == {"end": "y"}
        [recording] = await _kept(engine, 1)
        again = await _replay(engine, recording["id"])
        assert (again["same"], again["whole"], again["until"]) == (True, False, 1)
        await engine.deploy("long", {"main.ts": LONG.replace("n: req.params.n }", "m: req.params.n }")})
        again = await _replay(engine, recording["id"], "&version=2")
        assert again["difference"]["recorded"]["arguments"][:2] == ["a", {"n": 7}]
        assert again["difference"]["now"]["arguments"][:2] == ["a", {"m": 7}]


@pytest_twisted.ensureDeferred
async def test_differences_in_long_arguments() -> None:
    """Of arguments that are long what is around the difference is shown."""
    async with running_engine() as engine:
        await engine.deploy("long", {"main.ts": LONG})
        await engine.api("PUT", "/recording-rule?uri=long")
        await engine.request("GET", "/long/7?end=y")
        [recording] = await _kept(engine, 1)
        await engine.deploy("long", {"main.ts": LONG.replace("req.query.end);", '"other");')})
        difference = (await _replay(engine, recording["id"], "&version=2"))["difference"]
        assert difference["at"] == 2
        for side, end in (("recorded", 'xxxy"]'), ("now", 'xxxother"]')):
            shown = difference[side]["arguments"]
            assert shown.startswith("...xxx")
            assert shown.endswith(end)
            assert len(shown) < 700


FEWER = """
registerWebHandler("/fewer", async () => {
  const [first] = await Promise.all([kv.get("a"), kv.get("b")]);
  return String(first);
});
"""


@pytest_twisted.ensureDeferred
async def test_other_calls_end_at_once() -> None:
    """A replay with fewer calls, or other ones and a timer, does not wait until its time is over."""
    async with running_engine() as engine:
        await engine.deploy("fewer", {"main.js": FEWER})
        await engine.api("PUT", "/recording-rule?uri=fewer")
        await engine.request("GET", "/fewer")
        [recording] = await _kept(engine, 1)
        less = 'registerWebHandler("/fewer", async () => String(await kv.get("a")));'
        other = FEWER.replace("return", 'kv.get("c"); await new Promise((go) => setTimeout(go, 20)); return')
        for source, call in ((less, {"recorded": {"name": "kv.get", "arguments": ["b"]}, "now": None}), (other, None)):
            again = await _replay(engine, recording["id"], document={"files": {"main.js": source}})
            assert "did not finish" not in (again["error"] or "")
            assert again["outcome"] != "script_timeout"
            assert call is None or call.items() <= again["difference"].items()
            assert not again["same"]
