"""State machines as tables: each is what its module says that it is, and whatever is not in it raises."""

from __future__ import annotations

import importlib
import inspect
import re
from enum import StrEnum
from pathlib import Path
from types import ModuleType

import pytest

from aiwebengine.runtime.moves import IllegalMove, Move

MODULES = (
    "group",
    "processes.child",
    "processes.process",
    "processes.socket_queue",
    "processes.template",
    "processes.template_keeper",
    "runs.phase",
    "runs.reply",
    "runs.turn",
)
DRAWN = re.compile(r"^ {4}(?P<states>\w[\w, ]*?) --(?P<move>[\w ]+)--> (?P<next>\w+(?: \w+)*)(?:  .*)?$", re.MULTILINE)


def module(name: str) -> ModuleType:
    """Return a module of the runtime."""
    return importlib.import_module(f"aiwebengine.runtime.{name}")


def moves(of: ModuleType) -> dict[str, Move[StrEnum]]:
    """Return every move that a module defines, by name."""
    found = [value for value in vars(of).values() if isinstance(value, Move)]
    assert len({move.name for move in found}) == len(found)
    return {move.name: move for move in found}


def drawn(of: ModuleType) -> dict[str, dict[str, str]]:
    """Return the table that the module's docstring draws: the next state, by move and state."""
    table: dict[str, dict[str, str]] = {}
    for line in DRAWN.finditer(inspect.getdoc(of) or ""):
        for state in line["states"].split(", "):
            assert table.setdefault(line["move"], {}).setdefault(state, line["next"]) == line["next"]
    return table


@pytest.mark.parametrize("name", MODULES)
def test_tables_are_as_they_are_drawn(name: str) -> None:
    """Every move is possible in the states from which its module draws an arrow, and leads where the arrow does."""
    table = {move: {str(a): str(b) for a, b in steps.items()} for move, steps in moves(module(name)).items()}
    assert table
    assert table == drawn(module(name))


@pytest.mark.parametrize("name", MODULES)
def test_every_other_move_raises(name: str) -> None:
    """A move in a state that its table does not name raises and says which, for every state of its machine."""
    for move in moves(module(name)).values():
        (states,) = {type(state) for state in (*move, *move.values())}
        for state in states:
            if state in move:
                assert isinstance(move[state], states)
                continue
            with pytest.raises(IllegalMove, match=re.escape(f'"{move.name}"')) as raised:
                move[state]
            assert str(state) in str(raised.value)
            assert states.__name__ in str(raised.value)


@pytest.mark.parametrize("name", MODULES)
def test_every_state_is_reached(name: str) -> None:
    """Every state but the first is where some move leads from another one."""
    of = module(name)
    machines = {type(state) for move in moves(of).values() for state in move}
    for states in machines:
        own = [move for move in moves(of).values() if states in {type(state) for state in move}]
        reached = {after for move in own for state, after in move.items() if state is not after}
        assert len(set(states) - reached) <= 1, states


def test_all_modules_are_looked_at() -> None:
    """No module of the runtime has a machine that is not looked at here."""
    folder = Path(inspect.getfile(module("moves"))).parent
    using = {
        path.relative_to(folder).with_suffix("").as_posix().replace("/", ".")
        for path in folder.rglob("*.py")
        if re.search(r"^from aiwebengine\.runtime\.moves import .*\bMove$", path.read_text("utf-8"), re.MULTILINE)
    }
    assert using == set(MODULES)
