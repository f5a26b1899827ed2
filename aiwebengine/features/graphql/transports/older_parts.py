"""
Parts of an incremental result in the format of 2022, which Apollo Client asks for (`deferSpec=20220824`).

The newer format announces each fragment and list with an id (`pending`), and names the id with what
is delivered; the older one has the full path in each delivery:

    newer  {"data": {"a": 1}, "pending": [{"id": "0", "path": []}], "hasNext": true}
           {"incremental": [{"id": "0", "data": {"b": 2}}], "completed": [{"id": "0"}], "hasNext": false}
    older  {"data": {"a": 1}, "hasNext": true}
           {"incremental": [{"path": [], "data": {"b": 2}}], "hasNext": false}

An item of a list has its index at the end of its path, so what was delivered is kept to count it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Path = list[str | int]


class IncrementalPartsOf2022:
    """The parts of one result, one after the other."""

    def __init__(self) -> None:
        self._whole: Any = None
        """What the client has, put together."""
        self._pending: dict[str, Mapping[str, Any]] = {}

    def first(self, part: Mapping[str, Any]) -> dict[str, Any]:
        """Return the first part, as `results.first_response` made it, in the older format."""
        self._whole = part.get("data")
        self._announced(part)
        return {key: value for key, value in part.items() if key != "pending"}

    def next(self, part: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return another part in the older format; None if it says nothing there."""
        self._announced(part)
        rewritten = [self._delivered(item) for item in part.get("incremental", ())]
        rewritten += self._failed(part.get("completed", ()))
        made: dict[str, Any] = {"hasNext": part["hasNext"]}
        if rewritten:
            made["incremental"] = rewritten
        if "errors" in part:
            made["errors"] = part["errors"]
        return made if rewritten or not part["hasNext"] else None

    def _announced(self, part: Mapping[str, Any]) -> None:
        for entry in part.get("pending", ()):
            self._pending[entry["id"]] = entry

    def _delivered(self, item: Mapping[str, Any]) -> dict[str, Any]:
        pending = self._pending[item["id"]]
        path: Path = [*pending["path"], *item.get("subPath", ())]
        rewritten: dict[str, Any] = {}
        place = _value_at(self._whole, path)
        if "items" in item:
            rewritten["items"] = item["items"]
            if isinstance(place, list):
                path.append(len(place))
                place.extend(item["items"])
        else:
            rewritten["data"] = item["data"]
            _merge(place, item["data"])
        return {**rewritten, **_remaining(pending, path, item)}

    def _failed(self, completed: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
        for entry in completed:
            pending = self._pending.pop(entry["id"])
            if "errors" not in entry:
                continue
            path: Path = list(pending["path"])
            place = _value_at(self._whole, path)
            if isinstance(place, list):
                yield {"items": None, **_remaining(pending, [*path, len(place)], entry)}
            else:
                yield {"data": None, **_remaining(pending, path, entry)}


def _remaining(pending: Mapping[str, Any], path: Path, item: Mapping[str, Any]) -> dict[str, Any]:
    rewritten: dict[str, Any] = {"path": path}
    if "label" in pending:
        rewritten["label"] = pending["label"]
    for key in ("errors", "extensions"):
        if key in item:
            rewritten[key] = item[key]
    return rewritten


def _value_at(whole: Any, path: Sequence[str | int]) -> Any:
    """Return what the client has at *path*; None if it has nothing there."""
    for step in path:
        if isinstance(whole, dict):
            whole = whole.get(step)
        elif isinstance(whole, list) and isinstance(step, int) and step < len(whole):
            whole = whole[step]
        else:
            return None
    return whole


def _merge(into: Any, data: Any) -> None:
    if not isinstance(into, dict) or not isinstance(data, dict):
        return
    for name, value in data.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        elif isinstance(value, list) and isinstance(into.get(name), list):
            for old, new in zip(into[name], value, strict=False):
                _merge(old, new)
        else:
            into[name] = value
