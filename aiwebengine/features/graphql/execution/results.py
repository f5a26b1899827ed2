"""What an execution came to, as it is sent: the response, or its parts, never larger than it may be."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import ExecutionResult, GraphQLError
from graphql.execution import ExperimentalIncrementalExecutionResults

from aiwebengine.errors import EngineError
from aiwebengine.features.graphql.codes import code_of
from aiwebengine.features.graphql.execution.failures import formatted
from aiwebengine.features.graphql.transports.wire import encode
from aiwebengine.long_json import Checkpoint, no_checkpoint

_COUNTED_AT_ONCE = 1000


@dataclass(slots=True, kw_only=True)
class Results:
    """What an execution came to."""

    first: Mapping[str, Any] = field(default_factory=dict)
    """The response, or the first part of it, unless it was written at once."""
    written: str = ""
    """The response as JSON, if it was written at once, which is done only on request."""
    more: AsyncIterator[Any] | None = None
    """The other parts, if there are any."""

    def text(self, checkpoint: Checkpoint) -> str:
        """Return the response, or the first part of it, as JSON."""
        return self.written or encode(self.first, checkpoint)


def response_of(result: ExecutionResult, request: str, most: int, checkpoint: Checkpoint) -> dict[str, Any]:
    """
    Return a result as it is sent.

    Args:
        most: Bytes that it may have, more or less.
    """
    if exceeds(result.data, most, checkpoint):
        return too_large(most)
    if not result.errors:
        return {"data": result.data}
    answer: dict[str, Any] = {"errors": formatted(result.errors, request=request), "data": result.data}
    if result.extensions:
        answer["extensions"] = result.extensions
    return answer


def exceeds(data: Any, most: int, checkpoint: Checkpoint) -> bool:
    """Return whether *data* as JSON would have more than about this many bytes, without encoding it."""
    size = 0
    waiting = [data]
    while waiting:
        checkpoint()
        for _ in range(_COUNTED_AT_ONCE):
            value = waiting.pop()
            if isinstance(value, str):
                size += len(value)
            elif isinstance(value, dict):
                size += 4 * len(value)
                waiting.extend(value.values())
            elif isinstance(value, list):
                size += len(value)
                waiting.extend(value)
            if size > most:
                return True
            if not waiting:
                break
    return False


def too_large(most: int) -> dict[str, Any]:
    """Return what is sent in place of a result that is too large."""
    message = f"The result has more than {most:,} bytes (graphql.max_response_bytes); ask for less at once."
    return {"errors": [{"message": message, "extensions": {"code": "TOO_LARGE"}}], "data": None}


def too_late(seconds: float) -> dict[str, Any]:
    """Return what is sent in place of a result that does not come in time."""
    message = f"The operation took longer than {seconds:g} s (graphql.max_seconds) and was stopped."
    return {"errors": [{"message": message, "extensions": {"code": "TIMEOUT"}}], "data": None}


def first_response(
    result: ExperimentalIncrementalExecutionResults, request: str, most: int, checkpoint: Checkpoint
) -> dict[str, Any]:
    """Return the first part of an incremental result."""
    first = result.initial_result
    if exceeds(first.data, most, checkpoint):
        return too_large(most)
    answer: dict[str, Any] = {"data": first.data}
    if first.errors:
        answer["errors"] = formatted(first.errors, request=request)
    return {**answer, "pending": first.formatted["pending"], "hasNext": True}


def next_response(part: Any, request: str, most: int, checkpoint: Checkpoint = no_checkpoint) -> dict[str, Any]:
    """Return another part of an incremental result."""
    shown: dict[str, Any] = dict(part.formatted)
    if exceeds(shown, most, checkpoint):
        return {**too_large(most), "hasNext": False}
    for key, made in (("incremental", part.incremental), ("completed", part.completed)):
        if key in shown:
            shown[key] = [
                _with_errors(formatted_item, item, request)
                for formatted_item, item in zip(shown[key], made or (), strict=True)
            ]
    return shown


def _with_errors(shown: Mapping[str, Any], item: Any, request: str) -> dict[str, Any]:
    errors = getattr(item, "errors", None)
    return {**shown, "errors": formatted(errors, request=request)} if errors else dict(shown)


def request_failed(errors: Sequence[GraphQLError], request: str) -> dict[str, Any]:
    """Return the response to a request that was not executed."""
    return {"errors": formatted(errors, request=request)}


def engine_refused(error: EngineError, request: str) -> dict[str, Any]:
    """Return the response to a request that the engine refuses."""
    return request_failed([GraphQLError(error.public, extensions={"code": code_of(error)})], request)
