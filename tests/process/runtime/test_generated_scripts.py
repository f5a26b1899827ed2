"""Scripts made by chance do whatever can be done; none reaches Python, forges a box or harms its neighbours."""

from __future__ import annotations

import json
from collections import Counter

import pytest_twisted
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import EngineError, ScriptCrashed, ScriptProtocol
from aiwebengine.settings.schema import LimitSettings, PoolSettings
from tests.support.hostile.deeds import DEEDS, GOOD, NAMES, POISONED, WORLD, look, world
from tests.support.runtime import RuntimeUnderTest, Seen, running_runtime
from tests.support.sandbox import Zygote

SEEDS = range(100)
FORBIDDEN = (
    "Duktape",
    "CBOR",
    "globalThis.Buffer",
    "__globals__",
    "__class__",
    "__kernel",
    "python",
    "pyduktape",
    "modSearch",
)


class Generated(SynchronousTestCase):
    """Deeds by chance, each number in a clone of its own."""

    def test_deeds(self) -> None:
        """What comes out of any script is what a script may say, and it dies of nothing but its limits."""
        with Zygote() as zygote:
            template = world(zygote)
            endings = Counter(look(template, seed=seed, deeds=60) for seed in SEEDS)
            # The numbers do reach far: some answer, some throw, some are stopped.
            self.assertGreater(endings["answer"], 10, endings)
            self.assertGreater(endings["thrown"], 10, endings)
            seen = template.clone().run(GOOD, query=[["n", "21"]])
            self.assertEqual(seen.value, {"n": "21", "twice": 42})

    def test_poisoned(self) -> None:
        """With all methods of any one thing replaced a handler answers what it should, or fails; it forges nothing."""
        right = {"asked": ["sync", None], "text": "\xe9"}
        endings: Counter[str] = Counter()
        with Zygote() as zygote:
            template = world(zygote)
            paths = template.clone().run(NAMES, wall_ms=5000).value
            homes = sorted({path.rpartition(".")[0] for path in paths} & set(paths))
            self.assertGreater(len(homes), 80)
            for number, path in enumerate(homes):
                bodies: list[bytes] = []
                ending = look(template, POISONED, thing=paths.index(path), kind=number % 4, bodies=bodies)
                endings[ending] += 1
                if path == "globalThis":
                    continue
                self.assertIn(ending, {"answer", "thrown", "hung", "timeout", "invalid_answer"}, path)
                for body in bodies:
                    self.assertIn(json.loads(body), (right, []), path)
        self.assertGreater(endings["answer"], len(homes) / 2, endings)

    def test_reach(self) -> None:
        """Of all that a script can walk to, nothing belongs to the engine's inside or to Python."""
        with Zygote() as zygote:
            paths = world(zygote).clone().run(NAMES, wall_ms=5000).value
        self.assertGreater(len(paths), 800)
        for path in paths:
            for name in FORBIDDEN:
                self.assertNotIn(name, path)


def _with_query(runtime: RuntimeUnderTest, handler: int, **query: int) -> Seen:
    invocation = runtime.invocation("world", handler=handler, wall=0.3)._replace(cpu_seconds=0.3)
    payload = {**json.loads(invocation.payload), "query": [[name, str(value)] for name, value in query.items()]}
    seen = Seen()
    runtime.runner.run(invocation._replace(payload=json.dumps(payload)), seen)
    return seen


@pytest_twisted.ensureDeferred
async def test_beside_a_good_one() -> None:
    """While they run through the server, a good script beside them is answered right every time."""
    pool = PoolSettings(max_running=2, isolation="request")
    async with running_runtime(limits=LimitSettings(memory_bytes=96 << 20), pool=pool) as runtime:
        runtime.host.calls = dict.fromkeys(("register.route", "getScript", "kv.get", "kv.set"), lambda given: given)
        await runtime.load("world", WORLD)
        await runtime.load("good", 'registerWebHandler("/", function (req) { return { path: req.path }; });')
        errors: Counter[str] = Counter()
        for seed in range(300, 340):
            seen = _with_query(runtime, DEEDS, seed=seed, deeds=60)
            answer = (await runtime.run("good", path=f"/{seed}")).value
            assert answer == {"path": f"/{seed}"}
            error = (await seen.done).error
            if error is not None:
                errors[error.code] += 1
                assert isinstance(error, EngineError)
                assert not isinstance(error, ScriptCrashed | ScriptProtocol), (seed, error.private)
        assert (await _with_query(runtime, GOOD, n=4).done).value == {"n": "4", "twice": 8}
        assert errors["script_failed"] > 5, errors
