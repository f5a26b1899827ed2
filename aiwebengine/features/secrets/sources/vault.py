"""
Secrets from HashiCorp Vault, or a server with its interface, such as OpenBao: a key-value store, version 2.

    POST /v1/auth/approle/login      role and secret id: a token, and for how long it is good
    POST /v1/auth/token/renew-self   when half of that time is over, if the token can be renewed
    GET  /v1/secret/data/aiwebengine all secrets: the keys and values of one entry

A token that is refused is forgotten, and with a role the next reading logs in again.  Answers are bounded in size and
time; a server that fails again and again is not asked for a while.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiwebengine.errors import EngineError, Unavailable
from aiwebengine.features.secrets.names import is_name
from aiwebengine.features.secrets.sources.files import InThread
from aiwebengine.features.secrets.sources.source import SourceUnreadable
from aiwebengine.features.secrets.sources.vault_client import VaultAnswer, VaultClient
from aiwebengine.features.secrets.values import Secret, without_line_end

TOKEN_VARIABLE, SECRET_ID_VARIABLE = "VAULT_TOKEN", "VAULT_SECRET_ID"

_MOST_CREDENTIAL_BYTES = 16 * 1024
_REFUSED = frozenset([400, 401, 403])


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultPlaces:
    """What is read of a Vault, and as whom."""

    mount: str
    path: str
    role_id: str
    """Empty: a token is given."""
    role_mount: str
    token_file: str
    secret_id_file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    text: str
    renew_at: float
    """By the clock; infinite for one that stays as it is."""
    renewable: bool


class VaultSource:
    """
    See `SecretSource`.

    Args:
        client: Sends requests.
        places: What is read.
        environ: Variables.
        in_thread: Calls a function in a thread.
        clock: Seconds, for the lives of tokens.
        most_bytes: Of one secret.
        most: Secrets.
        seconds: How often they are read.
    """

    name = "vault"
    is_local = False

    def __init__(
        self,
        *,
        client: VaultClient,
        places: VaultPlaces,
        environ: Mapping[str, str],
        in_thread: InThread,
        clock: Callable[[], float],
        most_bytes: int,
        most: int,
        seconds: float,
    ) -> None:
        self._client = client
        self._places = places
        self._environ = environ
        self._in_thread = in_thread
        self._clock = clock
        self._most_bytes = most_bytes
        self._most = most
        self.seconds = seconds
        self._token: _Token | None = None
        self._secrets: Mapping[str, Secret] = {}
        self.logins = self.renewals = 0

    @property
    def shown(self) -> str:
        """See `SecretSource.shown`."""
        return f"Vault at {self._client.url}"

    async def load(self) -> Mapping[str, Secret]:
        """See `SecretSource.load`."""
        try:
            return await self._load()
        except SourceUnreadable:
            raise
        except Unavailable as error:
            raise SourceUnreadable(f"{self.shown} cannot be read: {error.public}") from None

    async def _load(self) -> Mapping[str, Secret]:
        token = await self._valid_token()
        place = f"/v1/{self._places.mount}/data/{self._places.path}"
        answer = await self._client.ask("GET", place, token=token.text)
        if answer.status in _REFUSED and self._places.role_id:
            # It may have been revoked, or its life may have been shorter than it said.
            token = await self._log_in()
            answer = await self._client.ask("GET", place, token=token.text)
        if answer.status == 404:
            secrets: Mapping[str, Secret] = {}
        elif answer.status == 200:
            secrets = self._read(answer)
        else:
            self._token = None
            raise self._refusal(answer, f"reading {self._places.mount}/{self._places.path}")
        if secrets != self._secrets:
            self._secrets = secrets
        return self._secrets

    async def _valid_token(self) -> _Token:
        token = self._token
        if token is None:
            return await (self._log_in() if self._places.role_id else self._given_token())
        if self._clock() < token.renew_at:
            return token
        if token.renewable:
            answer = await self._client.ask("POST", "/v1/auth/token/renew-self", token=token.text, document={})
            if answer.status == 200:
                self.renewals += 1
                self._token = self._granted(answer, token.text)
                return self._token
        self._token = None
        return await self._valid_token()

    async def _given_token(self) -> _Token:
        text = await self._credential(self._places.token_file, TOKEN_VARIABLE, "vault_token_file")
        answer = await self._client.ask("GET", "/v1/auth/token/lookup-self", token=text)
        if answer.status != 200:
            raise self._refusal(answer, "looking up the token")
        data = answer.member("data")
        seconds, renewable = data.get("ttl"), data.get("renewable") is True
        self._token = self._made(text, seconds, renewable=renewable)
        return self._token

    async def _log_in(self) -> _Token:
        self._token = None
        secret_id = await self._credential(self._places.secret_id_file, SECRET_ID_VARIABLE, "vault_secret_id_file")
        answer = await self._client.ask(
            "POST",
            f"/v1/auth/{self._places.role_mount}/login",
            document={"role_id": self._places.role_id, "secret_id": secret_id},
        )
        if answer.status != 200:
            raise self._refusal(answer, "logging in with the role")
        self.logins += 1
        self._token = self._granted(answer, "")
        return self._token

    def _granted(self, answer: VaultAnswer, before: str) -> _Token:
        auth = answer.member("auth")
        text = auth.get("client_token") or before
        if not isinstance(text, str) or not text:
            raise SourceUnreadable(f"{self.shown} answered without a token.")
        return self._made(text, auth.get("lease_duration"), renewable=auth.get("renewable") is True)

    def _made(self, text: str, seconds: Any, *, renewable: bool) -> _Token:
        lives = isinstance(seconds, int | float) and not isinstance(seconds, bool) and seconds > 0
        return _Token(text=text, renew_at=self._clock() + seconds / 2 if lives else float("inf"), renewable=renewable)

    def _read(self, answer: VaultAnswer) -> Mapping[str, Secret]:
        data = answer.member("data").get("data")
        if not isinstance(data, Mapping):
            # The newest version was deleted.
            return {}
        if len(data) > self._most:
            raise SourceUnreadable(f"{self.shown} has more than {self._most} secrets (secrets.max_secrets).")
        secrets = {}
        for name, text in data.items():
            value = text.encode() if isinstance(text, str) else json.dumps(text).encode()
            if len(value) > self._most_bytes:
                raise SourceUnreadable(
                    f"The secret {name[:100]!r} of {self.shown} has more than {self._most_bytes} bytes "
                    "(secrets.max_value_bytes)."
                )
            if is_name(name):
                secrets[name] = Secret(name=name, value=value, source=self.shown)
        return secrets

    async def _credential(self, file: str, variable: str, setting: str) -> str:
        if not file:
            if not self._environ.get(variable):
                raise SourceUnreadable(
                    f"{self.shown} needs the setting secrets.{setting}, or the environment variable {variable}."
                )
            return self._environ[variable]
        try:
            text: str = await self._in_thread(_read_credential, Path(file).expanduser())
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise SourceUnreadable(f"The file {file} (secrets.{setting}) cannot be read: {why}.") from None
        return text

    def _refusal(self, answer: VaultAnswer, what: str) -> EngineError:
        return SourceUnreadable(f"{self.shown}: {what} was answered with {answer.status}{answer.why}.")


def _read_credential(path: Path) -> str:
    with path.open("rb") as file:
        return without_line_end(file.read(_MOST_CREDENTIAL_BYTES)).decode()
