"""Features of other packages: what is wrong with one is told before anything starts."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint
from typing import Annotated, Any, cast

import pytest

from aiwebengine.errors import CannotStart
from aiwebengine.feature import Feature
from aiwebengine.features import all as features
from aiwebengine.host.declarations import Declarations
from aiwebengine.host.declare import Argument, Global, HostCall, Shape

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
WORD = replace(SOUND, api_version=cast(Any, "1"))
TAKEN = replace(SOUND, name="storage")
HELD = replace(SOUND, declares=Declarations(calls=(replace(SAY, effect=cast(Any, "hold")),)))
TEXT = replace(
    SOUND,
    declares=Declarations(calls=(replace(SAY, arguments=(Argument(name="name", kind=cast(Any, "txt"), doc="It."),)),)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Greetings:
    """A section in which nothing is wrong."""

    word: str = "Hello"
    """What is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithoutDefault:
    """A section with a setting that has no default."""

    word: str
    """What is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OddType:
    """A section with a setting that no file can hold."""

    words: Annotated[set[str], "of some kind"] = frozenset()  # type: ignore[assignment]  # It is wrong on purpose.
    """What is said."""


SPACED = replace(SOUND, name="../greetings")
MACHINERY_SECTION = replace(SOUND, settings={"server": Greetings})
FEATURE_SECTION = replace(SOUND, settings={"storage": Greetings})
NO_DEFAULT = replace(SOUND, settings={"greetings": WithoutDefault})
ODD_TYPE = replace(SOUND, settings={"greetings": OddType})
NO_SECTION = replace(SOUND, settings={"greetings": cast(Any, {"word": "Hello"})})
MACHINERY_COMMAND = replace(SOUND, commands={"deploy": "greetings.commands:deploy"})
FEATURE_COMMAND = replace(SOUND, commands={"receipts": "greetings.commands:receipts"})
KV = Global(name="kv", group="Greetings", kind="object", doc="It.", example='registerWebHandler("/", () => "");')
FEATURE_GLOBAL = replace(SOUND, declares=Declarations(globals=(KV,)))
MACHINERY_GLOBAL = replace(SOUND, declares=Declarations(globals=(replace(KV, name="console"),)))
BUILT_IN = replace(SOUND, declares=Declarations(globals=(replace(KV, name="Array"),)))
FUNCTION = replace(SOUND, declares=Declarations(calls=(replace(SAY, name="registerWebHandler"),)))
TYPE = replace(SOUND, declares=Declarations(shapes=(Shape(name="RouteOptions<T>", doc="It.", alias="T"),)))
NO_COMMAND = replace(SOUND, commands={"greet": "greetings.commands"})
TWICE = replace(SOUND, settings={"greetings": Greetings}, commands={"greet": "greetings.commands:greet"})
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
    ("name", "message"),
    [
        ("NAMELESS", "Add api_version=1 to its Feature."),
        ("WORD", "which is not a whole number. Write api_version=1."),
        ("TAKEN", "one of the engine of that name already. Give it another name (Feature.name)."),
        ("HELD", 'say: effect is "hold"; it must be one of none, evidence, held, immediate.'),
        ("TEXT", 'say: the kind of name is "txt"; it must be one of string, integer,'),
        ("OBJECT", "greetings.say is a method of greetings, which no Global declares."),
        ("SAY", "names a HostCall; it must name a value of the class aiwebengine.feature.Feature."),
        ("SPACED", 'its name "../greetings" (Feature.name) must be lower-case letters, digits, - and _'),
        ("MACHINERY_SECTION", 'the section "server" of the settings (Feature.settings) is one of the engine'),
        ("FEATURE_SECTION", 'the section "storage" of the settings (Feature.settings) is one of the feature "storage"'),
        ("NO_DEFAULT", "greetings.word has no default; every setting needs one"),
        ("ODD_TYPE", "greetings.words has a type that settings cannot have"),
        ("NO_SECTION", 'the section "greetings" of the settings (Feature.settings) is a dict, not a frozen dataclass'),
        ("MACHINERY_COMMAND", 'the command "deploy" (Feature.commands) is one of the engine'),
        ("FEATURE_COMMAND", 'the command "receipts" (Feature.commands) is one of the feature "receipts"'),
        ("FEATURE_GLOBAL", 'the name "kv" that scripts see (Feature.declares) is one of the feature "storage" already'),
        ("MACHINERY_GLOBAL", 'the name "console" that scripts see (Feature.declares) is one of the engine already'),
        ("BUILT_IN", 'the name "Array" that scripts see (Feature.declares) is one of the engine already'),
        ("FUNCTION", 'the name "registerWebHandler" that scripts see (Feature.declares) is one of the engine already'),
        ("TYPE", 'the type "RouteOptions" that scripts see (Feature.declares) is one of the engine already'),
        ("NO_COMMAND", 'the command "greet" is at "greetings.commands", which is not module:command'),
        ("MISSING", "fails to load: AttributeError"),
    ],
)
def test_wrong(monkeypatch: pytest.MonkeyPatch, name: str, message: str) -> None:
    """One that is wrong stops the start, with the entry point and the remedy."""
    with pytest.raises(CannotStart) as caught:
        found(monkeypatch, name)
    assert message in caught.value.public
    assert f"{__name__}:{name}" in caught.value.public


def test_names_of_two_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two packages cannot have the same section or command, and both features are named."""
    other = replace(TWICE, name="salutations", declares=Declarations())
    monkeypatch.setattr(sys.modules[__name__], "OTHER", other, raising=False)
    points = [
        EntryPoint(name=name, value=f"{__name__}:{value}", group=features.ENTRY_POINTS)
        for name, value in (("greetings", "TWICE"), ("salutations", "OTHER"))
    ]
    monkeypatch.setattr(features, "entry_points", lambda group: points)
    with pytest.raises(CannotStart) as caught:
        features.installed()
    assert 'The feature "salutations" cannot be used' in caught.value.public
    for what in ('the section "greetings"', 'the command "greet"'):
        assert what in caught.value.public
    assert caught.value.public.count('is one of the feature "greetings"') == 2
