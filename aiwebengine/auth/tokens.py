"""
The administrator token.

It is 32 random bytes, written `awe_` and base64 without padding, made at the first start.
The server keeps only its SHA-256, in `administrator-token.sha256`; a token of 256 random
bits needs no slow hash.  The token itself is in `administrator-token`, mode 0600, for
the command line on the same machine; it can be deleted by those who have stored the token elsewhere.
Both files are replaced whole, so a reader never sees half a token, and a token that was
rotated by another process is valid at once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from pathlib import Path

from twisted.application.service import Service

from aiwebengine.errors import CannotStart, Unauthenticated
from aiwebengine.services.whole_files import write_whole
from aiwebengine.values import ADMINISTRATOR, Principal

TOKEN_FILE = "administrator-token"  # noqa: S105 - the name of a file
HASH_FILE = "administrator-token.sha256"
PREFIX = "awe_"
_LONGEST = 200


class AdministratorToken(Service):
    """
    Makes, keeps and checks the token.

    Args:
        folder: The data folder.
        random_bytes: The server's entropy.
        made: Called with a token that was made at this start, to be printed on a terminal only.
    """

    def __init__(
        self,
        *,
        folder: Path,
        random_bytes: Callable[[int], bytes],
        made: Callable[[str], None] | None = None,
    ) -> None:
        self._folder = folder
        self._random_bytes = random_bytes
        self._made = made
        self._seen: tuple[int, int, int] | None = None
        self._hash = b""

    def startService(self) -> None:
        """
        Make a token if there is none.

        Raises:
            CannotStart: Its files cannot be read or written.
        """
        super().startService()
        try:
            self._load()
            if not self._hash:
                token = self.rotate()
                if self._made is not None:
                    self._made(token)
        except OSError as error:
            raise CannotStart(
                f"The administrator token in {self._folder} cannot be read or written: {error.strerror}."
            ) from error

    def rotate(self) -> str:
        """Make a new token, which is returned once; the old one ends at once."""
        token = PREFIX + base64.urlsafe_b64encode(self._random_bytes(32)).rstrip(b"=").decode()
        # The token first: a hash without a token would lock out the administrator.
        write_whole(self._folder / TOKEN_FILE, f"{token}\n".encode("ascii"))
        write_whole(self._folder / HASH_FILE, f"{_hash(token).hex()}\n".encode("ascii"))
        return token

    def verify(self, token: str) -> Principal:
        """
        Return the principal of *token*.

        Raises:
            Unauthenticated: It is not the token.
        """
        self._load()
        digest = _hash(token[:_LONGEST])
        # The comparison takes the same time wherever the two differ.
        if not self._hash or not hmac.compare_digest(digest, self._hash):
            raise Unauthenticated("This is not the administrator token; `aiwebengine token` shows it on the server.")
        return ADMINISTRATOR

    def is_valid(self, token: str) -> bool:
        """Return whether it is the token."""
        try:
            self.verify(token)
        except Unauthenticated:
            return False
        return True

    def _load(self) -> None:
        """Read the hash if its file was replaced since."""
        path = self._folder / HASH_FILE
        try:
            stat = path.stat()
            seen = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
            if seen != self._seen:
                self._hash = bytes.fromhex(path.read_text("ascii").strip())
                self._seen = seen
        except (FileNotFoundError, ValueError):
            # Removed or damaged: there is no access until the next start makes a new one.
            self._hash, self._seen = b"", None


def read_token(folder: Path) -> str | None:
    """Read the token for a person on this machine; None if its file was deleted."""
    try:
        return (folder / TOKEN_FILE).read_text("ascii").strip()
    except FileNotFoundError:
        return None


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
