"""What is made of features before anything starts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any, cast

import pytest

from aiwebengine.errors import CannotStart
from aiwebengine.feature import Feature
from aiwebengine.features.all import FEATURES
from aiwebengine.host.declare import HostCall
from aiwebengine.machinery import Machinery, Parts, chains_of, parts_of, refuse_shared
from aiwebengine.services.db.chain import MigrationChain, Step
from aiwebengine.web.admission import AdmissionStep
from aiwebengine.web.api.route import ApiRoute

NOTES = MigrationChain(name="notes", steps=(Step(revision="0001", upgrade=lambda _: None),))
SAY = HostCall(name="say", group="Greetings", arguments=(), returns="string", effect="none", doc="Greets.")
HERE = f"{__name__}:NOTES"


def feature(name: str, *chains: str, api_version: int = 1) -> Feature:
    """Return a feature with chains in each script's database."""
    return Feature(name=name, parts="none", migrations={"script": chains}, api_version=api_version)


def test_chains_of_features() -> None:
    """The chains of a database are those of the machinery and then those of features, in their order."""
    chains = chains_of([*FEATURES, feature("notes", HERE)])
    assert {name: [chain.name for chain in those] for name, those in chains.items()} == {
        "main": ["scripts", "units", "script_files", "idempotency", "storage", "assets", "crypto", "fetch"],
        "evidence": ["logs", "receipts", "budgets", "recordings"],
        "script": ["units", "idempotency", "storage", "fetch", "notes"],
    }
    assert [chain.name for chain in chains_of([])["main"]] == ["scripts", "units", "script_files"]


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ([feature("notes", HERE), feature("others", HERE)], '"others" keeps tables in the script database'),
        ([feature("notes", f"{__name__}:NOTE")], 'did you mean "NOTES"?'),
        ([feature("notes", f"{__name__}:feature")], "which is not a MigrationChain but a function"),
        (
            [Feature(name="notes", parts="none", migrations={"mian": [HERE]})],  # type: ignore[dict-item]  # the mistake
            'names the database "mian" in Feature.migrations; there are main, evidence, script',
        ),
        ([feature("notes", "no.such.module:NOTES")], '"notes" cannot be loaded'),
        ([feature("notes", HERE, api_version=7)], "version 7 of the feature interface"),
    ],
)
def test_chains_that_cannot_be(features: list[Feature], message: str) -> None:
    """A server whose features cannot keep their tables does not start, and says whose they are."""
    with pytest.raises(CannotStart) as caught:
        chains_of(features)
    assert message in caught.value.public


def broken(_machinery: Machinery) -> None:
    """Make no parts."""
    raise ValueError("there is no greeting")


def test_parts_that_cannot_be_built() -> None:
    """A feature whose parts fail to be made is named, with the function and what it threw."""
    with pytest.raises(CannotStart) as caught:
        parts_of(Feature(name="greetings", parts=f"{__name__}:broken"), cast(Machinery, None))
    assert 'The feature "greetings" cannot be built (tests.unit.test_machinery:broken)' in caught.value.public
    assert "ValueError: there is no greeting" in caught.value.public


def test_parts_that_are_not_there() -> None:
    """A misspelt function is told with the field that names it, and the name that was meant."""
    with pytest.raises(CannotStart) as caught:
        parts_of(Feature(name="greetings", parts=f"{__name__}:brokn"), cast(Machinery, None))
    assert f'Feature.parts is "{__name__}:brokn"' in caught.value.public
    assert 'did you mean "broken"?' in caught.value.public


def leaves(_machinery: Machinery) -> None:
    """End the program."""
    raise SystemExit(5)


def nothing(_machinery: Machinery) -> None:
    """Make no parts, and say nothing of it."""


def test_parts_that_are_none() -> None:
    """A feature that ends the program, or returns nothing, is named."""
    for made, message in (("leaves", "SystemExit: 5"), ("nothing", "it returned a NoneType, not Parts.")):
        with pytest.raises(CannotStart) as caught:
            parts_of(Feature(name="greetings", parts=f"{__name__}:{made}"), cast(Machinery, None))
        assert f'The feature "greetings" cannot be built ({__name__}:{made}): {message}' in caught.value.public


class Unanswered:
    """Calls without their functions."""

    calls = (SAY,)
    functions: Mapping[str, Any] = MappingProxyType({})


class Failing:
    """Fails when it is asked for its routes."""

    def routes(self) -> list[ApiRoute]:
        """Fail."""
        raise ValueError("there are no routes.")


STEP = AdmissionStep(name="shut", place=cast(Any, "first"), applies=bool, enter=cast(Any, None))
UNUSABLE: dict[str, tuple[Parts, str]] = {
    "groups": (Parts(groups=[Unanswered()]), 'Unanswered.functions has no function for "say".'),
    "effects": (Parts(effects={"notes": cast(Any, "x")}), 'what carries out "notes" is a str, which has no method'),
    "services": (Parts(services=[("cache", "x")]), 'the service "cache" is a str, which is not an IService.'),
    "api": (Parts(api=[Failing()]), "ValueError: there are no routes. The server log has the traceback."),
    "admission": (Parts(admission=[STEP]), "the place of the step \"shut\" is 'first'; it must be one of Place"),
}


def unusable(machinery: Any) -> Parts:
    """Make the parts that are handed in."""
    return cast(Parts, machinery)


@pytest.mark.parametrize("what", [*UNUSABLE])
def test_parts_that_cannot_be_used(what: str) -> None:
    """Parts that would fail later, where nobody knows whose they are, are refused with the feature and the field."""
    parts, result = UNUSABLE[what]
    with pytest.raises(CannotStart) as caught:
        parts_of(Feature(name="greetings", parts=f"{__name__}:unusable"), cast(Machinery, parts))
    assert caught.value.public.startswith(f'Parts.{what} of the feature "greetings" cannot be used: {result}')


def test_module_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that fails when it is imported is told with the feature and the field that names it."""
    (tmp_path / "greetings_that_fail.py").write_text('raise ValueError("there is no greeting")')
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(CannotStart) as caught:
        parts_of(Feature(name="greetings", parts="greetings_that_fail:build"), cast(Machinery, None))
    assert 'The feature "greetings" cannot be loaded: Feature.parts is' in caught.value.public
    assert "ValueError: there is no greeting. The server log has the traceback." in caught.value.public


@pytest.mark.parametrize("what", ["effects", "deliver", "state"])
def test_parts_of_two_features(what: str) -> None:
    """What one feature answers for cannot be taken over by another, and both are named."""
    features = [Feature(name=name, parts=f"{__name__}:nothing") for name in ("first", "second")]
    parts = Parts(**{what: {"entries": cast(Any, None)}})
    refuse_shared(features, [parts, Parts()], own=Parts())
    with pytest.raises(CannotStart) as caught:
        refuse_shared(features, [parts, parts], own=Parts())
    assert f'The features "first" and "second" both have "entries" in Parts.{what}.' in caught.value.public


def routes(*pairs: tuple[str, str]) -> Parts:
    """Return the parts of a feature with these methods and paths in the management API."""
    those = [ApiRoute(method, path, cast(Any, None)) for method, path in pairs]
    return Parts(api=[SimpleNamespace(routes=lambda: those)])


SHOW = ("GET", "/engine/api/notes/<name>")


@pytest.mark.parametrize(
    ("own", "parts", "message"),
    [
        (Parts(), [routes(SHOW), routes(("GET", "/engine/api/notes/<id>"))], '"first" and "second" both have "GET'),
        (Parts(), [routes(SHOW, SHOW), Parts()], '"first" has "GET /engine/api/notes/<>" in Parts.api twice'),
        (routes(SHOW), [Parts(), routes(SHOW)], '"second" has "GET /engine/api/notes/<>" in Parts.api, which is the'),
        (Parts(state={"bus": dict}), [Parts(state={"bus": dict}), Parts()], '"first" has "bus" in Parts.state, which'),
        (Parts(), [routes(("GET", "/notes")), Parts()], "Let its path begin with /engine/api/."),
    ],
)
def test_parts_that_are_taken(own: Parts, parts: list[Parts], message: str) -> None:
    """A route or figure that is there already is refused, and so is a route that no request reaches."""
    features = [Feature(name=name, parts=f"{__name__}:nothing") for name in ("first", "second")]
    with pytest.raises(CannotStart) as caught:
        refuse_shared(features, parts, own=own)
    assert message in caught.value.public


def test_parts_of_one_path() -> None:
    """Two features may answer different methods of one path."""
    features = [Feature(name=name, parts=f"{__name__}:nothing") for name in ("first", "second")]
    refuse_shared(features, [routes(SHOW), routes(("PUT", SHOW[1]))], own=Parts())
