"""Keys for tests of `node:crypto`, in the forms in which programs have them, and what they have signed."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

DATA = "some text é".encode()
"""What was signed."""
_PKCS8 = serialization.PrivateFormat.PKCS8
_OLDER = serialization.PrivateFormat.TraditionalOpenSSL


def keys_module() -> str:
    """Return a module of JavaScript that exports `keys`."""
    return f"export const keys = {json.dumps(keys_of())};\n"


def keys_of() -> dict[str, Any]:
    """Return by kind a private key as `pem`, its public key as `open`, and a signature; and a certificate."""
    pair, curve, larger = (
        rsa.generate_private_key(65537, 2048),
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP384R1()),
    )
    edwards = ed25519.Ed25519PrivateKey.generate()
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    signature = curve.sign(DATA, ec.ECDSA(hashes.SHA256()))
    numbers = b"".join(number.to_bytes(32, "big") for number in utils.decode_dss_signature(signature))
    return {
        "rsa": _shown(pair, _PKCS8, pair.sign(DATA, padding.PKCS1v15(), hashes.SHA256())),
        "pkcs1": _shown(pair, _OLDER, pair.sign(DATA, padding.PKCS1v15(), hashes.SHA512())),
        "pss": _shown(pair, _PKCS8, pair.sign(DATA, pss, hashes.SHA256())),
        "ec": _shown(curve, _PKCS8, signature),
        "raw": _shown(curve, _PKCS8, numbers),
        "sec1": _shown(larger, _OLDER, larger.sign(DATA, ec.ECDSA(hashes.SHA384()))),
        "ed25519": _shown(edwards, _PKCS8, edwards.sign(DATA)),
        "certificate": _certificate(pair),
    }


def _shown(key: Any, form: serialization.PrivateFormat, signature: bytes) -> dict[str, str]:
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    return {"pem": private.decode(), "open": public.decode(), "signature": signature.hex()}


def _certificate(key: rsa.RSAPrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "example")])
    begins = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins + dt.timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()
