"""What scripts see of requests that take effect once: an option of routes."""

from __future__ import annotations

from aiwebengine.host.declarations import Declarations
from aiwebengine.host.declare import Member

OPTION = "idempotent"

_MEANING = (
    "`true`: a request with the header `idempotency-key` is carried out once, and gets the same answer when it is "
    'sent again; `"required"`: a request without the header is refused as well'
)

DECLARATIONS = Declarations(
    options={"registerWebHandler": {OPTION: _MEANING}},
    members={"RouteOptions": (Member(signature=f'{OPTION}?: boolean | "required"', doc=f"{_MEANING}."),)},
)
