"""How scripts and versions look in JSON."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from aiwebengine.errors import Problem
from aiwebengine.scripts.versions import Deployment, History, StoredFile, Version
from aiwebengine.web.api.listing import Listing


def script(version: Version, listing: Listing) -> dict[str, Any]:
    """Return a script by the version that serves."""
    return {
        "uri": version.uri,
        "version": version.number,
        "id": version.id,
        "deployedAt": version.deployed_at,
        "author": version.author,
        "message": version.message,
        "origin": version.origin,
        "entry": version.entry,
        "basePath": version.manifest.get("basePath", ""),
        "hosts": list(version.manifest.get("hosts", ())),
        "grants": sorted(version.grants),
        "registered": listing(version.registered.entries),
        "warnings": len(version.warnings),
        "sizeBytes": version.size_bytes,
    }


def deleted_script(uri: str) -> dict[str, Any]:
    """Return a script that serves no longer."""
    return {"uri": uri, "version": None}


def files(stored: Iterable[StoredFile], contents: Mapping[str, bytes] | None = None) -> list[dict[str, Any]]:
    """
    Return the list of a version's files.

    Args:
        contents: What they hold, by digest, to be shown with them.
    """
    listed = []
    for file in stored:
        shown: dict[str, Any] = {"path": file.path, "sizeBytes": file.size_bytes, "digest": file.digest}
        listed.append(shown)
        if contents is None:
            continue
        content = contents[file.digest]
        try:
            shown["content"] = content.decode("utf-8")
        except UnicodeDecodeError:
            shown["contentBase64"] = base64.b64encode(content).decode()
    return listed


def problems(listed: Iterable[Problem]) -> list[dict[str, Any]]:
    """Return problems in their usual form."""
    return [problem.as_json() for problem in listed]


def deployment(done: Deployment, listing: Listing) -> dict[str, Any]:
    """Return what a deployment or a rollback did."""
    return {
        "script": script(done.version, listing) if done.version else None,
        "previous": done.previous,
        "changed": done.changed,
        "removed": listing(done.removed),
        "warnings": problems(done.warnings),
        "steps": dict(done.steps),
    }


def history(kept: History) -> dict[str, Any]:
    """Return a script's past."""
    return {
        "uri": kept.uri,
        "current": kept.current,
        "versions": [
            {
                "version": version.number,
                "id": version.id,
                "deployedAt": version.deployed_at,
                "author": version.author,
                "message": version.message,
                "origin": version.origin,
                "current": version.number == kept.current,
                "sizeBytes": version.size_bytes,
                "grants": sorted(version.grants),
            }
            for version in kept.versions
        ],
        "events": [
            {
                "at": event.at,
                "action": event.action,
                "version": event.number,
                "author": event.author,
                "message": event.message,
            }
            for event in kept.events
        ],
    }
