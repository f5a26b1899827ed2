"""Features of other packages: what is wrong with one is told before anything starts."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import EntryPoint
from typing import Any, cast

import pytest

from aiwebengine.errors import CannotStart
from aiwebengine.feature import Feature
from aiwebengine.features import all as features
from aiwebengine.host.declarations import Declarations
from aiwebengine.host.declare import Argument, HostCall

SAY = HostCall(
    name="say",
    group="Greetings",
    arguments=(Argument(name="name", kind="string", doc="Who is greeted.", max_length=100),),
    returns="string",
    effect="none",
    doc="Returns a greeting.",
    example='registerWebHandler("/", () => say("Ada"));',
)
SOUND = Feature(name="greetings", parts="none:build", api_version=1, declares=Declarations(calls=(SAY,)))
NAMELESS = replace(SOUND, api_version=None)
TAKEN = replace(SOUND, name="storage")
HELD = replace(SOUND, declares=Declarations(calls=(replace(SAY, effect=cast(Any, "hold")),)))
TEXT = replace(
    SOUND,
    declares=Declarations(calls=(replace(SAY, arguments=(Argument(name="name", kind=cast(Any, "txt"), doc="It."),)),)),
)
OBJECT = replace(SOUND, declares=Declarations(calls=(replace(SAY, name="greetings.say"),)))


def found(monkeypatch: pytest.MonkeyPatch, name: str) -> tuple[Feature, ...]:
    """Load the features as if a package named one of this module."""
    point = EntryPoint(name="greetings", value=f"{__name__}:{name}", group=features.ENTRY_POINTS)
    monkeypatch.setattr(features, "entry_points", lambda group: [point])
    return features.installed()


def test_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package's feature comes after the engine's own."""
    assert found(monkeypatch, "SOUND") == (*features.FEATURES, SOUND)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("NAMELESS", "Add api_version=1 to its Feature."),
        ("TAKEN", "one of the engine of that name already. Give it another name (Feature.name)."),
        ("HELD", 'say: effect is "hold"; it must be one of none, evidence, held, immediate.'),
        ("TEXT", 'say: the kind of name is "txt"; it must be one of string, integer,'),
        ("OBJECT", "greetings.say is a method of greetings, which no Global declares."),
        ("SAY", "names a HostCall; it must name a value of the class aiwebengine.feature.Feature."),
        ("MISSING", "fails to load: AttributeError"),
    ],
)
def test_wrong(monkeypatch: pytest.MonkeyPatch, name: str, told: str) -> None:
    """One that is wrong stops the start, with the entry point and the remedy."""
    with pytest.raises(CannotStart) as caught:
        found(monkeypatch, name)
    assert told in caught.value.public
    assert f"{__name__}:{name}" in caught.value.public
