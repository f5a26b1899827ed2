"""Settings of requests that scripts make to other servers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from aiwebengine.features.fetch.network.proxies import is_proxy
from aiwebengine.settings.allowed import FilePath, NumberRange, OneOf, StringPattern, is_network

_MIB = 1024 * 1024
_GIB = 1024 * _MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSettings:
    """Requests that scripts make to other servers with `fetch`."""

    allow: Annotated[str, OneOf(("granted", "all"))] = "granted"
    """
    Which hosts a script may reach: `granted` those that it was granted with `--grant fetch:HOST`, `all` every host.

    The profile `development` sets `all`.
    """
    networks: Annotated[tuple[str, ...], StringPattern("a network such as 10.1.0.0/16", is_network)] = ()
    """
    Networks that may be reached although they are not public, such as `10.1.0.0/16`.

    Private, loopback, link-local and other special addresses are refused otherwise, whatever name resolves to them.
    The profile `development` allows those of this machine.
    """
    proxy: Annotated[str, StringPattern("an address such as http://proxy.example.com:3128", is_proxy)] = ""
    """
    HTTP proxy for all requests; empty: none.

    The proxy resolves names, so it must refuse addresses that scripts may not reach.
    """
    ca_file: Annotated[str, FilePath()] = ""
    """File with certificates in PEM form that are trusted, besides those that the system trusts."""
    connect_seconds: Annotated[float, NumberRange(least=0.1, most=300)] = 10.0
    """Maximum time to find the addresses of a server, to connect to one of them, and for TLS, together."""
    answer_seconds: Annotated[float, NumberRange(least=0.1, most=3600)] = 30.0
    """Maximum time from the request to the headers of the answer, with all redirects and retries."""
    idle_seconds: Annotated[float, NumberRange(least=0.1, most=3600)] = 30.0
    """Maximum time between two pieces of a body."""
    max_request_bytes: Annotated[int, NumberRange(least=0, most=1024 * _GIB)] = 256 * _MIB
    """Largest body of a request."""
    max_answer_bytes: Annotated[int, NumberRange(least=0, most=1024 * _GIB)] = 256 * _MIB
    """Largest body of an answer, decompressed."""
    max_head_bytes: Annotated[int, NumberRange(least=1024, most=_MIB)] = 64 * 1024
    """Largest status line and headers of an answer together; it may have at most 500 headers."""
    max_redirects: Annotated[int, NumberRange(least=0, most=100)] = 20
    """Maximum number of redirects of one request."""
    max_open: Annotated[int, NumberRange(least=1, most=10_000)] = 64
    """Maximum number of requests of one script to one server at the same time; further ones wait."""
    max_waiting: Annotated[int, NumberRange(least=0, most=100_000)] = 256
    """Maximum number of requests of one script to one server that wait; further ones fail."""
    per_invocation: Annotated[int, NumberRange(least=1, most=1_000_000)] = 200
    """Maximum number of requests of one invocation."""
    max_deliveries: Annotated[int, NumberRange(least=0, most=10_000_000)] = 10_000
    """Maximum number of requests of one script with `afterCommit` that wait to be sent."""
    max_delivery_bytes: Annotated[int, NumberRange(least=1024, most=2 * _MIB)] = _MIB
    """Largest request with `afterCommit`."""
    delivery_attempts: Annotated[int, NumberRange(least=1, most=1000)] = 12
    """
    How often a request with `afterCommit` is tried before it has failed.

    The waits grow from 10 seconds to 6 hours, so 12 attempts take about 8 hours.
    """
    keep_alive_seconds: Annotated[float, NumberRange(least=0, most=3600)] = 30.0
    """How long an idle connection is kept for further requests; 0: not at all."""
    keep_alive_connections: Annotated[int, NumberRange(least=1, most=10_000)] = 16
    """Maximum number of idle connections kept to one server."""
    breaker_failures: Annotated[int, NumberRange(least=1, most=1000)] = 10
    """Number of failures in a row of one script's requests to one server after which further ones fail at once for a
    while."""
