"""`/engine/api/scripts` and `/engine/api/script`: list, read, delete, history, roll back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from aiwebengine.errors import NotFound
from aiwebengine.scripts.deploy import Deployer
from aiwebengine.scripts.package import check_uri
from aiwebengine.scripts.store import ScriptStore
from aiwebengine.scripts.versions import StoredFile, Version
from aiwebengine.values import Answer
from aiwebengine.web.api import shapes
from aiwebengine.web.api.call import ApiCall, LongAnswer, nothing
from aiwebengine.web.api.listing import Listing
from aiwebengine.web.api.route import ApiRoute


class DeployedScripts:
    """
    What is deployed, and what was.

    Args:
        store: Reads it.
        deployer: Changes it.
        listing: Lists what is registered.
    """

    def __init__(self, *, store: ScriptStore, deployer: Deployer, listing: Listing) -> None:
        self._listing = listing
        self._store = store
        self._deployer = deployer

    def routes(self) -> list[ApiRoute]:
        """Return what this answers."""
        return [
            ApiRoute("GET", "/engine/api/scripts", self.list_all),
            ApiRoute("GET", "/engine/api/script", self.read),
            ApiRoute("DELETE", "/engine/api/script", self.delete),
            ApiRoute("GET", "/engine/api/script/file", self.file),
            ApiRoute("GET", "/engine/api/script/history", self.history),
            ApiRoute("POST", "/engine/api/script/rollback", self.rollback),
        ]

    async def list_all(self, call: ApiCall) -> LongAnswer:
        """List the scripts."""
        call.only("deleted")
        versions = await self._store.current()
        deleted = await self._store.deleted() if call.flag("deleted") else []
        return LongAnswer(partial(self._listed, versions, deleted))

    def _listed(self, versions: Sequence[Version], deleted: Sequence[str]) -> dict[str, Any]:
        listed = [shapes.script(version, self._listing) for version in versions]
        if deleted:
            listed += [shapes.deleted_script(uri) for uri in deleted]
            listed.sort(key=lambda script: str(script["uri"]))
        return {"scripts": listed}

    async def read(self, call: ApiCall) -> LongAnswer:
        """Read one script."""
        call.only("uri", "version", "content")
        uri = check_uri(call.required("uri"))
        number = call.integer("version", least=1)
        version = await self._store.version(uri, number)
        stored = await self._store.files(version.id)
        contents = await self._store.contents({file.digest for file in stored}) if call.flag("content") else None
        return LongAnswer(partial(self._shown, version, stored, contents), headers=[("etag", f'"{version.number}"')])

    def _shown(
        self, version: Version, stored: Sequence[StoredFile], contents: Mapping[str, bytes] | None
    ) -> dict[str, Any]:
        return {
            **shapes.script(version, self._listing),
            "warnings": shapes.problems(version.warnings),
            "manifest": dict(version.manifest),
            "toolchain": version.toolchain,
            "files": shapes.files(stored, contents),
        }

    async def file(self, call: ApiCall) -> Answer:
        """Read one file as it was deployed."""
        call.only("uri", "version", "path")
        uri = check_uri(call.required("uri"))
        path = call.required("path")
        version = await self._store.version(uri, call.integer("version", least=1))
        digest = next((file.digest for file in await self._store.files(version.id) if file.path == path), None)
        if digest is None:
            raise NotFound(f'Version {version.number} of "{uri}" has no file "{path[:255]}".')
        content = (await self._store.contents([digest]))[digest]
        # Whatever the file is, a browser must not run it as part of this server.
        headers = (
            (b"content-type", b"application/octet-stream"),
            (b"x-content-type-options", b"nosniff"),
            (b"etag", f'"{digest}"'.encode()),
        )
        return Answer(status=200, headers=headers, body=content)

    async def history(self, call: ApiCall) -> LongAnswer:
        """List the versions and what was done."""
        call.only("uri")
        return LongAnswer(partial(shapes.history, await self._store.history(check_uri(call.required("uri")))))

    async def rollback(self, call: ApiCall) -> LongAnswer:
        """Make an older version the current one."""
        call.only("uri", "version", "expected", "message")
        done = await self._deployer.rollback(
            check_uri(call.required("uri")),
            call.integer("version", least=1),
            expected=call.expected(),
            author=call.principal.id,
            message=call.text("message") or "",
        )
        number = done.version.number if done.version else 0
        return LongAnswer(partial(shapes.deployment, done, self._listing), headers=[("etag", f'"{number}"')])

    async def delete(self, call: ApiCall) -> Answer:
        """Delete a script."""
        call.only("uri", "expected", "purge", "message")
        await self._deployer.delete(
            check_uri(call.required("uri")),
            expected=call.expected(),
            purge=call.flag("purge"),
            author=call.principal.id,
            message=call.text("message") or "",
        )
        return nothing()
