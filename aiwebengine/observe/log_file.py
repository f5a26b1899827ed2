"""
The file of the server's own log, which two processes may write at once during a handover.

It is opened for appending, so that neither writes over the other, and it is opened again when
its name means another file: the other process, or a program such as logrotate, has moved it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os

from twisted.python.logfile import LogFile


class SharedLogFile(LogFile):
    """See the module; it is rotated as `LogFile` does."""

    def write(self, data: str | bytes) -> None:
        """Write at the end of the file that has the name now."""
        if self._moved():
            # Without permission to make a file, the old one continues.
            with contextlib.suppress(OSError):
                replaced = self._file
                self._openFile()
                replaced.close()
        super().write(data)

    def _openFile(self) -> None:
        super()._openFile()
        descriptor = self._file.fileno()
        fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_APPEND)

    def _moved(self) -> bool:
        try:
            return not os.path.samestat(os.fstat(self._file.fileno()), os.stat(self.path))  # noqa: PTH116  Twisted's path
        except FileNotFoundError:
            return True
        except OSError:
            return False
