"""What an engine gets of storage."""

from __future__ import annotations

from collections.abc import Mapping

from aiwebengine.features.storage.entries import GROUP, KV, Entries
from aiwebengine.features.storage.kv import KvCalls
from aiwebengine.features.storage.migrations import MOVED
from aiwebengine.features.storage.settings import StorageSettings
from aiwebengine.features.storage.store import StoredEntry, remove_expired
from aiwebengine.features.storage.watches import Watches
from aiwebengine.features.storage.web_storage import StorageCalls
from aiwebengine.machinery import Machinery, Parts

_REMOVED_AT_ONCE = 1000


def build(machinery: Machinery) -> Parts:
    """Build the parts of the feature."""
    base = machinery.base
    watches = Watches()

    def changed(script: str, area: str, entries: Mapping[str, StoredEntry | None]) -> None:
        if area == KV:
            watches.changed(script, entries)

    entries = Entries(
        databases=machinery.script_databases,
        milliseconds=base.milliseconds,
        settings=base.settings.of(StorageSettings),
        changed=changed,
    )
    base.store.on_purged(entries.forget)
    return Parts(
        groups=[StorageCalls(entries=entries), KvCalls(entries=entries, watches=watches)],
        effects={GROUP: entries},
        state={"watches": watches.state},
        script_upkeep=[lambda connection: remove_expired(connection, now=base.milliseconds(), limit=_REMOVED_AT_ONCE)],
        moved=MOVED,
    )
