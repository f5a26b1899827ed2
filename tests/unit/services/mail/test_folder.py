"""Mail that is written to a folder."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from email.policy import SMTP

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Invalid, TooLarge, Unavailable
from aiwebengine.interfaces import Mail
from aiwebengine.services.mail.folder import MailFolder
from aiwebengine.values import MailMessage
from tests.support.fakes.threads import ThreadsInTurn
from tests.support.folders import temporary_folder

HELLO = MailMessage(id="u1/0", to=("Ann Ö <ann@example.org>", "bob@example.org"), subject="Grüße", text="Hello Ä\n")


class MailFolderTests(SynchronousTestCase):
    def setUp(self):
        self.folder = temporary_folder(self) / "mail"
        self.now = 1_700_000_000.0
        self.mail: Mail = MailFolder(
            folder=self.folder, threads=ThreadsInTurn(), seconds=lambda: self.now, most_files=3
        )

    def sent(self):
        return [message_from_bytes(path.read_bytes(), policy=SMTP) for path in sorted(self.folder.glob("*.eml"))]

    def refused(self, error, **changes):
        self.failureResultOf(self.mail.send(replace(HELLO, **changes)), error)
        self.assertFalse(self.folder.exists() and list(self.folder.iterdir()))

    def test_written(self):
        """A message is one file that mail programs can read, for the owner only."""
        self.successResultOf(self.mail.send(replace(HELLO, html="<p>Hello Ä</p>", reply_to="shop@example.org")))
        [path] = self.folder.iterdir()
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        [sent] = self.sent()
        self.assertEqual(sent["to"], "Ann Ö <ann@example.org>, bob@example.org")
        self.assertEqual((sent["from"], sent["reply-to"]), ("aiwebengine@localhost", "shop@example.org"))
        self.assertEqual(sent["subject"], "Grüße")
        self.assertEqual(sent["date"], "Tue, 14 Nov 2023 22:13:20 +0000")
        self.assertEqual(sent.get_body(("plain",)).get_content(), "Hello Ä\r\n")
        self.assertEqual(sent.get_body(("html",)).get_content(), "<p>Hello Ä</p>\r\n")

    def test_once(self):
        """A message that is handed over again is the same one, also later."""
        self.successResultOf(self.mail.send(HELLO))
        self.now += 60
        self.successResultOf(self.mail.send(HELLO))
        self.successResultOf(self.mail.send(replace(HELLO, id="u1/1")))
        self.assertEqual(len(self.sent()), 2)

    def test_bounded(self):
        """Only so many are kept, the newest."""
        for at in range(5):
            self.now += 1
            self.successResultOf(self.mail.send(replace(HELLO, id=str(at), subject=str(at))))
        self.assertEqual([message["subject"] for message in self.sent()], ["2", "3", "4"])

    def test_wrong(self):
        """What would be another header, another recipient or too much is refused, and nothing is written."""
        for address in (
            "", "ann", "ann@", "@example.org", "ann@example.org, bob@example.org", "a@b\r\nBcc: eve@example.org",
            "Ann <ann@example.org> eve@example.org", "x" * 400 + "@example.org", "ä@example.org", "\ud800@example.org",
            "group: ann@example.org;",
        ):  # fmt: skip
            self.refused(Invalid, to=(address,))
            if address:
                self.refused(Invalid, sender=address)
                self.refused(Invalid, reply_to=address)
        for subject in ("a\nBcc: eve@example.org", "a\rb", "x" * 1001, "\0"):
            self.refused(Invalid, subject=subject)
        self.refused(TooLarge, to=())
        self.refused(TooLarge, to=("ann@example.org",) * 101)
        self.refused(TooLarge, text="x" * (10 * 1024 * 1024 + 1))

    def test_folder_is_missing(self):
        """A folder that cannot be made refuses the message with the reason."""
        self.folder.write_text("in the way")
        self.assertIn("could not be written", self.failureResultOf(self.mail.send(HELLO), Unavailable).value.public)

    @given(st.text(), st.text(max_size=1000), st.text(max_size=300))
    def test_any_text(self, text, subject, address):
        """Whatever the texts are, a message is refused or has the headers and recipients that were asked for."""
        self.setUp()
        sending = self.mail.send(replace(HELLO, text=text, subject=subject, to=("ann@example.org", address)))
        if self.folder.exists():
            self.successResultOf(sending)
            [sent] = self.sent()
            self.assertEqual(len(sent["to"].addresses), 2)
            self.assertEqual(sent["subject"].replace("\r\n", ""), str(sent["subject"]))
            self.assertNotIn("bcc", sent)
            self.assertEqual(
                {name.lower() for name in sent},
                {"from", "to", "subject", "date", "message-id", "content-type", "content-transfer-encoding",
                 "mime-version"},
            )  # fmt: skip
        else:
            self.failureResultOf(sending, Invalid)
