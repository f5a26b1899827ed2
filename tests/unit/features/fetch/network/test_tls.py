"""Why a server is not trusted, in words."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from aiwebengine.features.fetch.network.tls import TrustedServers, why_not_trusted

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
KEY = ec.generate_private_key(ec.SECP256R1())


def named(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(*names, issuer="An Authority", begins=NOW - timedelta(days=10), ends=NOW + timedelta(days=10)):
    made = (
        x509.CertificateBuilder()
        .subject_name(named("a server"))
        .issuer_name(named(issuer))
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(ends)
    )
    if names:
        made = made.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return made.sign(KEY, hashes.SHA256())


HOST = x509.DNSName("a.example")


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (certificate(HOST, ends=NOW - timedelta(days=1)), "its certificate expired on 2026-06-14"),
        (certificate(HOST, begins=NOW + timedelta(days=1)), "its certificate is not valid before 2026-06-16"),
        (
            certificate(x509.DNSName("b.example"), x509.DNSName("*.c.example")),
            "its certificate is for b.example, *.c.example, and not for a.example",
        ),
        (certificate(), "its certificate is for no name, and not for a.example"),
        (
            certificate(HOST, issuer="a server"),
            "its certificate is signed by itself; the setting fetch.ca_file can name a file with it",
        ),
        (certificate(HOST), "the authority that signed its certificate is not trusted (CN=An Authority)"),
        (
            certificate(x509.DNSName("*.example")),
            "the authority that signed its certificate is not trusted (CN=An Authority)",
        ),
        (certificate(x509.DNSName("*.a.example")), "its certificate is for *.a.example, and not for a.example"),
    ],
)
def test_why(made, why):
    """The message names the date, the name or the authority that is wrong."""
    assert why_not_trusted(made, "a.example", NOW) == why


def test_addresses():
    """A certificate may be for an address, however that is written."""
    made = certificate(x509.IPAddress(ipaddress.ip_address("2001:db8::1")))
    assert "authority" in why_not_trusted(made, "2001:db8:0::1", NOW)
    assert "and not for 2001:db8::2" in why_not_trusted(made, "2001:db8::2", NOW)


def test_creators():
    """What makes connections is made once for each host, and the one that was not used for longest is forgotten."""
    trusted = TrustedServers(authorities=certificate(HOST).public_bytes(Encoding.PEM))
    first = trusted.creator("a.example")
    for number in range(98):
        trusted.creator(f"{number}.example")
    assert trusted.creator("a.example") is first
    for number in range(150):
        trusted.creator(f"x{number}.example")
    assert trusted.creator("a.example") is not first


def test_no_certificates():
    """A file that holds no certificate is refused at once."""
    with pytest.raises(ValueError, match=r"."):
        TrustedServers(authorities=b"no certificate")
