"""
Every setting, once: its name, type, unit, default and meaning.

One frozen class is one section of the YAML files.  `load.py` fills them, and the
reference page is generated from the docstrings under the fields.  A class may say with `FORMER`
what its settings were called before, so that whoever still writes an old name is told the new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, TypeVar

from aiwebengine.settings.allowed import (
    FilePath,
    NumberRange,
    OneOf,
    StringPattern,
    is_listen_address,
    is_network,
    is_origin,
    is_weight,
)
from aiwebengine.settings.redis_url import is_prefix, is_redis_url

S = TypeVar("S")

FormerNames = Mapping[str, str]
"""What settings of a section were called before, such as `streams.retry_seconds`, by their keys now."""

_KIB = 1024
_MIB = 1024 * 1024
_GIB = 1024 * _MIB

PROTECTIONS = (
    "files", "sockets", "processes", "programs", "signals", "tracing", "code", "memory", "unprivileged",
    "no_new_privileges", "parent_death", "landlock", "seccomp",
)  # fmt: skip
"""What holds scripts' processes; see `docs/explain/security.md`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Where the engine listens and keeps its data."""

    listen: Annotated[
        str, StringPattern("an IP address such as 127.0.0.1, 0.0.0.0 or ::1, or localhost", is_listen_address)
    ] = "127.0.0.1"
    """Address to listen on."""
    port: Annotated[int, NumberRange(least=0, most=65535)] = 8080
    """TCP port; 0 takes a free one and prints it."""
    data_folder: Annotated[str, FilePath(text="a path, not an empty one", required=True)] = "data"
    """Folder of the engine's database, caches and administrator token; made if missing."""
    public_url: Annotated[
        str, StringPattern("a web address without a path, such as https://example.org, or empty", is_origin)
    ] = ""
    """Address that clients use, such as `https://example.org`; empty: taken from each request."""
    trusted_proxies: Annotated[
        tuple[str, ...], StringPattern("an address or a network such as 10.0.0.0/8", is_network)
    ] = ()
    """Addresses or networks whose `x-forwarded-*`, `x-request-id` and `traceparent` are believed."""
    stop_seconds: Annotated[float, NumberRange(least=0, most=600)] = 10.0
    """How long requests in hand may take to finish when the server stops."""
    handover_seconds: Annotated[float, NumberRange(least=1, most=3600)] = 60.0
    """How long a new process may take to serve before the old one gives it up and goes on (SIGUSR2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """Bounds for what comes in over HTTP."""

    max_body_bytes: Annotated[int, NumberRange(least=0, most=_GIB)] = 10 * 1024 * 1024
    """Largest request body for scripts; a larger one is refused with 413 before it is read."""
    max_header_count: Annotated[int, NumberRange(least=10, most=10_000)] = 200
    """Most header lines of one request; more are refused with 431."""
    max_header_bytes: Annotated[int, NumberRange(least=_KIB, most=_MIB)] = 64 * 1024
    """Largest sum of header lines; more is refused with 431."""
    max_target_bytes: Annotated[int, NumberRange(least=256, most=_MIB)] = 16 * 1024
    """Longest path of a request with its query; a longer one is refused with 414."""
    idle_seconds: Annotated[float, NumberRange(least=1, most=86_400)] = 60.0
    """A connection on which nothing happens for so long is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings:
    """What one invocation may use."""

    wall_seconds: Annotated[float, NumberRange(least=0.01, most=3600)] = 10.0
    """Wall-clock time of a handler; its process is killed at the end of it."""
    cpu_seconds: Annotated[float, NumberRange(least=0.01, most=3600)] = 5.0
    """Processor time of a handler."""
    load_seconds: Annotated[float, NumberRange(least=0.1, most=600)] = 10.0
    """Wall-clock time of top level and `init`."""
    memory_bytes: Annotated[int, NumberRange(least=16 * _MIB, most=64 * _GIB)] = 256 * 1024 * 1024
    """Address space of a child beyond what it has when it starts."""
    answer_bytes: Annotated[int, NumberRange(least=_KIB, most=_GIB)] = 20 * 1024 * 1024
    """Largest answer body that is taken whole."""
    stream_bytes: Annotated[int, NumberRange(least=_KIB, most=1024 * _GIB)] = _GIB
    """Most bytes of a streamed answer; at the next one it breaks off."""
    log_lines: Annotated[int, NumberRange(least=0, most=1_000_000)] = 1000
    """Most log lines of one invocation; the rest is counted and dropped."""
    log_line_bytes: Annotated[int, NumberRange(least=100, most=_MIB)] = 16 * 1024
    """Largest log line; the rest is cut."""
    log_bytes: Annotated[int, NumberRange(least=0, most=_GIB)] = 4 * _MIB
    """Most bytes of log lines of one invocation; the rest is counted and dropped."""
    host_calls: Annotated[int, NumberRange(least=0, most=10_000_000)] = 10000
    """Most host calls of one invocation."""
    open_host_calls: Annotated[int, NumberRange(least=1, most=100_000)] = 256
    """Most host calls of one invocation that wait at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSettings:
    """How many children there are."""

    isolation: Annotated[str, OneOf(("shared", "request"))] = "shared"
    """`shared`: a child serves many invocations; `request`: a fresh clone for each."""
    max_running: Annotated[int, NumberRange(least=0, most=10_000)] = 0
    """Most children of one script that run at the same time; 0 means four for each core."""
    max_running_all: Annotated[int, NumberRange(least=0, most=100_000)] = 0
    """Most children of all scripts that run at the same time; 0 means eight for each core."""
    max_parked: Annotated[int, NumberRange(least=0, most=10_000)] = 200
    """Most further children of one script that wait for the host or for their clients."""
    weights: Annotated[
        tuple[str, ...], StringPattern("a script and its weight, such as shop=4 or test=0.5", is_weight)
    ] = ()
    """How much scripts may run beside each other when there are too few places; a script that is not named has 1."""
    depth: Annotated[int, NumberRange(least=1, most=16)] = 16
    """Most runs in the socket of one process: further ones wait there if that is usually over within 5 ms."""
    queue_length: Annotated[int, NumberRange(least=0, most=1_000_000)] = 256
    """Most requests of one script that wait for a child; beyond it 503 with `Retry-After`."""
    queue_seconds: Annotated[float, NumberRange(least=0.01, most=3600)] = 10.0
    """Longest wait for a child."""
    idle_seconds: Annotated[float, NumberRange(least=1, most=86_400)] = 60.0
    """A clone that has done nothing for so long is stopped; its template after five times that."""
    max_invocations: Annotated[int, NumberRange(least=1, most=1_000_000_000)] = 10000
    """A clone is replaced after so many invocations."""
    max_age_seconds: Annotated[float, NumberRange(least=1, most=86_400 * 30)] = 3600.0
    """A clone is replaced when it is so old."""
    recycle_memory_bytes: Annotated[int, NumberRange(least=0, most=64 * _GIB)] = 0
    """A clone is replaced when it has grown to so much; 0 means half of what the script may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """What must hold scripts' processes; see `docs/explain/security.md`."""

    allow_missing: Annotated[tuple[str, ...], OneOf(("all", *PROTECTIONS))] = ("all",)
    """Protections that this machine may lack; without any other the server does not start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSettings:
    """Lowering scripts to what Duktape runs."""

    node: Annotated[str, FilePath()] = ""
    """Path of the node program; empty: the one that is installed with the engine."""
    npm_cache: Annotated[str, FilePath()] = ""
    """Folder of npm's cache; empty: npm's own default."""
    npm_offline: bool = False
    """Never ask a registry: packages come from npm's cache or not at all."""
    build_seconds: Annotated[float, NumberRange(least=1, most=3600)] = 60.0
    """Longest build of one deployment, without installing packages."""
    install_seconds: Annotated[float, NumberRange(least=1, most=3600)] = 120.0
    """Longest installation of npm packages."""
    memory_bytes: Annotated[int, NumberRange(least=128 * _MIB, most=64 * _GIB)] = 1024 * 1024 * 1024
    """Heap of the build worker."""
    cache_bytes: Annotated[int, NumberRange(least=_MIB, most=64 * _GIB)] = 512 * _MIB
    """Most of lowered files that are kept on disk, so that what has not changed is not lowered again."""
    idle_seconds: Annotated[float, NumberRange(least=1, most=86_400)] = 300.0
    """A build worker that has had nothing to do for so long is stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploySettings:
    """What may be deployed."""

    max_source_bytes: Annotated[int, NumberRange(least=_KIB, most=_GIB)] = 5 * 1024 * 1024
    """Largest single source file."""
    max_total_bytes: Annotated[int, NumberRange(least=_KIB, most=_GIB)] = 25 * 1024 * 1024
    """Largest sum of a script's files."""
    max_files: Annotated[int, NumberRange(least=1, most=100_000)] = 2000
    """Most files of a script."""
    keep_versions: Annotated[int, NumberRange(least=1, most=100_000)] = 50
    """Older versions than these are removed, never the current one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """The server's own log and what is kept of the scripts' logs."""

    level: Annotated[str, OneOf(("debug", "info", "warn", "error"))] = "info"
    """`debug`, `info`, `warn` or `error`: what the server's own log shows."""
    format: Annotated[str, OneOf(("text", "json"))] = "text"
    """`text` for people, `json` for machines."""
    retention_days: Annotated[float, NumberRange(least=0.01, most=3650)] = 7.0
    """Log lines of scripts are removed after so many days."""
    max_lines: Annotated[int, NumberRange(least=0, most=100_000_000)] = 200_000
    """Most log lines of scripts that are kept; the oldest go first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSettings:
    """Topics with their subscribers, the messages that subscribers are sent, and connections of server-sent events."""

    max_subscribers: Annotated[int, NumberRange(least=0, most=10_000_000)] = 20_000
    """Most open subscriptions of all scripts; one more is refused with 429."""
    max_script_subscribers: Annotated[int, NumberRange(least=0, most=10_000_000)] = 15_000
    """Most open subscriptions of one script."""
    max_topic_subscribers: Annotated[int, NumberRange(least=0, most=10_000_000)] = 10_000
    """Most open subscriptions of one topic."""
    queue_messages: Annotated[int, NumberRange(least=1, most=1_000_000)] = 1000
    """Most messages that wait for a subscriber who reads slowly."""
    history_bytes: Annotated[int, NumberRange(least=0, most=_GIB)] = 4 * _MIB
    """Most bytes of messages that one topic keeps for clients who come back."""
    max_message_bytes: Annotated[int, NumberRange(least=_KIB, most=64 * _MIB)] = 256 * _KIB
    """Largest message."""
    heartbeat_seconds: Annotated[float, NumberRange(least=0.1, most=3600)] = 15.0
    """A connection of events on which nothing happens is written to so often, lest a proxy closes it."""
    retry_seconds: Annotated[float, NumberRange(least=0.1, most=3600)] = 3.0
    """How long a client waits before it comes back when its connection of events has broken off."""

    FORMER: ClassVar[FormerNames] = {
        key: f"streams.{key}"
        for key in (
            "max_subscribers", "max_script_subscribers", "max_topic_subscribers", "queue_messages", "history_bytes",
            "max_message_bytes", "heartbeat_seconds", "retry_seconds",
        )
    }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSocketSettings:
    """Connections of WebSockets, whoever speaks on them; their subscriptions count among those of `live`."""

    max_connections: Annotated[int, NumberRange(least=0, most=10_000_000)] = 10_000
    """Most open WebSockets of all scripts and of the engine; one more is refused with 429."""
    max_script_connections: Annotated[int, NumberRange(least=0, most=10_000_000)] = 5_000
    """Most open WebSockets of one script."""
    max_message_bytes: Annotated[int, NumberRange(least=_KIB, most=16 * _MIB)] = _MIB
    """Largest message, in either direction; a client that sends a larger one is cut off with the code 1009."""
    max_frame_bytes: Annotated[int, NumberRange(least=_KIB, most=16 * _MIB)] = _MIB
    """Largest frame; a message may come in several."""
    buffer_bytes: Annotated[int, NumberRange(least=_KIB, most=_GIB)] = _MIB
    """Most bytes that wait for a client who reads slowly; with more it is cut off with the code 1013."""
    ping_seconds: Annotated[float, NumberRange(least=0.1, most=3600)] = 30.0
    """A client is sent a ping so long after its last answer to one."""
    pong_seconds: Annotated[float, NumberRange(least=0.1, most=3600)] = 20.0
    """How long it has to answer, or to say anything else; then its connection is ended."""
    close_seconds: Annotated[float, NumberRange(least=0.1, most=3600)] = 5.0
    """How long a connection that is being closed may take for it."""
    compress: bool = True
    """Compress messages (permessage-deflate) for clients that can."""
    origins: tuple[str, ...] = ()
    """Origins besides the server's own whose pages may open WebSockets, such as `https://example.org`; `*`: all."""

    FORMER: ClassVar[FormerNames] = {
        key: f"sockets.{key}"
        for key in (
            "max_connections", "max_script_connections", "max_message_bytes", "max_frame_bytes", "buffer_bytes",
            "ping_seconds", "pong_seconds", "close_seconds", "compress", "origins",
        )
    }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisSettings:
    """Redis or Valkey: what several servers share; without an address nothing of it runs."""

    url: Annotated[
        str,
        StringPattern(
            "an address such as redis://:password@127.0.0.1:6379/0, rediss://example.org or "
            "unix:///run/redis/redis.sock?db=0, or empty",
            is_redis_url,
            secret=True,
        ),
    ] = field(default="", repr=False)
    """Address of the server; `rediss://` is TLS, a password is percent-encoded; empty: none is used."""
    ca_file: Annotated[str, FilePath()] = ""
    """PEM file with the certificates of those who may vouch for a server with TLS; empty: whom the system trusts."""
    prefix: Annotated[str, StringPattern("up to 64 letters, digits, `_`, `.`, `:` and `-`", is_prefix)] = "aiwebengine"
    """What all keys and channels begin with, and a colon; servers that work together have the same."""
    connections: Annotated[int, NumberRange(least=1, most=64)] = 2
    """Connections for commands; one more is opened to listen to what others publish."""
    connect_seconds: Annotated[float, NumberRange(least=0.1, most=60)] = 3.0
    """Longest time to connect and sign in; the server's start waits so long, and then goes on without."""
    command_seconds: Annotated[float, NumberRange(least=0.01, most=60)] = 1.0
    """Longest time for the answer to a command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorSettings:
    """What an error page shows."""

    show_source: bool = False
    """Show the author's source line and stack to whoever asks; for development only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All sections."""

    profile: Annotated[str, OneOf(("development", "staging", "production"))] = "development"
    """`development`, `staging` or `production`: which file is laid over `base.yaml`."""
    server: ServerSettings = field(default_factory=ServerSettings)
    http: HttpSettings = field(default_factory=HttpSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    pool: PoolSettings = field(default_factory=PoolSettings)
    sandbox: SandboxSettings = field(default_factory=SandboxSettings)
    build: BuildSettings = field(default_factory=BuildSettings)
    deploy: DeploySettings = field(default_factory=DeploySettings)
    logs: LogSettings = field(default_factory=LogSettings)
    live: LiveSettings = field(default_factory=LiveSettings)
    websocket: WebSocketSettings = field(default_factory=WebSocketSettings)
    redis: RedisSettings = field(default_factory=RedisSettings)
    errors: ErrorSettings = field(default_factory=ErrorSettings)
    features: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """Sections of features, by their name in the files."""

    def of(self, kind: type[S]) -> S:
        """Return the section of a feature that is a *kind*; its defaults if nothing was set."""
        return next((section for section in self.features.values() if isinstance(section, kind)), kind())
