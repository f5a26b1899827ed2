"""What scripts see of `fetch`; `Request`, `Response` and `Headers` are part of the sandbox."""

from __future__ import annotations

from aiwebengine.host.declarations import Declarations
from aiwebengine.host.declare import Argument, Capability, Global, HostCall, Member, Shape
from aiwebengine.host.host_patterns import SCOPE

CAPABILITY = "fetch"
"""The capability to send requests to a host."""

FETCHES, FETCH_BYTES = "fetches", "fetch_bytes"
"""What is counted, as budgets name it."""

_GROUP = "Requests to other servers"
_ERRORS = ("denied", "unavailable", "timeout", "too_large", "budget")
_MOST_BYTES = 2 * 1024 * 1024
PIECE_BYTES = 1024 * 1024
"""Largest piece of a body that a script sends at once."""

_ID = Argument(name="id", kind="integer", doc="Number of the request, chosen by the sandbox.")

START = HostCall(
    name="fetch.start",
    group=_GROUP,
    arguments=(_ID, Argument(name="request", kind="object", doc="The request.", max_bytes=_MOST_BYTES)),
    returns="object",
    effect="none",
    partly=CAPABILITY,
    sync=False,
    cost=10,
    errors=_ERRORS,
    doc="Sends a request.",
    speaks_for="fetch",
)

READ = HostCall(
    name="fetch.read",
    group=_GROUP,
    arguments=(
        _ID,
        Argument(name="encoded", kind="boolean", doc="Whether the piece is wanted in base64.", optional=True),
    ),
    returns="object",
    effect="none",
    sync=False,
    errors=_ERRORS,
    doc="Reads a piece of the body of an answer.",
    speaks_for="fetch",
)

WRITE = HostCall(
    name="fetch.write",
    group=_GROUP,
    arguments=(
        _ID,
        Argument(
            name="base64",
            kind="string",
            doc="A piece of the body; null at its end.",
            optional=True,
            max_bytes=_MOST_BYTES,
        ),
    ),
    returns="void",
    effect="none",
    sync=False,
    errors=_ERRORS,
    doc="Writes a piece of the body of a request.",
    speaks_for="fetch",
)

CANCEL = HostCall(
    name="fetch.cancel",
    group=_GROUP,
    arguments=(_ID,),
    returns="void",
    effect="none",
    sync=False,
    doc="Ends a request.",
    speaks_for="fetch",
)

LATER = HostCall(
    name="fetch.later",
    group=_GROUP,
    arguments=(Argument(name="request", kind="object", doc="The request.", max_bytes=_MOST_BYTES),),
    returns="string",
    effect="held",
    partly=CAPABILITY,
    sync=False,
    errors=("denied", "too_large", "too_many", "budget"),
    doc="Has a request sent after the commit.",
    speaks_for="fetch",
)

FETCH = Global(
    name="fetch",
    group=_GROUP,
    kind="function",
    signatures=("(input: string | URL | Request, init?: FetchInit): Promise<Response>",),
    doc=(
        "Sends a request to another server, as the Fetch standard says. "
        f"The script needs the capability `{CAPABILITY}:HOST` for the host, for example `fetch:api.example.com`; the "
        "manifest lists hosts under `fetch`. "
        "The request is sent at once, and cannot be undone if the handler fails; a request with a method other than "
        "GET, HEAD and OPTIONS gets the header `idempotency-key`, so that a server that knows it does nothing twice. "
        "If no answer arrives, the Promise is rejected with a TypeError whose `code` is `unavailable` or `timeout`; "
        "`details.reason` says whether the name, the connection, TLS or something else failed. "
        "A request that is not allowed is rejected with a HostError."
    ),
    example=(
        'const response = await fetch("https://api.example.com/rates?base=EUR");\n'
        "if (!response.ok) throw httpError(502, `The rates are unavailable: ${response.status}`);\n"
        "const rates = await response.json();"
    ),
    effect="immediate",
    sync=False,
    errors=(*_ERRORS, "too_many"),
)

INIT = Shape(
    name="FetchInit",
    extends="RequestInit",
    doc="Options of `fetch`.",
    members=(
        Member(
            signature="retry?: number",
            doc=(
                "How often to send the request again if it fails, or is answered with 429, 502, 503 or 504: 0 to 10, "
                "default 0. Only for GET, HEAD, OPTIONS, PUT and DELETE. A `retry-after` of the server is respected."
            ),
        ),
        Member(
            signature="afterCommit?: boolean",
            doc=(
                "Whether to send the request after the handler has returned and what it did is stored, and only then. "
                "It is sent again until the answer has a status from 200 to 299, for some hours, each time with the "
                "same `idempotency-key`; so the other server may get it more than once. The Promise gives a Response "
                "with status 202 at once. The body must be short, and no stream."
            ),
        ),
    ),
)

CALLS = (START, READ, WRITE, CANCEL)
"""Of a request that is sent at once."""

DECLARATIONS = Declarations(
    calls=(*CALLS, LATER),
    globals=(FETCH,),
    shapes=(INIT,),
    advice={
        "XMLHttpRequest": "Use fetch.",
        **dict.fromkeys(("node:http", "node:https", "node:http2", "node:tls"), "To send requests use fetch."),
        "node:dns": "fetch looks up the names of hosts.",
    },
    capabilities=(Capability(name=CAPABILITY, doc="send requests to a host, such as api.example.com", scope=SCOPE),),
)
"""All declarations of this feature."""
