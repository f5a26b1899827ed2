"""Plain settings of scripts."""

from __future__ import annotations

import pytest

from aiwebengine.settings.script_env import ScriptEnv, is_override, read_env


def test_manifest():
    """Strings, numbers and booleans become strings."""
    assert read_env({"A": "x", "B_1": 20, "C": True, "D": 0.5, "E": ""}) == (
        {"A": "x", "B_1": "20", "C": "true", "D": "0.5", "E": ""},
        "",
    )


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ([], "must be an object"),
        ({"1A": "x"}, "'1A' is no name"),
        ({"a-b": "x"}, "is no name"),
        ({"A": None}, "A: a value must be a string"),
        ({"A": {}}, "A: a value must be a string"),
        ({"A": "x" * 8193}, "at most 8192 characters; it has 8193"),
        ({f"A{number}": "x" for number in range(101)}, "at most 100 names; it has 101"),
        ({f"A{number}": "x" * 8000 for number in range(9)}, "at most 65536 characters in all"),
    ],
    ids=["list", "digit", "hyphen", "null", "object", "long", "many", "large"],
)
def test_wrong(value, why):
    """What is wrong is named, and nothing of it counts."""
    env, wrong = read_env(value)
    assert env == {}
    assert why in wrong


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("shop:A=x", True),
        ("https://a.example/b:A=x=y:z", True),
        ("shop:A=", True),
        ("shop:1=x", False),
        ("shop", False),
        (":A=x", False),
        ("A=x", False),
    ],
)
def test_override(text, good):
    """A setting names a script, a name and a value."""
    assert is_override(text) is good


def test_both():
    """What the settings say of a script takes the place of what its manifest says."""
    env = ScriptEnv(["shop:A=own", "shop:C=new", "https://a.example/b:A=x=y"])
    assert env.of("shop", {"env": {"A": "1", "B": "2"}}) == {"A": "own", "B": "2", "C": "new"}
    assert env.of("https://a.example/b", {}) == {"A": "x=y"}
    assert env.of("other", {}) == {}
