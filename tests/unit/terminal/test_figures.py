"""Figures of a server, as people read them."""

from __future__ import annotations

from typing import Any

import pytest

from aiwebengine.terminal.figures import figures


def shown(document: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> str:
    """Print a document and return what stands there."""
    figures(document)
    return capsys.readouterr().out


def test_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Plain values stand in lines, keys as words and values as their keys say."""
    message = {"scriptsWaiting": 2, "longestMs": 12.5, "peakBytes": 2048, "ready": True, "failure": None, "over10ms": 3}
    assert shown({"theReactor": message}, capsys) == (
        "The reactor\n  scripts waiting 2, longest 12.5 ms, peak 2.0 KiB, ready yes, failure -, over 10 ms 3\n\n"
    )
    moment = shown({"server": {"startedAt": 1_760_000_000_000, "pid": 25517}}, capsys)
    assert "started 2025-10-0" in moment
    assert " d ago)" in moment
    assert "pid 25517" in moment
    assert " d ago)" in shown({"slow": [{"at": 1_760_000_000_000, "ms": 94.5}]}, capsys)


def test_long_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Many values take several lines, none of them long."""
    lines = shown({"a": {f"figure{number}": 1000 + number for number in range(40)}}, capsys).splitlines()
    assert len(lines) > 4
    assert max(map(len, lines)) <= 102


def test_tables(capsys: pytest.CaptureFixture[str]) -> None:
    """Things that have the same figures are a table, by name or in a list; what does not fit a cell is counted."""
    threads = {"main": {"size": 4, "open": 1}, "other pool": {"size": 12, "open": 0}}
    assert shown({"threads": threads}, capsys) == (
        "Threads\n  threads     size  open\n  main        4     1\n  other pool  12    0\n\n"
    )
    versions = [{"version": "a@1", "clones": [{"pid": 1}, {"pid": 2}]}]
    assert shown({"run": {"versions": versions}}, capsys) == (
        "Run\n  versions\n    version  clones\n    a@1      2\n\n"
    )


def test_nested(capsys: pytest.CaptureFixture[str]) -> None:
    """What is inside another stands below it; many answers of yes and no are two lists."""
    data = {"pid": 1, "lockdown": {"files": True, "sockets": True, "landlock": False, "platform": "linux", "notes": {}}}
    assert shown({"sandbox": data}, capsys) == (
        "Sandbox\n  pid 1\n  lockdown\n    yes: files, sockets\n    no: landlock\n    platform linux\n\n"
    )
    assert (
        shown({"x": {"last": [], "words": ["a", "b"], "n": 1}}, capsys)
        == "X\n  n 1\n  last none\n  words\n    a, b\n\n"
    )


def test_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    """Parts with nothing but zeros are only named."""
    result = shown({"busSize": {"topics": 0, "inner": {"a": None}}, "units": {}, "logs": {"written": 1}}, capsys)
    assert result == "Logs\n  written 1\n\nNothing to report: bus size, units.\n"


def test_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing that a server says can move the cursor."""
    assert "\x1b" not in shown({"a": {"b\x1b": "c\x1b[2J", "d": [{"e": "\x1b"}]}}, capsys)
