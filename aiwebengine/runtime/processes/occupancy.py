"""How many processes of one version are busy, and how many of the places for all scripts they take."""

from __future__ import annotations

from aiwebengine.runtime.processes.slots import Share, Slots


class Occupancy:
    """
    Counts the busy processes of one version.

    Args:
        slots: The places of all scripts.
        share: This version's share of them.
        max_running: How many may work at once.
        max_parked: How many more may wait for the host or their clients.
    """

    __slots__ = ("_max_parked", "_max_running", "_share", "_slots", "busy", "parked", "pump")

    def __init__(self, *, slots: Slots, share: Share, max_running: int, max_parked: int) -> None:
        self._slots = slots
        self._share = share
        self._max_running = max_running
        self._max_parked = max_parked
        self.pump = slots.pump
        """Serves the scripts that wait, as far as there are places; to be called when some may have become free."""
        self.busy = 0
        """The busy ones."""
        self.parked = 0
        """Those of them that wait for the host or their clients."""

    def may_start(self) -> bool:
        """Return whether one more run may begin now."""
        # As `has_room`, for every request.
        busy, most = self.busy, self._max_running
        return busy - self.parked < most and busy < most + self._max_parked and self._slots.free(self._share)

    def has_room(self) -> bool:
        """Return whether one more run may begin, as far as this version is concerned."""
        busy, most = self.busy, self._max_running
        return busy - self.parked < most and busy < most + self._max_parked

    @property
    def working(self) -> int:
        """Return how many have a current run that does not wait."""
        return self.busy - self.parked

    def contended(self) -> bool:
        """Return whether another script waits for a place."""
        return self._slots.contended(self._share)

    def enter(self) -> None:
        """Count a process that begins a run."""
        self.busy += 1
        self._slots.enter(self._share)

    def leave(self, *, parked: bool, seconds: float) -> None:
        """
        Count a process no longer whose run is over.

        Args:
            parked: It waited when the run was over.
            seconds: For how long it had not waited.
        """
        self.busy -= 1
        if parked:
            self.parked -= 1
        else:
            self._slots.leave(self._share, seconds)

    def go_on(self, seconds: float) -> None:
        """Count a process, whose run was over after it had worked for so long, with its next run."""
        self._slots.go_on(self._share, seconds)

    def park(self, seconds: float) -> None:
        """Count a process among those that wait, after it had worked for so long."""
        self.parked += 1
        self._slots.leave(self._share, seconds)

    def resume(self) -> None:
        """Count a process among those that work again."""
        self.parked -= 1
        self._slots.enter(self._share)

    def wait(self) -> None:
        """Have the version served when there is a place."""
        self._slots.wait(self._share)

    def forget(self) -> None:
        """Wait for a place no longer."""
        self._slots.forget(self._share)
