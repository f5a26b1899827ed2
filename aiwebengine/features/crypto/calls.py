"""
The host calls of cryptography: what is done at once, and what in a thread.

What takes moments is done at once: hashes, HMAC and AES of little data.  The rest waits for one of a few threads;
scripts take turns for them, and what a thread has computed is added to what the invocation has used.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from aiwebengine.errors import TooLarge
from aiwebengine.features.crypto.algorithms.hashes import digest, hash_named
from aiwebengine.features.crypto.algorithms.mac import hmac_of
from aiwebengine.features.crypto.declarations import CALLS, DIGEST, DIGEST_SYNC, HMAC_SYNC, SUBTLE, SUBTLE_SYNC
from aiwebengine.features.crypto.refusals import RequestFields, as_text
from aiwebengine.features.crypto.settings import CryptoSettings
from aiwebengine.features.crypto.store import SealingSecret
from aiwebengine.host.declare import HostCall, limited
from aiwebengine.host.session import CallSession, Function
from aiwebengine.services.fair_queue import FairQueue, FairTerms
from aiwebengine.services.threads import Runs

if TYPE_CHECKING:
    # Loaded when a script first needs it: OpenSSL comes with it, which takes 70 ms.
    from aiwebengine.features.crypto.operations import Operations

_BASE64_OF_BYTES = 4 / 3
_SPARE_BYTES = 64 * 1024
_LITTLE = 48 * 1024
"""Bytes that are hashed or encrypted in less than a millisecond."""
_NO_BYTES = frozenset({"name", "namedCurve", "format", "key", "wrappingKey", "unwrappingKey", "public"})
_CHEAP = frozenset({"HMAC", "AES-CBC", "AES-CTR", "AES-GCM", "AES-KW", "HKDF"})


@dataclass(frozen=True, slots=True)
class _Computed:
    """What a thread has computed."""

    result: dict[str, Any] | Exception
    cpu_seconds: float


class CryptoCalls:
    """
    The calls.

    Args:
        secret: Has the secret with which keys are sealed.
        threads: Where what takes long is computed.
        settings: How much a script may compute.
        entropy: Returns this many random bytes.
        seconds: A clock.
    """

    def __init__(
        self,
        *,
        secret: SealingSecret,
        threads: Runs,
        settings: CryptoSettings,
        entropy: Callable[[int], bytes],
        seconds: Callable[[], float],
    ) -> None:
        self._secret = secret
        self._threads = threads
        self._settings = settings
        self._entropy = entropy
        self._queue = FairQueue(terms=_terms(settings), seconds=seconds)
        self._operations: Operations | None = None

    @property
    def calls(self) -> Sequence[HostCall]:
        """See `dispatch.CallGroup.calls`."""
        return limited(
            CALLS,
            request=int(self._settings.max_bytes * _BASE64_OF_BYTES) + _SPARE_BYTES,
            input=int(self._settings.max_sync_bytes * _BASE64_OF_BYTES) + _SPARE_BYTES,
        )

    @property
    def functions(self) -> Mapping[str, Function]:
        """See `dispatch.CallGroup.functions`."""
        return {
            DIGEST.name: self._digest,
            DIGEST_SYNC.name: self._digest_sync,
            HMAC_SYNC.name: self._hmac_sync,
            **{call.name: partial(self._subtle, operation) for operation, call in SUBTLE.items()},
            **{call.name: partial(self._subtle_sync, operation) for operation, call in SUBTLE_SYNC.items()},
        }

    def state(self) -> dict[str, Any]:
        """Return figures for the state page."""
        return self._queue.state()

    def sealed(
        self,
        session: CallSession,
        *,
        form: str,
        data: bytes | Mapping[str, Any],
        algorithm: Mapping[str, Any],
        usages: Any,
    ) -> Any:
        """See `interfaces.ScriptKeys.sealed`."""
        request = {
            "format": form,
            "secret": as_text(data) if isinstance(data, bytes) else data,
            "algorithm": algorithm,
            "extractable": False,
            "usages": usages,
        }
        return self._subtle("import", session, request)

    # -- digests and HMACs --------------------------------------------------------------------

    def _digest(self, session: CallSession, request: Mapping[str, Any]) -> Any:
        fields = self._checked(DIGEST, request, self._settings.max_bytes, "crypto.max_bytes")
        work = partial(_digest_of, fields, with_md5=False)
        return work() if _is_little(request) else self._in_thread(session, work)

    def _digest_sync(self, _: CallSession, request: Mapping[str, Any]) -> dict[str, Any]:
        fields = self._checked(DIGEST_SYNC, request, self._settings.max_sync_bytes, "crypto.max_sync_bytes")
        return _digest_of(fields, with_md5=True)

    def _hmac_sync(self, session: CallSession, request: Mapping[str, Any]) -> Any:
        fields = self._checked(HMAC_SYNC, request, self._settings.max_sync_bytes, "crypto.max_sync_bytes")
        if "key" in fields:
            return self._subtle("sign", session, {**request, "algorithm": {"name": "HMAC"}})
        function = hash_named(fields.fields("hash").text("name"), with_md5=True)
        return {"data": as_text(hmac_of(function, fields.octets("secret"), fields.octets("data")))}

    # -- crypto.subtle ------------------------------------------------------------------------

    def _subtle(self, operation: str, session: CallSession, request: Mapping[str, Any]) -> Any:
        """Return the result at once if it takes moments, and otherwise a coroutine."""
        self._checked(SUBTLE[operation], request, self._settings.max_bytes, "crypto.max_bytes")
        if self._operations is not None and _is_cheap(operation, request):
            return self._operations.run(operation, session.invocation.script, request)
        return self._later(operation, session, request)

    def _subtle_sync(self, operation: str, session: CallSession, request: Mapping[str, Any]) -> Any:
        self._checked(SUBTLE_SYNC[operation], request, self._settings.max_sync_bytes, "crypto.max_sync_bytes")
        return self._subtle(operation, session, request)

    async def _later(self, operation: str, session: CallSession, request: Mapping[str, Any]) -> dict[str, Any]:
        operations = self._operations or await self._load()
        work = partial(operations.run, operation, session.invocation.script, request)
        return work() if _is_cheap(operation, request) else await self._in_thread(session, work)

    async def _load(self) -> Operations:
        made = await self._threads.run(_load, await self._secret.get(), self._entropy, self._settings)
        # Another call may have been quicker.
        self._operations = self._operations or made
        return self._operations

    async def _in_thread(self, session: CallSession, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        waiting = self._queue.run(session.invocation.script, partial(self._threads.run, _measured, work))
        session.at_end(waiting.cancel)
        computed = await waiting
        session.cpu_seconds += computed.cpu_seconds
        if isinstance(computed.result, Exception):
            raise computed.result
        return computed.result

    def _checked(self, call: HostCall, request: Mapping[str, Any], most: int, setting: str) -> RequestFields:
        size = _size_of(request)
        if size > most:
            raise TooLarge(f"{call.shown} may be given at most {most} bytes ({setting}); it was given {size}.")
        return RequestFields(request, what=call.shown)


def _load(secret: bytes, entropy: Callable[[int], bytes], settings: CryptoSettings) -> Operations:
    from aiwebengine.features.crypto.keys import SealedKeys  # noqa: PLC0415  See above.
    from aiwebengine.features.crypto.operations import Operations  # noqa: PLC0415  See above.

    return Operations(keys=SealedKeys(secret=secret, entropy=entropy), limits=settings)


def _digest_of(fields: RequestFields, *, with_md5: bool) -> dict[str, Any]:
    function = hash_named(fields.fields("algorithm").text("name"), with_md5=with_md5)
    return {"data": as_text(digest(function, fields.octets("data")))}


def _measured(work: Callable[[], dict[str, Any]]) -> _Computed:
    began = time.thread_time()
    try:
        result: dict[str, Any] | Exception = work()
    except Exception as error:  # noqa: BLE001  it is raised where the result is used; what it cost counts all the same
        result = error
    return _Computed(result, time.thread_time() - began)


def _size_of(request: Mapping[str, Any]) -> int:
    """Return how many bytes a request brings, in itself and in its algorithm; handles and names do not count."""
    parts = (request, *(value for value in request.values() if isinstance(value, Mapping)))
    texts = [
        value for part in parts for name, value in part.items() if isinstance(value, str) and name not in _NO_BYTES
    ]
    return sum(len(value) * 3 // 4 - value[-2:].count("=") for value in texts)


def _is_little(request: Mapping[str, Any]) -> bool:
    return _size_of(request) <= _LITTLE


def _is_cheap(operation: str, request: Mapping[str, Any]) -> bool:
    names = [
        member.get("name")
        for key in ("algorithm", "keyAlgorithm", "derivedKeyType")
        if isinstance(member := request.get(key), Mapping)
    ]
    if operation in {"export", "wrap"} or not names or not all(isinstance(name, str) for name in names):
        return False
    return _CHEAP.issuperset(names) and _is_little(request)


def _terms(settings: CryptoSettings) -> FairTerms:
    """Say how much is computed at a time."""
    return FairTerms(
        places=settings.threads,
        places_each=max(1, settings.threads // 2),
        most=settings.max_waiting,
        seconds_per_minute=settings.seconds_per_minute,
        full=(
            f"At most {settings.max_waiting} calls of crypto.subtle of one script may compute or wait at the same time "
            "(crypto.max_waiting); await some first"
        ),
        spent=(
            f"What a script does with crypto.subtle may take {settings.seconds_per_minute:g} s of each minute "
            "(crypto.seconds_per_minute), which this script has used"
        ),
    )
