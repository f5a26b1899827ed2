"""
Selective delivery: which subscribers a message is for.

A subscriber has attributes, a message may have a `to`.  Every name in `to` must be met:

    the subscriber has no such attribute      never met
    plain values on both sides                equal, and of the same kind
    a list on either side                     any of one side equals any of the other
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiwebengine.errors import Invalid

_MOST_NAMES = 32
_MOST_LISTED = 1000
_LONGEST_TEXT = 1024


def matches(to: Mapping[str, Any] | None, attributes: Mapping[str, Any]) -> bool:
    """Return whether a message for *to* is for a subscriber with these attributes."""
    if not to:
        return True
    return all(name in attributes and _matches(wanted, attributes[name]) for name, wanted in to.items())


def checked(what: str, attributes: Any) -> dict[str, Any]:
    """
    Return the attributes, or the `to` of a message, as they were passed.

    Raises:
        Invalid: They are not names with strings, numbers, booleans, null, or lists of these.
    """
    if not isinstance(attributes, Mapping):
        raise Invalid(f"{what} must be an object such as {{ room: 7 }}.")
    if len(attributes) > _MOST_NAMES:
        raise Invalid(f"{what} may have at most {_MOST_NAMES} names; {len(attributes)} were given.")
    for name, value in attributes.items():
        values = value if isinstance(value, list) else [value]
        if len(values) > _MOST_LISTED:
            raise Invalid(f'{what}: "{name}" may list at most {_MOST_LISTED} values; {len(values)} were given.')
        for item in values:
            if item is not None and not isinstance(item, str | int | float | bool):
                raise Invalid(f'{what}: "{name}" must be a string, a number, a boolean, null, or a list of these.')
            if isinstance(item, str) and len(item) > _LONGEST_TEXT:
                raise Invalid(f'{what}: a string of "{name}" may have at most {_LONGEST_TEXT} characters.')
    return dict(attributes)


def _matches(wanted: Any, has: Any) -> bool:
    if not isinstance(wanted, list) and not isinstance(has, list):
        return _same(wanted, has)
    return not _kinds_and_values(wanted).isdisjoint(_kinds_and_values(has))


def _kinds_and_values(values: Any) -> set[tuple[bool, Any]]:
    # Each may list a thousand: one by one it would be a million comparisons.
    return {(isinstance(value, bool), value) for value in (values if isinstance(values, list) else [values])}


def _same(value: Any, other: Any) -> bool:
    # In Python True equals 1; in JSON it does not.
    return isinstance(value, bool) is isinstance(other, bool) and bool(value == other)
