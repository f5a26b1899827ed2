"""
The only module that touches the Duktape binding.

Only text crosses, and only through the one function that the last prelude file gives: a
Python object inside JavaScript would be a way out (through its attributes), and a Python
callable one to memory corruption.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import pyduktape2

_FOLDER = Path(__file__).parent / "prelude"


class Duktape:
    """See `engine.Engine`."""

    def __init__(self) -> None:
        self._context = pyduktape2.DuktapeContext()
        names: list[str] = json.loads((_FOLDER / "order.json").read_text("utf-8"))
        last = None
        for name in names:
            source = (_FOLDER / name).read_text("ascii")
            last = self._context.eval_js(source.rstrip().removesuffix(";") if name == names[-1] else source + "\n;0")
        self._pump = last

    def pump(self, text: str) -> str:
        """See `engine.Engine.pump`."""
        return cast(str, self._pump(text))
