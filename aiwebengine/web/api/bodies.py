"""
The four shapes in which a deployment arrives: one file, JSON, a zip, multipart.

All become the same: files by path and what else the body said.  The functions that do
the work are plain and may run in a thread; 25 MB of zip would hold up the reactor.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
from aiwebengine.scripts.package import file_name_for
from aiwebengine.settings.schema import DeploySettings

JSON_KEYS = ("files", "entry", "expected", "grants", "message", "origin")
_ZIP_TYPES = frozenset({"application/zip", "application/x-zip-compressed", "application/x-zip"})
_FIELD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentBody:
    """What a body said."""

    files: Mapping[str, bytes]
    entry: str | None = None
    said: Mapping[str, Any] = field(default_factory=dict)
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
        return _from_json(body, entry)
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
    # Somebody may send a script with the wrong type; its source says more than a JSON error would.
    return body.lstrip()[:1] in (b"{", b"[", b'"', b"")


def _from_json(body: bytes, entry: str | None) -> DeploymentBody:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"The body is not valid JSON: {str(error)[:200]}.") from error
    if not isinstance(value, dict) or not isinstance(value.get("files"), dict):
        raise Invalid('The JSON must be an object with "files": {"main.ts": "source", ...}.')
    for key in value:
        if key not in JSON_KEYS:
            near = difflib.get_close_matches(key[:64], JSON_KEYS, n=1)
            advice = f'did you mean "{near[0]}"?' if near else f"known are {', '.join(JSON_KEYS)}."
            raise Invalid(f"There is no key {json.dumps(key[:80])} in a deployment; {advice}")
    told = value.get("entry")
    if told is not None and not isinstance(told, str):
        raise Invalid(f'"entry" must be the path of a file; it is {json.dumps(told)[:80]}.')
    files = files_of(value["files"])
    said = {key: value[key] for key in ("expected", "grants", "message", "origin") if value.get(key) is not None}
    return DeploymentBody(files=files, entry=entry or told, said=said)


def files_of(told: Any) -> dict[str, bytes]:
    """
    Return the files that JSON holds: text, or `{"base64": "..."}`, by path.

    Raises:
        Invalid: It holds something else.
    """
    if not isinstance(told, dict):
        raise Invalid('"files" must be an object such as {"main.ts": "source"}.')
    return {path: _content(path, content) for path, content in told.items()}


def _content(path: str, value: Any) -> bytes:
    if isinstance(value, str):
        try:
            return value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise Invalid(f"The file {json.dumps(path[:80])} holds half a character (a lone surrogate).") from error
    if isinstance(value, dict) and isinstance(value.get("base64"), str) and len(value) == 1:
        try:
            return base64.b64decode(value["base64"], validate=True)
        except (binascii.Error, ValueError) as error:
            raise Invalid(f"The file {json.dumps(path[:80])} is not valid base64: {error}.") from error
    raise Invalid(
        f'The file {json.dumps(path[:80])} must be text or {{"base64": "..."}}; it is {json.dumps(value)[:80]}.'
    )


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
            _collect(parser.parse(body), files, settings)
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
                raise TooLarge(
                    f"All files together have at most {settings.max_total_bytes:,} bytes (deploy.max_total_bytes)."
                )
        elif event is None and keep is not None:
            files[path] = b"".join(parts)
