"""
One run of npm, and what it says in one sentence.

npm explains a failure over many lines, with paths of the machine that it runs on. Authors get the one line about what
they can change; the whole goes to the server's log.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiwebengine.build.paths import without_paths

_log = Logger()
_MOST_OUTPUT = 64 * 1024
_MOST_WORDS = 400

_PREFIX = re.compile(r"^npm (?:error|ERR!) ?(?:404|notarget|[A-Z]{3,}[A-Z0-9]*)? ?")
_CODE = re.compile(r"^npm (?:error|ERR!) code ([A-Z0-9_]+)$", re.MULTILINE)
_SILENT = re.compile(r"^(?:code|errno|syscall|path|dest|A complete log|For a full report)\b")
_UNREACHABLE = re.compile(
    r"\b(ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|ESOCKETTIMEDOUT|ERR_SOCKET_TIMEOUT|FETCH_ERROR|EAI_AGAIN|"
    r"ENOTFOUND|ENETUNREACH|EHOSTUNREACH|E429|E50[0234])\b"
)
"""Codes of npm for a registry that cannot be reached, or that fails temporarily."""


class RegistryUnreachable(Exception):
    """No registry answered; says what npm said, in one sentence."""


class NpmFailed(Exception):
    """npm could not install; says why, in one sentence."""


class Npm(ProcessProtocol):
    """
    One run of npm.

    Attributes:
        done: Fires with None when it has installed; fails with `RegistryUnreachable` or `NpmFailed`.
    """

    def __init__(self) -> None:
        self.done: Deferred[None] = Deferred(lambda _: self._kill())
        self._output = b""

    def outReceived(self, data: bytes) -> None:
        """Keep the beginning of its output, which holds the reason of a failure."""
        self._output = (self._output + data)[:_MOST_OUTPUT]

    errReceived = outReceived

    def processEnded(self, reason: Failure) -> None:
        """Fire `done` with the result."""
        if self.done.called:
            return
        status = getattr(reason.value, "exitCode", 1)
        if status == 0:
            self.done.callback(None)
            return
        output = self._output.decode("utf-8", "replace")
        _log.info("npm ended with status {status}: {output}", status=status, output=output)
        unreachable = _UNREACHABLE.search(output)
        if unreachable is not None:
            self.done.errback(RegistryUnreachable(f"the package registry does not answer ({unreachable[0]})"))
        else:
            self.done.errback(NpmFailed(sentence(output) or f"npm ended with status {status}"))

    def _kill(self) -> None:
        if self.transport is not None and self.transport.pid:
            self.transport.signalProcess("KILL")


def sentence(output: str) -> str:
    """Return what npm said about its failure, as a part of one sentence without the machine's paths."""
    code = _CODE.search(output)
    lines = [_PREFIX.sub("", line).strip() for line in output.splitlines() if line.startswith("npm ")]
    lines = [without_paths(line) for line in lines if line and not _SILENT.match(line)]
    summary = _KNOWN[code[1]](lines) if code is not None and code[1] in _KNOWN else None
    words = summary or (lines[0] if lines else "")
    return words[:_MOST_WORDS].rstrip(".")


def _not_found(lines: list[str]) -> str | None:
    return _first_match(r"'([^']+)' (?:could not be found|is not in)", lines, '"{0}" is not in the package registry')


def _no_version(lines: list[str]) -> str | None:
    return _first_match(r"No matching version found for (\S+?)@(.+)\.$", lines, 'no version of "{0}" fits "{1}"')


def _conflict(lines: list[str]) -> str | None:
    needs = _first_match(r"^peer (?:optional )?(\S+) from (\S+)", lines, "{1} needs {0}")
    has = _first_match(r"^Found: (\S+)", lines, ", and {0} is required")
    return needs + (has or "") if needs else None


def _lock_differs(lines: list[str]) -> str | None:
    missing = _first_match(r"^((?:Missing|Invalid): .+)$", lines, " ({0})") or ""
    return f"package-lock.json does not fit package.json{missing}; run npm install and deploy the new package-lock.json"


def _other_content(lines: list[str]) -> str | None:
    return _first_match(
        r"^(sha\S+) integrity", lines, "a package has another content than package-lock.json says ({0})"
    )


def _not_cached(lines: list[str]) -> str | None:
    what = _first_match(r"request to (\S+) failed", lines, "{0} ") or "a package "
    return f"{what}is not in npm's cache, and build.npm_offline forbids requests to registries"


def _first_match(pattern: str, lines: list[str], words: str) -> str | None:
    for line in lines:
        match = re.search(pattern, line)
        if match is not None:
            return words.format(*match.groups())
    return None


_KNOWN: dict[str, Callable[[list[str]], str | None]] = {
    "E404": _not_found,
    "ETARGET": _no_version,
    "ERESOLVE": _conflict,
    "EUSAGE": _lock_differs,
    "EINTEGRITY": _other_content,
    "ENOTCACHED": _not_cached,
}
