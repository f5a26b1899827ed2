"""What lowered code calls: functions that are the same in every file, and are in a program once."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest_twisted

from aiwebengine.build.builder import TOOLCHAIN
from tests.support.javascript.building import build, running_builder
from tests.support.world import Program, run_programs


@pytest_twisted.ensureDeferred
async def test_once() -> None:
    """Each function that lowered files call is in the program once, and others are not in it."""
    async with running_builder() as builder:
        main = "import { two } from './two';\nregisterWebHandler('/x', async () => [...(await two([1]))]);\n"
        files = {"main.ts": main, "two.ts": "export const two = async (list: number[]) => [...list, 2];\n"}
        source = (await build(builder, files)).source
    functions = Counter(re.findall(r"^ *function (_\w+)\(", source, re.MULTILINE))
    assert functions["_asyncToGenerator"] == functions["_toConsumableArray"] == 1
    assert "_wrapAsyncGenerator" not in functions
    assert "__helper_" not in source


@pytest_twisted.ensureDeferred
async def test_only_in_another_file() -> None:
    """What only an imported file calls is in the program too, together with what that calls itself."""
    files = {
        "main.ts": "import { counted } from './late';\nregisterWebHandler('/x', () => counted(3).next());\n",
        "late.ts": "export async function* counted(n: number) { for (let i = 0; i < n; i++) yield i; }\n",
    }
    async with running_builder() as builder:
        built = await build(builder, files)
    assert "AsyncGenerator.prototype" in built.source
    [outcome] = run_programs([Program(source=built.source)])
    assert outcome.value() == {"value": 0, "done": False}


def test_every_one() -> None:
    """Every function that is exported is declared, and so is everything of the module that it uses."""
    made = json.loads((TOOLCHAIN / "helpers.json").read_text("utf-8"))
    declared = {name for statement in made["statements"] for name in statement["declares"]}
    assert len(made["exported"]) > 50
    assert set(made["exported"].values()) <= declared
    assert {name for statement in made["statements"] for name in statement["uses"]} <= declared
