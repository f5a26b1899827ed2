"""What an engine gets of secrets."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial

from aiwebengine.features.secrets.api import SecretList
from aiwebengine.features.secrets.book import SecretBook
from aiwebengine.features.secrets.calls import SecretCalls
from aiwebengine.features.secrets.requests.placeholders import Placeholders
from aiwebengine.features.secrets.requests.requests import RequestsWithSecrets
from aiwebengine.features.secrets.script_redactions import ScriptRedactions
from aiwebengine.features.secrets.settings import SecretSettings
from aiwebengine.features.secrets.sources.configured import configured_sources
from aiwebengine.host.host_patterns import HostPattern, read_pattern
from aiwebengine.machinery import Machinery, Parts
from aiwebengine.ports import KEYS, SECRETS
from aiwebengine.scripts.store import ScriptStore


def build(machinery: Machinery) -> Parts:
    """Build the parts of the feature."""
    base, current = machinery.base, machinery.current
    settings = base.settings.of(SecretSettings)
    book = SecretBook(
        sources=configured_sources(machinery.base, settings, environ=os.environ),
        hosts=_hosts(settings),
        clock=base.reactor,
    )
    placeholders = Placeholders(entropy=base.entropy)

    def serving(uri: str) -> tuple[str, frozenset[str]] | None:
        script = current.registry.scripts.get(uri)
        return (script.version, script.grants) if script is not None else None

    machinery.ports.offer(
        SECRETS,
        RequestsWithSecrets(
            book=book, placeholders=placeholders, sources=partial(_read_files, base.store), serving=serving
        ),
    )
    ScriptRedactions(book=book, current=current, redactions=machinery.hooks.redactions)
    calls = SecretCalls(book=book, placeholders=placeholders, keys=partial(machinery.ports.find, KEYS))
    return Parts(
        groups=[calls],
        api=[SecretList(book=book, current=current)],
        services=[("secrets", book)],
        state={"secrets": book.state},
    )


def _hosts(settings: SecretSettings) -> Mapping[str, Sequence[HostPattern]]:
    hosts: dict[str, list[HostPattern]] = {}
    for text in settings.hosts:
        name, _, host = text.partition("=")
        hosts.setdefault(name, []).append(read_pattern(host))
    return hosts


async def _read_files(store: ScriptStore, version: str) -> Mapping[str, bytes]:
    """Return the author's files of a version, by path."""
    files = await store.files(version)
    contents = await store.contents({file.digest for file in files})
    return {file.path: contents[file.digest] for file in files if file.digest in contents}
