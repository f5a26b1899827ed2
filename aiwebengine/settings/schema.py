"""
Every setting, once: its name, type, unit, default and meaning.

One frozen class is one section of the YAML files.  `load.py` fills them, and the
reference page is generated from the docstrings under the fields.  A class may say with `FORMER`
what its settings were called before, so that the error for an old name mentions the new one.
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
from aiwebengine.settings.script_env import is_override

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
    """Where the server listens and stores its data."""

    listen: Annotated[
        str, StringPattern("an IP address such as 127.0.0.1, 0.0.0.0 or ::1, or localhost", is_listen_address)
    ] = "127.0.0.1"
    """Address to listen on."""
    port: Annotated[int, NumberRange(least=0, most=65535)] = 8080
    """TCP port; 0 chooses a free port and prints it."""
    data_folder: Annotated[str, FilePath(text="a path, not an empty one", required=True)] = "data"
    """Folder of the databases, caches and the administrator token; created if it does not exist."""
    public_url: Annotated[
        str, StringPattern("a web address without a path, such as https://example.org, or empty", is_origin)
    ] = ""
    """URL that clients use, such as `https://example.org`; if empty, it is derived from each request."""
    trusted_proxies: Annotated[
        tuple[str, ...], StringPattern("an address or a network such as 10.0.0.0/8", is_network)
    ] = ()
    """Addresses or networks whose headers `x-forwarded-*`, `x-request-id` and `traceparent` are trusted."""
    stop_seconds: Annotated[float, NumberRange(least=0, most=600)] = 10.0
    """How long open requests may take to finish when the server stops."""
    handover_seconds: Annotated[float, NumberRange(least=1, most=3600)] = 60.0
    """How long a new process may take to start after SIGUSR2, before the old one ends it and continues."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """Limits for HTTP requests and connections."""

    max_body_bytes: Annotated[int, NumberRange(least=0, most=_GIB)] = 10 * 1024 * 1024
    """Largest request body for scripts; a larger one is refused with 413 before it is read."""
    max_header_count: Annotated[int, NumberRange(least=10, most=10_000)] = 200
    """Maximum number of header lines of a request; more are refused with 431."""
    max_header_bytes: Annotated[int, NumberRange(least=_KIB, most=_MIB)] = 64 * 1024
    """Maximum size of all header lines of a request; more is refused with 431."""
    max_target_bytes: Annotated[int, NumberRange(least=256, most=_MIB)] = 16 * 1024
    """Maximum length of a request's path with its query; a longer one is refused with 414."""
    idle_seconds: Annotated[float, NumberRange(least=1, most=86_400)] = 60.0
    """A connection is closed after this time without activity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings:
    """Limits for one invocation."""

    wall_seconds: Annotated[float, NumberRange(least=0.01, most=3600)] = 10.0
    """Wall-clock time of a handler; at its end the process is killed."""
    cpu_seconds: Annotated[float, NumberRange(least=0.01, most=3600)] = 5.0
    """Processor time of a handler."""
    load_seconds: Annotated[float, NumberRange(least=0.1, most=600)] = 10.0
    """Wall-clock time of the top level and `init`."""
    memory_bytes: Annotated[int, NumberRange(least=16 * _MIB, most=64 * _GIB)] = 256 * 1024 * 1024
    """Memory of a process: the address space beyond what it has at its start."""
    answer_bytes: Annotated[int, NumberRange(least=_KIB, most=_GIB)] = 20 * 1024 * 1024
    """Largest body of an answer that is not streamed."""
    stream_bytes: Annotated[int, NumberRange(least=_KIB, most=1024 * _GIB)] = _GIB
    """Largest body of a streamed answer; a longer one is cut off."""
    log_lines: Annotated[int, NumberRange(least=0, most=1_000_000)] = 1000
    """Maximum number of log lines of one invocation; further lines are counted and dropped."""
    log_line_bytes: Annotated[int, NumberRange(least=100, most=_MIB)] = 16 * 1024
    """Maximum length of a log line; the rest is cut off."""
    log_bytes: Annotated[int, NumberRange(least=0, most=_GIB)] = 4 * _MIB
    """Maximum size of all log lines of one invocation; further lines are counted and dropped."""
    host_calls: Annotated[int, NumberRange(least=0, most=10_000_000)] = 10000
    """Maximum number of host calls of one invocation."""
    open_host_calls: Annotated[int, NumberRange(least=1, most=100_000)] = 256
    """Maximum number of host calls of one invocation that wait at the same time; further calls are queued."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSettings:
    """How many processes run scripts, and for how long."""

    isolation: Annotated[str, OneOf(("shared", "request"))] = "shared"
    """`shared`: a process handles many invocations; `request`: each invocation has a new process."""
    max_running: Annotated[int, NumberRange(least=0, most=10_000)] = 0
    """Maximum number of processes of one script that run at the same time; 0 means four for each core."""
    max_running_all: Annotated[int, NumberRange(least=0, most=100_000)] = 0
    """Maximum number of processes of all scripts that run at the same time; 0 means eight for each core."""
    max_parked: Annotated[int, NumberRange(least=0, most=10_000)] = 200
    """Maximum number of further processes of one script that wait for a host call or for their client."""
    max_ready: Annotated[int, NumberRange(least=0, most=10_000)] = 32
    """Maximum number of new processes kept ready for `isolation: request`, of all scripts, beyond three for each.
    As many are kept as requests arrive in 0.1 s; each takes about 3 MB."""
    weights: Annotated[
        tuple[str, ...], StringPattern("a script and its weight, such as shop=4 or test=0.5", is_weight)
    ] = ()
    """Share of each script when there are too few processes; a script that is not named has the weight 1."""
    depth: Annotated[int, NumberRange(least=1, most=16)] = 16
    """Maximum number of runs sent to one process, with the current one, if its runs usually take less than 5 ms."""
    queue_length: Annotated[int, NumberRange(least=0, most=1_000_000)] = 256
    """Maximum number of requests of one script that wait for a process; further ones get 503 with `Retry-After`."""
    queue_seconds: Annotated[float, NumberRange(least=0.01, most=3600)] = 10.0
    """Maximum time for which a request waits for a process."""
    idle_seconds: Annotated[float, NumberRange(least=1, most=86_400)] = 60.0
    """A clone is stopped after this time without a run, and its template after five times as long."""
    max_invocations: Annotated[int, NumberRange(least=1, most=1_000_000_000)] = 10000
    """A clone is replaced after this number of invocations."""
    max_age_seconds: Annotated[float, NumberRange(least=1, most=86_400 * 30)] = 3600.0
    """A clone is replaced when it has this age."""
    recycle_memory_bytes: Annotated[int, NumberRange(least=0, most=64 * _GIB)] = 0
    """A clone is replaced when it uses this much memory; 0 means half of the script's limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """Which protections against scripts are required; see `docs/explain/security.md`."""

    allow_missing: Annotated[tuple[str, ...], OneOf(("all", *PROTECTIONS))] = ("all",)
    """Protections that may be missing on this machine; if any other is missing, the server does not start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSettings:
    """How deployed scripts are built, and packages are installed."""

    node: Annotated[str, FilePath()] = ""
    """Path of the Node.js program; if empty, the one that is installed with the engine."""
    npm_cache: Annotated[str, FilePath()] = ""
    """Folder of npm's cache; if empty, npm's default."""
    npm_offline: bool = False
    """Do not use a registry: install packages from npm's cache only."""
    build_seconds: Annotated[float, NumberRange(least=1, most=3600)] = 60.0
    """Maximum time for the build of one deployment, without the installation of packages."""
    install_seconds: Annotated[float, NumberRange(least=1, most=3600)] = 120.0
    """Maximum time for the installation of npm packages."""
    memory_bytes: Annotated[int, NumberRange(least=128 * _MIB, most=64 * _GIB)] = 1024 * 1024 * 1024
    """Heap size of the build worker."""
    cache_bytes: Annotated[int, NumberRange(least=_MIB, most=64 * _GIB)] = 512 * _MIB
    """Size of the cache on disk of compiled files; files that have not changed are not compiled again."""
    idle_seconds: Annotated[float, NumberRange(least=1, most=86_400)] = 300.0
    """The build worker is stopped after this time without a build."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptSettings:
    """Plain settings of scripts, which they read from `env`."""

    env: Annotated[
        tuple[str, ...], StringPattern("a script, a name and a value: `shop:GREETING=Hello`", is_override)
    ] = ()
    """
    Values that take the place of those in the manifests: name of the script, `:`, name of the value, `=`, value.

    Scripts and the page of the settings show them: passwords and keys are secrets instead.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploySettings:
    """Limits for deployments."""

    max_source_bytes: Annotated[int, NumberRange(least=_KIB, most=_GIB)] = 5 * 1024 * 1024
    """Largest file of a script."""
    max_total_bytes: Annotated[int, NumberRange(least=_KIB, most=_GIB)] = 25 * 1024 * 1024
    """Largest size of all files of a script."""
    max_files: Annotated[int, NumberRange(least=1, most=100_000)] = 2000
    """Maximum number of files of a script."""
    keep_versions: Annotated[int, NumberRange(least=1, most=100_000)] = 50
    """Number of versions that are stored of each script; older ones are removed, but never the current one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """The server's own log, and how long the logs of scripts are stored."""

    level: Annotated[str, OneOf(("debug", "info", "warn", "error"))] = "info"
    """Least level of the server's own log: `debug`, `info`, `warn` or `error`."""
    format: Annotated[str, OneOf(("text", "json"))] = "text"
    """Format of the server's own log: `text` for people, `json` for programs."""
    retention_days: Annotated[float, NumberRange(least=0.01, most=3650)] = 7.0
    """Log lines of scripts are removed after this number of days."""
    max_lines: Annotated[int, NumberRange(least=0, most=100_000_000)] = 200_000
    """Maximum number of log lines of scripts that are stored; the oldest are removed first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSettings:
    """Limits for subscribers and messages, and for connections of server-sent events."""

    max_subscribers: Annotated[int, NumberRange(least=0, most=10_000_000)] = 20_000
    """Maximum number of open subscriptions of all scripts; further ones are refused with 429."""
    max_script_subscribers: Annotated[int, NumberRange(least=0, most=10_000_000)] = 15_000
    """Maximum number of open subscriptions of one script."""
    max_topic_subscribers: Annotated[int, NumberRange(least=0, most=10_000_000)] = 10_000
    """Maximum number of open subscriptions of one topic."""
    queue_messages: Annotated[int, NumberRange(least=1, most=1_000_000)] = 1000
    """Maximum number of messages that wait for a subscriber that reads slowly."""
    history_bytes: Annotated[int, NumberRange(least=0, most=_GIB)] = 4 * _MIB
    """Maximum size of the messages that one topic keeps for clients that reconnect."""
    max_message_bytes: Annotated[int, NumberRange(least=_KIB, most=64 * _MIB)] = 256 * _KIB
    """Largest message."""
    heartbeat_seconds: Annotated[float, NumberRange(least=0.1, most=3600)] = 15.0
    """Interval at which a comment is sent on an idle connection of events, so that a proxy does not close it."""
    retry_seconds: Annotated[float, NumberRange(least=0.1, most=3600)] = 3.0
    """How long a client waits before it reconnects when its connection of events is broken."""

    FORMER: ClassVar[FormerNames] = {
        key: f"streams.{key}"
        for key in (
            "max_subscribers", "max_script_subscribers", "max_topic_subscribers", "queue_messages", "history_bytes",
            "max_message_bytes", "heartbeat_seconds", "retry_seconds",
        )
    }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSocketSettings:
    """Limits for all WebSocket connections; their subscriptions count among those of `live`."""

    max_connections: Annotated[int, NumberRange(least=0, most=10_000_000)] = 10_000
    """Maximum number of open WebSockets of all scripts and of the engine; further ones are refused with 429."""
    max_script_connections: Annotated[int, NumberRange(least=0, most=10_000_000)] = 5_000
    """Maximum number of open WebSockets of one script."""
    max_message_bytes: Annotated[int, NumberRange(least=_KIB, most=16 * _MIB)] = _MIB
    """Largest message in either direction; a client that sends a larger one is disconnected with the code 1009."""
    max_frame_bytes: Annotated[int, NumberRange(least=_KIB, most=16 * _MIB)] = _MIB
    """Largest frame; a message may consist of several."""
    buffer_bytes: Annotated[int, NumberRange(least=_KIB, most=_GIB)] = _MIB
    """Maximum size of the messages that wait for a slow client; beyond it the client is disconnected with 1013."""
    ping_seconds: Annotated[float, NumberRange(least=0.1, most=3600)] = 30.0
    """Time after a client's answer to a ping until the next ping."""
    pong_seconds: Annotated[float, NumberRange(least=0.1, most=3600)] = 20.0
    """How long a client may take to answer a ping, or to send anything else, before it is disconnected."""
    close_seconds: Annotated[float, NumberRange(least=0.1, most=3600)] = 5.0
    """How long closing a connection may take."""
    compress: bool = True
    """Compress messages (permessage-deflate) for clients that support it."""
    origins: tuple[str, ...] = ()
    """Origins whose pages may open WebSockets, besides the server's own, such as `https://example.org`; `*` for all."""

    FORMER: ClassVar[FormerNames] = {
        key: f"sockets.{key}"
        for key in (
            "max_connections", "max_script_connections", "max_message_bytes", "max_frame_bytes", "buffer_bytes",
            "ping_seconds", "pong_seconds", "close_seconds", "compress", "origins",
        )
    }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisSettings:
    """Redis or Valkey, through which several servers share messages; it is not used without a URL."""

    url: Annotated[
        str,
        StringPattern(
            "an address such as redis://:password@127.0.0.1:6379/0, rediss://example.org or "
            "unix:///run/redis/redis.sock?db=0, or empty",
            is_redis_url,
            secret=True,
        ),
    ] = field(default="", repr=False)
    """URL of the server; `rediss://` uses TLS, and a password is percent-encoded. If empty, Redis is not used."""
    ca_file: Annotated[str, FilePath()] = ""
    """PEM file with the certificate authorities that are trusted for TLS; if empty, those of the system."""
    prefix: Annotated[str, StringPattern("up to 64 letters, digits, `_`, `.`, `:` and `-`", is_prefix)] = "aiwebengine"
    """Prefix of all keys and channels, followed by a colon; servers that work together have the same."""
    connections: Annotated[int, NumberRange(least=1, most=64)] = 2
    """Number of connections for commands; one more is opened for subscriptions."""
    connect_seconds: Annotated[float, NumberRange(least=0.1, most=60)] = 3.0
    """Maximum time to connect and authenticate; the server waits this long at its start, then starts without Redis."""
    command_seconds: Annotated[float, NumberRange(least=0.01, most=60)] = 1.0
    """Maximum time for the answer to a command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorSettings:
    """What error answers show."""

    show_source: bool = False
    """Show the source line and the stack of an error to every client; for development only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All sections."""

    profile: Annotated[str, OneOf(("development", "staging", "production"))] = "development"
    """`development`, `staging` or `production`: the file whose values override `base.yaml`."""
    server: ServerSettings = field(default_factory=ServerSettings)
    http: HttpSettings = field(default_factory=HttpSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    pool: PoolSettings = field(default_factory=PoolSettings)
    sandbox: SandboxSettings = field(default_factory=SandboxSettings)
    build: BuildSettings = field(default_factory=BuildSettings)
    deploy: DeploySettings = field(default_factory=DeploySettings)
    scripts: ScriptSettings = field(default_factory=ScriptSettings)
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
