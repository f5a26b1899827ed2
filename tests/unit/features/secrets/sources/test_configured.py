"""Which sources the settings make."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from twisted.internet.task import Clock

from aiwebengine.errors import CannotStart
from aiwebengine.features.secrets.settings import SecretSettings
from aiwebengine.features.secrets.sources.configured import configured_sources
from tests.support.fakes.threads import ThreadsInTurn


def names(base_folder, **settings):
    base = SimpleNamespace(folder=base_folder, unpacking_threads=ThreadsInTurn(), reactor=Clock())
    return [source.name for source in configured_sources(base, SecretSettings(**settings), environ={})]


def test_order(tmp_path: Path):
    """Only what the settings name is a source, in the order that they give, each once."""
    assert names(tmp_path) == ["environment", "encrypted file"]
    everything = {"files": ("A=/a",), "folder": "/b", "vault_url": "https://vault.example"}
    assert names(tmp_path, **everything) == ["environment", "files", "folder", "encrypted file", "vault"]
    assert names(tmp_path, order=("vault", "files", "vault"), **everything) == ["vault", "files"]


def test_certificates(tmp_path: Path):
    """A file of certificates that is none keeps the server from starting."""
    wrong = tmp_path / "ca.pem"
    for content, why in ((None, "cannot be read"), ("text", "has no certificate")):
        if content is not None:
            wrong.write_text(content)
        with pytest.raises(CannotStart, match=why):
            names(tmp_path, vault_url="https://vault.example", vault_ca_file=str(wrong))
