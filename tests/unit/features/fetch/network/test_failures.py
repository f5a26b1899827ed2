"""What went wrong, in the terms of scripts."""

from __future__ import annotations

import pytest
from OpenSSL import SSL
from twisted.internet import error as neterror
from twisted.internet.defer import CancelledError
from twisted.web.http import PotentialDataLoss

from aiwebengine.errors import Cancelled, Denied
from aiwebengine.features.fetch.network.answers import HeadTooLarge, NotHttp
from aiwebengine.features.fetch.network.failures import NameTooSlow, explained, is_tls

TLS = SSL.Error([("SSL routines", "", "certificate verify failed")])


@pytest.mark.parametrize(
    ("error", "reason", "words"),
    [
        (neterror.DNSLookupError("x"), "dns", "the name of a.example:80 cannot be resolved"),
        (neterror.ConnectionRefusedError(), "connect", "nothing listens there"),
        (neterror.NoRouteError(osError=113), "connect", "no connection to a.example:80"),
        (NameTooSlow(), "dns", "the name of a.example:80 was not resolved in time"),
        (neterror.TimeoutError(), "connect", "did not accept the connection in time"),
        (neterror.TCPTimedOutError(), "connect", "did not accept the connection in time"),
        (neterror.ConnectionLost(), "closed", "closed the connection before its answer was complete"),
        (PotentialDataLoss(), "closed", "closed the connection"),
        (TLS, "tls", "certificate verify failed"),
        (SSL.Error(), "tls", "TLS with a.example:80 failed"),
        (neterror.ConnectionAborted(), "closed", "closed the connection"),
        (NotHttp("no digits"), "protocol", "is not valid HTTP: no digits"),
        (HeadTooLarge(), "size", "a.example:80 sends too much behind the body"),
        (None, "protocol", "not valid HTTP"),
    ],
)
def test_explained(error, reason, words):
    """Each kind of failure has a reason of its own and names the server."""
    told = explained(error, server="a.example:80")
    assert told.details == {"reason": reason}
    assert words in told.public
    assert "a.example:80" in told.public


def test_errors_of_ours():
    """An error that was meant for the script stays as it is; a cancelled request says so."""
    denied = Denied("no")
    assert explained(denied, server="a") is denied
    assert isinstance(explained(CancelledError(), server="a"), Cancelled)


def test_mistakes_of_ours():
    """What the network cannot have caused is a mistake of the engine, and is not blamed on the server."""
    with pytest.raises(KeyError):
        explained(KeyError("x"), server="a")


def test_tls():
    """Failures of TLS are told from others."""
    assert is_tls(TLS)
    assert not is_tls(neterror.ConnectionDone())
    assert not is_tls(None)
