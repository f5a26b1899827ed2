"""
What went wrong with a request, in the terms of scripts.

`details.reason` tells the kinds apart:

    dns          the name of the server cannot be resolved
    connect      nothing accepts the connection
    tls          its certificate is not accepted, or TLS fails
    proxy        the proxy refuses
    timeout      it takes too long
    closed       the connection ended before the answer was complete
    protocol     what it answers is no HTTP
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
from twisted.python.failure import Failure
from twisted.web.client import RequestTransmissionFailed, ResponseFailed, ResponseNeverReceived
from twisted.web.http import PotentialDataLoss

from aiwebengine.errors import Cancelled, EngineError, TooLarge, TooSlow, Unavailable


def unavailable(reason: str, message: str, *, retry_seconds: float | None = None, **details: Any) -> Unavailable:
    """Make the error for a request that failed."""
    return Unavailable(message, details={"reason": reason, **details}, retry_seconds=retry_seconds)


def too_slow(message: str) -> TooSlow:
    """Make the error for one that took too long."""
    return TooSlow(message, details={"reason": "timeout"})


def too_large(message: str) -> TooLarge:
    """Make the error for a body or head that is too large."""
    return TooLarge(message, details={"reason": "size"})


def explained(failed: BaseException | None, *, server: str) -> EngineError:
    """
    Return what a failure of the network means for a script.

    Args:
        failed: The failure; if it is none of the network, it is raised again.
        server: Host and port, for people.
    """
    error = _innermost(failed)
    match error:
        case EngineError():
            return error
        case CancelledError():
            return Cancelled("The request was cancelled.")
        case neterror.DNSLookupError():
            return unavailable("dns", f"fetch: the name of {server} cannot be resolved.")
        case neterror.TimeoutError() | neterror.TCPTimedOutError():
            return unavailable("timeout", f"fetch: {server} did not accept the connection in time.")
        case neterror.ConnectionRefusedError():
            return unavailable("connect", f"fetch: {server} refused the connection; nothing listens there.")
        case neterror.ConnectError():
            return unavailable("connect", f"fetch: no connection to {server}: {_said(error)}.")
        case _ if _is_cut(error):
            return unavailable("closed", f"fetch: {server} closed the connection before its answer was complete.")
        case _ if _is_tls(error):
            return unavailable("tls", f"fetch: TLS with {server} failed: {_said(error)}.")
        case _ if error is failed and error is not None and not type(error).__module__.startswith("twisted."):
            raise error
        case _:
            return unavailable("protocol", f"fetch: the answer of {server} is not valid HTTP: {_said(error)}.")


def _innermost(error: BaseException | None) -> BaseException | None:
    """Return what Twisted's collections of reasons were made for."""
    kinds = RequestTransmissionFailed, ResponseFailed, ResponseNeverReceived
    while isinstance(error, kinds):
        reasons: list[Failure] = error.args[0] if error.args and isinstance(error.args[0], list) else []
        inner = [reason.value for reason in reasons if isinstance(reason, Failure)]
        telling = [value for value in inner if not isinstance(value, neterror.ConnectionDone | neterror.ConnectionLost)]
        if not inner:
            return error
        error = (telling or inner)[0]
    return error


def is_tls(error: BaseException | None) -> bool:
    """Return whether a failure is one of TLS."""
    return _is_tls(_innermost(error))


def is_closed(error: BaseException | None) -> bool:
    """Return whether the connection ended before there was any answer."""
    return isinstance(error, RequestTransmissionFailed | ResponseNeverReceived) and isinstance(
        _innermost(error), neterror.ConnectionDone | neterror.ConnectionLost
    )


def is_ended(error: BaseException | None) -> bool:
    """Return whether a request failed only because its connection ended."""
    return isinstance(_innermost(error), neterror.ConnectionClosed)


def _is_cut(error: BaseException | None) -> bool:
    # A body that ends before its length or its last chunk has no public name in Twisted.
    kinds = PotentialDataLoss, neterror.ConnectionDone, neterror.ConnectionLost
    return isinstance(error, kinds) or type(error).__name__ == "_DataLoss"


def _is_tls(error: BaseException | None) -> bool:
    module = type(error).__module__
    return module.startswith(("OpenSSL", "service_identity"))


def _said(error: BaseException | None) -> str:
    """Return the message of an error, for people."""
    if _is_tls(error) and error is not None and error.args and isinstance(error.args[0], list):
        reasons = [str(item[-1]) for item in error.args[0] if isinstance(item, tuple) and item and item[-1]]
        return "; ".join(reasons) or "the connection was closed"
    text = str(error).strip().rstrip(".") or type(error).__name__
    return text[:300]
