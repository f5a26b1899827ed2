"""The page of packages fits the cases of the survey, which is too long to be run here."""

from __future__ import annotations

import json

from bench.packages.case import read_cases
from bench.packages.page import PAGE, page
from tests.rules.tree import ROOT

_OUTCOMES = ROOT / "bench" / "packages" / "outcomes.json"


def test_versions_are_pinned() -> None:
    """There are 142 cases, each about another package, and each package has one version."""
    cases = read_cases()
    assert len({case.folder for case in cases}) == len(cases) == 142
    assert all(version[0].isdigit() for case in cases for version in case.versions.values())


def test_page_is_current() -> None:
    """The page tells the outcomes that were found, each with the versions of now."""
    cases = read_cases()
    outcomes = json.loads(_OUTCOMES.read_text("utf-8"))
    assert PAGE.read_text("utf-8") == page(cases, outcomes)
    assert {name: one["versions"] for name, one in outcomes.items()} == {
        case.name: dict(case.versions) for case in cases if case.name in outcomes
    }
