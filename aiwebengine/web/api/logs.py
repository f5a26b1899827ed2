"""`GET /engine/api/logs`: read the scripts' logs, or follow them."""

from __future__ import annotations

from collections.abc import Callable

from aiwebengine.errors import Invalid, TooMany
from aiwebengine.interfaces import Clock
from aiwebengine.observe.logs import LEVELS, LogFilter, LogRecord, ScriptLogs
from aiwebengine.scripts.package import check_uri
from aiwebengine.web.api.call import ApiCall, LongAnswer
from aiwebengine.web.api.route import ApiRoute
from aiwebengine.web.api.streams import JsonStream

_MOST = 1000
_DEFAULT_LIMIT = 100


class Logs:
    """
    The scripts' logs.

    Args:
        logs: Keeps them.
        clock: For idle streams.
        seconds: The server's clock, since 1970.
    """

    def __init__(self, *, logs: ScriptLogs, clock: Clock, seconds: Callable[[], float]) -> None:
        self._logs = logs
        self._clock = clock
        self._seconds = seconds
        self._streams: set[JsonStream] = set()

    def routes(self) -> list[ApiRoute]:
        """Return what this answers."""
        return [ApiRoute("GET", "/engine/api/logs", self.read)]

    def close(self) -> None:
        """End all open streams."""
        for stream in list(self._streams):
            stream.end()

    async def read(self, call: ApiCall) -> LongAnswer | None:
        """Read lines, or follow them."""
        call.only("uri", "level", "invocation", "contains", "since", "until", "limit", "before", "follow")
        log_filter = self._filter(call)
        if call.flag("follow"):
            await self._follow(call, log_filter)
            return None
        records = await self._logs.query(log_filter)
        older = records[0].id if len(records) == log_filter.limit else None
        return LongAnswer(lambda: {"lines": [record.as_json() for record in records], "next": older})

    async def _follow(self, call: ApiCall, log_filter: LogFilter) -> None:
        stream = JsonStream(request=call.request, clock=self._clock, events=call.accepts("text/event-stream"))
        began = False
        early: list[LogRecord] = []

        def new(record: LogRecord) -> None:
            # Lines that come while the older ones are read wait for them.
            if began:
                stream.send(record.as_json())
            else:
                early.append(record)

        # The read sees all lines up to its moment; what comes later is followed.
        await self._logs.flush()
        try:
            stop = self._logs.follow(log_filter, new)
        except OverflowError as error:
            raise TooMany(f"At most {error} readers may follow the logs; close one.", retry_seconds=10.0) from error
        try:
            older = await self._logs.query(log_filter) if log_filter.limit else []
        except BaseException:
            stop()
            raise
        stream.at_end(stop)
        stream.at_end(lambda: self._streams.discard(stream))
        self._streams.add(stream)
        stream.begin()
        seen = {_same(record) for record in older}
        for record in [*older, *(record for record in early if _same(record) not in seen)]:
            stream.send(record.as_json())
        began = True
        await stream.done

    def _filter(self, call: ApiCall) -> LogFilter:
        level = call.text("level") or LEVELS[0]
        if level not in LEVELS:
            raise Invalid(f'"level" must be one of {", ".join(LEVELS)}; it is "{level[:80]}".')
        uri = call.text("uri")
        now = self._seconds()
        least = 0 if call.flag("follow") else 1
        limit = call.integer("limit", least=least, most=_MOST)
        return LogFilter(
            uri=check_uri(uri) if uri else None,
            level=level,
            invocation=(call.text("invocation") or "")[:64] or None,
            contains=(call.text("contains") or "")[:1000] or None,
            since=call.moment("since", now=now),
            until=call.moment("until", now=now),
            before=call.integer("before", least=1, most=2**63 - 1),
            limit=_DEFAULT_LIMIT if limit is None else limit,
        )


def _same(record: LogRecord) -> tuple[str, str, int, str]:
    """Return the key by which a line is recognized that was both read and followed."""
    return record.uri, record.invocation, int(record.line.at * 1000), record.line.message
