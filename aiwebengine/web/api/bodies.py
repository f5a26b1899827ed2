"""
The four shapes in which a deployment arrives: one file, JSON, a zip, multipart.

All become the same: files by path and what else the body said.  The functions that do
the work are plain and run in a thread, where no single step of theirs is long: a thread that
is inside one call of the interpreter's own code holds up the reactor as surely as the reactor itself.
"""

from __future__ import annotations

import binascii
import difflib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any
from urllib.parse import unquote

from multipart import (
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    parse_options_header,
)

from aiwebengine.errors import Invalid, TooLarge
from aiwebengine.scripts.archive import unzip
from aiwebengine.scripts.package import file_name_for, ignored
from aiwebengine.settings.schema import DeploySettings
from aiwebengine.web.api.sliced_json import LONGEST_ESCAPE, SLICE, JsonReader

JSON_KEYS = ("files", "entry", "expected", "grants", "message", "origin")
_ZIP_TYPES = frozenset({"application/zip", "application/x-zip-compressed", "application/x-zip"})
_FIELD_BYTES = 64 * 1024
_PATH_BYTES = 4 * 1024
"""Of a path as JSON writes it: 255 characters, each as two escapes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentBody:
    """What a body said."""

    files: Mapping[str, bytes]
    entry: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    """`expected`, `grants`, `message` and `origin`, if the body is JSON; not checked."""


def body_bytes(settings: DeploySettings) -> int:
    """Return the largest body that a deployment may need: base64 is a third longer than what it holds."""
    return settings.max_total_bytes * 4 // 3 + 1024 * 1024


def read_deployment(
    body: bytes, *, content_type: str, uri: str, entry: str | None, settings: DeploySettings
) -> DeploymentBody:
    """
    Read the body of a deployment.

    Args:
        content_type: As the client sent it; empty if it did not.
        uri: The script's, which may name a single file.
        entry: What the query said.

    Raises:
        Invalid: The body is not what its type says.
        TooLarge: It holds more than the settings allow.
        DeploymentRefused: It holds names that no script may have.
    """
    media_type, options = parse_options_header(content_type)
    if media_type == "application/json" and _looks_like_files(body):
        return _from_json(body, entry, settings)
    if media_type in _ZIP_TYPES or (not media_type and body.startswith(b"PK\x03\x04")):
        return DeploymentBody(files=unzip(body, settings=settings), entry=entry)
    if media_type == "multipart/form-data":
        return DeploymentBody(files=_from_multipart(body, options, settings), entry=entry)
    if not body:
        raise Invalid("The body is empty; send one file, JSON, a zip or multipart/form-data.")
    # One file: `entry` is its name, not the choice among many.
    name = entry or file_name_for(uri, content_type)
    return DeploymentBody(files={name: body}, entry=name)


def _looks_like_files(body: bytes) -> bool:
    # A client may send a script with the wrong type; its source says more than a JSON error would.
    return body[:_FIELD_BYTES].lstrip()[:1] in (b"{", b"[", b'"', b"")


def _from_json(body: bytes, entry: str | None, settings: DeploySettings) -> DeploymentBody:
    files, values = read_files(body, settings=settings, others=dict.fromkeys(JSON_KEYS[1:], _FIELD_BYTES))
    if files is None:
        raise Invalid('The JSON must be an object with "files": {"main.ts": "source", ...}.')
    value = values.pop("entry", None)
    if value is not None and not isinstance(value, str):
        raise Invalid(f'"entry" must be the path of a file; it is {json.dumps(value)[:80]}.')
    return DeploymentBody(
        files=files,
        entry=entry or value,
        fields={key: value for key, value in values.items() if value is not None},
    )


def read_files(
    body: bytes, *, settings: DeploySettings, others: Mapping[str, int]
) -> tuple[dict[str, bytes] | None, dict[str, Any]]:
    """
    Read JSON that holds files; call it in a thread.

    What is counted is counted while it is read, so that a body with too much in it costs no more than one
    with as much as there may be.

    Args:
        body: An object whose key `files` has an object of strings or `{"base64": "..."}`, by path.
        others: Which keys it may have beside it, and how many bytes the value of each.

    Returns:
        The files, None if the key is not there; and the values of the other keys.  Of files that belong to no
        script (`package.ignored`) the content is left out.

    Raises:
        Invalid: It is something else.
        TooLarge: It holds more than the settings allow.
    """
    reader = JsonReader(body)
    files: dict[str, bytes] | None = None
    values: dict[str, Any] = {}
    try:
        if reader.peek() not in (b"{", b""):
            return None, {}
        for key in reader.members(_FIELD_BYTES):
            if key == "files":
                if files is not None:
                    raise Invalid('The key "files" is there twice.')
                files = _FilesReader(reader, settings).read()
            elif key in others:
                values[key] = reader.value(others[key])
            else:
                suggestions = difflib.get_close_matches(key[:64], ("files", *others), n=1)
                advice = (
                    f'did you mean "{suggestions[0]}"?'
                    if suggestions
                    else f"known are {', '.join(('files', *others))}."
                )
                raise Invalid(f"There is no key {json.dumps(key[:80])} here; {advice}")
        reader.end()
    except (ValueError, RecursionError) as error:
        raise Invalid(f"The body is not valid JSON: {str(error)[:200]}.") from error
    return files, values


class _FilesReader:
    """
    Reads files, and counts them before it keeps them.

    Args:
        reader: At their object.
    """

    def __init__(self, reader: JsonReader, settings: DeploySettings) -> None:
        self._reader = reader
        self._settings = settings
        self._bytes = 0
        self._kept = 0

    def read(self) -> dict[str, bytes]:
        if self._reader.peek() != b"{":
            raise Invalid('"files" must be an object such as {"main.ts": "source"}.')
        most = self._settings.max_files
        files: dict[str, bytes] = {}
        for path in self._reader.members(_PATH_BYTES):
            aside = ignored(path)
            self._kept += not aside
            if self._kept > most or len(files) >= most * 4 + 100:
                raise TooLarge(f"A script has at most {most} files (deploy.max_files).")
            if path in files:
                raise Invalid(f"The body holds {json.dumps(path[:80])} twice.")
            files[path] = self._content(path, aside=aside)
        return files

    def _content(self, path: str, *, aside: bool) -> bytes:
        name = json.dumps(path[:80])
        parts: list[bytes] = []
        size = 0
        try:
            for piece in self._pieces(name):
                if aside:
                    continue
                size += len(piece)
                self._bytes += len(piece)
                self._check(size, name)
                parts.append(piece)
        except UnicodeEncodeError as error:
            raise Invalid(f"The file {name} holds half a character (a lone surrogate).") from error
        except binascii.Error as error:
            raise Invalid(f"The file {name} is not valid base64: {error}.") from error
        return b"".join(parts)

    def _pieces(self, name: str) -> Iterator[bytes]:
        reader = self._reader
        wrong = Invalid(f'The file {name} must be text or {{"base64": "..."}}.')
        kind = reader.peek()
        if kind == b'"':
            yield from reader.string(self._settings.max_source_bytes * LONGEST_ESCAPE)
            return
        if kind != b"{":
            raise wrong
        has_body = False
        for key in reader.members(_FIELD_BYTES):
            if has_body or key != "base64" or reader.peek() != b'"':
                raise wrong
            has_body = True
            yield from reader.base64(self._settings.max_source_bytes * LONGEST_ESCAPE)
        if not has_body:
            raise wrong

    def _check(self, size: int, name: str) -> None:
        settings = self._settings
        if size > settings.max_source_bytes:
            most = f"{settings.max_source_bytes:,} bytes (deploy.max_source_bytes)"
            raise TooLarge(f"A file has at most {most}; {name} has more.")
        if self._bytes > settings.max_total_bytes:
            raise _too_large(settings)


def _from_multipart(body: bytes, options: Mapping[str, str], settings: DeploySettings) -> dict[str, bytes]:
    boundary = options.get("boundary", "")
    if not boundary:
        raise Invalid("multipart/form-data needs a boundary in its content type.")
    files: dict[str, bytes] = {}
    try:
        parser = PushMultipartParser(
            boundary,
            content_length=len(body),
            max_segment_count=settings.max_files * 2 + 100,
            max_segment_size=settings.max_source_bytes,
        )
        with parser:
            slices = (body[at : at + SLICE] for at in range(0, len(body), SLICE))
            _collect(chain.from_iterable(map(parser.parse, slices)), files, settings)
    except MultipartError as error:
        raise Invalid(f"The multipart body cannot be read: {str(error)[:200]}.") from error
    if not files:
        raise Invalid("The multipart body holds no files; each part needs a file name.")
    return files


def _decoded(path: str) -> str:
    """Return the path that a client means: some percent-encode the slashes of a file name, and what is not ASCII."""
    try:
        return unquote(path, errors="strict") if "%" in path else path
    except UnicodeDecodeError:
        return path


def _collect(events: Any, files: dict[str, bytes], settings: DeploySettings) -> None:
    left = settings.max_total_bytes
    keep: Callable[[bytes], None] | None = None
    for event in events:
        if isinstance(event, MultipartSegment):
            if not event.filename:
                keep = None
                continue
            parts: list[bytes] = []
            path, keep = _decoded(event.filename), parts.append
            if path in files:
                raise Invalid(f"The multipart body holds {json.dumps(path[:80])} twice.")
            if len(files) >= settings.max_files:
                raise TooLarge(f"A script has at most {settings.max_files} files (deploy.max_files).")
            files[path] = b""
        elif event and keep is not None:
            keep(bytes(event))
            left -= len(event)
            if left < 0:
                raise _too_large(settings)
        elif event is None and keep is not None:
            files[path] = b"".join(parts)


def _too_large(settings: DeploySettings) -> TooLarge:
    return TooLarge(f"All files together have at most {settings.max_total_bytes:,} bytes (deploy.max_total_bytes).")
