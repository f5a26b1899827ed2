"""Host calls of cryptography: what is done at once, what in a thread, and what it costs."""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from types import SimpleNamespace
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import TooLarge, TooMany
from aiwebengine.features.crypto.calls import CryptoCalls
from aiwebengine.features.crypto.declarations import CALLS
from aiwebengine.features.crypto.refusals import Refusal
from aiwebengine.features.crypto.settings import CryptoSettings
from aiwebengine.features.crypto.store import MemorySecret
from tests.support.fakes.threads import ThreadsInTurn


class HeldThreads:
    """Runs nothing before it is told to."""

    def __init__(self) -> None:
        self.held: list[tuple[Deferred[Any], Any, Any]] = []

    def run(self, function: Any, /, *args: Any) -> Deferred[Any]:
        done: Deferred[Any] = Deferred()
        self.held.append((done, function, args))
        return done

    def go(self) -> None:
        done, function, args = self.held.pop(0)
        done.callback(function(*args))


class Session:
    """An invocation of a script."""

    def __init__(self, script: str = "script") -> None:
        self.invocation = SimpleNamespace(script=script)
        self.cpu_seconds = 0.0
        self.ends: list[Any] = []

    def at_end(self, call: Any) -> None:
        self.ends.append(call)


def text(octets: bytes) -> str:
    """Return bytes as they are sent."""
    return b64encode(octets).decode()


HMAC = {"name": "HMAC", "hash": {"name": "SHA-256"}}
PBKDF2 = {"name": "PBKDF2", "hash": {"name": "SHA-256"}, "salt": text(b"salt"), "iterations": 1000}


class CryptoCallTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.calls = self.with_threads(ThreadsInTurn())
        self.session = Session()

    def with_threads(self, held: Any, **settings: Any) -> CryptoCalls:
        """Return the calls of a server."""
        return CryptoCalls(
            secret=MemorySecret(entropy=os.urandom),
            threads=held,
            settings=CryptoSettings(**settings),
            entropy=os.urandom,
            seconds=Clock().seconds,
        )

    def begin(self, name: str, request: Any, calls: CryptoCalls | None = None, session: Any = None) -> Any:
        """Make a call; return its result or a Deferred of it."""
        made = (calls or self.calls).functions[f"crypto.{name}"](session or self.session, request)
        return made if isinstance(made, dict) else Deferred.fromCoroutine(made)

    def call(self, name: str, request: Any, calls: CryptoCalls | None = None, session: Any = None) -> Any:
        """Make a call; return its result."""
        made = self.begin(name, request, calls, session)
        return made if isinstance(made, dict) else self.successResultOf(made)

    def key(self, *usages: str, algorithm: Any = HMAC, calls: CryptoCalls | None = None) -> str:
        """Import a key; return its handle."""
        request = {
            "format": "raw",
            "secret": text(b"k" * 16),
            "algorithm": algorithm,
            "extractable": False,
            "usages": list(usages),
        }
        return str(self.call("subtle.importKey", request, calls)["key"]["handle"])

    def test_all(self) -> None:
        """Each declared call has a function, and each function a declaration."""
        self.assertEqual(self.calls.functions.keys(), {call.name for call in CALLS})

    def test_little_at_once(self) -> None:
        """Little is hashed and signed without a thread, once the library is loaded, which happens in one."""
        threads = HeldThreads()
        calls = self.with_threads(threads)
        digested = self.begin("subtle.digest", {"algorithm": {"name": "SHA-1"}, "data": ""}, calls)
        self.assertEqual(b64decode(digested["data"]).hex(), "da39a3ee5e6b4b0d3255bfef95601890afd80709")
        self.assertEqual(threads.held, [])
        request = {"format": "raw", "secret": text(b"k"), "algorithm": HMAC, "usages": ["sign"]}
        imported = self.begin("subtle.importKey", request, calls)
        threads.go()
        handle = self.successResultOf(imported)["key"]["handle"]
        signed = self.begin("subtle.sign", {"algorithm": HMAC, "key": handle, "data": text(b"a")}, calls)
        self.assertIsInstance(signed, dict)

    def test_much_in_a_thread(self) -> None:
        """Much data, and what is expensive, goes to a thread, whose processor time is charged to the invocation."""
        threads = HeldThreads()
        calls = self.with_threads(threads)
        much = {"algorithm": {"name": "SHA-256"}, "data": text(b"a" * 100_000)}
        digested = self.begin("subtle.digest", much, calls)
        self.assertNoResult(digested)
        self.assertEqual(self.session.cpu_seconds, 0.0)
        threads.go()
        self.assertEqual(len(b64decode(self.successResultOf(digested)["data"])), 32)
        self.assertGreater(self.session.cpu_seconds, 0.0)

    def test_turns(self) -> None:
        """A script has half of the threads; another script's work begins before its next one."""
        threads = HeldThreads()
        calls = self.with_threads(threads, threads=2)
        much = {"algorithm": {"name": "SHA-256"}, "data": text(b"a" * 100_000)}
        for script in ("a", "a", "b"):
            self.begin("subtle.digest", much, calls, Session(script))
        self.assertEqual(len(threads.held), 2)
        self.assertEqual(calls.state(), {"running": 2, "waiting": 1, "refused": 0})

    def test_end_of_the_invocation(self) -> None:
        """What waits when the invocation ends is dropped; what a thread computes has its result dropped."""
        threads = HeldThreads()
        calls = self.with_threads(threads)
        much = {"algorithm": {"name": "SHA-256"}, "data": text(b"a" * 100_000)}
        begun, waiting = (self.begin("subtle.digest", much, calls) for _ in range(2))
        for call in self.session.ends:
            call()
        self.failureResultOf(begun, CancelledError)
        self.failureResultOf(waiting, CancelledError)
        threads.go()
        self.assertEqual((threads.held, calls.state()["running"]), ([], 0))

    def test_too_many(self) -> None:
        """A script that has too much waiting is refused, and told the setting."""
        calls = self.with_threads(HeldThreads(), max_waiting=1)
        much = {"algorithm": {"name": "SHA-256"}, "data": text(b"a" * 100_000)}
        self.begin("subtle.digest", much, calls)
        refused = self.failureResultOf(self.begin("subtle.digest", much, calls), TooMany).value
        self.assertIn("crypto.max_waiting", refused.public)

    def test_too_large(self) -> None:
        """All that a call is given counts, also what its algorithm has."""
        calls = self.with_threads(ThreadsInTurn(), max_bytes=1024, max_sync_bytes=1024)
        for name, request in (
            ("subtle.digest", {"algorithm": {"name": "SHA-1"}, "data": text(b"a" * 1026)}),
            ("subtle.encrypt", {"algorithm": {"name": "AES-GCM", "iv": text(b"a" * 1026)}, "data": ""}),
            ("digestSync", {"algorithm": {"name": "SHA-1"}, "data": text(b"a" * 1026)}),
        ):
            with self.assertRaises(TooLarge):
                self.begin(name, request, calls)

    def test_usages(self) -> None:
        """The server checks the usages that a key was made with; a process cannot change them."""
        handle = self.key("verify")
        with self.assertRaises(Refusal) as refused:
            self.call("subtle.sign", {"algorithm": HMAC, "key": handle, "data": ""})
        self.assertEqual(refused.exception.details, {"exception": "InvalidAccessError"})
        with self.assertRaises(Refusal) as refused:
            self.call("hmacSync", {"hash": {"name": "SHA-256"}, "key": handle, "data": ""})
        self.assertEqual(refused.exception.exception, "InvalidAccessError")

    def test_not_extractable(self) -> None:
        """A key that is not extractable is neither exported nor wrapped."""
        handle = self.key("sign")
        wrapping = self.key("wrapKey", algorithm={"name": "AES-KW"})
        export = {"format": "raw", "key": handle}
        wrap = {**export, "wrappingKey": wrapping, "algorithm": {"name": "AES-KW"}}
        for name, request in (("exportKey", export), ("wrapKey", wrap)):
            error = self.failureResultOf(self.begin(f"subtle.{name}", request), Refusal).value
            self.assertEqual(error.exception, "InvalidAccessError")

    def test_forged(self) -> None:
        """A handle that was changed, made up or made for another script opens nothing."""
        handle = self.key("sign")
        sealed = bytearray(b64decode(handle))
        sealed[20] ^= 1
        for wrong in (text(bytes(sealed)), "", "no base64!", text(b"short")):
            with self.assertRaises(Refusal):
                self.call("subtle.sign", {"algorithm": HMAC, "key": wrong, "data": ""})
        with self.assertRaises(Refusal) as refused:
            self.call("subtle.sign", {"algorithm": HMAC, "key": handle, "data": ""}, session=Session("another"))
        self.assertIn("another script", refused.exception.public)

    def test_sealed(self) -> None:
        """The handle does not show the key, and is another one each time."""
        first, second = self.key("sign"), self.key("sign")
        self.assertNotEqual(first, second)
        self.assertNotIn(b"kkkk", b64decode(first))

    def test_derived_keys_stay(self) -> None:
        """A derived key comes back sealed, not as bits."""
        base = self.key("deriveKey", algorithm={"name": "PBKDF2"})
        request = {
            "algorithm": PBKDF2,
            "key": base,
            "derivedKeyType": {"name": "AES-GCM", "length": 256},
            "extractable": False,
            "usages": ["encrypt"],
        }
        derived = self.call("subtle.deriveKey", request)
        self.assertEqual(derived.keys(), {"key"})
        self.assertEqual(derived["key"]["algorithm"], {"name": "AES-GCM", "length": 256})

    def test_anything(self) -> None:
        """Whatever a process sends, it is told what is wrong: nothing is an error of the server."""
        handle = self.key("sign", "verify")
        wrong: list[Any] = [None, 7, "x", [], {}, {"name": 7}, {"name": "HMAC"}, {"name": "\u0000"}, {"name": "x" * 99}]
        for call in CALLS:
            name = call.name.removeprefix("crypto.")
            for algorithm in wrong:
                for key in (handle, None, 7, {}, "AAAA"):
                    request = {
                        "algorithm": algorithm, "hash": algorithm, "keyAlgorithm": algorithm,
                        "derivedKeyType": algorithm, "key": key, "wrappingKey": key, "unwrappingKey": key,
                        "data": "A", "secret": None,
                        "format": algorithm, "usages": algorithm, "length": algorithm, "signature": key,
                    }  # fmt: skip
                    self.refused(name, request)
            self.refused(name, {})

    def refused(self, name: str, request: Any) -> None:
        """Expect an error that the standard has."""
        try:
            made = self.begin(name, request)
        except Refusal:
            return
        self.failureResultOf(made, Refusal)
