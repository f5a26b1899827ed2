"""What a builder tells its worker."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.build import builder
from aiwebengine.build.builder import Builder
from aiwebengine.build.node import NodeProgram
from aiwebengine.settings.schema import BuildSettings
from tests.support.fakes.threads import ThreadsInTurn

_NODE = NodeProgram(program=Path("/node"), npm=Path("/npm"), version="1")


class _Worker:
    def __init__(self, *, setup: Mapping[str, Any], **_: Any) -> None:
        self.setup = json.dumps(setup)

    def stop(self) -> None:
        """Stop nothing."""


def _listed(names: Mapping[str, frozenset[str] | None]) -> str:
    made = Builder(
        settings=BuildSettings(),
        cache_folder=Path("/cache"),
        reactor=Clock(),
        threads=ThreadsInTurn(),
        random=float,
        known_globals=names,
        advice={},
    )
    workers: list[_Worker] = []

    def worker(**given: Any) -> _Worker:
        workers.append(_Worker(**given))
        return workers[-1]

    with patch.object(builder, "Worker", worker), patch.object(builder, "find_node", lambda *_: _NODE):
        made.startService()
        made.stopService()
    return workers[0].setup


class BuilderTests(SynchronousTestCase):
    def test_order_of_names(self) -> None:
        """In whatever order the names come, the worker is told the same, and so finds what it kept before a restart."""
        names = {"kv": frozenset({"set", "get"}), "Math": None, "btoa": None}
        self.assertEqual(_listed(names), _listed(dict(reversed(names.items()))))
        self.assertIn('"Math": null, "btoa": null, "kv": ["get", "set"]', _listed(names))
