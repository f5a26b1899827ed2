"""Addresses of Redis servers, and that nobody is shown a password."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiwebengine.settings.load import SettingSources, WrongSettings, load
from aiwebengine.settings.redis_url import RedisAddress, is_prefix, is_redis_url, parse
from aiwebengine.settings.schema import RedisSettings


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://localhost", RedisAddress(host="localhost")),
        ("redis://10.0.0.1:7000/3", RedisAddress(host="10.0.0.1", port=7000, database=3)),
        ("rediss://example.org/", RedisAddress(host="example.org", tls=True)),
        ("redis://:s%40e%2Fc@[::1]:6380", RedisAddress(host="::1", port=6380, password="s@e/c")),
        ("redis://ann:pw@h", RedisAddress(host="h", username="ann", password="pw")),
        ("unix:///run/r.sock", RedisAddress(path="/run/r.sock")),
        ("unix:///run/r.sock?db=2", RedisAddress(path="/run/r.sock", database=2)),
    ],
)
def test_addresses(url: str, address: RedisAddress) -> None:
    """Each form of an address is understood."""
    assert parse(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "localhost:6379", "http://localhost", "redis://", "redis://h:0", "redis://h:99999", "redis://h/x", "redis://h/-1",
        "redis://h/9999999", "redis://h?db=1", "redis://h#1", "unix://run/r.sock", "unix:///r?x=1", "unix:///r?db",
        "redis://ann@h", "redis://h/1/2",
    ],
)  # fmt: skip
def test_no_addresses(url: str) -> None:
    """What is no address is refused."""
    assert not is_redis_url(url)


@given(st.text(min_size=1), st.text(max_size=20))
def test_password_comes_through(password: str, username: str) -> None:
    """Every password can be written, percent-encoded, and the address as it is shown holds none."""
    password, username = (text.encode("utf-8", "replace").decode() for text in (password, username))
    address = parse(f"redis://{quote(username, safe='')}:{quote(password, safe='')}@example.org:1/2")
    assert (address.username, address.password) == (username, password)
    assert str(address) == "redis://example.org:1/2"
    assert repr(address) == repr(parse(f"redis://{quote(username, safe='')}:other@example.org:1/2"))


def test_shown_address_is_an_address() -> None:
    """What is shown leads to the same server."""
    for url in ("redis://[::1]:7/1", "rediss://h", "unix:///r?db=3"):
        assert parse(str(parse(url))) == parse(url)


def test_prefix() -> None:
    """A prefix is short and plain."""
    assert is_prefix("shop:1_x.-")
    assert not any(is_prefix(text) for text in ("", "a b", "x" * 65, "ä"))


@pytest.mark.parametrize(
    "written",
    [
        "redis:\n  url: redis://:s3cret@host:port\n",
        "redis:\n  url: 's3cret'\n",
        "redis:\n  ulr: redis://:s3cret@host\n",
        "redis:\n  url: 'redis://:s3cret@host\n",
        "redis:\n  url: redis://:s3cret@host\n url: x\n",
    ],
)
def test_wrong_settings_show_no_password(tmp_path, written: str) -> None:
    """However a setting with a password is wrong, the message does not show it."""
    file = tmp_path / "my.yaml"
    file.write_text(written)
    with pytest.raises(WrongSettings) as caught:
        load(SettingSources(config=(file,)), sections={})
    assert "my.yaml:" in str(caught.value)
    assert "s3cret" not in str(caught.value) + repr(caught.value.details)


def test_wrong_variable_shows_no_password() -> None:
    """The same for an environment variable and a flag."""
    for sources in (
        SettingSources(environ={"AIWEBENGINE__REDIS__URL": "redis://:s3cret@"}),
        SettingSources(flags=(("--set", "redis.url", "redis://:s3cret@"),)),
    ):
        with pytest.raises(WrongSettings) as caught:
            load(sources, sections={})
        assert "`redis.url` cannot be a value that is not shown" in str(caught.value)
        assert "s3cret" not in str(caught.value)


def test_settings_are_printed_without_it() -> None:
    """Nor does the section when it is printed."""
    assert "s3cret" not in repr(RedisSettings(url="redis://:s3cret@host"))
