"""What an engine gets of requests that take effect once."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from aiwebengine.features.idempotency.declarations import OPTION
from aiwebengine.features.idempotency.kept import KeptAnswers
from aiwebengine.features.idempotency.keys import CompletionSink, check_option, idempotent_request
from aiwebengine.features.idempotency.migrations import MOVED
from aiwebengine.features.idempotency.settings import IdempotencySettings
from aiwebengine.host.session import ANSWERS
from aiwebengine.machinery import Machinery, Parts
from aiwebengine.values import AnswerKey, Entry, Invocation, Request
from aiwebengine.web.admission import AdmissionStep, Place, RequestRunner
from aiwebengine.web.http.exchange import Exchange


def build(machinery: Machinery) -> Parts:
    """Build the parts of the feature."""
    base = machinery.base
    machinery.hooks.route_options[OPTION] = check_option
    answers = KeptAnswers(
        databases=machinery.script_databases,
        milliseconds=base.milliseconds,
        keep_seconds=base.settings.of(IdempotencySettings).keep_seconds,
    )
    return Parts(
        effects={ANSWERS: answers},
        admission=[idempotency_step(answers)],
        script_upkeep=[answers.remove_old],
        moved=MOVED,
    )


def idempotency_step(answers: KeptAnswers) -> AdmissionStep:
    """Return the step that answers requests with an idempotency key."""
    return AdmissionStep(
        name="idempotency",
        place=Place.ANSWERED,
        applies=lambda route: bool(route.options.get(OPTION)),
        enter=IdempotencyGate(answers).enter,
    )


class IdempotencyGate:
    """
    Answers requests with an idempotency key: from what is kept, or by running the handler.

    Args:
        answers: Keeps answers.
    """

    def __init__(self, answers: KeptAnswers) -> None:
        self._answers = answers

    def enter(
        self, exchange: Exchange, request: Request, route: Entry, invocation: Invocation, way: RequestRunner
    ) -> bool:
        """See `web.admission.AdmissionStep.enter`."""
        idempotent = idempotent_request(request, route)
        if idempotent is None:
            return False
        work = Deferred.fromCoroutine(self._run(invocation._replace(answer_key=idempotent), idempotent, exchange, way))
        work.addErrback(way.failed, exchange)
        return True

    async def _run(self, invocation: Invocation, idempotent: AnswerKey, exchange: Exchange, way: RequestRunner) -> None:
        stored = await self._answers.begin(invocation.script, idempotent)
        if stored is not None:
            exchange.answered(stored)
        elif not exchange.waiting:
            self._answers.end(idempotent)
        else:
            way.run(invocation, CompletionSink(exchange, lambda: self._answers.end(idempotent)), exchange)
