"""
One request of a script, filled: see `interfaces.RequestSecrets`.

    path and query   a value is percent-encoded
    headers          a value stands as it is, and within the base64 of `authorization: Basic`
    body             only if the script asked for it: within JSON or a form as these are written, otherwise as it is

A request that a redirect has led to another origin carries no secret: headers that hold placeholders are left out.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from aiwebengine.errors import Denied, Invalid, TooLarge
from aiwebengine.features.secrets.book import SecretBook
from aiwebengine.features.secrets.grants import why_not_for
from aiwebengine.features.secrets.redaction import SecretForms
from aiwebengine.features.secrets.requests.placeholders import OLDER
from aiwebengine.features.secrets.values import Secret
from aiwebengine.host.host_patterns import HostPattern
from aiwebengine.interfaces import SecretScan
from aiwebengine.values import SecretRequest

_OLDER_BEGINNING = "{{secret:"
_HEADER_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_BASIC = re.compile(r"(basic +)([A-Za-z0-9+/=_-]+)", re.IGNORECASE)
_MOST_BYTES = 16 * 1024 * 1024
_MOST_HEAD_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptTerms:
    """What one script may do with secrets."""

    script: str
    granted: Mapping[str, Sequence[HostPattern]]
    """By name of the secret, the hosts that were granted for it."""
    literals: Callable[[], Awaitable[Collection[str]]]
    """Returns the strings of its source in which older placeholders stand."""


class FilledSecrets:
    """
    See the module.

    Args:
        book: All secrets.
        terms: What the script may do.
        placeholders: Names of secrets by the placeholders that this request may hold.
    """

    def __init__(self, *, book: SecretBook, terms: ScriptTerms, placeholders: Mapping[str, str]) -> None:
        self._book = book
        self._terms = terms
        self._placeholders = placeholders
        self._used: dict[str, str] = {}
        self._literals: set[str] = set()
        self._sent: dict[str, Secret] = {}

    @property
    def kept(self) -> Mapping[str, Any]:
        """See `interfaces.RequestSecrets.kept`."""
        if not self._used and not self._literals:
            return {}
        return {"placeholders": dict(self._used), "headers": sorted(self._literals)}

    def scan(self) -> SecretScan | None:
        """See `interfaces.RequestSecrets.scan`."""
        forms = SecretForms(self._sent.values())
        return None if forms.empty else forms.scan()

    async def fill(self, request: SecretRequest) -> SecretRequest:
        """See `interfaces.RequestSecrets.fill`."""
        older = any(_OLDER_BEGINNING in value for _, value in request.headers)
        literals: Collection[str] = await self._terms.literals() if older else ()
        if not self._placeholders and not literals:
            return request
        if request.moved:
            return self._without(request, literals)
        if any(placeholder.lower() in request.host for placeholder in self._placeholders):
            raise Invalid("fetch: a secret cannot stand in the name of a host.")
        filling = _Filling(self, request)
        headers = [(name, self._header(filling, name, value, literals)) for name, value in request.headers]
        path = filling.replaced(request.path, lambda value: quote(value, safe=""))
        if len(path) + sum(len(value) for _, value in headers) > _MOST_HEAD_BYTES:
            raise TooLarge(f"fetch: with its secrets the head of the request has more than {_MOST_HEAD_BYTES} bytes.")
        return replace(request, path=path, headers=headers, body=self._body(filling, request))

    def secret_for(self, name: str, request: SecretRequest) -> Secret:
        """
        Return a secret that is sent with a request.

        Raises:
            Denied: It is not for this host.
            NotFound, Unavailable: There is none.
        """
        granted = self._terms.granted.get(name)
        if granted is None:
            raise Denied(f"fetch: this script may no longer use the secret {name}.", details={"reason": "secret"})
        secret = self._book.get(name)
        why = why_not_for(secret, granted, host=request.host, port=request.port)
        if why:
            raise Denied(
                f"fetch: the secret {name} may not be sent to {request.host}: {why}", details={"reason": "secret"}
            )
        self._sent[name] = secret
        return secret

    @property
    def placeholders(self) -> Mapping[str, str]:
        """Return the names of secrets by placeholder."""
        return self._placeholders

    def use(self, placeholder: str, name: str) -> None:
        """Note that a placeholder was found."""
        self._used[placeholder] = name

    def _header(self, filling: _Filling, name: str, value: str, literals: Collection[str]) -> str:
        if name == "authorization" and (basic := _BASIC.fullmatch(value)):
            return basic[1] + filling.in_base64(basic[2])
        filled = filling.replaced(value, lambda raw: _in_header(raw, name))
        if value in literals:
            self._literals.add(value)
            filled = OLDER.sub(lambda match: _in_header(self.secret_for(match[1], filling.request).value, name), filled)
        return filled

    def _body(self, filling: _Filling, request: SecretRequest) -> bytes | None:
        body = request.body
        if body is None:
            return None
        found = [placeholder for placeholder in self._placeholders if placeholder.encode() in body]
        if not found:
            return body
        if not request.in_body:
            raise Invalid(
                f"fetch: the body holds the secret {self._placeholders[found[0]]}; it is sent there only with "
                "the option { secretsInBody: true }."
            )
        kind = next((value for name, value in request.headers if name == "content-type"), "")
        return filling.in_body(body, found, kind.partition(";")[0].strip().lower())

    def _without(self, request: SecretRequest, literals: Collection[str]) -> SecretRequest:
        """Return a request to another origin than the script named: without secrets."""
        if request.body is not None and any(placeholder.encode() in request.body for placeholder in self._placeholders):
            raise Denied(
                f"fetch: the request was redirected to {request.host}, and its body holds a secret, which is not sent "
                "to another host than the script named.",
                details={"reason": "redirect"},
            )
        headers = [(name, value) for name, value in request.headers if not self._holds(value) and value not in literals]
        return replace(request, headers=headers)

    def _holds(self, value: str) -> bool:
        basic = _BASIC.fullmatch(value)
        texts = [value, _decoded(basic[2]).decode("latin-1")] if basic else [value]
        return any(placeholder in text for placeholder in self._placeholders for text in texts)


class _Filling:
    """One request that is being filled."""

    def __init__(self, secrets: FilledSecrets, request: SecretRequest) -> None:
        self.request = request
        self._secrets = secrets

    def replaced(self, text: str, written: Callable[[bytes], str]) -> str:
        """Return *text* with values, as *written* writes them."""
        for placeholder, name in self._secrets.placeholders.items():
            if placeholder in text:
                value = written(self._value(placeholder, name))
                _check_size(len(text), text.count(placeholder), len(value), _MOST_HEAD_BYTES)
                text = text.replace(placeholder, value)
        return text

    def in_base64(self, text: str) -> str:
        """Return user name and password of `Basic`, with values."""
        data = _decoded(text)
        filled = self._in_bytes(data, self._secrets.placeholders, lambda value: value, most=_MOST_HEAD_BYTES)
        return text if filled is data else base64.b64encode(filled).decode("ascii")

    def in_body(self, body: bytes, placeholders: Collection[str], kind: str) -> bytes:
        """Return a body with values, written as its type needs it."""
        written: Callable[[bytes], bytes] = lambda value: value  # noqa: E731  one of three
        if kind == "application/json" or kind.endswith("+json"):
            written = _in_json
        elif kind == "application/x-www-form-urlencoded":
            written = lambda value: quote(value, safe="").encode()  # noqa: E731  one of three
        return self._in_bytes(body, placeholders, written, most=_MOST_BYTES)

    def _in_bytes(
        self, data: bytes, placeholders: Collection[str], written: Callable[[bytes], bytes], *, most: int
    ) -> bytes:
        for placeholder in placeholders:
            raw = placeholder.encode()
            if raw in data:
                value = written(self._value(placeholder, self._secrets.placeholders[placeholder]))
                _check_size(len(data), data.count(raw), len(value), most)
                data = data.replace(raw, value)
        return data

    def _value(self, placeholder: str, name: str) -> bytes:
        self._secrets.use(placeholder, name)
        return self._secrets.secret_for(name, self.request).value


def _check_size(size: int, times: int, each: int, most: int) -> None:
    if size + times * each > most:
        raise TooLarge(f"fetch: with its secrets the request has more than {most} bytes.")


def _in_header(value: bytes, name: str) -> str:
    if not _HEADER_VALUE.fullmatch(value):
        raise Invalid(
            f"fetch: the secret for the header {name} has a line break or another control character, which no header "
            "may hold. Store it without."
        )
    return value.decode("latin-1")


def _in_json(value: bytes) -> bytes:
    try:
        return json.dumps(value.decode())[1:-1].encode()
    except UnicodeDecodeError:
        raise Invalid("fetch: a secret that is not UTF-8 text cannot stand in JSON.") from None


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
