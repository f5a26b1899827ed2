"""
The host calls of `fetch`.

    fetch.start    sends a request; answered when the head of its answer has arrived
    fetch.read     the next piece of the answer's body
    fetch.write    the next piece of the request's body, if that is written piece by piece
    fetch.cancel   ends a request

The sandbox numbers the requests of an invocation.  Those that are under way when it is over are ended.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from aiwebengine.errors import BudgetSpent, Closed, Denied, Invalid
from aiwebengine.features.fetch.declarations import CALLS, CANCEL, CAPABILITY, FETCH_BYTES, FETCHES, READ, START, WRITE
from aiwebengine.features.fetch.exchange import Fetch, Outside
from aiwebengine.features.fetch.network.targets import TargetUrl
from aiwebengine.features.fetch.requests import read_bytes, read_wanted, with_defaults
from aiwebengine.features.fetch.settings import FetchSettings
from aiwebengine.host.declare import HostCall
from aiwebengine.host.host_patterns import DEFAULT_PORTS, granted_hosts
from aiwebengine.host.session import CallSession, Function
from aiwebengine.interfaces import RequestSecrets, ScriptBudgets, Secrets


class FetchCalls:
    """
    See the module.

    Args:
        outside: What all requests share.
        settings: What is allowed.
        secrets: Returns what fills secrets in, once all features are built; None without it.
        budgets: Returns what counts, once all features are built; None without it.
    """

    def __init__(
        self,
        *,
        outside: Outside,
        settings: FetchSettings,
        secrets: Callable[[], Secrets | None] = lambda: None,
        budgets: Callable[[], ScriptBudgets | None] = lambda: None,
    ) -> None:
        self._outside = outside
        self._settings = settings
        self._secrets = secrets
        self._budgets = budgets
        self._open: dict[CallSession, dict[int, Fetch]] = {}

    @property
    def calls(self) -> Sequence[HostCall]:
        """See `dispatch.CallGroup.calls`."""
        return CALLS

    @property
    def functions(self) -> Mapping[str, Function]:
        """See `dispatch.CallGroup.functions`."""
        return {
            START.name: self._start,
            READ.name: self._read,
            WRITE.name: self._write,
            CANCEL.name: self._cancel,
        }

    def end(self) -> None:
        """End all requests: the server stops."""
        for exchanges in list(self._open.values()):
            for exchange in list(exchanges.values()):
                exchange.cancel()

    def state(self) -> dict[str, Any]:
        """Return figures for the state page."""
        client = self._outside.client
        return {"sent": client.sent, "connections": client.connections, **self._outside.peers.state()}

    def _start(self, session: CallSession, number: int, request: Mapping[str, Any]) -> Coroutine[Any, Any, Any]:
        wanted = read_wanted(request, self._settings)
        exchanges = self._exchanges(session)
        if number in exchanges:
            raise Invalid(f"fetch: there is a request {number} already.")
        if len(exchanges) >= self._settings.per_invocation:
            raise BudgetSpent(
                f"fetch: an invocation may make at most {self._settings.per_invocation} requests "
                "(fetch.per_invocation)."
            )
        self.spend(session, FETCHES, 1)
        # Only whether any are left: how many it takes is not known yet.
        self.spend(session, FETCH_BYTES, 0)
        if not wanted.safe:
            session.act_at_once()
        invocation = session.invocation
        exchange = exchanges[number] = Fetch(
            outside=self._outside,
            script=invocation.script,
            cause=invocation.causing(),
            wanted=wanted,
            headers=with_defaults(
                wanted.headers,
                key="" if wanted.safe else f"{invocation.id}-{number}",
                trace=_trace(invocation.trace, invocation.id),
            ),
            check=lambda target: self.check(session, target),
            secrets=self.secrets_of(session),
            used=lambda size: self.spend(session, FETCH_BYTES, size),
        )
        return exchange.begin()

    def spend(self, session: CallSession, resource: str, amount: int) -> None:
        """
        Count what a script uses.

        Raises:
            BudgetSpent: It has used too much already.
        """
        budgets = self._budgets()
        refusal = budgets.spend(session.invocation, resource, amount) if budgets is not None else None
        if refusal is not None:
            raise refusal

    def secrets_of(self, session: CallSession) -> RequestSecrets | None:
        """Return the secrets of a request that an invocation sends; None if it can name none."""
        secrets = self._secrets()
        return secrets.of_invocation(session.invocation, session.capabilities) if secrets is not None else None

    def _read(self, session: CallSession, number: int, encoded: Any) -> Coroutine[Any, Any, Any]:
        return self._exchange(session, number).read(encoded=bool(encoded))

    def _write(self, session: CallSession, number: int, piece: str | None) -> Coroutine[Any, Any, Any]:
        return self._exchange(session, number).write(None if piece is None else read_bytes(piece))

    def _cancel(self, session: CallSession, number: int) -> None:
        exchange = self._open.get(session, {}).get(number)
        if exchange is not None:
            exchange.cancel()

    def _exchanges(self, session: CallSession) -> dict[int, Fetch]:
        exchanges = self._open.get(session)
        if exchanges is None:
            exchanges = self._open[session] = {}
            session.at_end(lambda: self._end(session))
        return exchanges

    def _exchange(self, session: CallSession, number: int) -> Fetch:
        exchange = self._open.get(session, {}).get(number)
        if exchange is None:
            raise Closed(f"fetch: there is no request {number}.")
        return exchange

    def _end(self, session: CallSession) -> None:
        for exchange in self._open.pop(session, {}).values():
            exchange.cancel()

    def check(self, session: CallSession, target: TargetUrl) -> None:
        """
        Refuse a host that the script may not reach.

        Raises:
            Denied: It may not.
        """
        check_host(target, session.capabilities, self._settings)


def check_host(target: TargetUrl, capabilities: frozenset[str], settings: FetchSettings) -> None:
    """
    Refuse a host that a script may not reach.

    Args:
        capabilities: Those that it was granted.

    Raises:
        Denied: It may not.
    """
    if settings.allow == "all":
        return
    hosts = granted_hosts(capabilities, CAPABILITY)
    if any(pattern.covers(target.host, target.port) for pattern in hosts):
        return
    default = target.port in DEFAULT_PORTS.values()
    host = target.authority.rpartition(":")[0] if default else target.authority
    raise Denied(
        f'fetch: this script may not send requests to {host}. Add "fetch": ["{host}"] to its manifest (the key '
        f"aiwebengine of package.json), and deploy it with --grant fetch:{host}.",
        details={"reason": "host", "host": host},
    )


def _trace(parent: str, identity: str) -> str:
    """Return the `traceparent` of what an invocation sends; empty if it belongs to no trace."""
    parts = parent.split("-")
    return f"{parts[0]}-{parts[1]}-{identity[:16]}-{parts[3]}" if len(parts) == 4 else ""
