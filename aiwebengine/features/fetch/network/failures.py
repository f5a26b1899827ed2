"""
What went wrong with a request, in the terms of scripts.

`details.reason` distinguishes the kinds:

    dns          the name of the server cannot be resolved, or not in time
    connect      nothing accepts the connection, or not in time
    tls          its certificate is not accepted, or TLS fails, or takes too long
    proxy        the proxy refuses, or takes too long
    timeout      the answer, or a piece of it, takes too long
    closed       the connection ended before the answer was complete
    protocol     its answer is not valid HTTP
    decoding     the body does not fit its content coding
    redirect     a redirect that cannot be followed
    integrity    the body is not the expected one
    size         a body or head is larger than allowed
    breaker      too many requests to this server have failed; none is sent for a while
    busy         too many requests to this server are under way
"""

from __future__ import annotations

from typing import Any

from twisted.internet import error as neterror
from twisted.internet.defer import CancelledError
from twisted.web.http import PotentialDataLoss

from aiwebengine.errors import Cancelled, EngineError, TooLarge, TooSlow, Unavailable
from aiwebengine.features.fetch.network.answers import HeadTooLarge, NotHttp


def unavailable(reason: str, message: str, *, retry_seconds: float | None = None, **details: Any) -> Unavailable:
    """Make the error for a request that failed."""
    return Unavailable(message, details={"reason": reason, **details}, retry_seconds=retry_seconds)


def too_slow(message: str) -> TooSlow:
    """Make the error for one that took too long."""
    return TooSlow(message, details={"reason": "timeout"})


def too_large(message: str) -> TooLarge:
    """Make the error for a body or head that is too large."""
    return TooLarge(message, details={"reason": "size"})


class NameTooSlow(neterror.TimeoutError):
    """A name was not resolved in time."""


def explained(error: BaseException | None, *, server: str) -> EngineError:
    """
    Return what a failure of the network means for a script.

    Args:
        error: The failure; if it is not one of the network, it is raised again.
        server: Host and port, for people.
    """
    match error:
        case EngineError():
            return error
        case CancelledError():
            return Cancelled("The request was cancelled.")
        case neterror.DNSLookupError():
            return unavailable("dns", f"fetch: the name of {server} cannot be resolved.")
        case NameTooSlow():
            return unavailable("dns", f"fetch: the name of {server} was not resolved in time (fetch.connect_seconds).")
        case neterror.TimeoutError() | neterror.TCPTimedOutError():
            return unavailable(
                "connect", f"fetch: {server} did not accept the connection in time (fetch.connect_seconds)."
            )
        case neterror.ConnectionRefusedError():
            return unavailable("connect", f"fetch: {server} refused the connection; nothing listens there.")
        case neterror.ConnectError():
            return unavailable("connect", f"fetch: no connection to {server}: {_said(error)}.")
        case neterror.ConnectionClosed() | PotentialDataLoss():
            return unavailable("closed", f"fetch: {server} closed the connection before its answer was complete.")
        case NotHttp():
            return unavailable("protocol", f"fetch: the answer of {server} is not valid HTTP: {_said(error)}.")
        case HeadTooLarge():
            return too_large(f"fetch: {server} sends too much behind the body of its answer.")
        case _ if is_tls(error):
            return unavailable("tls", f"fetch: TLS with {server} failed: {_said(error)}.")
        case None:
            return unavailable("protocol", f"fetch: the answer of {server} is not valid HTTP.")
        case _:
            raise error


def is_tls(error: BaseException | None) -> bool:
    """Return whether a failure is one of TLS."""
    return type(error).__module__.startswith(("OpenSSL", "service_identity"))


def _said(error: BaseException | None) -> str:
    """Return the message of an error, for people."""
    if is_tls(error) and error is not None and error.args and isinstance(error.args[0], list):
        reasons = [str(item[-1]) for item in error.args[0] if isinstance(item, tuple) and item and item[-1]]
        return "; ".join(reasons) or "the connection was closed"
    text = str(error).strip().rstrip(".") or type(error).__name__
    return text[:300]
