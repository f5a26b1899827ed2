"""
Values of a result that are checked and written as JSON in one step.

See `writing.py`, which makes the writer of an operation of these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphql import GraphQLEnumType

from aiwebengine.features.graphql.schema.leaves import leaf_value
from aiwebengine.features.graphql.transports.wire import encode_part, quoted
from aiwebengine.long_json import Checkpoint

_LONG = 256
"""Longer strings are counted at once, and written in pieces."""
_INT = 2**31
_EXACT = 2**53
_SHORT = 0.001
"""From here to `_EXACT` Python prints fractions as JavaScript does."""


class Unwritable(Exception):
    """The result has errors, or what else only graphql-core knows."""


class Output:
    """
    One result that is being written.

    Args:
        most: Characters that it may have.
        checkpoint: Called again and again.
    """

    __slots__ = ("checkpoint", "most", "size")

    def __init__(self, most: int, checkpoint: Checkpoint) -> None:
        self.most = most
        self.checkpoint = checkpoint
        self.size = 0
        """Characters of what is written already."""

    def grow(self, size: int) -> None:
        """
        Note how much there is now.

        Raises:
            Unwritable: It is too much.
        """
        self.size = size
        if size > self.most:
            raise Unwritable

    def written(self, value: Any) -> str:
        """Write a value of any size that is not looked into."""
        self.checkpoint()
        try:
            text = encode_part(value, self.checkpoint)
        except (ValueError, TypeError, RecursionError):
            raise Unwritable from None
        self.grow(self.size + len(text))
        return text


Writer = Callable[[Any, Output], str]
"""Writes one value."""
Member = tuple[str, str, Writer]
"""What stands before a member of an object, its name in the value, and who writes it."""


# -- objects and lists --------------------------------------------------------------------------


def object_writer(members: Sequence[Member], end: str, *, nullable: bool) -> Writer:
    """
    Return the writer of an object.

    Args:
        members: In their order.
        end: What stands behind them.
        nullable: It may be null.
    """

    def write(value: Any, output: Output) -> str:
        if value is None:
            return _null(nullable)
        # What is no object has no members; see `resolvers.member`.
        get = value.get if type(value) is dict else _nothing
        size = output.size
        text = "".join([before + writer(get(name), output) for before, name, writer in members]) + end
        output.grow(size + len(text))
        return text

    return write


def list_writer(item: Writer, together: int, *, nullable: bool) -> Writer:
    """
    Return the writer of a list.

    Args:
        item: Writes one value of it.
        together: Number that is written between two checkpoints.
        nullable: It may be null.
    """

    def write(value: Any, output: Output) -> str:
        if type(value) is not list:
            if value is None:
                return _null(nullable)
            raise Unwritable
        size = output.size
        texts: list[str] = []
        for at in range(0, len(value), together):
            output.checkpoint()
            texts.append(",".join([item(one, output) for one in value[at : at + together]]))
        text = f"[{','.join(texts)}]"
        output.grow(size + len(text))
        return text

    return write


def _null(nullable: bool) -> str:  # noqa: FBT001  it is what it says
    if not nullable:
        raise Unwritable
    return "null"


def _nothing(_name: str) -> None:
    """Return what a value that is no object has of each name."""


# -- leaves -------------------------------------------------------------------------------------


def leaf_writer(kind: Any, *, nullable: bool) -> Writer:
    """Return the writer of a scalar or an enum: quick for what is usual, see `leaf_value` for all else."""

    def other(value: Any, output: Output) -> str:
        if value is None:
            return _null(nullable)
        try:
            coerced = leaf_value(kind, value)
        except Exception:  # noqa: BLE001  graphql-core reports what is wrong
            raise Unwritable from None
        return output.written(coerced)

    if kind.name in {"String", "ID"}:
        return _string(other)
    if kind.name == "Int":
        return _integer(other)
    if kind.name == "Float":
        return _number(other)
    if kind.name == "Boolean":
        return _boolean(other)
    if isinstance(kind, GraphQLEnumType):
        return _enum(other, {name: f'"{name}"' for name in kind.values})
    return other


def _string(other: Writer) -> Writer:
    def write(value: Any, output: Output) -> str:
        return quoted(value) if type(value) is str and len(value) <= _LONG else other(value, output)

    return write


def _integer(other: Writer) -> Writer:
    def write(value: Any, output: Output) -> str:
        return str(value) if type(value) is int and -_INT < value < _INT else other(value, output)

    return write


def _number(other: Writer) -> Writer:
    def write(value: Any, output: Output) -> str:
        if type(value) is int:
            return str(value) if -_EXACT < value < _EXACT else other(value, output)
        if type(value) is float and _SHORT <= value < _EXACT and not value.is_integer():
            return repr(value)
        return other(value, output)

    return write


def _boolean(other: Writer) -> Writer:
    def write(value: Any, output: Output) -> str:
        if value is True:
            return "true"
        return "false" if value is False else other(value, output)

    return write


def _enum(other: Writer, names: Mapping[str, str]) -> Writer:
    def write(value: Any, output: Output) -> str:
        known = names.get(value) if type(value) is str else None
        return known if known is not None else other(value, output)

    return write
