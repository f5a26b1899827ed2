"""Addresses of proxies."""

from __future__ import annotations

import pytest

from aiwebengine.features.fetch.network.proxies import Proxy, is_proxy, read_proxy


def test_read():
    """A proxy has a host, a port, and perhaps a user with a password, which may be percent-encoded."""
    assert read_proxy("http://proxy.example.com:3128") == Proxy(host="proxy.example.com", port=3128, authorization=b"")
    assert read_proxy("http://proxy.example.com/") == Proxy(host="proxy.example.com", port=80, authorization=b"")
    assert read_proxy("http://ada:p%40ss@[::1]:81") == Proxy(host="::1", port=81, authorization=b"Basic YWRhOnBAc3M=")
    assert read_proxy("http://ada@p:81") == Proxy(host="p", port=81, authorization=b"Basic YWRhOg==")


@pytest.mark.parametrize(
    "text",
    [
        "proxy:3128",
        "https://proxy:3128",
        "socks5://proxy",
        "http://",
        "http://p/x",
        "http://p?x",
        "http://p:99999",
        "http://[x",
    ],
)
def test_no_proxy(text):
    """What is no address of an HTTP proxy is no setting either."""
    assert read_proxy(text) is None
    assert not is_proxy(text)


def test_none():
    """An empty setting means that there is no proxy."""
    assert is_proxy("")
    assert is_proxy("http://proxy:3128")
