"""Well-known packages from npm, in a script that uses them over HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from aiwebengine.settings.schema import BuildSettings
from tests.support.engine import EngineUnderTest, running_engine, settings_for
from tests.support.reading.rendered import ROOT

NPM_CACHE = ROOT / "build-cache" / "npm"
_FOLDER = ROOT / "tests" / "support" / "packages" / "well-known"
_JSON = {"content-type": "application/json"}

pytestmark = pytest.mark.skipif(
    not (NPM_CACHE / "filled").exists(), reason="the npm packages were not fetched; run make test with a network"
)


@asynccontextmanager
async def _deployed(folder: Path) -> AsyncIterator[EngineUnderTest]:
    build = BuildSettings(npm_cache=str(NPM_CACHE), npm_offline=True, build_seconds=200)
    async with running_engine(settings_for(folder, build=build)) as engine:
        files = {path.name: path.read_text("utf-8") for path in _FOLDER.iterdir()}
        done = await engine.deploy("well-known", files)
        assert not done["warnings"], done["warnings"]
        yield engine


async def _answered(engine: EngineUnderTest, path: str, value: Any) -> Any:
    reply = await engine.request("POST", path, _JSON, json.dumps(value))
    assert reply.status == 200, reply.text
    return reply.json()


@pytest_twisted.ensureDeferred
async def test_packages(tmp_path: Path) -> None:
    """marked, immer and both versions of zod do in a script what their documentation says."""
    async with _deployed(tmp_path) as engine:
        await _marked(engine)
        await _immer(engine)
        await _zod(engine)
        await _zod3(engine)


async def _marked(engine: EngineUnderTest) -> None:
    text = (
        "# Title *em*\n\nA **bold** `code` [link](http://e.org 'T'), héé\nline.\n\n* a\n  * b\n\n1. one\n2. two\n\n"
        "> quote\n\n```js\nlet x = 1 < 2;\n```\n\n| a | b |\n|---|:-:|\n| 1 | 2 |\n\n"
        "- [x] done\n\n~~del~~ <b>html</b>\n"
        "\n---\n\n[ref] \\*esc\\* a_b_c «**ü**»\n\n[ref]: http://r.e\n"
    )
    reply = await engine.request("POST", "/well-known/marked", {"content-type": "text/plain; charset=utf-8"}, text)
    assert reply.status == 200, reply.text
    html = reply.json()["html"]
    for part in (
        "<h1>Title <em>em</em></h1>",
        '<strong>bold</strong> <code>code</code> <a href="http://e.org" title="T">link</a>, héé',
        "<ul>\n<li>a<ul>\n<li>b</li>\n</ul>\n</li>\n</ul>",
        "<ol>\n<li>one</li>\n<li>two</li>\n</ol>",
        "<blockquote>\n<p>quote</p>\n</blockquote>",
        '<pre><code class="language-js">let x = 1 &lt; 2;\n</code></pre>',
        '<td>1</td>\n<td align="center">2</td>',
        '<input checked="" disabled="" type="checkbox"> done',
        "<del>del</del> <b>html</b>",
        "<hr>",
        '<a href="http://r.e">ref</a> *esc* a_b_c «<strong>ü</strong>»',
    ):
        assert part in html


async def _immer(engine: EngineUnderTest) -> None:
    answer = (await engine.request("GET", "/well-known/immer")).json()
    assert answer == {
        "before": [1, 2, [["k", {"v": 1}]], [1]],
        "after": [2, 3, [["k", {"v": 2}]], [1, 3]],
        "shared": True,
        "frozen": True,
        "patches": [
            {"op": "replace", "path": ["list", 0], "value": {"deep": True}},
            {"op": "replace", "path": ["list", 1], "value": 2},
            {"op": "remove", "path": ["list", 2]},
        ],
        "undone": [1, {"deep": True}, 2],
    }


async def _zod(engine: EngineUnderTest) -> None:
    good = {"name": " Ada ", "kind": "a", "age": 3, "mail": "a@b.co", "mood": "😀"}
    assert await _answered(engine, "/well-known/zod", good) == {"person": {**good, "name": "Ada", "tags": []}}
    bad = await _answered(engine, "/well-known/zod", {"name": "x", "kind": "z", "mail": "no", "mood": "x", "id": 1})
    assert bad["tree"]["properties"] == {
        "name": {"errors": ["Too small: expected string to have >=2 characters"]},
        "kind": {"errors": ['Invalid option: expected one of "a"|"b"']},
        "mail": {"errors": ["Invalid email address"]},
        "mood": {"errors": ["Invalid emoji"]},
        "id": {"errors": ["Invalid input: expected bigint, received number"]},
    }
    assert "→ at name" in bad["text"]


async def _zod3(engine: EngineUnderTest) -> None:
    good = {"name": "Ada", "mail": "a@b.co", "mood": "😀", "when": "2020-01-02T00:00:00.000Z"}
    assert await _answered(engine, "/well-known/zod3", good) == {"person": good}
    assert await _answered(engine, "/well-known/zod3", {"name": "nobody"}) == {"issues": [["custom"]]}
    bad = await _answered(engine, "/well-known/zod3", {"name": "x", "mail": "no", "mood": "x", "more": 1})
    assert bad == {
        "issues": [
            ["too_small", "name"],
            ["invalid_string", "mail"],
            ["invalid_string", "mood"],
            ["unrecognized_keys"],
        ]
    }
