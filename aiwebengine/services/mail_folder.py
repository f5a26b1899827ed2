"""
Mail that is written to a folder instead of being sent: what the `mail` port offers until something sends.

Each message is a file `<time>-<digest of its id>.eml`, which mail programs open.  The oldest
go when there are too many, so that a script that writes mail cannot fill the disk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.errors import Invalid, TooLarge, Unavailable
from aiwebengine.services.threads import Runs
from aiwebengine.services.whole_files import write_whole
from aiwebengine.values import MailMessage

_log = Logger()

MOST_RECIPIENTS = 100
MOST_CHARACTERS = 10 * 1024 * 1024
_LONGEST_SUBJECT = 1000
_LONGEST_ADDRESS = 320


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
        content = _made(message, sender=message.sender or self._sender, now=now).as_bytes()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        digest = _digest(message.id)
        existing = next(self._folder.glob(f"*-{digest}.eml"), None)
        if existing is not None:
            return existing
        path = self._folder / f"{int(now * 1000):015d}-{digest}.eml"
        write_whole(path, content)
        for old in sorted(self._folder.glob("*.eml"))[: -self._most_files]:
            old.unlink(missing_ok=True)
        return path


def _made(message: MailMessage, *, sender: str, now: float) -> EmailMessage:
    if not 0 < len(message.to) <= MOST_RECIPIENTS:
        raise TooLarge(f"A mail has 1 to {MOST_RECIPIENTS} recipients; this one has {len(message.to)}.")
    size = len(message.text) + len(message.html)
    if size > MOST_CHARACTERS:
        raise TooLarge(f"A mail may have at most {MOST_CHARACTERS} characters; this one has {size}.")
    if len(message.subject) > _LONGEST_SUBJECT or not message.subject.isprintable():
        raise Invalid(f"The subject of a mail is one line of at most {_LONGEST_SUBJECT} characters.")
    made = EmailMessage(policy=SMTP)
    made["From"] = _address(sender)
    made["To"] = [_address(recipient) for recipient in message.to]
    if message.reply_to:
        made["Reply-To"] = _address(message.reply_to)
    made["Subject"] = message.subject
    made["Date"] = format_datetime(datetime.fromtimestamp(now, UTC))
    made["Message-ID"] = f"<{_digest(message.id)}@aiwebengine>"
    made.set_content(_text(message.text))
    if message.html:
        made.add_alternative(_text(message.html), subtype="html")
    return made


def _digest(identity: str) -> str:
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _address(text: str) -> Address:
    """
    Read one address.

    Raises:
        Invalid: It is none.
    """
    parsed = _parsed(text) if text.isprintable() and len(text) <= _LONGEST_ADDRESS else None
    if parsed is None or not (parsed.username and parsed.domain and parsed.addr_spec.isascii()):
        example = "ann@example.org or Ann <ann@example.org>"
        raise Invalid(f'"{text[:_LONGEST_ADDRESS]}" is not an address such as {example}.')
    return Address(display_name=parsed.display_name, addr_spec=parsed.addr_spec)


def _parsed(text: str) -> Address | None:
    try:
        header: Any = SMTP.header_factory("To", text)
    except Exception:  # noqa: BLE001  the parser fails in many ways at what is no address
        return None
    alone = len(header.addresses) == len(header.groups) == 1 and header.groups[0].display_name is None
    return header.addresses[0] if alone and not header.defects else None


def _text(text: str) -> str:
    # Half of a surrogate pair cannot be sent.
    return text.encode("utf-8", "replace").decode()


def _refused(failure: Failure) -> Failure:
    error = failure.value
    if not isinstance(error, OSError):
        return failure
    why = f"The mail could not be written: {error.strerror}."
    return Failure(Unavailable(why, private=str(error), retry_seconds=30.0))
