"""What commands print."""

from __future__ import annotations

import pytest

from aiwebengine.terminal import show


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the lines that were printed."""
    return capsys.readouterr().out.rstrip("\n").split("\n")


def test_problems_look_like_a_compilers(capsys: pytest.CaptureFixture[str]) -> None:
    """A problem has its place, its message, the line with a mark under the column, and the hint."""
    problem = {
        "severity": "error",
        "code": "syntax",
        "message": "Unexpected token",
        "file": "main.ts",
        "line": 3,
        "column": 11,
        "snippet": "const x = ;",
        "hint": "Write a value.",
    }
    show.problems([problem], prefix="notes")
    assert printed(capsys) == [
        "notes/main.ts:3:11: error: Unexpected token [syntax]",
        "    const x = ;",
        "              ^",
        "    hint: Write a value.",
    ]


def test_a_problem_without_a_place(capsys: pytest.CaptureFixture[str]) -> None:
    """A problem of the whole script names no line."""
    show.problems([{"severity": "warning", "message": "It registers nothing.", "code": "no_routes"}])
    assert printed(capsys) == ["warning: It registers nothing. [no_routes]"]


def test_a_long_line_is_cut_around_its_mark(capsys: pytest.CaptureFixture[str]) -> None:
    """Of a minified line only the part around the problem is shown."""
    line = "a" * 500 + "!" + "b" * 500
    show.problems([{"message": "x", "file": "main.js", "line": 1, "column": 501, "snippet": line}])
    _, snippet, mark = printed(capsys)
    assert len(snippet) < 200
    assert snippet[mark.index("^")] == "!"


def test_tabs_keep_the_mark_in_place(capsys: pytest.CaptureFixture[str]) -> None:
    """A tab counts as one column, so the mark stands where the problem is."""
    show.problems([{"message": "x", "file": "main.js", "line": 1, "column": 3, "snippet": "\t\tbad"}])
    _, snippet, mark = printed(capsys)
    assert snippet[mark.index("^")] == "b"


def test_nothing_a_script_wrote_moves_the_cursor() -> None:
    """Control characters of log lines are shown, not sent to the terminal."""
    line = {"at": 0, "level": "info", "uri": "x", "message": "a\x1b[2Jb\rc\nd", "fields": {"k\x07": "\x1b"}}
    text = show.log_line(line, with_script=True)
    assert "\x1b[2J" not in text.replace("\x1b[90m", "")
    assert "\r" not in text
    assert "\x07" not in text
    assert "a\\u001b[2Jb\\u000dc " in text
    assert text.endswith("\n    d")


def test_a_failure_is_shown_once() -> None:
    """Fields and outcome stand in the first line, before the stack, and nothing stands there twice."""
    line = {
        "at": 0,
        "level": "error",
        "message": "The script threw no\n    at f (main.ts:2)\n    at g (main.ts:9)",
        "fields": {"code": "script_failed", "place": "main.ts:2", "route": "GET /a"},
        "outcome": "script_failed",
    }
    first, second, third = show.log_line(line, with_script=False).split("\n")
    assert first.endswith('The script threw no route="GET /a" (script_failed)')
    assert (second, third) == ("        at f (main.ts:2)", "        at g (main.ts:9)")
    other = show.log_line({**line, "fields": {"code": 7, "place": "here"}}, with_script=False)
    assert 'code=7 place="here"' in other


def test_sizes() -> None:
    """Bytes are told in units of 1024."""
    assert [show.size(count) for count in (0, 1023, 1536, 5 << 20, 3 << 30)] == [
        "0 B",
        "1023 B",
        "1.5 KiB",
        "5.0 MiB",
        "3.0 GiB",
    ]
