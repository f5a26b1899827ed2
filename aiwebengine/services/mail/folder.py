"""
Mail that is written to a folder instead of being sent: what the `mail` port offers until something sends.

Each message is a file `<time>-<digest of its id>.eml`, which mail programs open.  The oldest
go when there are too many, so that a script that writes mail cannot fill the disk.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import Unavailable
from aiwebengine.services.threads import Runs
from aiwebengine.services.whole_files import write_whole
from aiwebengine.values import MailMessage

_log = Logger()


class MailFolder:
    """
    See `interfaces.Mail`, and the module.

    Args:
        folder: Where the files are written; made if missing.
        threads: Where they are written.
        seconds: The server's clock, since 1970.
        sender: Of messages that name none.
        most_files: Most files that are kept.
    """

    def __init__(
        self,
        *,
        folder: Path,
        threads: Runs,
        seconds: Callable[[], float],
        sender: str = "aiwebengine@localhost",
        most_files: int = 1000,
    ) -> None:
        self._folder = folder
        self._threads = threads
        self._seconds = seconds
        self._sender = sender
        self._most_files = most_files

    def send(self, message: MailMessage) -> Deferred[None]:
        """See `interfaces.Mail.send`."""

        def written(path: Path) -> None:
            to = ", ".join(message.to)
            _log.info("mail to {to} was written to {path}: {subject}", to=to, subject=message.subject, path=str(path))

        return self._threads.run(self._write, message, self._seconds()).addCallbacks(written, _refused)

    def _write(self, message: MailMessage, now: float) -> Path:
        """Check and write a message, in a thread: encoding a long one takes a while."""
        from aiwebengine.services.mail.message import compose, message_digest  # noqa: PLC0415  Few servers send mail; Python's mail modules take half a megabyte.

        content = compose(message, sender=message.sender or self._sender, now=now).as_bytes()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        digest = message_digest(message.id)
        existing = next(self._folder.glob(f"*-{digest}.eml"), None)
        if existing is not None:
            return existing
        path = self._folder / f"{int(now * 1000):015d}-{digest}.eml"
        write_whole(path, content)
        for old in sorted(self._folder.glob("*.eml"))[: -self._most_files]:
            old.unlink(missing_ok=True)
        return path


def _refused(failure: Failure) -> Failure:
    error = failure.value
    if not isinstance(error, OSError):
        return failure
    why = f"The mail could not be written: {error.strerror}."
    return Failure(Unavailable(why, private=str(error), retry_seconds=30.0))
