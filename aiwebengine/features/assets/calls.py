"""
Stored files that scripts manage: `listAssets`, `fetchAsset`, `upsertAsset`, `deleteAsset`.

The shapes are those that scripts have always seen: content is sent as base64, and `fetchAsset` returns a JSON string,
`"null"` if there is no asset. A script sees what is its own, and what belongs to no script.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from aiwebengine.errors import Invalid
from aiwebengine.features.assets.declarations import CALLS, CAPABILITY
from aiwebengine.features.assets.paths import StoredPaths
from aiwebengine.features.assets.store import NOBODY, Asset, AssetStore, NewAsset, Rivals, conflict
from aiwebengine.host.declare import HostCall, limited
from aiwebengine.host.effects import HeldEffect, Unit
from aiwebengine.host.session import CallSession, Function
from aiwebengine.runtime.registry import Registry
from aiwebengine.services.db.units import Transaction, Write

GROUP = CAPABILITY
"""Name of the group of effects."""


class AssetCalls:
    """
    The calls and effects on assets.

    Args:
        store: Keeps them.
        stored: Where they are served.
        registry: Returns what serves.
        max_bytes: Largest asset.
    """

    def __init__(
        self, *, store: AssetStore, stored: StoredPaths, registry: Callable[[], Registry], max_bytes: int
    ) -> None:
        self._store = store
        self._stored = stored
        self._registry = registry
        self._max_bytes = max_bytes

    @property
    def calls(self) -> Sequence[HostCall]:
        """See `dispatch.CallGroup.calls`."""
        # Base64: four characters for three bytes.
        return limited(CALLS, content=4 * (self._max_bytes // 3 + 1))

    @property
    def functions(self) -> Mapping[str, Function]:
        """See `dispatch.CallGroup.functions`."""
        return {
            "listAssets": self._all,
            "fetchAsset": self._fetch,
            "upsertAsset": self._upsert,
            "deleteAsset": self._remove,
        }

    database: Literal["main"] = "main"
    """See `effects.Effects.database`: files of all scripts are served to visitors, and no two at one address."""

    def write(self, unit: Unit, effects: Sequence[HeldEffect]) -> Write:
        """See `effects.Effects.write`."""
        script = unit.invocation.script
        rivals: dict[str, Rivals] = {
            effect.key: self._stored.rivals(self._registry(), script, effect.key)
            for effect in effects
            if effect.value is not None
        }

        def write(transaction: Transaction) -> None:
            self._store.write(transaction, script, {effect.key: effect.value for effect in effects}, rivals)

        return write

    def happen(self, unit: Unit, effects: Sequence[HeldEffect]) -> None:
        """See `effects.Effects.happen`."""
        script = unit.invocation.script
        for effect in effects:
            if effect.value is not None:
                self._stored.add(script, effect.key)
            else:
                own = script in self._stored.owners(effect.key)
                self._stored.remove(script if own else NOBODY, effect.key)

    async def _all(self, session: CallSession) -> list[str]:
        paths = set(await self._store.list_paths(session.invocation.script))
        for path, asset in session.pending(GROUP).items():
            if asset is None:
                paths.discard(path)
            else:
                paths.add(path)
        return sorted(paths)

    async def _fetch(self, session: CallSession, path: str) -> str:
        asset = await self._asset(session, path)
        if asset is None:
            return "null"
        content = base64.b64encode(asset.content).decode("ascii")
        return json.dumps({"publicPath": path, "mimetype": asset.type, "content": content})

    def _upsert(self, session: CallSession, path: str, mimetype: str, content: str) -> None:
        try:
            data = base64.b64decode(content, validate=True)
        except (binascii.Error, ValueError):
            raise Invalid("upsertAsset: content must be base64; use btoa(text) for text.") from None
        asset = self._store.check(path, mimetype, data)
        other = self._stored.taken_by(self._stored.rivals(self._registry(), session.invocation.script, path))
        if other is not None:
            raise conflict(path, other)
        session.hold(HeldEffect(group=GROUP, key=path, value=asset, size_bytes=len(data)))

    async def _remove(self, session: CallSession, path: str) -> bool:
        existed = await self._asset(session, path) is not None
        if existed:
            session.hold(HeldEffect(group=GROUP, key=path, value=None))
        return existed

    async def _asset(self, session: CallSession, path: str) -> Asset | NewAsset | None:
        pending: Mapping[str, NewAsset | None] = session.pending(GROUP)
        if path in pending:
            return pending[path]
        return await self._store.get(session.invocation.script, path)
