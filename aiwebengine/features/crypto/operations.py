"""
What `crypto.subtle` does, as the standard has it; loaded when a script first needs it, for OpenSSL comes with it.

Each operation gets the script and what its process has sent, which may be anything, and returns the answer to the
process. They run in threads or on the reactor and touch nothing but keys.

What must not stand in recordings is in members called `secret`: see `recordings.mask`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from aiwebengine.features.crypto.algorithms import aes, derivation, edwards, elliptic, rsa
from aiwebengine.features.crypto.algorithms.algorithm import USAGES, Algorithm, KeyData, wrong_data
from aiwebengine.features.crypto.algorithms.mac import Hmac
from aiwebengine.features.crypto.keys import Key, SealedKeys
from aiwebengine.features.crypto.refusals import Refusal, RequestFields, as_text
from aiwebengine.features.crypto.settings import CryptoSettings

_FORMATS = ("raw", "spki", "pkcs8", "jwk")
_WHAT = "crypto.subtle"
Operation = Callable[[str, RequestFields], dict[str, Any]]


class Operations:
    """
    All operations.

    Args:
        keys: Seals and opens keys.
        limits: Of what scripts may compute.
    """

    def __init__(self, *, keys: SealedKeys, limits: CryptoSettings) -> None:
        self._keys = keys
        every: list[Algorithm] = [
            Hmac("HMAC", limits),
            aes.AesCbc("AES-CBC", limits),
            aes.AesCtr("AES-CTR", limits),
            aes.AesGcm("AES-GCM", limits),
            aes.AesKw("AES-KW", limits),
            derivation.Pbkdf2("PBKDF2", limits),
            derivation.Hkdf("HKDF", limits),
            derivation.ScryptDerivation("scrypt", limits),
            *rsa.make(limits),
            *elliptic.make(limits),
            *edwards.make(limits),
        ]
        self._algorithms = {algorithm.name: algorithm for algorithm in every}
        self._operations: Mapping[str, Operation] = {
            "generate": self._generate,
            "import": self._import,
            "export": self._export,
            "sign": self._sign,
            "verify": self._verify,
            "encrypt": self._encrypt,
            "decrypt": self._decrypt,
            "bits": self._derive_bits,
            "derive": self._derive_key,
            "wrap": self._wrap,
            "unwrap": self._unwrap,
        }

    def run(self, operation: str, script: str, request: Any) -> dict[str, Any]:
        """
        Do one operation.

        Args:
            operation: Its name, after the host call.
            script: Whose keys may be used.
            request: What the script's process has sent.

        Raises:
            Refusal: As the standard has it.
        """
        return self._operations[operation](script, RequestFields(request, what=_WHAT))

    # -- operations ---------------------------------------------------------------------------

    def _generate(self, script: str, request: RequestFields) -> dict[str, Any]:
        algorithm, given = self._algorithm(request, "algorithm")
        made = algorithm.generate(given, extractable=request.flag("extractable"), usages=_usages(request))
        if isinstance(made, Key):
            _require_use(made)
            return {"key": self._keys.seal(script, made)}
        public, private = made
        _require_use(private)
        return {"publicKey": self._keys.seal(script, public), "privateKey": self._keys.seal(script, private)}

    def _import(self, script: str, request: RequestFields) -> dict[str, Any]:
        form = _format(request)
        member = "secret" if "secret" in request else "data"
        data: KeyData = request.mapping(member) if form == "jwk" else request.octets(member)
        return {"key": self._keys.seal(script, self._imported(form, data, request, "algorithm"))}

    def _export(self, script: str, request: RequestFields) -> dict[str, Any]:
        key = self._key(script, request, "key")
        exported = self._exported(_format(request), key)
        member = "data" if key.type == "public" else "secret"
        return {member: as_text(exported) if isinstance(exported, bytes) else exported}

    def _sign(self, script: str, request: RequestFields) -> dict[str, Any]:
        algorithm, given = self._algorithm(request, "algorithm")
        key = self._used(script, request, "sign", algorithm)
        return {"data": as_text(algorithm.sign(key, given, request.octets("data")))}

    def _verify(self, script: str, request: RequestFields) -> dict[str, Any]:
        algorithm, given = self._algorithm(request, "algorithm")
        key = self._used(script, request, "verify", algorithm)
        return {"valid": algorithm.verify(key, given, request.octets("signature"), request.octets("data"))}

    def _encrypt(self, script: str, request: RequestFields) -> dict[str, Any]:
        algorithm, given = self._algorithm(request, "algorithm")
        key = self._used(script, request, "encrypt", algorithm)
        return {"data": as_text(algorithm.encrypt(key, given, request.octets("data")))}

    def _decrypt(self, script: str, request: RequestFields) -> dict[str, Any]:
        algorithm, given = self._algorithm(request, "algorithm")
        key = self._used(script, request, "decrypt", algorithm)
        return {"data": as_text(algorithm.decrypt(key, given, request.octets("data")))}

    def _derive_bits(self, script: str, request: RequestFields) -> dict[str, Any]:
        length = request.integer("length") if "length" in request else None
        return {"secret": as_text(self._derived(script, request, "deriveBits", length))}

    def _derive_key(self, script: str, request: RequestFields) -> dict[str, Any]:
        target, described = self._algorithm(request, "derivedKeyType")
        bits = self._derived(script, request, "deriveKey", target.key_length(described))
        return {"key": self._keys.seal(script, self._imported("raw", bits, request, "derivedKeyType"))}

    def _wrap(self, script: str, request: RequestFields) -> dict[str, Any]:
        algorithm, given = self._algorithm(request, "algorithm")
        wrapping = self._used(script, request, "wrapKey", algorithm, member="wrappingKey")
        exported = self._exported(_format(request), self._key(script, request, "key"))
        data = exported if isinstance(exported, bytes) else json.dumps(exported, separators=(",", ":")).encode()
        return {"data": as_text(algorithm.wrap(wrapping, given, data))}

    def _unwrap(self, script: str, request: RequestFields) -> dict[str, Any]:
        algorithm, given = self._algorithm(request, "algorithm")
        unwrapping = self._used(script, request, "unwrapKey", algorithm, member="unwrappingKey")
        data: KeyData = algorithm.unwrap(unwrapping, given, request.octets("data"))
        form = _format(request)
        if form == "jwk" and isinstance(data, bytes):
            data = _read_jwk(data)
        return {"key": self._keys.seal(script, self._imported(form, data, request, "keyAlgorithm"))}

    # -- what they have in common ---------------------------------------------------------------

    def _algorithm(self, request: RequestFields, member: str) -> tuple[Algorithm, RequestFields]:
        given = request.fields(member)
        name = given.text("name")
        found = self._algorithms.get(name)
        if found is None:
            raise Refusal(
                "NotSupportedError", f'There is no algorithm "{name[:40]}"; there are {", ".join(self._algorithms)}.'
            )
        return found, given

    def _key(self, script: str, request: RequestFields, member: str) -> Key:
        return self._keys.open(script, request.text(member))

    def _used(
        self, script: str, request: RequestFields, usage: str, algorithm: Algorithm, *, member: str = "key"
    ) -> Key:
        key = self._key(script, request, member)
        key.require(usage, algorithm.name)
        return key

    def _derived(self, script: str, request: RequestFields, usage: str, length: int | None) -> bytes:
        algorithm, given = self._algorithm(request, "algorithm")
        key = self._used(script, request, usage, algorithm)
        public = self._key(script, given, "public") if "public" in given else None
        return algorithm.derive(key, given, length, public)

    def _imported(self, form: str, data: KeyData, request: RequestFields, member: str) -> Key:
        algorithm, given = self._algorithm(request, member)
        key = algorithm.import_key(form, data, given, extractable=request.flag("extractable"), usages=_usages(request))
        if key.type != "public":
            _require_use(key)
        return key

    def _exported(self, form: str, key: Key) -> KeyData:
        algorithm = self._algorithms[key.name]
        if type(algorithm).export_key is Algorithm.export_key:
            raise Refusal("NotSupportedError", f"A key for {key.name} cannot be exported.")
        if not key.extractable:
            raise Refusal("InvalidAccessError", "The key is not extractable.")
        return algorithm.export_key(form, key)


def _usages(request: RequestFields) -> tuple[str, ...]:
    given = request.list_of_text("usages")
    wrong = [usage for usage in given if usage not in USAGES]
    if wrong:
        raise Refusal("TypeError", f'There is no key usage "{wrong[0][:40]}"; there are {", ".join(USAGES)}.')
    return tuple(usage for usage in USAGES if usage in given)


def _require_use(key: Key) -> None:
    if not key.usages:
        raise Refusal("SyntaxError", f"A {key.type} key needs at least one usage.")


def _format(request: RequestFields) -> str:
    form = request.text("format")
    if form not in _FORMATS:
        raise Refusal("TypeError", f'There is no key format "{form[:40]}"; there are {", ".join(_FORMATS)}.')
    return form


def _read_jwk(data: bytes) -> Mapping[str, Any]:
    try:
        jwk = json.loads(data)
    except (ValueError, RecursionError):
        raise wrong_data("The unwrapped key is not JSON.") from None
    if not isinstance(jwk, Mapping):
        raise wrong_data("The unwrapped key is not a JSON Web Key.")
    return jwk
