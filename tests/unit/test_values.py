"""What registered entries are called, and that values which are made field by field have each field."""

from __future__ import annotations

from typing import Any

import pytest

from aiwebengine.runtime.invoker import Callee, Invoker
from aiwebengine.runtime.registry import Current
from aiwebengine.runtime.runs.costs import RunCosts
from aiwebengine.runtime.wire.answer import read_answer
from aiwebengine.settings.schema import LimitSettings
from aiwebengine.values import ANONYMOUS, Answer, Entry, HandlerRef, Invocation, Receipt, Request
from aiwebengine.web.http.head import parse_fields
from aiwebengine.web.http.read import Reader


@pytest.mark.parametrize(
    ("methods", "label"),
    [
        ((), "/notes"),
        (("GET",), "GET /notes"),
        (("GET", "POST"), "GET|POST /notes"),
        (("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"), "ALL /notes"),
        (("OPTIONS", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"), "ALL /notes"),
        (("GET", "POST", "PUT", "PATCH", "DELETE"), "GET|POST|PUT|PATCH|DELETE /notes"),
    ],
)
def test_label(methods: tuple[str, ...], label: str) -> None:
    """An entry that answers every method is called ALL, others by their methods, and one without methods by its key."""
    assert Entry(kind="route", key="/notes", script="a", version="a@1", methods=methods).label == label


def test_a_request_has_every_field() -> None:
    """What a request is made of stands under its name."""
    reader = Reader(new_id=str, trusted_proxies=["::1"], public_url="")
    fields = parse_fields(b"Host: a\r\ntraceparent: 00-" + b"1" * 32 + b"-" + b"2" * 16 + b"-01", most=9)
    sender = reader.sender(fields, peer="::1", secure=False)
    made = reader.read(identity="i", method="PUT", target="/p?q", sender=sender, body=b"b")
    assert made == Request(
        id="i",
        method="PUT",
        path="/p",
        query="q",
        headers=sender.headers,
        body=b"b",
        client="::1",
        url="http://a/p?q",
        trace=sender.trace,
    )
    assert made.trace


def test_an_invocation_has_every_field() -> None:
    """What an invocation is made of stands under its name."""
    runner: Any = None
    invoker = Invoker(runner=runner, current=Current(), limits=LimitSettings(), new_id=str)
    handler = HandlerRef(id=7, name="h")
    allowed = invoker.allowance()
    callee = Callee(
        kind="k", script="s", version="v", handler=handler, label="l", allowance=allowed, recorded_as="r", place="p:1"
    )
    made = invoker.invocation(
        callee,
        ANONYMOUS,
        "{}",
        identity="i",
        recording="errors",
        read_only="why",
        trace="t",
        request_line="GET /",
        body=b"b",
    )
    assert made == Invocation(
        id="i",
        script="s",
        version="v",
        kind="k",
        handler=handler,
        principal=ANONYMOUS,
        payload="{}",
        wall_seconds=allowed.wall_seconds,
        cpu_seconds=allowed.cpu_seconds,
        label="l",
        allowance=allowed,
        recording="errors",
        read_only="why",
        place="p:1",
        trace="t",
        request_line="GET /",
        body=b"b",
    )


def test_a_receipt_has_every_field() -> None:
    """What a receipt is made of stands under its name."""
    costs = RunCosts(1.0)
    costs.started_at, costs.cpu_seconds, costs.peak_bytes, costs.bytes_out, costs.rows = 3.0, 0.5, 11, 12, 13
    assert costs.receipt("i", "committed", now=7.0, calls=None, trace="t") == Receipt(
        invocation="i",
        wall_seconds=4.0,
        cpu_seconds=0.5,
        host_calls={},
        bytes_out=12,
        outcome="committed",
        queued_seconds=2.0,
        peak_bytes=11,
        rows=13,
        trace="t",
    )


def test_an_answer_has_every_field() -> None:
    """What an answer is made of stands under its name."""
    _, made = read_answer(b'{"status":404,"type":"a/b","problem":true}', b"x", max_bytes=9)
    assert made == Answer(status=404, headers=((b"content-type", b"a/b"),), body=b"x", problem=True)
