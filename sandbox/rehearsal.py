"""
A run whose answer is not read, in a process of its own, to learn which pages a run touches.

Where each process serves one request only, most of the time of a request would be spent on copying pages; see `pages`.
So the server has a template fork one process that runs a handler with a made-up request.  It ends like any other that
serves one run, or when it waits for an answer, since the server has closed its socket.  The pages that it has touched
are touched in advance by those that are forked after it, while they wait for their request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.forker import Child
from sandbox.pages import PageList, mappings, touched

_MOST_MAPS_BYTES = 1024 * 1024


class Rehearsal:
    """
    One template's; to be made before the template drops its rights.

    Raises:
        OSError: The system does not report the memory of a process.
    """

    def __init__(self) -> None:
        self._maps = Path("/proc/self/maps").open("rb")  # noqa: SIM115  Read when the script has loaded.
        self._pages = PageList()

    def children(self, clone: Child) -> dict[str, Child]:
        """
        Return what forked processes do, by the operation that asks for them; the script must have loaded.

        Args:
            clone: Serves runs, and returns when it has served one, or the other side has closed.
        """
        places = mappings(self._maps.read(_MOST_MAPS_BYTES))
        self._maps.close()
        pages = self._pages

        def rehearse(request: Mapping[str, Any], descriptors: Sequence[int], parent: int) -> None:
            clone({**request, "once": True}, descriptors, parent)
            pages.write(touched(places))

        def prepared(request: Mapping[str, Any], descriptors: Sequence[int], parent: int) -> None:
            pages.touch()
            clone(request, descriptors, parent)

        return {"clone": prepared, "rehearse": rehearse}
