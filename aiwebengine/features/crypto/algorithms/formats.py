"""SubjectPublicKeyInfo and PKCS #8, as DER."""

from __future__ import annotations

from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from aiwebengine.features.crypto.algorithms.algorithm import wrong_data


def load_spki(data: bytes, kind: type[Any]) -> Any:
    """
    Return the public key in *data*.

    Raises:
        Refusal: `DataError`: it is not valid, or of another kind.
    """
    try:
        loaded: Any = load_der_public_key(data)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise wrong_data("The data is not the SubjectPublicKeyInfo of a supported key.") from None
    return _of_kind(loaded, kind)


def load_pkcs8(data: bytes, kind: type[Any]) -> Any:
    """
    Return the private key in *data*; the numbers of an RSA key are still to be checked.

    Raises:
        Refusal: `DataError`: it is not valid, or of another kind.
    """
    try:
        loaded: Any = load_der_private_key(data, None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise wrong_data("The data is not the PKCS #8 of a supported key, or is encrypted.") from None
    return _of_kind(loaded, kind)


def as_spki(loaded: Any) -> bytes:
    """Return a public key as SubjectPublicKeyInfo."""
    written: bytes = loaded.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return written


def as_pkcs8(loaded: Any) -> bytes:
    """Return a private key as PKCS #8."""
    written: bytes = loaded.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return written


def _of_kind(loaded: Any, kind: type[Any]) -> Any:
    if not isinstance(loaded, kind):
        raise wrong_data("The data is a key of another algorithm.")
    return loaded
