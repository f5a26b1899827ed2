"""A Redis server that dies, hangs, refuses, and comes back, under use."""

from __future__ import annotations

import datetime as dt
import ipaddress
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from twisted.internet import reactor
from twisted.internet.defer import DeferredList, gatherResults
from twisted.logger import formatEvent, globalLogPublisher

from aiwebengine.errors import CannotStart, Unavailable
from aiwebengine.services.breaker import State
from aiwebengine.services.guarded import CircuitOpen, DependencyTimeout
from aiwebengine.services.redis import listening
from aiwebengine.services.redis.connection import WriteRefused
from aiwebengine.services.redis.store import Script
from tests.support.redis.server import RedisServer, redis_server
from tests.support.redis.store import RecordingSubscriber, redis_store, store_for
from tests.support.waiting import until

ADD = Script(name="add", lua="return redis.call('INCRBY', KEYS[1], ARGV[1])", twin=lambda *_: 0)


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """Start one."""
    with redis_server() as started:
        yield started


@pytest.fixture
def log() -> Iterator[list[str]]:
    """Collect what is logged."""
    lines: list[str] = []

    def observe(event):
        lines.append(f"{formatEvent(event)} {event.get('log_failure', '')}")

    globalLogPublisher.addObserver(observe)
    yield lines
    globalLogPublisher.removeObserver(observe)


async def failures(deferreds) -> set[type]:
    """Wait for the end of all, and give the kinds of errors with which some failed."""
    ended: list[Any] = await DeferredList(deferreds, consumeErrors=True)
    return {result.type for good, result in ended if not good}


def connections(store) -> int:
    """Return how many there are."""
    return int(str(store.state()["connections"]))


async def closed(store) -> None:
    """Wait until the breaker lets everything pass again."""

    async def works() -> bool:
        try:
            await store.get("probe")
        except Unavailable:
            return False
        return True

    async def everything() -> bool:
        return await works() and store.guarded.state is State.CLOSED

    await until(everything, state=store.state)


@pytest_twisted.ensureDeferred
async def test_killed_and_started_again(server, log) -> None:
    """While it is gone commands fail at once, and the breaker opens; when it is back everything goes on."""
    async with redis_store(server) as store:
        await store.run(ADD, ["n"], [b"1"])
        subscriber = RecordingSubscriber()
        store.subscribe("c", deliver=subscriber.deliver, active=subscriber.active.append)
        await until(lambda: subscriber.active)
        under_way = [store.increment("n") for _ in range(300)]
        server.kill()
        assert await failures(under_way) <= {Unavailable, CircuitOpen}
        for _ in range(20):
            with pytest.raises(Unavailable) as caught:
                await store.get("n")
        assert caught.type is CircuitOpen
        assert store.guarded.state is State.OPEN
        assert caught.value.retry_seconds
        await until(lambda: connections(store) == 0)
        await until(lambda: "refused" in str(store.state()["why"]))
        server.start()
        await closed(store)
        # It has forgotten the script as well.
        assert await store.run(ADD, ["n"], [b"5"]) == 5
        await until(lambda: subscriber.active == [False, True])
        assert await store.publish("c", b"again") == 1
        await until(lambda: subscriber.messages == [b"again"])
        assert store.state()["interruptions"] == 1
        assert "why" not in store.state()
    assert not [line for line in log if "Traceback" in line or "Unhandled" in line]


@pytest_twisted.ensureDeferred
async def test_hangs(server) -> None:
    """A command to a server that hangs ends at its deadline, and the next ones at once; then it goes on."""
    async with redis_store(server, command_seconds=0.2) as store:
        await store.set("a", b"1")
        server.signal(signal.SIGSTOP)
        try:
            # The first that is late takes those with it that wait behind it.
            assert (
                {DependencyTimeout}
                <= await failures([store.get("a") for _ in range(40)])
                <= {DependencyTimeout, Unavailable}
            )
            assert store.guarded.state is State.OPEN
            # At once: nothing answers, and there is no wait.
            refused = store.get("a")
            assert refused.called
            with pytest.raises(CircuitOpen):
                await refused
            # The kernel still accepts connections for it: they are no reason to believe in it.
            await until(lambda: connections(store) <= 1)
        finally:
            server.signal(signal.SIGCONT)
        await closed(store)
        assert await store.get("a") == b"1"


@pytest_twisted.ensureDeferred
async def test_hangs_for_subscribers(server, monkeypatch) -> None:
    """A subscriber of a server that hangs is told that messages may be missing, though the connection stood."""
    monkeypatch.setattr(listening, "_LOOK_SECONDS", 0.1)
    async with redis_store(server, command_seconds=0.2) as store:
        subscribers = [RecordingSubscriber() for _ in range(3)]
        for at, subscriber in enumerate(subscribers):
            store.subscribe(f"c{at // 2}", deliver=subscriber.deliver, active=subscriber.active.append)
        await until(lambda: all(subscriber.active for subscriber in subscribers))
        server.signal(signal.SIGSTOP)
        try:
            await until(lambda: store.state()["interruptions"])
            late = RecordingSubscriber()
            store.subscribe("c0", deliver=late.deliver, active=late.active.append)
        finally:
            server.signal(signal.SIGCONT)
        await until(lambda: late.active)
        assert late.active == [False]
        await until(lambda: all(subscriber.active[-1] for subscriber in subscribers))
        await closed(store)
        await store.publish("c0", b"1")
        await store.publish("c1", b"2")
        await until(lambda: subscribers[2].messages)
        assert [subscriber.messages for subscriber in [*subscribers, late]] == [[b"1"], [b"1"], [b"2"], [b"1"]]


@pytest_twisted.ensureDeferred
async def test_connection_breaks_while_idle(server) -> None:
    """A connection that the server ended is made again, without a command that had to fail first."""
    async with redis_store(server, connections=3) as store:
        server.command("CLIENT", "KILL", "TYPE", "normal")
        await until(lambda: connections(store) < 4)
        await until(lambda: connections(store) == 4)
        assert await gatherResults([store.increment("n") for _ in range(6)]) == [1, 2, 3, 4, 5, 6]


@pytest_twisted.ensureDeferred
async def test_not_there_at_start(server, log) -> None:
    """A server that is not there does not keep the engine from starting, and is used as soon as it is."""
    server.kill()
    store = store_for(server, connect_seconds=0.3)
    began = reactor.seconds()
    await store.startService()
    assert 0.2 < reactor.seconds() - began < 30
    with pytest.raises(Unavailable, match="There is no connection to the Redis server at redis:"):
        await store.set("a", b"1")
    subscriber = RecordingSubscriber()
    store.subscribe("c", deliver=subscriber.deliver, active=subscriber.active.append)
    server.start()
    await closed(store)
    await until(lambda: subscriber.active)
    assert subscriber.active == [False]
    assert len([line for line in log if "there is no connection to the Redis server" in line]) == 1
    await store.stopService()


@pytest_twisted.ensureDeferred
async def test_started_and_stopped_twice(server) -> None:
    """It can be stopped at any moment and started again, and refuses commands in between."""
    store = store_for(server)
    subscriber = RecordingSubscriber()
    store.subscribe("c", deliver=subscriber.deliver, active=subscriber.active.append)
    for round_ in range(3):
        await store.startService()
        await store.set("a", b"%d" % round_)
        await until(lambda expected=round_ + 1: len(subscriber.active) == expected)
        pending = store.get("a")
        await store.stopService()
        with pytest.raises(Unavailable):
            await pending
        with pytest.raises(Unavailable):
            await store.get("a")
    starting = store.startService()
    await store.stopService()
    await starting
    assert subscriber.active == [False, True, True]


@pytest_twisted.ensureDeferred
async def test_password(log) -> None:
    """With the right password everything works; a wrong one is told, and never shown."""
    with redis_server("--requirepass", "p@ss/wörd 1") as server:
        right = server.url.replace("//", "//:p%40ss%2Fw%C3%B6rd%201@")
        async with redis_store(server, url=right) as store:
            assert await store.set("a", b"1")
            assert store.state()["address"] == server.url + "/0"
        for url, why in ((server.url, "NOAUTH"), (server.url.replace("//", "//:s3cret@"), "WRONGPASS")):
            async with redis_store(server, url=url, connect_seconds=0.3) as store:
                with pytest.raises(Unavailable) as caught:
                    await store.get("a")
                assert why in caught.value.public
                assert why in str(store.state()["why"])
                assert "s3cret" not in caught.value.public + caught.value.private + repr(store.state())
    assert not [line for line in log if "s3cret" in line or "p@ss" in line or "p%40ss" in line or "Traceback" in line]


@pytest_twisted.ensureDeferred
async def test_user(server) -> None:
    """It signs in as a user with rights of its own; what that one may not do is refused."""
    server.command("ACL", "SETUSER", "ann", "on", ">pw", "~test:*", "&test:*", "+@all", "-flushall", "-incrby")
    async with redis_store(server, url=server.url.replace("//", "//ann:pw@")) as store:
        assert await store.set("a", b"1")
        with pytest.raises(Unavailable, match="NOPERM"):
            await store.increment("a")


@pytest_twisted.ensureDeferred
async def test_socket_and_database(server) -> None:
    """It may be reached by a socket of this machine, and several numbered databases are apart."""
    first = f"unix://{server.socket}"
    async with redis_store(server, url=first) as store, redis_store(server, url=f"{first}?db=3") as other:
        await store.set("a", b"1")
        assert await other.get("a") is None
        async with redis_store(server, url=f"{server.url}/3") as same:
            await other.set("a", b"3")
            assert await same.get("a") == b"3"


@pytest_twisted.ensureDeferred
async def test_prefix(server) -> None:
    """Stores with different prefixes share neither keys nor channels, nor with a script's keys."""
    async with redis_store(server, prefix="one") as store_a, redis_store(server, prefix="two") as store_b:
        subscriber = RecordingSubscriber()
        store_b.subscribe("c", deliver=subscriber.deliver, active=subscriber.active.append)
        await until(lambda: subscriber.active)
        await store_a.set("a", b"5")
        await store_a.run(ADD, ["a"], [b"1"])
        assert await store_b.get("a") is None
        assert b"6" in server.command("GET", "one:a")
        assert await store_a.publish("c", b"1") == 0
        assert await store_b.publish("c", b"2") == 1
        await until(lambda: subscriber.messages)
        assert subscriber.messages == [b"2"]


@pytest_twisted.ensureDeferred
async def test_full() -> None:
    """A server whose memory is full is unavailable for what writes, and answers what reads."""
    with redis_server("--maxmemory", "2mb", "--maxmemory-policy", "noeviction") as server:
        async with redis_store(server) as store:
            assert await failures([store.set(f"k{at}", b"x" * 100_000) for at in range(100)]) == {WriteRefused}
            assert store.guarded.state is State.CLOSED
            assert await store.get("k0") == b"x" * 100_000


@pytest.mark.setting("redis.ca_file")
@pytest_twisted.ensureDeferred
async def test_tls(tmp_path, log) -> None:
    """With TLS the server must be vouched for by the given authority, for this name."""
    authority = _Authority(tmp_path / "ca.pem")
    stranger = _Authority(tmp_path / "other.pem")
    files = authority.vouch_for(tmp_path, "127.0.0.1")
    with redis_server(*files, "--tls-auth-clients", "no", program=_with_tls()) as server:
        url = server.url.replace("redis://", "rediss://")
        async with redis_store(server, url=url, ca_file=str(authority.path)) as store:
            assert await store.set("a", b"x" * 1_000_000)
            assert len(await store.get("a")) == 1_000_000
            subscriber = RecordingSubscriber()
            store.subscribe("c", deliver=subscriber.deliver, active=subscriber.active.append)
            await until(lambda: subscriber.active)
            await store.publish("c", b"1")
            await until(lambda: subscriber.messages)
        # The system knows no such authority; another authority is no better; the name must be right as well.
        wrong = [(url, ""), (url, str(stranger.path)), (url.replace("127.0.0.1", "127.0.0.2"), str(authority.path))]
        for address, ca_file in wrong:
            store = store_for(server, url=address, ca_file=ca_file, connect_seconds=0.5)
            await store.startService()
            with pytest.raises(Unavailable, match="There is no connection"):
                await store.get("a")
            assert "certificate" in str(store.state()["why"]).lower() or "verif" in str(store.state()["why"]).lower()
            await store.stopService()
    for content in (None, "nothing"):
        bad = tmp_path / "bad.pem"
        if content is not None:
            bad.write_text(content)
        with pytest.raises(CannotStart, match=r"bad.pem cannot be read"):
            store_for(server, url=url, ca_file=str(bad))
    assert not [line for line in log if "Unhandled" in line]


def _with_tls() -> str:
    for program in _programs_with_tls():
        return program
    pytest.skip("no server here knows TLS")


def _programs_with_tls() -> Iterator[str]:
    from tests.support.redis.server import programs

    for program in programs().values():
        if b"tls-port" in Path(program).read_bytes() and b"libssl" in Path(program).read_bytes():
            yield program


class _Authority:
    """
    Makes certificates.

    Args:
        path: Where its own is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, path.name)])
        own = self._builder(self._name, self._key).add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        path.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def vouch_for(self, folder: Path, address: str) -> list[str]:
        """Write key and certificate; give the server's options for TLS alone, on its one port."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, address)])
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        certificate = self._builder(name, key).add_extension(names, critical=False).sign(self._key, hashes.SHA256())
        (folder / "server.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (folder / "server.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return [
            "--tls-cert-file", str(folder / "server.pem"), "--tls-key-file", str(folder / "server.key"),
            "--tls-ca-cert-file", str(self.path),
        ]  # fmt: skip

    def _builder(self, name: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(hours=1))
        )
