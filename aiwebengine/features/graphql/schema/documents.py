"""SDL that was parsed already: of a schema that changes, only what has changed is parsed again."""

from __future__ import annotations

from graphql.language import DefinitionNode

from aiwebengine.features.graphql.schema.entries import SchemaPart
from aiwebengine.features.graphql.schema.parts import read_sdl


class ParsedSdl:
    """
    Keeps the definitions of what was parsed last, by script and text.

    It is used in several threads.  Two that ask for the same at the same time may both parse it.

    Args:
        max_characters: Of all cached SDL; parsed it takes about fifty times as many bytes.
        places: See `read_sdl`.
    """

    def __init__(self, *, max_characters: int, places: bool = False) -> None:
        self._places = places
        self._max_characters = max_characters
        self._kept: dict[tuple[str, str, str], tuple[DefinitionNode, ...]] = {}
        self._characters = 0

    def read(self, part: SchemaPart) -> tuple[DefinitionNode, ...]:
        """
        Return the definitions of a part, the same ones for every part of a script that has the same text.

        Raises:
            GraphQLError: It is no SDL.
        """
        key = (part.script, part.kind, part.sdl)
        known = self._kept.pop(key, None)
        if known is None:
            known = read_sdl(part, places=self._places)
            self._characters += len(part.sdl)
        self._kept[key] = known
        while self._characters > self._max_characters and len(self._kept) > 1:
            oldest = next(iter(self._kept), None)
            if oldest is None or self._kept.pop(oldest, None) is None:
                break
            self._characters -= len(oldest[2])
        return known
