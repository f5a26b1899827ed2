"""
What scripts find here beyond the sandbox's own prelude; the server hands it over at the start.

    {"calls": [{"name": "notes.get", "shown": "notes.get", "sync": false, "void": false,
                "arguments": [{"name": "key", "converts": "string"}],
                "longest": 4086, "bound": "notes.get: key may have at most 255 characters", "tooLong": "invalid"},
               {"name": "register.route", "shown": "registerWebHandler", "longest": 66560, ...}],
     "files": ["/absolute/path/of/notes.js"],
     "advice": {"localStorage": "Scripts run on the server, which has no localStorage."}}

`calls` are the host calls that the server answers.  Of one with `arguments` the prelude makes a
function (`prelude/kernel/calls.js`); any other is sent by the prelude itself.  `files` are evaluated after
the sandbox's own prelude, in their order.  `advice` is added to the error of a script that uses a
global which does not exist.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from sandbox.engine import EngineFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """See the module."""

    calls: str = "[]"
    """JSON in ASCII."""
    files: tuple[Path, ...] = ()
    advice: str = "{}"
    """JSON in ASCII."""


NOTHING = Surface()


def read_surface(descriptor: int) -> Surface:
    """
    Read from an inherited descriptor to its end, and close it.

    Raises:
        EngineFailed: It cannot be read, or what it holds makes no sense.
    """
    try:
        with os.fdopen(descriptor, "rb") as file:
            surface = json.loads(file.read())
        return Surface(
            calls=json.dumps(surface["calls"]),
            files=tuple(Path(name) for name in surface["files"]),
            advice=json.dumps(surface["advice"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EngineFailed(f"descriptor {descriptor} does not tell which host calls there are: {error}") from error
