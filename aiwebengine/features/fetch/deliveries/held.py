"""The host call `fetch.later`, and the effect that it holds: a request that is sent after the commit."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Literal

from aiwebengine.errors import Invalid, TooMany
from aiwebengine.features.fetch.declarations import FETCH_BYTES, FETCHES, LATER
from aiwebengine.features.fetch.deliveries import store
from aiwebengine.features.fetch.network.failures import too_large
from aiwebengine.features.fetch.network.targets import TargetUrl, read_target
from aiwebengine.features.fetch.requests import Wanted, read_wanted
from aiwebengine.features.fetch.settings import FetchSettings
from aiwebengine.host.declare import HostCall
from aiwebengine.host.effects import HeldEffect, Unit
from aiwebengine.host.session import CallSession, Function
from aiwebengine.interfaces import RequestSecrets
from aiwebengine.services.db.units import Transaction, Write
from aiwebengine.values import SecretRequest

GROUP = "fetch"
"""Name of the effects."""


class LaterCalls:
    """
    See the module.

    Args:
        settings: What is allowed.
        check: Refuses hosts that the script may not reach.
        secrets: Returns the secrets of a request that an invocation sends; None if it can name none.
        spend: Counts what a script uses, and refuses what is too much.
        wake: Told the script after a commit, because something waits to be sent.
    """

    def __init__(
        self,
        *,
        settings: FetchSettings,
        check: Callable[[CallSession, TargetUrl], None],
        wake: Callable[[str], None],
        secrets: Callable[[CallSession], RequestSecrets | None] = lambda _: None,
        spend: Callable[[CallSession, str, int], None] = lambda *_: None,
    ) -> None:
        self._settings = settings
        self._check = check
        self._secrets = secrets
        self._spend = spend
        self._wake = wake

    @property
    def calls(self) -> Sequence[HostCall]:
        """See `dispatch.CallGroup.calls`."""
        return (LATER,)

    @property
    def functions(self) -> Mapping[str, Function]:
        """See `dispatch.CallGroup.functions`."""
        return {LATER.name: self._later}

    database: Literal["script"] = "script"
    """See `effects.Effects.database`."""

    def write(self, unit: Unit, effects: Sequence[HeldEffect]) -> Write:
        """See `effects.Effects.write`."""
        uri, version = unit.invocation.script, unit.invocation.version

        def add(transaction: Transaction) -> None:
            waiting = store.count(transaction.connection, uri)
            if waiting + len(effects) > self._settings.max_deliveries:
                raise TooMany(
                    f"fetch: at most {self._settings.max_deliveries} requests of a script may wait to be sent "
                    "(fetch.max_deliveries); the changes of this invocation were discarded."
                )
            for effect in effects:
                store.add(
                    transaction.connection,
                    effect.key,
                    uri=uri,
                    version=version,
                    request=effect.value,
                    now=transaction.now,
                )

        return add

    def happen(self, unit: Unit, effects: Sequence[HeldEffect]) -> None:  # noqa: ARG002  the interface's
        """See `effects.Effects.happen`."""
        self._wake(unit.invocation.script)

    def _later(self, session: CallSession, request: Mapping[str, Any]) -> str | Coroutine[Any, Any, str]:
        wanted = read_wanted(request, self._settings)
        if wanted.written or wanted.integrity or wanted.retries or wanted.redirect != "follow":
            raise Invalid(
                "fetch: with afterCommit there can be no stream as body, and no integrity, retry or redirect: the "
                "request is sent again until it is accepted."
            )
        target = read_target(wanted.url)
        self._check(session, target)
        kept = {name: request[name] for name in _KEPT if name in request}
        secrets = self._secrets(session)
        size = len(wanted.body or b"")
        return (
            self._hold(session, kept, size) if secrets is None else self._with_secrets(session, secrets, wanted, kept)
        )

    async def _with_secrets(
        self, session: CallSession, secrets: RequestSecrets, wanted: Wanted, kept: dict[str, Any]
    ) -> str:
        """Refuse now what could not be sent, and keep which placeholders are replaced then."""
        target = read_target(wanted.url)
        await secrets.fill(
            SecretRequest(
                host=target.host,
                port=target.port,
                path=target.path,
                headers=wanted.headers,
                body=wanted.body,
                in_body=wanted.secrets_in_body,
            )
        )
        return self._hold(
            session, {**kept, "secrets": dict(secrets.kept)} if secrets.kept else kept, len(wanted.body or b"")
        )

    def _hold(self, session: CallSession, kept: Mapping[str, Any], size: int) -> str:
        text = json.dumps(kept, separators=(",", ":"))
        if len(text) > self._settings.max_delivery_bytes:
            raise too_large(
                f"fetch: with afterCommit a request may have at most {self._settings.max_delivery_bytes} bytes "
                f"(fetch.max_delivery_bytes); it has {len(text)}."
            )
        self._spend(session, FETCHES, 1)
        self._spend(session, FETCH_BYTES, size)
        identity = session.next_version()
        session.hold(HeldEffect(group=GROUP, key=identity, value=text, size_bytes=len(text)))
        return identity


_KEPT = ("url", "method", "headers", "text", "base64", "secretsInBody")
