"""What stored versions have registered, brought to one list of entries whatever their kind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from alembic.operations import Operations

_VERSIONS = sa.table("versions", sa.column("id", sa.BigInteger), sa.column("registered", sa.Text))
_AT_ONCE = 100


def list_entries(op: Operations) -> None:
    """Rewrite every version, a few at a time: each may be large."""
    connection = op.get_bind()
    last = -1
    while rows := connection.execute(
        sa.select(_VERSIONS).where(_VERSIONS.c.id > last).order_by(_VERSIONS.c.id).limit(_AT_ONCE)
    ).all():
        for row in rows:
            entries = json.dumps(_rewritten(json.loads(row.registered)))
            connection.execute(sa.update(_VERSIONS).where(_VERSIONS.c.id == row.id).values(registered=entries))
        last = rows[-1].id


def _rewritten(stored: dict[str, Any]) -> dict[str, Any]:
    """Return what a version has registered in the new form."""
    return {
        "entries": [
            *(_entry_of_route(route) for route in stored["routes"]),
            # Versions that are older than the schema have none.
            *(_entry_of_part(part) for part in stored.get("schema", ())),
        ],
        "middleware": stored["middleware"],
    }


def _entry_of_route(route: dict[str, Any]) -> dict[str, Any]:
    """Return the entry of a path; what streams and WebSockets ask for stood below one option."""
    options = route["options"]
    kind = next((kind for kind in ("stream", "socket") if kind in options), "route")
    return {
        "kind": kind,
        "key": route["pattern"],
        "handler": route["handler"],
        "methods": route["methods"],
        "options": {**options.get(kind, {}), **{name: value for name, value in options.items() if name != kind}},
        "place": route["place"],
    }


def _entry_of_part(part: dict[str, Any]) -> dict[str, Any]:
    """Return the entry of what is added to the GraphQL schema."""
    return {
        "kind": "graphql",
        "key": f"{part['kind']} {part['name']}",
        "handler": part["handler"],
        "methods": [],
        "options": {"kind": part["kind"], "name": part["name"], "sdl": part["sdl"], "options": part["options"]},
        "place": part["place"],
    }
