"""The host calls of secrets; none of them returns a value."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from aiwebengine.errors import Denied, EngineError, Invalid, NotImplementedByServer
from aiwebengine.features.secrets.book import SecretBook
from aiwebengine.features.secrets.declarations import CALLS, HAS, KEY, REF
from aiwebengine.features.secrets.grants import CAPABILITY, granted_secrets
from aiwebengine.features.secrets.names import check_name
from aiwebengine.features.secrets.requests.placeholders import Placeholders
from aiwebengine.features.secrets.values import Secret
from aiwebengine.host.declare import HostCall, nearest
from aiwebengine.host.session import CallSession, Function
from aiwebengine.interfaces import ScriptKeys

_FORMATS = ("text", "base64", "hex", "pkcs8", "jwk")
_PEM = re.compile(r"-----(?:BEGIN|END) [A-Z0-9 ]{1,40}-----")


class SecretCalls:
    """
    See the module.

    Args:
        book: All secrets.
        placeholders: Those of invocations under way.
        keys: Returns what makes keys, once all features are built; None without it.
    """

    def __init__(self, *, book: SecretBook, placeholders: Placeholders, keys: Callable[[], ScriptKeys | None]) -> None:
        self._book = book
        self._placeholders = placeholders
        self._keys = keys

    @property
    def calls(self) -> Sequence[HostCall]:
        """See `dispatch.CallGroup.calls`."""
        return CALLS

    @property
    def functions(self) -> Mapping[str, Function]:
        """See `dispatch.CallGroup.functions`."""
        return {HAS.name: self._has, REF.name: self._ref, KEY.name: self._key}

    def _has(self, session: CallSession, name: str) -> bool | Coroutine[Any, Any, bool]:
        if name not in granted_secrets(session.capabilities):
            return False
        return True if self._book.find(name) is not None else self._has_now(name)

    async def _has_now(self, name: str) -> bool:
        await self._book.look_again()
        return self._book.find(name) is not None

    def _ref(self, session: CallSession, name: str) -> str | Coroutine[Any, Any, str]:
        self._require(session, name, "secrets.ref")
        return self._place(session, name) if self._book.find(name) is not None else self._ref_now(session, name)

    async def _ref_now(self, session: CallSession, name: str) -> str:
        await self._book.look_again()
        self._book.get(name)
        return self._place(session, name)

    def _place(self, session: CallSession, name: str) -> str:
        identity = session.invocation.id
        if not self._placeholders.of(identity):
            session.at_end(lambda: self._placeholders.forget(identity))
        return self._placeholders.give(identity, name)

    async def _key(self, session: CallSession, name: str, request: Mapping[str, Any]) -> Any:
        self._require(session, name, "secrets.key")
        keys = self._keys()
        if keys is None:
            raise NotImplementedByServer("secrets.key: this server has no cryptography.")
        form = request.get("format", "text")
        if form not in _FORMATS:
            raise Invalid(f"secrets.key: the format must be one of {', '.join(_FORMATS)}.")
        algorithm = request.get("algorithm")
        if not isinstance(algorithm, Mapping):
            raise Invalid("secrets.key: the algorithm must be an object.")
        if self._book.find(name) is None:
            await self._book.look_again()
        made = keys.sealed(
            session,
            form=form if form in {"pkcs8", "jwk"} else "raw",
            data=_key_data(self._book.get(name), form),
            algorithm=algorithm,
            usages=request.get("usages"),
        )
        return await made if hasattr(made, "__await__") else made

    def _require(self, session: CallSession, name: str, call: str) -> None:
        try:
            check_name(name)
        except EngineError as error:
            raise Invalid(f"{call}: {name[:100]!r} cannot be a name: {error.public}") from None
        granted = granted_secrets(session.capabilities)
        if name in granted:
            return
        near = nearest(name, granted)
        raise Denied(
            f"{call}: this script may not use the secret {name}"
            + (f"; did you mean {near}?" if near else ".")
            + f' Name it in the manifest, "secrets": {{"{name}": {{"hosts": ["api.example.com"]}}}}, and deploy the '
            f"script with --grant {CAPABILITY}:{name}@api.example.com."
        )


def _key_data(secret: Secret, form: str) -> bytes | Mapping[str, Any]:
    """
    Return a key as its format has it.

    Raises:
        Invalid: The secret is none; its value is not in the message.
    """
    try:
        match form:
            case "base64":
                return base64.b64decode(b"".join(secret.value.split()), validate=True)
            case "hex":
                return bytes.fromhex(secret.value.decode("ascii"))
            case "pkcs8":
                return base64.b64decode("".join(_PEM.sub("", secret.value.decode("ascii")).split()), validate=True)
            case "jwk":
                return dict(json.loads(secret.value))
            case _:
                return secret.value
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise Invalid(f"secrets.key: the secret {secret.name} is no key in the format {form}.") from None
