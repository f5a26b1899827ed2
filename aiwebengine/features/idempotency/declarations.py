"""What scripts see of requests that take effect once: an option of routes."""

from __future__ import annotations

from aiwebengine.host.declarations import Declarations
from aiwebengine.host.declare import Member

OPTION = "idempotent"

_MEANING = (
    "`true`: a request with the header `idempotency-key` is done once, and answered the same when it is sent again; "
    '`"required"`: one without it is refused'
)

DECLARATIONS = Declarations(
    options={"registerWebHandler": {OPTION: _MEANING}},
    members={"RouteOptions": (Member(signature=f'{OPTION}?: boolean | "required"', doc=f"{_MEANING}."),)},
)
