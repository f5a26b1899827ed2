"""Values of secrets in what scripts say."""

from __future__ import annotations

import base64
import json
from html import escape
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiwebengine.features.secrets.redaction import SecretForms
from aiwebengine.features.secrets.values import Secret
from tests.support.examples import examples

VALUE = 'sk/+&"<é ~7d'
MARK = "[secret KEY]"


def forms(*values: bytes) -> SecretForms:
    names = ["KEY", "OTHER", "THIRD"]
    return SecretForms(
        Secret(name=name, value=value, source="test") for name, value in zip(names, values, strict=False)
    )


@pytest.mark.parametrize(
    "written",
    [
        VALUE,
        json.dumps(VALUE)[1:-1],
        json.dumps(VALUE, ensure_ascii=False)[1:-1],
        quote(VALUE),
        quote(VALUE, safe=""),
        quote(VALUE, safe="").lower(),
        quote_plus(VALUE),
        escape(VALUE),
    ],
    ids=["plain", "json", "json-unicode", "path", "encoded", "lower", "form", "html"],
)
def test_forms(written):
    """A value is replaced as it is, and as JSON, addresses, forms and HTML write it."""
    # A percent-encoded letter keeps its own case.
    if written == written.lower() and "%" in written:
        written = quote(VALUE, safe="").replace("%2F", "%2f").replace("%2B", "%2b").replace("%C3%A9", "%c3%a9")
        written = written.replace("%3C", "%3c")
    assert forms(VALUE.encode()).text(f"before {written} after") == f"before {MARK} after"


@given(before=st.binary(max_size=5), value=st.binary(min_size=8, max_size=40), after=st.binary(max_size=5))
@examples(50)
def test_base64(before, value, after):
    """Wherever a value begins in what is encoded, its letters are replaced."""
    encoded = base64.b64encode(before + value + after)
    for text in (encoded, encoded.translate(bytes.maketrans(b"+/", b"-_"))):
        clean = forms(value).data(text)
        assert b"[secret KEY]" in clean
        assert len(clean.replace(b"[secret KEY]", b"")) <= len(text) - len(value)


def test_short_values():
    """What is shorter than eight bytes is not looked for."""
    assert forms(b"1234567").empty
    text = "1234567"
    assert forms(b"1234567").text(text) is text


def test_several():
    """All secrets are replaced, of two that begin alike the longer one; what has none stays the same object."""
    made = forms(b"password", b"password-and-more", b"something else")
    assert made.text("password, password-and-more; something else") == "[secret KEY], [secret OTHER]; [secret THIRD]"
    data = b"nothing here"
    assert made.data(data) is data


@given(
    cuts=st.lists(st.integers(min_value=0, max_value=60), max_size=8),
    text=st.sampled_from(
        ["a password-value in it", "passwordpassword-value", "password-valu", "xpassword-valuepassword-value", "pass"]
    ),
)
@examples(100)
def test_pieces(cuts, text):
    """However it is cut, what comes in pieces is cleaned as if it came whole, and nothing is lost."""
    made = forms(b"password-value")
    scan = made.scan()
    data, at, out = text.encode(), 0, b""
    for cut in sorted(cuts):
        out += scan.feed(data[at:cut])
        at = max(at, min(cut, len(data)))
    out += scan.feed(data[at:]) + scan.end()
    assert out == made.data(data)


def test_nothing_is_kept_back_without_reason():
    """A piece that does not end like the beginning of a value is passed on at once."""
    scan = forms(b"password-value").scan()
    assert scan.feed(b"data: hello\n\n") == b"data: hello\n\n"
    assert scan.feed(b"the pass") == b"the "
    assert scan.feed(b"word is") == b"password is"
    assert scan.feed(b"... password-val") == b"... "
    assert scan.feed(b"ue.") == b"[secret KEY]."
