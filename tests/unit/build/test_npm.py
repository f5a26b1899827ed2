"""What npm says about a failure, in one sentence without the server's paths."""

from __future__ import annotations

import pytest
from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.build.npm import Npm, NpmFailed, RegistryUnreachable, sentence
from aiwebengine.build.paths import without_paths

LOG = "npm error A complete log of this run can be found in: /var/npm/_logs/2026-11-28T13_12_11_778Z-debug-0.log\n"

SAID = {
    "npm error code E404\nnpm error 404 Not Found - GET https://registry.example/none\nnpm error 404\n"
    "npm error 404  The requested resource 'none@1.0.0' could not be found or you have no permission.\n"
    "npm error 404\nnpm error 404 Note that you can also install from a\n": (
        '"none@1.0.0" is not in the package registry'
    ),
    "npm error code ETARGET\nnpm error notarget No matching version found for zod@99.0.0.\n"
    "npm error notarget In most cases you or one of your dependencies are requesting a package version.\n": (
        'no version of "zod" fits "99.0.0"'
    ),
    "npm error code ETARGET\nnpm error notarget No matching version found for @a/b@^9.\n": (
        'no version of "@a/b" fits "^9"'
    ),
    "npm error code ERESOLVE\nnpm error ERESOLVE unable to resolve dependency tree\nnpm error\n"
    "npm error While resolving: undefined@undefined\nnpm error Found: react@17.0.0\nnpm error node_modules/react\n"
    'npm error   react@"17.0.0" from the root project\nnpm error\nnpm error Could not resolve dependency:\n'
    'npm error peer react@"^18.0.0" from react-dom@18.0.0\n': (
        'react-dom@18.0.0 needs react@"^18.0.0", and react@17.0.0 is required'
    ),
    "npm error code EUSAGE\nnpm error\nnpm error `npm ci` can only install packages when they are in sync.\n"
    "npm error\nnpm error Missing: zod@4.6.7 from lock file\nnpm error\nnpm error Clean install a project\n": (
        "package-lock.json does not fit package.json (Missing: zod@4.6.7 from lock file); "
        "run npm install and deploy the new package-lock.json"
    ),
    "npm error code EINTEGRITY\nnpm error sha512-abc== integrity checksum failed when using sha512\n": (
        "a package has another content than package-lock.json says (sha512-abc==)"
    ),
    "npm error code ENOTCACHED\nnpm error request to https://registry.example/zod failed: cache mode\n": (
        "https://registry.example/zod is not in npm's cache, and build.npm_offline forbids requests to registries"
    ),
    'npm error code EALLOWDIRECTORY\nnpm error Fetching packages of type "directory" have been disabled\n': (
        'Fetching packages of type "directory" have been disabled'
    ),
    "npm error code ENOSPC\nnpm error syscall write\nnpm error path /data/cache/packages/abc/node_modules/x\n"
    "npm error nospc There is not enough space on /data/cache/packages to finish.\n": (
        "nospc There is not enough space on ... to finish"
    ),
    "something else\n": "",
}  # fmt: skip


@pytest.mark.parametrize("said", SAID)
def test_one_sentence(said: str) -> None:
    """The reason is told in one line, whatever npm writes around it."""
    assert sentence(said + LOG) == SAID[said]


def test_paths() -> None:
    """Absolute paths are left out of what is shown; addresses and relative paths stay."""
    assert without_paths("open '/data/x/y.json' (file:///srv/a/b.mjs:1:2)") == "open '...' (...)"
    kept = "GET https://registry.example/zod/-/zod.tgz from node_modules/zod/index.js, ./a/b and /x"
    assert without_paths(kept) == kept


class NpmTests(SynchronousTestCase):
    """How a run ends."""

    def ended(self, status: int, said: bytes) -> Npm:
        process = Npm()
        process.outReceived(said)
        reason = ProcessTerminated(exitCode=status) if status else ProcessDone(0)
        process.processEnded(Failure(reason))
        return process

    def test_done(self) -> None:
        """A run without an error has installed."""
        self.assertIsNone(self.successResultOf(self.ended(0, b"added 1 package").done))

    def test_away(self) -> None:
        """A registry that does not answer is told apart: it is asked again."""
        failure = self.failureResultOf(self.ended(1, b"npm error code ECONNREFUSED\n").done, RegistryUnreachable)
        self.assertEqual(str(failure.value), "the package registry does not answer (ECONNREFUSED)")

    def test_refused(self) -> None:
        """Everything else is the author's to change; what npm does not explain is told by its status."""
        failure = self.failureResultOf(self.ended(3, b"").done, NpmFailed)
        self.assertEqual(str(failure.value), "npm ended with status 3")
