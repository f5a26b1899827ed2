"""Which servers are trusted, and in words why one is not."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from OpenSSL import SSL
from OpenSSL.crypto import X509
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import optionsForClientTLS, platformTrust
from zope.interface import implementer

from aiwebengine.errors import CannotStart

_MOST_CREATORS = 100
_MOST_NAMES = 5


class TrustedServers:
    """
    Servers with certificates that the system trusts, or that further authorities have signed.

    Args:
        authorities: Their certificates, PEM; empty for those of the system alone.
        now: Returns what time it is.
    """

    def __init__(self, *, authorities: bytes = b"", now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._authorities = x509.load_pem_x509_certificates(authorities) if authorities else []
        self._now = now
        self._creators: dict[str, IOpenSSLClientConnectionCreator] = {}

    def creator(self, host: str) -> IOpenSSLClientConnectionCreator:
        """Return what makes connections to a host, which must have a certificate for its name."""
        creator = self._creators.pop(host, None)
        if creator is None:
            creator = optionsForClientTLS(host, trustRoot=platformTrust())
            if self._authorities:
                creator = _WithAuthorities(creator, self._authorities)
        self._creators[host] = creator
        if len(self._creators) > _MOST_CREATORS:
            del self._creators[next(iter(self._creators))]
        return creator

    def handshake(self, host: str) -> CheckedHandshake:
        """Return what makes one connection to a host."""
        return CheckedHandshake(self.creator(host), host, self._now)


@implementer(IOpenSSLClientConnectionCreator)
class CheckedHandshake:
    """
    Makes one connection, and says what was wrong with the certificate of the server.

    Args:
        creator: Makes it.
        host: Whose certificate it must be.
        now: Returns what time it is.
    """

    def __init__(self, creator: IOpenSSLClientConnectionCreator, host: str, now: Callable[[], datetime]) -> None:
        self._creator = creator
        self._host = host
        self._now = now
        self._connection: SSL.Connection | None = None

    def clientConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:  # noqa: N803  the interface's
        """See `IOpenSSLClientConnectionCreator`."""
        self._connection = self._creator.clientConnectionForTLS(tlsProtocol)
        return self._connection

    def problem(self, error: BaseException) -> str:
        """
        Return in words what is wrong with the certificate.

        Args:
            error: What the handshake failed with.

        Returns:
            Empty if it failed for another reason.
        """
        chain = self._connection.get_peer_cert_chain() if self._connection is not None else None
        if not chain or not is_refusal(error):
            return ""
        try:
            return why_not_trusted(chain[0].to_cryptography(), self._host, self._now())
        except ValueError:
            return "its certificate cannot be read"


def is_refusal(error: BaseException) -> bool:
    """Return whether a handshake failed because of the certificate of the server."""
    if type(error).__module__.startswith("service_identity"):
        return True
    reasons = error.args[0] if isinstance(error, SSL.Error) and error.args else ()
    return any("certificate verify failed" in str(reason) for reason in reasons)


def read_authorities(file: str) -> bytes:
    """
    Return the certificates of a file; empty without one.

    Raises:
        CannotStart: It cannot be read, or holds none.
    """
    if not file:
        return b""
    try:
        raw = Path(file).expanduser().read_bytes()
        TrustedServers(authorities=raw)
    except (OSError, ValueError) as error:
        raise CannotStart(f"The setting fetch.ca_file names {file}, which cannot be used: {error}.") from error
    return raw


def why_not_trusted(certificate: x509.Certificate, host: str, now: datetime) -> str:
    """Return in words why a certificate that was refused is not good for a host."""
    if now > certificate.not_valid_after_utc:
        return f"its certificate expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
    if now < certificate.not_valid_before_utc:
        return f"its certificate is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}"
    names = _names(certificate)
    if not any(_is_for(name, host) for name in names):
        shown = ", ".join(names[:_MOST_NAMES]) or "no name"
        return f"its certificate is for {shown}, and not for {host}"
    if certificate.issuer == certificate.subject:
        return "its certificate is signed by itself; the setting fetch.ca_file can name a file with it"
    issuer = certificate.issuer.rfc4514_string()[:200]
    return f"the authority that signed its certificate is not trusted ({issuer})"


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]


def _is_for(name: str, host: str) -> bool:
    """Return whether a name of a certificate means a host; only for messages."""
    if name.startswith("*."):
        return host.partition(".")[2] == name[2:].lower()
    if _is_address(name) and _is_address(host):
        return ipaddress.ip_address(name) == ipaddress.ip_address(host)
    return name.lower() == host


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


@implementer(IOpenSSLClientConnectionCreator)
class _WithAuthorities:
    """Trusts further authorities, besides those of the system."""

    def __init__(self, inner: IOpenSSLClientConnectionCreator, authorities: Sequence[x509.Certificate]) -> None:
        self._inner = inner
        self._authorities = [X509.from_cryptography(certificate) for certificate in authorities]

    def clientConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:  # noqa: N803  the interface's
        """See `IOpenSSLClientConnectionCreator`."""
        connection: SSL.Connection = self._inner.clientConnectionForTLS(tlsProtocol)
        store = connection.get_context().get_cert_store()
        assert store is not None
        for authority in self._authorities:
            # One that is there already is not added again.
            store.add_cert(authority)
        return connection
