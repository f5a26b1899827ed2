"""
The interfaces between floors, and between the engine and what may replace a part of it.

A Protocol stands here when there are two implementations or when a lower floor must
call a higher one: `runtime` knows neither `host` nor `scripts`, it asks through these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol, IProtocolFactory

from aiwebengine.errors import BudgetSpent, ScriptFailed
from aiwebengine.values import (
    Answer,
    Bundle,
    Cause,
    ConsolePage,
    Decision,
    Invocation,
    LogLine,
    MailMessage,
    Principal,
    Receipt,
    Request,
    SecretRequest,
)


class ScriptSource(Protocol):
    """Where the runtime gets what a child must load."""

    async def bundle(self, version: str) -> Bundle:
        """
        Read one version.

        Raises:
            NotFound: It was deleted.
            Unavailable: The database does not answer.
        """


class HostSession(Protocol):
    """The host's side of one invocation: checks, answers, and holds effects back."""

    def call(self, name: str, argument: str) -> Deferred[str] | str:
        """
        Answer one host call.

        Args:
            name: As the child sent it, such as `notes.get`; not trusted.
            argument: ASCII JSON array of arguments; not trusted, at most the limit for a box chain.

        Returns:
            ASCII JSON: `{"ok": value}` or `{"err": {"code", "message", "call", "hint"?, "retryAfter"?, "details"?}}`,
            at once where nothing has to be waited for.  Never fails.
        """

    def log(self, lines: Sequence[LogLine]) -> None:
        """Keep evidence: never held back, never rolled back."""

    def failed(self, error: ScriptFailed) -> None:
        """Keep as evidence what the script failed with; before `end`."""

    def keep(self, answer: Answer | None) -> None:
        """Keep the answer of an invocation that is done once, with the next commit; None: it is streamed."""

    def commit(self) -> Deferred[None] | None:
        """
        Make the held effects durable; None if there were none.

        Raises:
            Stale: Something that was read is no longer true; nothing was done. Run the handler again.
            Unavailable, Conflict: Nothing was done.
        """

    @property
    def repeatable(self) -> bool:
        """Return whether running the handler again would do nothing twice."""

    @property
    def units(self) -> int:
        """Return how often `commit` had something to do."""

    @property
    def rows(self) -> int:
        """Return how many rows of the database were read or are to be written."""

    @property
    def cpu_seconds(self) -> float:
        """Return how much processor time host calls took in the server that is charged to the script."""

    def withdraw(self) -> None:
        """Have a requested commit fail with `Cancelled`, unless it has begun."""

    def end(self, receipt: Receipt) -> None:
        """Forget the session; effects not committed are dropped. Called exactly once, however the run ended."""


class HostCalls(Protocol):
    """What scripts may ask for."""

    def begin(self, invocation: Invocation) -> HostSession:
        """Open the host's side of one invocation, when there is first something to say to it."""

    def account(self, invocation: Invocation, receipt: Receipt) -> None:
        """Store the receipt of an invocation that has ended and for which no session was opened."""


class Mail(Protocol):
    """Sends mail."""

    def send(self, message: MailMessage) -> Deferred[None]:
        """
        Take a message for delivery; one with the id of an earlier one is the same message.

        Returns:
            Fires when it cannot be lost any more, though it may not be delivered yet.

        Raises:
            Invalid: An address or the subject cannot be one.
            TooLarge: There are too many recipients, or too many bytes.
            Unavailable: It was not accepted.
        """


class Identify(Protocol):
    """Finds out who sent a request."""

    def principal(self, request: Request) -> Principal | Deferred[Principal]:
        """
        Return who sent *request*; `ANONYMOUS` if it does not say, or not in a way that is known.

        At once where that is possible: it is called for every request.

        Raises:
            Unavailable: It cannot be found out now.
        """


class Decide(Protocol):
    """Decides who may do what."""

    def decide(self, principal: Principal, action: str, *, script: str = "", by: str = "") -> Decision:
        """
        Return whether something may be done, and why.

        Args:
            principal: Who asks.
            action: What for: a thing and a verb, such as `notes.read`.
            script: URI of the script whose thing it is; empty: the server's.
            by: URI of the script whose code asks; empty: no script's.
        """


class Console(Protocol):
    """Shows the pages of features to administrators."""

    def show(self, pages: Sequence[ConsolePage]) -> None:
        """
        Show these pages, and no others; called once, before the server starts.

        Raises:
            CannotStart: Two of them have the same name.
        """


class OwnServer(Protocol):
    """This very server, as scripts reach it."""

    def is_own(self, scheme: str, host: str, port: int) -> bool:
        """Return whether requests to an address are for this server; *host* is in lower case, without brackets."""

    def connect(self, factory: IProtocolFactory, *, cause: Cause) -> IProtocol:
        """
        Make a connection to this server inside the process.

        Args:
            factory: Makes the protocol of the client's end.
            cause: The invocation that sends requests over it.

        Returns:
            The protocol, connected.
        """


class SecretScan(Protocol):
    """Looks for the values of secrets in what comes in pieces, and replaces them."""

    def text(self, text: str) -> str:
        """Return a whole string without them."""

    def feed(self, piece: bytes) -> bytes:
        """Take a piece, and return what can be passed on: the last bytes may be the beginning of a value."""

    def end(self) -> bytes:
        """Return what is left: there are no more pieces."""


class RequestSecrets(Protocol):
    """The secrets of one request that a script sends to another server."""

    async def fill(self, request: SecretRequest) -> SecretRequest:
        """
        Return the request as it is sent: with values in place of the placeholders that this script was given.

        Called once for each redirect, with what the script asked for; nothing else may see what is returned.

        Raises:
            Denied: A secret is not for this host.
            Invalid: A placeholder stands where no secret may, or a value cannot be sent there.
            NotFound, Unavailable: A secret has no value.
        """

    def scan(self) -> SecretScan | None:
        """Return what replaces the values that were sent, in an answer; None if none was."""

    @property
    def kept(self) -> Mapping[str, Any]:
        """Return what a request that is sent later needs to be filled then, as JSON: no value of a secret."""


class Secrets(Protocol):
    """The secrets of scripts, as those see them who send requests for scripts."""

    def of_invocation(self, invocation: Invocation, capabilities: frozenset[str]) -> RequestSecrets | None:
        """
        Return the secrets of a request that an invocation sends; None if it can name none.

        Args:
            capabilities: Those of the script.
        """

    def of_later(self, script: str, kept: Mapping[str, Any]) -> RequestSecrets:
        """Return the secrets of a request that is sent after the commit; see `RequestSecrets.kept`."""


class ScriptKeys(Protocol):
    """Makes keys for `crypto.subtle` whose bytes the script does not have."""

    def sealed(
        self, session: Any, *, form: str, data: bytes | Mapping[str, Any], algorithm: Mapping[str, Any], usages: Any
    ) -> Any:
        """
        Return what the script's process is told of a key that cannot be exported, now or later.

        Args:
            session: Of the invocation: a `host.session.CallSession`.
            form: `raw`, `pkcs8`, `spki` or `jwk`.
            data: The key; an object if the form is `jwk`.
            algorithm: As the script names it, not checked; so are the usages.

        Raises:
            EngineError: There is no such key.
        """


class Redaction(Protocol):
    """Replaces the values of the secrets that one script may use."""

    def text(self, text: str) -> str:
        """Return a string without them; the same object if it has none."""

    def data(self, data: bytes) -> bytes:
        """Return bytes without them; the same object if they have none."""

    def scan(self) -> SecretScan:
        """Return what replaces them in something that comes in pieces."""


class ScriptBudgets(Protocol):
    """What scripts may use over time."""

    def spend(self, invocation: Invocation, resource: str, amount: int) -> BudgetSpent | None:
        """
        Use up so much of a resource.

        Args:
            resource: Its name, such as `fetches`.

        Returns:
            Why it is refused, if the script has used up its budget already; None if it is not.
        """


class DelayedCall(Protocol):
    """A call that a `Clock` will make."""

    def cancel(self) -> None:
        """Make it no more."""

    def active(self) -> bool:
        """Return whether it is still to come."""


class Clock(Protocol):
    """What Twisted's reactors and `twisted.internet.task.Clock` do with time (`IReactorTime`), for the type checker."""

    def seconds(self) -> float:
        """Return a time in seconds, for measuring durations."""

    def callLater(self, delay: float, callable: Callable[..., object], *args: Any, **kwargs: Any) -> DelayedCall:  # noqa: A002 - Twisted's name
        """Call *callable* after *delay* seconds."""
