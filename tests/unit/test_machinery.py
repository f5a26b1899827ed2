"""What is made of features before anything starts."""

from __future__ import annotations

import pytest

from aiwebengine.errors import CannotStart
from aiwebengine.feature import Feature
from aiwebengine.features.all import FEATURES
from aiwebengine.machinery import chains_of
from aiwebengine.services.db.chain import MigrationChain, Step

NOTES = MigrationChain(name="notes", steps=(Step(revision="0001", upgrade=lambda _: None),))
HERE = f"{__name__}:NOTES"


def feature(name: str, *chains: str, api_version: int = 1) -> Feature:
    """Return a feature with chains in each script's database."""
    return Feature(name=name, parts="none", migrations={"script": chains}, api_version=api_version)


def test_chains_of_features() -> None:
    """The chains of a database are those of the machinery and then those of features, in their order."""
    chains = chains_of([*FEATURES, feature("notes", HERE)])
    assert {name: [chain.name for chain in those] for name, those in chains.items()} == {
        "main": ["scripts", "units", "script_files", "idempotency", "storage", "assets"],
        "evidence": ["logs", "receipts", "budgets", "recordings"],
        "script": ["units", "notes"],
    }
    assert [chain.name for chain in chains_of([])["main"]] == ["scripts", "units", "script_files"]


@pytest.mark.parametrize(
    ("features", "told"),
    [
        ([feature("notes", HERE), feature("others", HERE)], '"others" keeps tables in the script database'),
        ([feature("notes", f"{__name__}:MISSING")], '"notes" cannot be loaded'),
        ([feature("notes", "no.such.module:NOTES")], '"notes" cannot be loaded'),
        ([feature("notes", HERE, api_version=7)], "version 7 of the feature interface"),
    ],
)
def test_chains_that_cannot_be(features: list[Feature], told: str) -> None:
    """A server whose features cannot keep their tables does not start, and says whose they are."""
    with pytest.raises(CannotStart) as caught:
        chains_of(features)
    assert told in caught.value.public
