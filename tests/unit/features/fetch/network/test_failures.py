"""What went wrong, in the terms of scripts."""

from __future__ import annotations

import pytest
from OpenSSL import SSL
from twisted.internet import error as neterror
from twisted.internet.defer import CancelledError
from twisted.python.failure import Failure
from twisted.web.client import RequestTransmissionFailed, ResponseFailed, ResponseNeverReceived
from twisted.web.http import PotentialDataLoss

from aiwebengine.errors import Cancelled, Denied
from aiwebengine.features.fetch.network.failures import explained, is_closed, is_ended, is_tls

TLS = SSL.Error([("SSL routines", "", "certificate verify failed")])


@pytest.mark.parametrize(
    ("error", "reason", "words"),
    [
        (neterror.DNSLookupError("x"), "dns", "the name of a.example:80 cannot be resolved"),
        (neterror.ConnectionRefusedError(), "connect", "nothing listens there"),
        (neterror.NoRouteError(osError=113), "connect", "no connection to a.example:80"),
        (neterror.TimeoutError(), "timeout", "did not accept the connection in time"),
        (neterror.ConnectionLost(), "closed", "closed the connection before its answer was complete"),
        (PotentialDataLoss(), "closed", "closed the connection"),
        (TLS, "tls", "certificate verify failed"),
        (SSL.Error(), "tls", "TLS with a.example:80 failed"),
        (ResponseFailed([Failure(ValueError("no digits"))]), "protocol", "is not valid HTTP: no digits"),
        (ResponseNeverReceived([Failure(neterror.ConnectionLost()), Failure(TLS)]), "tls", "verify failed"),
        (ResponseFailed([Failure(neterror.ConnectionLost())]), "closed", "closed the connection"),
        (RequestTransmissionFailed([Failure(ResponseFailed([Failure(TLS)]))]), "tls", "verify failed"),
        (ResponseFailed([]), "protocol", "not valid HTTP"),
        (None, "protocol", "not valid HTTP"),
    ],
)
def test_explained(error, reason, words):
    """Each kind of failure has a reason of its own and names the server; of several the telling one counts."""
    told = explained(error, server="a.example:80")
    assert told.details == {"reason": reason}
    assert words in told.public
    assert "a.example:80" in told.public


def test_errors_of_ours():
    """An error that was meant for the script stays as it is; a cancelled request says so."""
    denied = Denied("no")
    assert explained(ResponseFailed([Failure(denied)]), server="a") is denied
    assert isinstance(explained(CancelledError(), server="a"), Cancelled)


def test_mistakes_of_ours():
    """What the network cannot have caused is a mistake of the engine, and is not blamed on the server."""
    with pytest.raises(KeyError):
        explained(KeyError("x"), server="a")


def test_kinds():
    """Only a connection that ended before there was any answer lets a request be sent again."""
    closed = [Failure(neterror.ConnectionDone())]
    assert is_closed(ResponseNeverReceived(closed))
    assert not is_closed(ResponseFailed(closed))
    assert not is_closed(ResponseNeverReceived([Failure(TLS)]))
    assert is_tls(ResponseNeverReceived([Failure(TLS)]))
    assert not is_tls(ResponseNeverReceived(closed))
    assert is_ended(ResponseNeverReceived([Failure(neterror.ConnectionAborted())]))
    assert is_ended(ResponseNeverReceived(closed))
    assert not is_ended(ResponseNeverReceived([*closed, Failure(ValueError("no HTTP"))]))
