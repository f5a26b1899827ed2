"""`sharedStorage` and `personalStorage`: texts by key, in the shape of the Web Storage standard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiwebengine.errors import Denied
from aiwebengine.features.storage.declarations import STORAGE_CALLS
from aiwebengine.features.storage.entries import SHARED, Entries, check_name, user_area
from aiwebengine.host.declare import HostCall, limited
from aiwebengine.host.session import CallSession, Function

_STORAGES = ("sharedStorage", "personalStorage")


class StorageCalls:
    """
    The calls of both storages.

    Args:
        entries: Reads and holds.
    """

    def __init__(self, *, entries: Entries) -> None:
        self._entries = entries

    @property
    def calls(self) -> Sequence[HostCall]:
        """See `dispatch.CallGroup.calls`."""
        return limited(STORAGE_CALLS, value=self._entries.max_value_bytes)

    @property
    def functions(self) -> Mapping[str, Function]:
        """See `dispatch.CallGroup.functions`."""
        return {
            f"{storage}.{name}": function
            for storage in _STORAGES
            for name, function in {
                "getItem": self._get(storage),
                "setItem": self._set(storage),
                "removeItem": self._remove(storage),
                "clear": self._clear(storage),
                "keys": self._keys(storage),
            }.items()
        }

    def _get(self, storage: str) -> Function:
        async def get(session: CallSession, key: str) -> str | None:
            entry = await self._entries.get(session, _area(storage, session), key)
            return None if entry is None else entry.value

        return get

    def _set(self, storage: str) -> Function:
        async def set_item(session: CallSession, key: str, value: str) -> None:
            check_name(f"{storage}.setItem", key)
            await self._entries.put(session, _area(storage, session), key, value)

        return set_item

    def _remove(self, storage: str) -> Function:
        async def remove(session: CallSession, key: str) -> None:
            await self._entries.remove(session, _area(storage, session), key)

        return remove

    def _clear(self, storage: str) -> Function:
        async def clear(session: CallSession) -> None:
            area = _area(storage, session)
            for name in await self._entries.names(session, area):
                await self._entries.remove(session, area, name)

        return clear

    def _keys(self, storage: str) -> Function:
        async def keys(session: CallSession) -> list[str]:
            return await self._entries.names(session, _area(storage, session))

        return keys


def _area(storage: str, session: CallSession) -> str:
    if storage == "sharedStorage":
        return SHARED
    principal = session.invocation.principal
    if not principal.id:
        raise Denied(
            "personalStorage belongs to the signed-in user, and this request is anonymous; "
            "use sharedStorage, or require authentication."
        )
    return user_area(principal.id)
