"""What scripts see of `codegen`: the constructor of functions and `eval`, which the language declares."""

from __future__ import annotations

from aiwebengine.host.declarations import Declarations
from aiwebengine.host.declare import Argument, Capability, HostCall

CAPABILITY = "codegen"
"""The capability to make code."""

MAX_BYTES = 256 * 1024

_BODY = Argument(name="body", kind="string", doc="The body of the function, or the program.", max_bytes=MAX_BYTES)

FUNCTION = HostCall(
    name="codegen.function",
    group="Code",
    arguments=(
        Argument(name="parameters", kind="string", doc="The names of its parameters.", max_bytes=MAX_BYTES),
        _BODY,
    ),
    returns="object",
    effect="none",
    partly=CAPABILITY,
    cost=10,
    errors=("denied", "too_large", "unavailable"),
    doc="Lowers a function.",
    speaks_for="Function",
    standard=True,
)

PROGRAM = HostCall(
    name="codegen.program",
    group="Code",
    arguments=(_BODY,),
    returns="object",
    effect="none",
    partly=CAPABILITY,
    cost=10,
    errors=("denied", "too_large", "unavailable"),
    doc="Lowers a program.",
    speaks_for="eval",
    standard=True,
)

DECLARATIONS = Declarations(
    calls=(FUNCTION, PROGRAM),
    capabilities=(Capability(name=CAPABILITY, doc="run code that it makes from strings (`new Function`, `eval`)"),),
    advice={
        "new Function": "Deploy with --grant codegen where the setting codegen.allow does not allow it to all scripts."
    },
)
"""All of it."""
