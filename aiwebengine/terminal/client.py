"""
The command line's end of the management API: one blocking connection a call.

`http.client` is enough and costs nothing to import; a redirect is not followed, since the token must not be sent to
another server than was named.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit

from aiwebengine.terminal import exits, show
from aiwebengine.terminal.exits import CommandFailed, from_problem
from aiwebengine.terminal.target import Target

_MAX_ANSWER_BYTES = 256 * 1024 * 1024
_MAX_LINE_BYTES = 16 * 1024 * 1024

Query = Sequence[tuple[str, str]]


class ApiClient:
    """
    Calls the management API.

    Args:
        target: The server and the token.
        timeout_seconds: Seconds to wait for an answer of the server.
    """

    def __init__(self, *, target: Target, timeout_seconds: float) -> None:
        self._target = target
        self._timeout = timeout_seconds

    def call(self, method: str, path: str, *, query: Query = (), document: Any = None) -> Any:
        """
        Make one call and return its JSON; None for 204.

        Args:
            path: After `/engine/api`.
            document: The body, to be sent as JSON.

        Raises:
            CommandFailed: With the exit code that fits.
        """
        body = self.raw(method, path, query=query, document=document)
        return _json(body) if body else None

    def raw(self, method: str, path: str, *, query: Query = (), document: Any = None) -> bytes:
        """See `call`; return the bytes of the answer."""
        with self._opened(method, path, query, document, accept="application/json") as response:
            body: bytes = response.read(_MAX_ANSWER_BYTES + 1)
        if len(body) > _MAX_ANSWER_BYTES:
            raise self._unexpected("an answer of more than 256 MiB")
        return body

    def stream(self, method: str, path: str, *, query: Query = (), document: Any = None) -> Iterator[Any]:
        """
        Make one call and yield each JSON line of its answer as it arrives; see `call`.

        For an answer of one JSON document, yield that.
        """
        with self._opened(method, path, query, document, accept="application/x-ndjson") as response:
            while line := response.readline(_MAX_LINE_BYTES):
                if line.strip():
                    yield _json(line)

    def _opened(self, method: str, path: str, query: Query, document: Any, *, accept: str) -> _HttpExchange:
        parts = urlsplit(self._target.url)
        assert parts.hostname is not None
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname, parts.port, timeout=self._timeout)
        where = f"{parts.path}/engine/api{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {"accept": accept, "user-agent": "aiwebengine-cli"}
        if self._target.token:
            headers["authorization"] = f"Bearer {self._target.token}"
        body = None
        if document is not None:
            body = json.dumps(document).encode("ascii")
            headers["content-type"] = "application/json"
        return _HttpExchange(client=self, connection=connection, method=method, where=where, headers=headers, body=body)

    def failed(self, error: Exception) -> CommandFailed:
        """Return the reason why there was no answer."""
        url = self._target.url
        if isinstance(error, ConnectionRefusedError):
            text = f"No server answers at {url}. Start one with `aiwebengine serve`, or name another with --server."
        elif isinstance(error, socket.gaierror):
            text = f"The name in {url} is not known: {error.strerror}."
        elif isinstance(error, ssl.SSLError) and error.reason == "WRONG_VERSION_NUMBER":
            plain = "http://" + url.removeprefix("https://")
            text = f"{url} does not speak HTTPS. If it speaks plain HTTP, name it as {plain}."
        elif isinstance(error, ssl.SSLError):
            text = f"{url} has no valid certificate: {error.reason or error}."
        elif isinstance(error, TimeoutError):
            text = f"{url} did not answer within {self._timeout:g} seconds. Raise --timeout to wait longer."
        elif isinstance(error, http.client.HTTPException):
            text = f"{url} does not speak HTTP as it should ({type(error).__name__}); is it aiwebengine?"
        else:
            text = f"The connection to {url} broke: {error}."
        return CommandFailed(text, code=exits.UNREACHABLE)

    def redirected(self, status: int, place: str) -> CommandFailed:
        """Make the error for an answer that names another place: the token does not go there."""
        where = f" to {show.safe(place)[:300]}" if place else ""
        text = (
            f"{self._target.url} redirects{where} (status {status}). The token is not sent there; "
            "if that is the server, name its address with --server."
        )
        return CommandFailed(text, code=exits.UNREACHABLE)

    def refused(self, status: int, body: bytes) -> CommandFailed:
        """Make the error for an answer that is not a success."""
        try:
            problem = json.loads(body)
        except ValueError:
            problem = None
        if not isinstance(problem, dict) or "code" not in problem:
            return self._unexpected(f"status {status}")
        error = from_problem(problem)
        if error.code == exits.DENIED:
            where = self._target.token_hint
            used = f"The token came from {where}." if self._target.token else f"No token was sent ({where})."
            error.message = f"{error.message} {used}"
        return error

    def _unexpected(self, what: str) -> CommandFailed:
        text = f"{self._target.url} answered {what} without a reason; is it aiwebengine?"
        return CommandFailed(text, code=exits.UNREACHABLE)


class _HttpExchange:
    """One exchange: sends at the beginning of the `with` block, closes at its end, and explains what fails inside."""

    def __init__(
        self,
        *,
        client: ApiClient,
        connection: http.client.HTTPConnection,
        method: str,
        where: str,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> None:
        self._client = client
        self._connection = connection
        self._request = (method, where, body, dict(headers))

    def __enter__(self) -> http.client.HTTPResponse:
        try:
            response = self._exchange()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise self._client.failed(error) from error
        if not 200 <= response.status < 300:
            with contextlib.closing(self._connection):
                if 300 <= response.status < 400:
                    raise self._client.redirected(response.status, response.getheader("location") or "")
                raise self._client.refused(response.status, self._read_body(response))
        return response

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._connection.close()
        if isinstance(error, OSError | http.client.HTTPException):
            raise self._client.failed(error) from error

    def _read_body(self, response: http.client.HTTPResponse) -> bytes:
        try:
            return response.read(_MAX_ANSWER_BYTES)
        except (OSError, http.client.HTTPException):
            return b""

    def _exchange(self) -> http.client.HTTPResponse:
        # A server that refuses before it has read the whole body breaks the pipe: its answer is there to be read.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._connection.request(*self._request)
        return self._connection.getresponse()


class _Document(dict[str, Any]):
    """An object of the server's answer; if a member is missing, the address is that of another program."""

    def __missing__(self, key: str) -> NoReturn:
        text = f'The server\'s answer has no "{key}"; is it aiwebengine, and of this version?'
        raise CommandFailed(text, code=exits.UNREACHABLE)


def _json(body: bytes) -> Any:
    try:
        document = json.loads(body, object_hook=_Document)
    except (ValueError, RecursionError) as error:
        text = "The server answered with something that is not JSON; is it aiwebengine?"
        raise CommandFailed(text, code=exits.UNREACHABLE) from error
    if not isinstance(document, dict):
        text = (
            f"The server answered with {show.safe(json.dumps(document))[:80]}, not with an object; is it aiwebengine?"
        )
        raise CommandFailed(text, code=exits.UNREACHABLE)
    return document
