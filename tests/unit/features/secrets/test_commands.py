"""`aiwebengine secrets`."""

from __future__ import annotations

import base64

from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.features.secrets.commands import secrets
from aiwebengine.features.secrets.sources.sealed_file import KEY_VARIABLE, find_keys, new_key, read_file, unseal
from aiwebengine.terminal.exits import CommandFailed
from tests.support.fakes.commands import run_command
from tests.support.folders import temporary_folder


class FileCommandTests(SynchronousTestCase):
    """Those that write the encrypted file."""

    def setUp(self):
        self.folder = temporary_folder(self)

    def run_it(self, *words, value="", environ=None):
        command, *rest = words
        done = CliRunner().invoke(
            secrets, [command, "--data-folder", str(self.folder), *rest], input=value, env=environ or {}
        )
        if isinstance(done.exception, CommandFailed):
            return done.exception.code, done.exception.message
        return done.exit_code, done.output

    def stored(self, environ=None):
        content = read_file(self.folder / "secrets.sealed")
        keys = find_keys(environ=environ or {}, path=self.folder / "secrets.key")
        return {name: (secret.value, secret.hosts) for name, secret in unseal(content, keys, where="x").items()}

    def test_set(self):
        """A value is read from standard input; the first one makes a key; hosts stay unless others are given."""
        code, output = self.run_it("set", "KEY", "--host", "API.example.com", value="value\n")
        self.assertEqual(code, 0)
        self.assertIn("made the key", output)
        self.assertIn("KEY: stored", output)
        code, output = self.run_it("set", "KEY", value="two\nlines\n\n")
        self.assertEqual((code, "made the key" in output), (0, False))
        self.assertEqual(self.stored(), {"KEY": (b"two\nlines\n", ("api.example.com",))})
        for file in ("secrets.sealed", "secrets.key"):
            self.assertEqual((self.folder / file).stat().st_mode & 0o777, 0o600)

    def test_refused(self):
        """What cannot be stored is refused, and nothing is written."""
        self.assertIn("cannot be a name", self.run_it("set", "a b", value="v")[1])
        self.assertIn("is no host", self.run_it("set", "KEY", "--host", "a b", value="v")[1])
        self.assertIn("is empty", self.run_it("set", "KEY", value="\n")[1])
        self.assertIn("at most 65536 bytes", self.run_it("set", "KEY", value="v" * 65537)[1])
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_remove(self):
        """A secret is removed; one that is not there is named with a similar one."""
        self.run_it("set", "KEY", value="v")
        self.run_it("set", "OTHER", value="v")
        self.assertEqual(self.run_it("remove", "KEY")[0], 0)
        self.assertEqual(list(self.stored()), ["OTHER"])
        code, message = self.run_it("remove", "OTHR")
        self.assertEqual((code, 'did you mean "OTHER"?' in message), (4, True))

    def test_rotate(self):
        """Another key encrypts the same secrets; the old one is gone."""
        self.run_it("set", "KEY", value="v")
        before = (self.folder / "secrets.key").read_text()
        self.assertEqual(self.run_it("rotate")[0], 0)
        after = (self.folder / "secrets.key").read_text()
        self.assertNotEqual(after, before)
        self.assertEqual(len(after.splitlines()), 1)
        self.assertEqual(self.stored(), {"KEY": (b"v", ())})

    def test_key_of_the_environment(self):
        """A key in the environment is used, and with two of them the first one encrypts."""
        old, new = (base64.b64encode(new_key()).decode() for _ in range(2))
        self.run_it("set", "KEY", value="v", environ={KEY_VARIABLE: old})
        self.assertFalse((self.folder / "secrets.key").exists())
        self.assertEqual(self.run_it("rotate", environ={KEY_VARIABLE: f"{new},{old}"})[0], 0)
        self.assertEqual(self.stored({KEY_VARIABLE: new}), {"KEY": (b"v", ())})

    def test_wrong_key(self):
        """With another key nothing is overwritten; without its key no new one is made."""
        self.run_it("set", "KEY", value="v")
        content = (self.folder / "secrets.sealed").read_bytes()
        code, message = self.run_it(
            "set", "KEY", value="w", environ={KEY_VARIABLE: base64.b64encode(new_key()).decode()}
        )
        self.assertEqual((code, "encrypted with another key" in message), (3, True))
        (self.folder / "secrets.key").unlink()
        self.assertIn("there is no file", self.run_it("set", "KEY", value="w")[1])
        self.assertEqual((self.folder / "secrets.sealed").read_bytes(), content)

    def test_never_an_argument(self):
        """There is no way to give a value as an argument."""
        self.assertEqual(self.run_it("set", "KEY", "value")[0], 2)


LISTED = {
    "secrets": [
        {"name": "A", "source": "x", "hosts": ["a.example"], "scripts": [{"uri": "shop", "hosts": ["a.example"]}]},
        {"name": "B", "source": None, "hosts": [], "scripts": [{"uri": "shop", "hosts": []}]},
    ]
}
SERVING = {
    "uri": "shop",
    "version": 3,
    "entry": "main.js",
    "grants": ["fetch:a.example", "secret:A@a.example"],
    "files": [{"path": "main.js", "content": "x"}, {"path": "a.png", "contentBase64": "AA=="}],
}


class ServerCommandTests(SynchronousTestCase):
    """Those that ask a server."""

    def run_it(self, *words):
        answers = {
            ("GET", "/secrets"): LISTED,
            ("GET", "/scripts"): {"scripts": [{"uri": "shop"}]},
            ("GET", "/script"): SERVING,
            ("PUT", "/script"): {},
        }
        return run_command(self, secrets, *words, answers=answers)

    def deployed(self, *words):
        client, code, _ = self.run_it(*words)
        self.assertEqual(code, 0)
        return client.calls[-1][3]

    def test_list(self):
        """All secrets are listed with their scripts; one that is granted and not there is missing."""
        _, code, output = self.run_it("list")
        self.assertEqual(code, 0)
        self.assertIn("shop (a.example)", output)
        self.assertIn("missing", output)

    def test_grant(self):
        """A script is deployed as it is, with a capability more; if another version came first it is refused."""
        document = self.deployed("grant", "B", "shop", "--host", "B.example", "--host", "c.example")
        self.assertEqual(
            document["grants"], ["fetch:a.example", "secret:A@a.example", "secret:B@b.example", "secret:B@c.example"]
        )
        self.assertEqual(document["files"], {"main.js": "x", "a.png": {"base64": "AA=="}})
        self.assertEqual((document["entry"], document["expected"]), ("main.js", 3))
        self.assertIn("secret:B", self.deployed("grant", "B", "shop")["grants"])

    def test_revoke(self):
        """All grants of a secret go; one that there was not is an error."""
        self.assertEqual(self.deployed("revoke", "A", "shop")["grants"], ["fetch:a.example"])
        _, code, output = self.run_it("revoke", "B", "shop")
        self.assertEqual((code, "may not use B" in output), (4, True))

    def test_unknown_script(self):
        """A script that is not there is named with a similar one."""
        _, code, output = self.run_it("grant", "A", "shp")
        self.assertEqual((code, 'did you mean "shop"?' in output), (4, True))
