"""Secrets in requests: scripts name them, servers get them, and nobody else."""

# ruff: noqa: E501 - a line of JavaScript is one line

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from aiwebengine.features.fetch.settings import FetchSettings
from aiwebengine.features.secrets.settings import SecretSettings
from tests.support.clients.peer import Answers, Peer, Received, peer
from tests.support.engine import EngineUnderTest, running_engine, settings_for
from tests.support.waiting import until

KEY = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"
PASSWORD = "pa/ss&wörd 1"

SCRIPT = """
const ask = async (req) => {
  const { url, init, fill } = JSON.parse(req.body);
  const put = (text) => text.replace(/<(\\w+)>/g, (_, name) => secrets.ref(name));
  const headers = {};
  for (const [name, value] of Object.entries(init.headers || {})) headers[name] = put(value);
  try {
    const r = await fetch(put(url), { ...init, headers, ...(init.body ? { body: put(init.body) } : {}) });
    return { status: r.status, url: r.url, headers: Object.fromEntries(r.headers), body: await r.text() };
  } catch (e) { return { code: e.code, message: e.message }; }
};
registerWebHandler("/ask", ask, "POST");
registerWebHandler("/give", (req) => secrets.ref(req.query.name));
registerWebHandler("/has", (req) => String(secrets.has(req.query.name)));
registerWebHandler("/raw", async (req) => (await fetch(req.query.url, { headers: { "x-key": req.query.text } })).text());
registerWebHandler("/basic", async (req) => (await fetch(req.query.url, { headers: { authorization: secrets.basic("shöp", "KEY") } })).text());
registerWebHandler("/older", async (req) => (await fetch(req.query.url, { headers: { "x-key": "Key {{secret:KEY}}", "x-other": req.query.text || "" } })).text());
registerWebHandler("/thrown", async (req) => { throw new Error((await fetch(req.query.url, { headers: { "x-key": secrets.ref("KEY") } })).headers.get("x-echo")); });
"""


def echo(request: Received) -> None:
    """Answer with what was received, in the body and in a header."""
    told = {
        "path": f"{request.path}?{request.query}", "headers": dict(request.headers), "body": request.body.decode("latin-1"),
    }  # fmt: skip
    request.reply(json.dumps(told).encode(), content_type="application/json", x_echo=request.header("x-key") or "-")


class Always(dict[str, Answers]):
    """The same answer for every path that has none of its own."""

    def get(self, path: str, default: Any = None) -> Any:
        return super().get(path, echo)


def echoes(other: Peer) -> None:
    other.answers = Always(other.answers)


@asynccontextmanager
async def engine_with(
    folder: Path, grants: Sequence[str], values: dict[str, bytes] | None = None, **settings: Any
) -> AsyncIterator[EngineUnderTest]:
    """Run an engine with secrets in a folder, and a script that may use some of them."""
    secrets = folder / "secrets"
    secrets.mkdir()
    for name, value in (values or {"KEY": KEY.encode(), "PASSWORD": PASSWORD.encode() + b"\n"}).items():
        (secrets / name).write_bytes(value)
    made = settings_for(
        folder / "data",
        fetch=FetchSettings(allow="all", networks=("127.0.0.0/8",)),
        secrets=SecretSettings(folder=str(secrets), reload_seconds=0.1, **settings),
    )
    async with running_engine(made) as engine:
        await engine.deploy("asks", {"main.js": SCRIPT}, grants=grants)
        yield engine


async def ask(engine: EngineUnderTest, url: str, **init: Any) -> Any:
    return (await engine.request("POST", "/ask", {}, json.dumps({"url": url, "init": init}))).json()


def for_host(other: Peer, *names: str) -> list[str]:
    return [f"secret:{name}@127.0.0.1:{other.port}" for name in names]


async def everything(engine: EngineUnderTest) -> str:
    """Return all that the server shows of what happened."""
    shown = [
        (await engine.api("GET", path)).text
        for path in ("/logs?uri=asks", "/state", "/secrets", "/script?uri=asks&content=true", "/deliveries")
    ]
    return "\n".join(shown)


@pytest_twisted.ensureDeferred
async def test_filled_in(tmp_path: Path) -> None:
    """A secret stands in path, query, headers, and in the body if that is asked for; as each place needs it."""
    async with peer() as other, engine_with(tmp_path, for_host(other, "KEY", "PASSWORD")) as engine:
        echoes(other)
        answer = await ask(engine, f"{other.url}/bot<KEY>/x?p=<PASSWORD>", headers={"authorization": "Bearer <KEY>"})
        assert (answer["status"], KEY in json.dumps(answer)) == (200, False)
        assert "aiwebengine-secret.KEY." in answer["url"]
        await ask(
            engine,
            other.url + "/json",
            method="POST",
            body='{"p":"<PASSWORD>"}',
            headers={"content-type": "application/json"},
            secretsInBody=True,
        )
        await ask(
            engine,
            other.url + "/form",
            method="POST",
            body="a=<PASSWORD>",
            headers={"content-type": "application/x-www-form-urlencoded"},
            secretsInBody=True,
        )
        await ask(engine, other.url + "/plain", method="POST", body="<KEY>!", secretsInBody=True)
        await engine.request("GET", f"/basic?url={other.url}/basic")
        await engine.request("GET", f"/older?url={other.url}/older")
    first, in_json, form, plain, basic, older = other.received
    assert (first.path, first.query) == (f"/bot{KEY}/x", "p=pa%2Fss%26w%C3%B6rd%201")
    assert first.header("authorization") == f"Bearer {KEY}"
    assert json.loads(in_json.body) == {"p": PASSWORD}
    assert (form.body, plain.body) == (b"a=pa%2Fss%26w%C3%B6rd%201", KEY.encode() + b"!")
    assert form.header("content-length") == str(len(form.body))
    assert base64.b64decode((basic.header("authorization") or "").removeprefix("Basic ")).decode() == f"shöp:{KEY}"
    assert older.header("x-key") == f"Key {KEY}"


@pytest_twisted.ensureDeferred
async def test_never_shown(tmp_path: Path) -> None:
    """What a server sends back of a secret is replaced, and nothing that the engine shows has it."""
    async with peer() as other, engine_with(tmp_path, for_host(other, "KEY")) as engine:
        echoes(other)
        answer = await ask(engine, other.url + "/?k=<KEY>", headers={"x-key": "<KEY>"})
        assert answer["headers"]["x-echo"] == "[secret KEY]"
        assert json.loads(answer["body"])["path"] == "/?k=[secret KEY]"
        reply = await engine.request("GET", f"/thrown?url={other.url}/thrown")
        assert (reply.status, "[secret KEY]" in reply.text) == (500, True)
        shown = await everything(engine)
        assert "[secret KEY]" in shown
        for text in (KEY, base64.b64encode(KEY.encode()).decode()[:-4]):
            assert text not in shown + json.dumps(answer) + reply.text


@pytest_twisted.ensureDeferred
async def test_bound_to_hosts(tmp_path: Path) -> None:
    """A secret is sent to the hosts of its grant only; the message names the grant that is missing."""
    async with peer() as other, engine_with(tmp_path, ["secret:KEY@api.example.com", "secret:PASSWORD"]) as engine:
        echoes(other)
        answer = await ask(engine, other.url, headers={"x-key": "<KEY>"})
        assert answer["code"] == "denied"
        assert f"--grant secret:KEY@127.0.0.1:{other.port}" in answer["message"]
        answer = await ask(engine, other.url, headers={"x-key": "<PASSWORD>"})
        assert "it is not granted for this host" in answer["message"]
        assert other.received == []


@pytest.mark.setting("secrets.hosts")
@pytest_twisted.ensureDeferred
async def test_bound_by_settings(tmp_path: Path) -> None:
    """The settings bind secrets too: a grant without a host is for those, and a grant for another one is worth nothing."""
    async with peer() as other:
        echoes(other)
        hosts = (f"PASSWORD=127.0.0.1:{other.port}", "KEY=api.example.com")
        async with engine_with(tmp_path, ["secret:PASSWORD", *for_host(other, "KEY")], hosts=hosts) as engine:
            assert (await ask(engine, other.url, headers={"x-basic": "YTo8PASSWORD>", "x": "a"}))["status"] == 200
            answer = await ask(engine, other.url + "/?p=<PASSWORD>")
            assert answer["status"] == 200
            answer = await ask(engine, other.url + "/?p=<KEY>")
            assert "binds it to other hosts" in answer["message"]
    assert [request.query for request in other.received] == ["", "p=pa%2Fss%26w%C3%B6rd%201"]


@pytest_twisted.ensureDeferred
async def test_forged_placeholders(tmp_path: Path) -> None:
    """What did not come from `secrets.ref` of this invocation is sent as it is."""
    async with peer() as other, engine_with(tmp_path, for_host(other, "KEY")) as engine:
        echoes(other)
        replayed = (await engine.request("GET", "/give?name=KEY")).text
        assert replayed.startswith("aiwebengine-secret.KEY.")
        assert replayed != (await engine.request("GET", "/give?name=KEY")).text
        forged = [replayed, "aiwebengine-secret.KEY." + "0" * 32, "{{secret:KEY}}"]
        for text in forged:
            await engine.request("GET", f"/raw?url={other.url}/&text={text.replace('{', '%7B').replace('}', '%7D')}")
        assert [request.header("x-key") for request in other.received] == forged
        await engine.request("GET", f"/older?url={other.url}/&text=%7B%7Bsecret:KEY%7D%7D")
        assert other.received[-1].header("x-other") == "{{secret:KEY}}"
        assert other.received[-1].header("x-key") == f"Key {KEY}"


@pytest_twisted.ensureDeferred
async def test_redirects(tmp_path: Path) -> None:
    """A redirect within the server keeps secrets; one to another server does not get them, in no form."""
    async with peer() as other, peer() as third:
        grants = [*for_host(other, "KEY"), *for_host(third, "KEY")]
        async with engine_with(tmp_path, grants) as engine:
            other.on("/same", lambda request: request.reply(b"", status=307, location="/echo"))
            other.on("/away", lambda request: request.reply(b"", status=307, location=third.url + "/echo"))
            other.on("/echo", echo)
            third.on("/echo", echo)
            basic = "Basic " + base64.b64encode(b"a:").decode()
            headers = {"x-key": "<KEY>", "cookie": "k=<KEY>", "authorization": "Bearer <KEY>", "x-plain": "1"}
            assert (await ask(engine, other.url + "/same", headers=headers))["status"] == 200
            assert other.received[-1].header("x-key") == KEY
            assert other.received[-1].header("cookie") == f"k={KEY}"
            assert (await ask(engine, other.url + "/away", headers={**headers, "x-basic": basic}))["status"] == 200
            assert third.received[-1].header("x-plain") == "1"
            assert all("secret" not in value and KEY not in value for _, value in third.received[-1].headers)
            answer = await ask(engine, other.url + "/away", method="POST", body="<KEY>", secretsInBody=True)
            assert (answer["code"], "redirected" in answer["message"]) == ("denied", True)
            assert len(third.received) == 1


@pytest_twisted.ensureDeferred
async def test_where_no_secret_may_stand(tmp_path: Path) -> None:
    """A body that nobody asked for, the host, a header that would be split: each is refused, and nothing is sent."""
    values = {"KEY": KEY.encode(), "LINES": b"first line\nx-admin: 1"}
    async with peer() as other, engine_with(tmp_path, for_host(other, "KEY", "LINES"), values) as engine:
        echoes(other)
        answer = await ask(engine, other.url, method="POST", body="<KEY>")
        assert "secretsInBody: true" in answer["message"]
        answer = await ask(engine, other.url, headers={"x-key": "<LINES>"})
        assert "line break" in answer["message"]
        assert "x-admin" not in answer["message"]
        answer = await ask(engine, f"http://<KEY>:{other.port}/")
        assert answer["code"] in {"invalid", "denied", "unavailable"}
        assert KEY not in json.dumps(answer)
        answer = await ask(engine, other.url, headers={"host": "<KEY>"})
        assert other.received[-1].header("host") == f"127.0.0.1:{other.port}"
        assert len(other.received) == 1


@pytest_twisted.ensureDeferred
async def test_unknown_secrets(tmp_path: Path) -> None:
    """A secret that is not granted, or not there, is named with the remedy and a similar name."""
    async with engine_with(tmp_path, ["secret:KEY", "secret:PASWORD"]) as engine:
        assert (await engine.request("GET", "/has?name=KEY")).text == "true"
        assert (await engine.request("GET", "/has?name=PASWORD")).text == "false"
        assert (await engine.request("GET", "/has?name=PASSWORD")).text == "false"
        reply = await engine.request("GET", "/give?name=KEEY")
        assert "may not use the secret KEEY; did you mean KEY?" in reply.text
        reply = await engine.request("GET", "/give?name=PASWORD")
        assert "There is no secret PASWORD on this server; did you mean PASSWORD?" in reply.text
        reply = await engine.request("GET", "/give?name=a%20b")
        assert "cannot be a name" in reply.text


@pytest.mark.setting("secrets.reload_seconds")
@pytest_twisted.ensureDeferred
async def test_read_again(tmp_path: Path) -> None:
    """A secret that is replaced is used from then on, without a restart."""
    async with peer() as other, engine_with(tmp_path, for_host(other, "KEY")) as engine:
        echoes(other)
        (tmp_path / "secrets" / "new").write_text("another value")
        (tmp_path / "secrets" / "new").replace(tmp_path / "secrets" / "KEY")
        while not other.received or other.received[-1].header("x-key") == KEY:
            await ask(engine, other.url, headers={"x-key": "<KEY>"})
        assert other.received[-1].header("x-key") == "another value"


LATER = """
registerWebHandler("/later", async (req) => {
  const r = await fetch(req.query.url, { method: "POST", body: secrets.ref("KEY"), secretsInBody: true, headers: { "x-key": secrets.ref("KEY"), "x-old": "{{secret:KEY}}" }, afterCommit: true });
  return String(r.status);
}, "POST");
"""


@pytest_twisted.ensureDeferred
async def test_sent_after_the_commit(tmp_path: Path) -> None:
    """What waits to be sent has placeholders; the value is filled in when it is sent."""
    async with peer() as other, engine_with(tmp_path, for_host(other, "KEY")) as engine:
        await engine.deploy("later", {"main.js": LATER}, grants=for_host(other, "KEY"))
        other.on("/hook", lambda request: request.reply(b"no", status=503))
        assert (await engine.request("POST", f"/later?url={other.url}/hook")).text == "202"
        await until(lambda: other.received)
        assert other.received[0].header("x-key") == other.received[0].header("x-old") == KEY
        assert other.received[0].body == KEY.encode()
        data = b"".join(path.read_bytes() for path in engine.folder.rglob("*") if path.is_file())
        assert b"aiwebengine-secret.KEY." in data
        assert KEY.encode() not in data
