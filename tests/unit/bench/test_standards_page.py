"""The page about web standards is what its outcomes say."""

from __future__ import annotations

from bench.standards.page import DIFFERENCES, OUTCOMES, PAGE, page, read
from bench.standards.program import probes


def test_page_is_current() -> None:
    """The page was written from the outcomes and reasons that stand beside the survey."""
    assert PAGE.read_text("utf-8") == page(read(OUTCOMES), read(DIFFERENCES)), "run bench/standards/survey.py"


def test_outcomes_are_complete() -> None:
    """Every topic of the probes has outcomes, and what differs belongs to one."""
    topics = {file.topic for file in probes()}
    assert set(read(OUTCOMES)["probes"]) == topics
    assert set(read(DIFFERENCES)) <= topics
