"""The encrypted file."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from aiwebengine.features.secrets.sources.sealed_file import (
    KEY_VARIABLE,
    SealedSecret,
    find_keys,
    key_id,
    new_key,
    read_file,
    read_keys,
    seal,
    unseal,
    write_keys,
)
from aiwebengine.features.secrets.sources.source import SourceUnreadable

SECRETS = {"A": SealedSecret(value=b"\x00\xffvalue", hosts=("a.example",)), "B": SealedSecret(value=b"b")}


def refused(content, keys):
    with pytest.raises(SourceUnreadable) as raised:
        unseal(content, keys, where="The file x")
    return raised.value.public


def test_round_trip():
    """What was sealed is opened with the key, if it is among several; no name or value stands in the file."""
    key = new_key()
    content = seal(SECRETS, key)
    assert unseal(content, [new_key(), key], where="x") == SECRETS
    assert b"a.example" not in content
    assert seal(SECRETS, key) != content


def test_wrong_key():
    """Another key is named by what tells keys apart."""
    key, other = new_key(), new_key()
    assert f"encrypted with another key, {key_id(key)}; the key that was given is {key_id(other)}" in refused(
        seal(SECRETS, key), [other]
    )


@pytest.mark.parametrize("member", ["nonce", "sealed"])
def test_damaged(member):
    """A file that was changed is not read."""
    key = new_key()
    document = json.loads(seal(SECRETS, key))
    raw = bytearray(base64.b64decode(document[member]))
    raw[0] ^= 1
    document[member] = base64.b64encode(raw).decode()
    assert "is damaged" in refused(json.dumps(document).encode(), [key])


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"no JSON", b'{"format":1,"key":2,"nonce":3,"sealed":4}'])
def test_no_file_of_secrets(content):
    """Something else is told from a damaged file."""
    assert "is no file of secrets" in refused(content, [new_key()])


def test_later_format():
    """A format that is not known is named."""
    document = {**json.loads(seal(SECRETS, new_key())), "format": "aiwebengine secrets 9"}
    assert "'aiwebengine secrets 9'" in refused(json.dumps(document).encode(), [new_key()])


def test_keys(tmp_path: Path):
    """Keys come from the environment or a file that only its owner may read."""
    first, second = new_key(), new_key()
    path = tmp_path / "key"
    write_keys(path, [first, second])
    assert path.stat().st_mode & 0o777 == 0o600
    assert find_keys(environ={}, path=path) == [first, second]
    text = base64.b64encode(second).decode()
    assert find_keys(environ={KEY_VARIABLE: text}, path=path) == [second]
    assert read_keys(f"{text},{text}", where="x") == [second, second]
    for wrong in ("", "abc", base64.b64encode(b"short").decode()):
        with pytest.raises(SourceUnreadable):
            read_keys(wrong, where="x")
    with pytest.raises(SourceUnreadable, match="there is no file"):
        find_keys(environ={}, path=tmp_path / "none")


def test_files(tmp_path: Path):
    """A file that is not there has no secrets; one that cannot be read is an error."""
    assert read_file(tmp_path / "none") is None
    with pytest.raises(SourceUnreadable):
        read_file(tmp_path)
