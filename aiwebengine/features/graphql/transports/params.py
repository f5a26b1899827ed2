"""Reading what a request asks for: the parameters of GraphQL over HTTP, and persisted documents."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from graphql import GraphQLError

from aiwebengine.errors import Invalid, TooLarge, UnsupportedMedia
from aiwebengine.exact_json import decode
from aiwebengine.features.graphql.execution.documents import Documents
from aiwebengine.features.graphql.execution.execute import RequestFailed
from aiwebengine.features.graphql.execution.operation import Params
from aiwebengine.host.declare import described
from aiwebengine.long_json import Checkpoint, decode_utf8, no_checkpoint
from aiwebengine.values import Request

_NOT_FOUND = "PersistedQueryNotFound"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_CHARSET = re.compile(r"charset\s*=\s*\"?([^\";\s]+)", re.IGNORECASE)
_MOST_FIELDS = 50
_MOST_VALUES = 50_000
_COUNTED_AT_ONCE = 64 * 1024


def read_request(request: Request, checkpoint: Checkpoint = no_checkpoint) -> Mapping[str, Any]:
    """
    Return the parameters of a GET or POST as they are, unchecked.

    Args:
        checkpoint: Called again and again while a large body is read.

    Raises:
        Invalid: They cannot be read.
        UnsupportedMedia: The body is not JSON.
    """
    if request.method == "POST":
        return read_body(request, checkpoint)
    try:
        pairs = parse_qsl(request.query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise Invalid(f"The query has more than {_MOST_FIELDS} parameters.") from None
    params: dict[str, Any] = dict(pairs)
    for name in ("variables", "extensions"):
        if params.get(name):
            params[name] = parse_json(params[name], f"The parameter {name}", checkpoint)
        else:
            params.pop(name, None)
    for name in ("operationName", "query"):
        if params.get(name) == "":
            del params[name]
    return params


def read_body(request: Request, checkpoint: Checkpoint) -> Mapping[str, Any]:
    """
    Return the JSON object that is the body of a request.

    Raises:
        Invalid, UnsupportedMedia: It is not one.
    """
    body = _read(request, checkpoint)
    if not isinstance(body, dict):
        raise Invalid(
            'The body is a JSON object such as {"query": "{ notes { id } }"}; several at once are not accepted here.'
        )
    return body


def read_batch(
    request: Request, most: int, checkpoint: Checkpoint = no_checkpoint
) -> Sequence[Mapping[str, Any]] | Mapping[str, Any]:
    """
    Return the parameters of a request, or those of several operations that are sent as an array.

    Args:
        request: A GET or a POST.
        most: How many there may be; 0: an array is not accepted.
        checkpoint: See `read_request`.

    Raises:
        Invalid, UnsupportedMedia: They cannot be read; there are none, or too many.
    """
    if not most or request.method != "POST":
        return read_request(request, checkpoint)
    body = _read(request, checkpoint)
    if isinstance(body, dict):
        return body
    if not isinstance(body, list) or not all(isinstance(item, dict) for item in body):
        raise Invalid('The body is a JSON object such as {"query": "{ notes { id } }"}, or an array of such objects.')
    if not body or len(body) > most:
        raise Invalid(f"An array has from 1 to {most} operations (graphql.max_batch); this one has {len(body)}.")
    return body


def _read(request: Request, checkpoint: Checkpoint) -> Any:
    if not _is_json(request.headers.get("content-type", "")):
        raise UnsupportedMedia(
            "A GraphQL request is JSON: send it with the header content-type: application/json, in UTF-8; "
            f"{described(request.headers.get('content-type', ''))} was given."
        )
    try:
        text = decode_utf8(request.body, checkpoint).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise Invalid(f"The body is JSON in UTF-8; byte {error.start} of this one is not.") from None
    return parse_json(text, "The body", checkpoint)


@lru_cache(maxsize=256)
def _is_json(content_type: str) -> bool:
    """Return whether a header names JSON in UTF-8; clients repeat theirs."""
    kind, _, rest = content_type.partition(";")
    charset = _CHARSET.search(rest)
    return kind.strip().lower() == "application/json" and (not charset or charset[1].lower() in {"utf-8", "utf8"})


def _has_many_values(text: str, checkpoint: Checkpoint) -> bool:
    """Return whether there is too much to parse, as soon as that is sure; commas in strings count, too."""
    if len(text) <= _MOST_VALUES:
        return False
    count = 0
    for at in range(0, len(text), _COUNTED_AT_ONCE):
        checkpoint()
        count += sum(text.count(mark, at, at + _COUNTED_AT_ONCE) for mark in ",[{")
        if count > _MOST_VALUES:
            return True
    return False


def parse_json(text: str, what: str, checkpoint: Checkpoint) -> Any:
    """
    Parse JSON.

    Args:
        what: What it is, for people.
        checkpoint: See `read_request`.

    Raises:
        Invalid: It is not valid.
        TooLarge: It has more values than any operation needs.
    """
    if _has_many_values(text, checkpoint):
        raise TooLarge(f"{what} has at most {_MOST_VALUES:,} values; send fewer, or send them as one string.")
    try:
        return decode(text, doubles=True, checkpoint=checkpoint)
    except json.JSONDecodeError as error:
        raise Invalid(f"{what} is not JSON: {error.msg} in line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise Invalid(f"{what} is JSON nested too deeply.") from None


def read_params(params: Mapping[str, Any], documents: Documents, *, persisted: bool) -> Params:
    """
    Check parameters, and find the document if only its digest was sent.

    Args:
        persisted: Whether documents are kept.

    Raises:
        Invalid: A parameter is not what it should be.
        RequestFailed: The document is not known.
    """
    query, variables = params.get("query"), params.get("variables")
    name, extensions = params.get("operationName"), params.get("extensions")
    if query is not None and not isinstance(query, str):
        raise Invalid(f"The parameter query is the text of a GraphQL document; {described(query)} was given.")
    if variables is not None and not isinstance(variables, dict):
        raise Invalid(f"The parameter variables is an object; {described(variables)} was given.")
    if name is not None and not isinstance(name, str):
        raise Invalid(f"The parameter operationName must be a string; {described(name)} was given.")
    if extensions is not None and not isinstance(extensions, dict):
        raise Invalid(f"The parameter extensions is an object; {described(extensions)} was given.")
    digest = _digest(params, extensions or {})
    if digest is not None:
        query = _persisted(digest, query, documents, persisted=persisted)
    if not query:
        raise Invalid('The parameter query is missing; send a GraphQL document such as "{ __typename }".')
    return Params(query, variables or {}, name)


def _digest(params: Mapping[str, Any], extensions: Mapping[str, Any]) -> str | None:
    persisted_query = extensions.get("persistedQuery")
    if isinstance(persisted_query, dict):
        digest = persisted_query.get("sha256Hash")
    else:
        named = params.get("documentId")
        if not isinstance(named, str):
            return None
        digest = named.removeprefix("sha256:")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise Invalid(
            f"A persisted document is named by its SHA-256, 64 hexadecimal digits; {described(digest)} was given."
        )
    return digest


def _persisted(digest: str, query: str | None, documents: Documents, *, persisted: bool) -> str:
    if not persisted:
        raise _failed("PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED")
    if query is None:
        text = documents.persisted(digest)
        if text is None:
            raise _failed(_NOT_FOUND, "PERSISTED_QUERY_NOT_FOUND")
        return text
    try:
        documents.persist(query, digest)
    except GraphQLError as error:
        raise RequestFailed([error]) from None
    return query


def _failed(message: str, code: str) -> RequestFailed:
    return RequestFailed([GraphQLError(message, extensions={"code": code})])
