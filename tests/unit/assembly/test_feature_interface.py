"""The reference page of the feature interface."""

from __future__ import annotations

from dataclasses import fields

from aiwebengine.assembly import feature_interface
from aiwebengine.feature import API_VERSION, Feature
from aiwebengine.machinery import Parts

[TEXT] = feature_interface.generated().values()


def part(name: str) -> str:
    """Return what the page says of a class."""
    return TEXT.partition(f"### `{name}`\n")[2].partition("\n##")[0]


def test_fields() -> None:
    """Every field of a feature and of its parts is there, with its type, default and meaning."""
    for kind in (Feature, Parts):
        described = part(kind.__name__)
        assert f"import {kind.__name__}\n" in described
        for field in fields(kind):
            line = next(line for line in described.split("\n") if line.startswith(f"- `{field.name}: "))
            assert line.partition("`: ")[2], line
    assert "- `summary: str = ''`: One sentence for people." in part("Feature")


def test_version() -> None:
    """The page says which version of the interface it describes."""
    assert f"The version of this interface is **{API_VERSION}**" in TEXT


def test_methods() -> None:
    """Methods are there with their arguments, results and errors; what only the machinery calls is not."""
    session = part("CallSession")
    assert "- `hold(effect: HeldEffect) -> None`: Keep `effect` until the handler has returned." in session
    assert "  - Raises `Denied`: The invocation may change nothing." in session
    assert "- `invocation`: Whose calls these are." in session
    assert "commit(" not in session
    assert "_held" not in session


def test_constants() -> None:
    """The places of admission steps are there with their meanings."""
    assert "- `SHIELD = 10`: Refuses every request: maintenance, overload." in part("Place")
