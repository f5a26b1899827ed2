"""What an engine gets of storage."""

from __future__ import annotations

from collections.abc import Mapping

from aiwebengine.host.entries import GROUP, KV, Entries
from aiwebengine.host.kv import KvCalls
from aiwebengine.host.storage import StorageCalls
from aiwebengine.host.watch import Watches
from aiwebengine.machinery import Machinery, Parts
from aiwebengine.services.db import entry_rows
from aiwebengine.services.db.entry_rows import Entry

_REMOVED_AT_ONCE = 1000


def build(machinery: Machinery) -> Parts:
    """Build them."""
    base = machinery.base
    watches = Watches()

    def changed(script: str, area: str, entries: Mapping[str, Entry | None]) -> None:
        if area == KV:
            watches.changed(script, entries)

    entries = Entries(
        read=base.database.read,
        milliseconds=base.milliseconds,
        settings=base.settings.storage,
        changed=changed,
    )
    return Parts(
        groups=[StorageCalls(entries=entries), KvCalls(entries=entries, watches=watches)],
        effects={GROUP: entries},
        state={"watches": watches.state},
        upkeep=[
            lambda connection: entry_rows.remove_expired(connection, now=base.milliseconds(), limit=_REMOVED_AT_ONCE)
        ],
    )
