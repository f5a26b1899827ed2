"""
The report that a process sends at its deadline: where its script is.

The deadline's timers expire twice, see `deadline`.  The first time their signal has a handler, which is reset by the
kernel in that moment, so the second time nothing stands between the signal and the end of the process.  The handler
is called by C, wherever the process is, for one of Python's own would wait for Duktape to return:

- in Duktape, which Python waits for: it reads the call stack (`callstack`) and sends one box,

      _command=position v=at inner (input:12)      and a line for each caller

  whole or not at all.  Between two pumps the socket holds whole boxes only, and nothing else is sent within one.
- where Python waits for the server or for a timer: it sends a box without a value.  A script that waits is at no
  place of its own, and which calls are not answered the server knows.
- anywhere else: it sends nothing.

It never returns: the process is over, as it would be without a handler.  So it does not matter what the handler, which
is Python, finds half-done in the interpreter that it has interrupted, nor what it leaves there.
"""

from __future__ import annotations

import ctypes
import signal
import sys
from collections.abc import Callable, Collection
from types import CodeType

from sandbox.boxes import END, encode_pair

_MOST_BYTES = 2000
_AT_ONCE_SECONDS = 1e-6
_HEAD = encode_pair(b"_command", b"position") + b"\x00\x01v"
_SIGNALS = (signal.SIGALRM, signal.SIGPROF)

_SA_RESTART, _SA_NODEFER, _SA_RESETHAND = 0x10000000, 0x40000000, 0x80000000
_MSG_DONTWAIT, _MSG_NOSIGNAL = 0x40, 0x4000

_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_int)


class _SigAction(ctypes.Structure):
    """See sigaction(2); the same in glibc and musl on 64-bit machines."""

    _fields_ = (
        ("handler", _HANDLER),
        ("mask", ctypes.c_uint64 * 16),
        ("flags", ctypes.c_uint),
        ("restorer", ctypes.c_void_p),
    )


class DeadlineReporter:
    """
    The handler of the deadline's signals, which reports where the script is.

    Args:
        frames: Returns where the script is; see `callstack.CallStack.frames`.
        inside: The Python functions that call into Duktape.
        waiting: Those that wait while the script does, and send nothing.
    """

    __slots__ = ("_action", "_buffer", "_errno", "_frames", "_inside", "_libc", "_socket", "_waiting", "last_frames")

    def __init__(
        self, *, frames: Callable[[], list[bytes]], inside: Collection[CodeType], waiting: Collection[CodeType] = ()
    ) -> None:
        self._frames = frames
        self._inside = tuple(inside)
        self._waiting = tuple(waiting)
        self._socket = -1
        self.last_frames: list[bytes] = []
        """The frames that were read last, for a process that has no socket."""
        self._libc = ctypes.CDLL(None)
        # Written out it would be mangled as a private name of this class.
        self._errno = getattr(self._libc, "__errno_location")
        self._errno.restype = ctypes.POINTER(ctypes.c_int)
        # Made in advance, for nothing large can be made in the handler.
        self._buffer = ctypes.create_string_buffer(len(_HEAD) + 2 + _MOST_BYTES + len(END))
        self._action = _SigAction(handler=_HANDLER(self._signalled), flags=_SA_RESTART | _SA_NODEFER | _SA_RESETHAND)

    def send_to(self, descriptor: int) -> None:
        """Send on this socket from now on."""
        self._socket = descriptor

    def arm(self) -> None:
        """Have the next signal handled; children that are forked inherit that."""
        for number in _SIGNALS:
            self._libc.sigaction(int(number), ctypes.byref(self._action), None)

    def disarm(self) -> None:
        """Leave the signals their default action."""
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)

    def _signalled(self, number: int) -> None:
        errno = self._errno()[0]
        try:
            # The frame that C has interrupted.
            interrupted = sys._getframe(1).f_code  # noqa: SLF001  there is no other way to ask
            if any(interrupted is code for code in self._inside):
                self._report(self._frames() or [b"at ? (native)"])
            elif any(interrupted is code for code in self._waiting):
                self._report([])
        except Exception:  # noqa: BLE001  nothing may be thrown into what was interrupted
            self.last_frames = []
        finally:
            if self._socket >= 0:
                _end(number)
            self._errno()[0] = errno

    def _report(self, frames: list[bytes]) -> None:
        if self._socket < 0:
            self.last_frames = frames
            return
        start = ctypes.addressof(self._buffer)
        at = start + len(_HEAD) + 2
        first, most = at, at + _MOST_BYTES
        for frame in frames:
            if at + len(frame) + 1 > most:
                break
            ctypes.memmove(at, frame, len(frame))
            at += len(frame)
            ctypes.memset(at, 0x0A, 1)
            at += 1
        ctypes.memmove(start, _HEAD, len(_HEAD))
        ctypes.memmove(start + len(_HEAD), (at - first).to_bytes(2, "big"), 2)
        ctypes.memmove(at, END, len(END))
        self._libc.send(
            self._socket,
            self._buffer,
            ctypes.c_size_t(at + len(END) - start),
            _MSG_DONTWAIT | _MSG_NOSIGNAL,
        )


def _end(number: int) -> None:
    """End this process by a signal that has its default action."""
    signal.setitimer(signal.ITIMER_PROF if number == signal.SIGPROF else signal.ITIMER_REAL, _AT_ONCE_SECONDS)
    while True:
        pass
