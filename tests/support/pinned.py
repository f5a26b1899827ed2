"""
Settings that have no effect: whatever is said, they keep their defaults.

A test marked with `@pytest.mark.setting("http.idle_seconds")` shows that the setting has an effect, so it
must fail when the setting is pinned.  `pytest --pinned=0` runs each marked test once, with the first setting
of its mark pinned, `--pinned=1` those with a second one, and so on.  Such a run passes if each test failed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields

import pytest

from aiwebengine.features.all import FEATURES, sections_of
from aiwebengine.settings.check import all_sections
from aiwebengine.settings.schema import Settings

MARK = "setting"


@contextmanager
def pinned(setting: str) -> Iterator[None]:
    """Have *setting*, such as `http.idle_seconds`, keep its default in this process."""
    section, _, key = setting.rpartition(".")
    kind = all_sections(sections_of(FEATURES))[section] if section else Settings
    [default] = [field.default for field in fields(kind) if field.name == key]
    before = kind.__dict__[key]
    # The constructor of a frozen dataclass sets its fields as attributes.
    setattr(kind, key, property(lambda _: default, lambda _, __: None))
    try:
        yield
    finally:
        setattr(kind, key, before)


class Pinning:
    """
    A plug-in of pytest that runs marked tests with a setting pinned, and wants them to fail.

    Args:
        place: Which setting of each test's mark is pinned, from 0.
    """

    def __init__(self, place: int) -> None:
        self._place = place
        self._settings: dict[str, str] = {}
        """By test."""
        self._failed: dict[str, bool] = {}
        """By setting and test, whether the test failed with any of its parameters, or was skipped."""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the tests that have a setting in this place."""
        for item in items:
            names = [name for mark in item.iter_markers(MARK) for name in mark.args]
            if self._place < len(names):
                self._settings[item.nodeid] = names[self._place]
        items[:] = [item for item in items if item.nodeid in self._settings]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Run a test with its setting pinned."""
        with pinned(self._settings[item.nodeid]):
            return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember what became of it."""
        key = f"{self._settings[report.nodeid]}: {report.nodeid.partition('[')[0]}"
        self._failed[key] = self._failed.get(key, False) or report.outcome != "passed"

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the run for tests that missed nothing."""
        session.exitstatus = pytest.ExitCode.OK if self._failed else pytest.ExitCode.NO_TESTS_COLLECTED
        for key, failed in self._failed.items():
            if not failed:
                print(f"\npasses all the same without {key}")  # noqa: T201 - it is what the run is for
                session.exitstatus = pytest.ExitCode.TESTS_FAILED
