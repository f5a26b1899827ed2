"""What scripts see of `codegen`: the constructor of functions and `eval`, which the language declares."""

from __future__ import annotations

from aiwebengine.host.declarations import Declarations
from aiwebengine.host.declare import Argument, Capability, HostCall

CAPABILITY = "codegen"
"""The capability to make code."""

MAX_BYTES = 256 * 1024

_BODY = Argument(name="body", kind="string", doc="The body of the function, or the program.", max_bytes=MAX_BYTES)


def _lowers(name: str, speaks_for: str, *before: Argument, doc: str) -> HostCall:
    """Declare a call that lowers the body of what *speaks_for* makes."""
    return HostCall(
        name=name,
        group="Code",
        arguments=(*before, _BODY),
        returns="object",
        effect="none",
        partly=CAPABILITY,
        cost=10,
        errors=("denied", "too_large", "too_many", "timeout", "unavailable"),
        doc=doc,
        speaks_for=speaks_for,
        standard=True,
    )


FUNCTION = _lowers(
    "codegen.function",
    "Function",
    Argument(name="parameters", kind="string", doc="The names of its parameters.", max_bytes=MAX_BYTES),
    doc="Lowers a function.",
)
PROGRAM = _lowers("codegen.program", "eval", doc="Lowers a program.")

DECLARATIONS = Declarations(
    calls=(FUNCTION, PROGRAM),
    capabilities=(Capability(name=CAPABILITY, doc="run code that it makes from strings (`new Function`, `eval`)"),),
    advice={
        "new Function": "Deploy with --grant codegen where the setting codegen.allow does not allow it to all scripts.",
        "node:vm": "For code that is made at run time use new Function, with the capability codegen.",
    },
)
"""All declarations of this feature."""
