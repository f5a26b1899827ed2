"""Hundreds of kills at random instants; `AIWEBENGINE_CHAOS_INSTANTS` says how many, `AIWEBENGINE_CHAOS_SEED` which."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

from tests.support.killing import Ledgers

INSTANTS = int(os.environ.get("AIWEBENGINE_CHAOS_INSTANTS", "300"))
SEED = int(os.environ.get("AIWEBENGINE_CHAOS_SEED", str(time.time_ns() % 1_000_000)))
VICTIMS = ("clone", "clone", "clone", "template", "sandbox", "server")


def test_instants(tmp_path: Path) -> None:
    """At whatever instant anything is killed, nothing half-done remains."""
    print(f"\nseed {SEED}")  # noqa: T201  for whoever wants to see the same again
    chance = random.Random(SEED)
    ledgers = Ledgers(tmp_path)
    ledgers.start()
    try:
        ledgers.deploy()
        for number in range(INSTANTS):
            if not ledgers.alive:
                ledgers.start()
            victim = chance.choice(VICTIMS)
            with ledgers.load(least=4):
                time.sleep(chance.uniform(0, 0.25))
                ledgers.kill(victim)
                if victim == "server":
                    ledgers.until("ended")
            if victim == "server" or number % 20 == 0:
                if not ledgers.alive:
                    ledgers.start()
                ledgers.check()
        if not ledgers.alive:
            ledgers.start()
        ledgers.check()
    finally:
        ledgers.stop()
    books = ledgers.books
    print(f"{INSTANTS} kills: {len(books.asked)} asked, {len(books.done)} done, {len(books.refused)} refused")  # noqa: T201
