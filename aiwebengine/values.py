"""Frozen data that travels between floors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

tuple_of = tuple.__new__
"""
Makes a named tuple of all its fields, in their order, in a fifth of the time that calling its class takes.

For what is made for every request, with a test that compares it with one that is made by names.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who sent a request."""

    id: str
    kind: str
    """`anonymous`, `user`, `service` or `administrator`."""
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether a principal may do something."""

    allowed: bool
    reason: str
    """The rule that decided, in one sentence for people."""


ANONYMOUS = Principal(id="", kind="anonymous")
ADMINISTRATOR = Principal(id="administrator", kind="administrator")
SERVICE = Principal(id="", kind="service")
"""A script itself, where there is no caller: it decides which clients get a message."""


class Request(NamedTuple):
    """One HTTP request, bounded and complete; a tuple, as `Invocation`."""

    id: str
    """Correlation id; also sent back as `x-request-id`."""
    method: str
    path: str
    """Raw path as it stood on the wire, without the query."""
    query: str
    """Raw query without `?`; empty if none."""
    headers: Mapping[str, str]
    """Lower-case names; repeated ones joined by `, ` (cookies by `; `)."""
    body: bytes
    client: str
    """Address of the client, after trusted proxies."""
    url: str
    """Absolute, as the client sees it."""
    trace: str = ""
    """The `traceparent` of a trusted client, checked; empty if there is none."""


class Answer(NamedTuple):
    """What goes back over HTTP, already validated; a tuple, as `Invocation`."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    """In order, names lower-case; content-type is among them, content-length is not."""
    body: bytes
    problem: bool = False
    """It is the problem document of an `httpError`: a browser is shown it as a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandlerRef:
    """A function inside a loaded script."""

    id: int
    """Its number in the order of registration: the same in every child of one version."""
    name: str
    """For people: the function's name, or empty."""


_EVERY_METHOD = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""HEAD is not needed: a handler of GET answers it."""

ROUTE = "route"
"""The kind of an entry that is a plain web handler; every other kind is the `RegistrationKind` of a feature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that a script has registered; its kind says what it means (`host/registration/kinds.py`)."""

    kind: str
    key: str
    """
    With the kind, what a later registration of the same script replaces.

    If the kind takes a path: the pattern, such as `/notes/:id` or `/files/*path`, which is replaced method by method.
    """
    script: str
    """URI of the script."""
    version: str
    """Version id (`Bundle.version`)."""
    handler: HandlerRef | None = None
    """What is run; None if it has no handler of its own."""
    methods: tuple[str, ...] = ()
    """Upper case: what it answers at its path.  Empty if its kind takes no path."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """As the kind has checked them; ready for JSON."""
    place: str = ""
    """`file:line` of the registration in the author's source, if known."""

    @property
    def label(self) -> str:
        """Return its name for people: `GET|POST /notes`, `ALL /shop/*` for every method, or the key."""
        if not self.methods:
            return self.key
        methods = "ALL" if _EVERY_METHOD.issubset(self.methods) else "|".join(self.methods)
        return f"{methods} {self.key}"


class RouteMatch(NamedTuple):
    """
    An entry that takes a path, and what the path's parameters matched (percent-decoded).

    A tuple, as `Invocation`.
    """

    route: Entry
    params: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """What a child needs to become one version of one script."""

    script: str
    """URI of the script."""
    version: str
    """Id of the version, unique over all scripts: `<uri>@<number>-<digest prefix>`."""
    source: str
    """ES5 program, pure ASCII; see `sandbox/prelude/kernel/kernel.js` for what it may call while it loads."""
    source_map: str
    """Source map v3 JSON from `source` to the author's files; empty if source is the author's own."""
    files: Mapping[str, str]
    """The author's text files by path, for error pages and stack traces."""
    manifest: Mapping[str, Any] = field(default_factory=dict)
    replay: str = ""
    """JSON journal of what the host answered top level and `init` when it was deployed; empty until then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What one invocation may use; the settings of the same names say what each is."""

    wall_seconds: float
    cpu_seconds: float
    answer_bytes: int
    wire_answer_bytes: int
    """Largest answer as it comes from the process: more than `answer_bytes` if it holds bytes as base64."""
    stream_bytes: int
    log_lines: int
    log_line_bytes: int
    log_bytes: int
    host_calls: int
    open_host_calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayInputs:
    """What makes an invocation the same as one before."""

    seed: str
    """Of its chance: 32 hexadecimal digits."""
    now: int
    """When it began, in milliseconds since 1970."""
    steps: tuple[str, ...]
    """The inputs of its world, in order; see `sandbox/loop.py`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerKey:
    """The key under which the answer to a request is stored, so that a repetition gets the same."""

    key: str
    """Digest of what names it."""
    request: str
    """Digest of what it asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What begins an invocation, if that is another invocation."""

    ancestors: tuple[str, ...]
    """Ids of the invocations that led to it, the first one first; at least one."""


class Invocation(NamedTuple):
    """One run of one handler; a tuple, which is made in a quarter of the time, as one is for every request."""

    id: str
    """The request's id for HTTP."""
    script: str
    version: str
    kind: str
    """`http` for requests, `load` for top level and `init`."""
    handler: HandlerRef | None
    principal: Principal
    payload: str
    """ASCII JSON: the argument of the handler (see `runtime/wire/link.py`); of a load `null`, or see `Template`."""
    wall_seconds: float
    cpu_seconds: float
    cause: Cause | None = None
    """The invocation that began this one; None if none did."""
    label: str = ""
    """What is run, for people: a route such as `GET /notes/:id`, the name of a job; `load` for a script's start."""
    allowance: Allowance | None = None
    """What it may use beside the times above; None: what the server's settings say."""
    recording: str = ""
    """`always`: in a fresh clone; `errors`: kept if it fails; empty: it is not recorded."""
    replay: ReplayInputs | None = None
    """It is done over again, from a recording."""
    read_only: str = ""
    """Why it may change nothing, for the error of whatever would; empty: it may."""
    answer_key: AnswerKey | None = None
    """Its answer is stored under this key, in the transaction of what it does; None: it is not stored."""
    place: str = ""
    """`file:line` of what registered the handler, if known."""
    trace: str = ""
    """See `Request.trace`."""
    request_line: str = ""
    """
    Method and path of a request to a route with a wildcard, such as `GET /shop/cart`; bounded; empty for any other.

    Clients can make up any number of them, so counts are by `label`.
    """
    body: bytes = b""
    """The body of a request, or a message, if it is long: its process encodes it as JSON, and `payload` has none."""

    @property
    def shown(self) -> str:
        """Return what was run, for people who look for one invocation: a wildcard route alone says little."""
        return self.request_line or self.label

    def causing(self) -> Cause:
        """Return the cause of what this invocation begins."""
        before = self.cause.ancestors if self.cause is not None else ()
        return Cause(ancestors=(*before, self.id))


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of a script's log."""

    at: float
    """Seconds since 1970, the server's clock."""
    level: str
    """`debug`, `info`, `warn` or `error`."""
    message: str
    """Bounded; control characters escaped."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    of_server: bool = False
    """The server itself wrote it: a failure, or a warning."""

    def at_route(self, label: str) -> LogLine:
        """Return the line with a field that says what was run; see `Invocation.label`."""
        return replace(self, fields={**self.fields, "route": label})


@dataclass(slots=True, kw_only=True)
class CallCost:
    """What the host calls of one name cost an invocation; counts on while it runs."""

    count: int = 0
    seconds: float = 0.0
    """Until they were answered; together, though they may have waited side by side."""
    bytes_in: int = 0
    """Of their arguments."""
    bytes_out: int = 0
    """Of their answers."""


class Receipt(NamedTuple):
    """What one invocation cost; a tuple, which is made in a quarter of the time, as one is for every request."""

    invocation: str
    wall_seconds: float
    """From its start in a process to its end."""
    cpu_seconds: float
    """Of its process."""
    host_calls: Mapping[str, CallCost]
    bytes_out: int
    """Of the answer's body."""
    outcome: str
    """`committed`, or the code of the error."""
    queued_seconds: float = 0.0
    """How long it waited for a process."""
    peak_bytes: int = 0
    """Largest memory that its process ever had; 0 if it was not measured, which costs time and so is done for some
    only."""
    log_lines: int = 0
    log_bytes: int = 0
    rows: int = 0
    """Of the database, which its host calls have read or written."""
    trace: str = ""
    """Id of the trace that a trusted client's request belongs to; empty if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailMessage:
    """One message to be sent by mail, not yet checked."""

    id: str
    """The same each time it is handed over, and never that of another message."""
    to: tuple[str, ...]
    """Addresses, such as `ann@example.org` or `Ann <ann@example.org>`."""
    subject: str
    text: str
    html: str = ""
    """The same as HTML; empty: there is none."""
    sender: str = ""
    """Empty: the server's own."""
    reply_to: str = ""
    """Empty: the sender."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsolePage:
    """Something that a feature shows to administrators."""

    name: str
    """Unique; lower case, such as `receipts`."""
    title: str
    summary: str
    """What it shows, in one sentence."""
    path: str
    """Path of the management API that answers GET with what the page shows, as JSON: `/engine/api/...`."""
    parameters: tuple[str, ...] = ()
    """Parameters of the query that it needs."""
    command: str = ""
    """Command that shows it well, such as `receipts`; empty: `aiwebengine pages NAME` is all there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CapabilityScope:
    """What a capability is granted for, such as the hosts of `fetch:api.example.com`."""

    noun: str
    """What each value is, such as `host`."""
    example: str
    """A value, such as `api.example.com`."""
    normal: Callable[[str], str]
    """Returns the normal form of a value; raises `errors.Invalid` with what is wrong with it."""
    covers: Callable[[str, str], bool]
    """Returns whether the grant of the first value allows the second; both in their normal form."""
    key: str = ""
    """
    Key of the manifest that asks for it, and name by which all that the manifest asks for is granted; empty: the name
    of the capability.
    """
    asked: Callable[[Any], Sequence[str] | None] | None = None
    """Returns the values that the manifest's key asks for; None if it has no such form.  Without it: a list of them."""
    form: str = ""
    """What the manifest's key must be, if that is not a list of values; for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRequest:
    """What of a request of a script may hold placeholders of secrets, and what says where it goes."""

    host: str
    """In ASCII and lower case, without brackets."""
    port: int
    path: str
    """With the query."""
    headers: Sequence[tuple[str, str]]
    """Names in lower case."""
    body: bytes | None = None
    """None also if it is written piece by piece."""
    in_body: bool = False
    """Whether placeholders in the body are replaced too."""
    moved: bool = False
    """Whether a redirect has led to another origin than the script named."""
