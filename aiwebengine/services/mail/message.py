"""Mail messages in the format of RFC 5322."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from aiwebengine.errors import Invalid, TooLarge
from aiwebengine.values import MailMessage

MOST_RECIPIENTS = 100
MOST_CHARACTERS = 10 * 1024 * 1024
_LONGEST_SUBJECT = 1000
_LONGEST_ADDRESS = 320


def compose(message: MailMessage, *, sender: str, now: float) -> EmailMessage:
    """
    Return a message that can be sent.

    Args:
        message: Not checked.
        sender: Its address.
        now: The time, since 1970.

    Raises:
        Invalid, TooLarge: It cannot be sent.
    """
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
    made["Message-ID"] = f"<{message_digest(message.id)}@aiwebengine>"
    made.set_content(_text(message.text))
    if message.html:
        made.add_alternative(_text(message.html), subtype="html")
    return made


def message_digest(identity: str) -> str:
    """Return what stands for a message in names, by its id."""
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _address(text: str) -> Address:
    """
    Read one address.

    Raises:
        Invalid: It is not valid.
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
