"""
The Web Platform Tests, from a folder that somebody has fetched: those of them that any host of JavaScript can run.

They are the files that end in `.any.js`.  What they need of a browser, or of the server that belongs to them, fails
everywhere.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.standards.program import StandardFile

TOPICS: Mapping[str, str] = {
    "url": "url/*.any.js",
    "encoding": "encoding/**/*.any.js",
    "FileAPI/blob": "FileAPI/blob/*.any.js",
    "FileAPI/file": "FileAPI/file/File-*.any.js",
    "xhr/formdata": "xhr/formdata/*.any.js",
    "fetch/api/headers": "fetch/api/headers/headers-*.any.js",
    "fetch/api/request": "fetch/api/request/request-[!ck]*.any.js",
    "fetch/api/response": "fetch/api/response/*.any.js",
    "fetch/api/body": "fetch/api/body/*.any.js",
    "WebCryptoAPI": "WebCryptoAPI/**/*.any.js",
    "streams": "streams/**/*.any.js",
    "html/webappapis/atob": "html/webappapis/atob/*.any.js",
    "html/webappapis/timers": "html/webappapis/timers/*.any.js",
    "html/webappapis/microtask-queuing": "html/webappapis/microtask-queuing/*.any.js",
    "dom/abort": "dom/abort/*.any.js",
    "dom/events": "dom/events/*.any.js",
    "hr-time": "hr-time/*.any.js",
    "compression": "compression/*.any.js",
    "urlpattern": "urlpattern/urlpattern.any.js",
}
"""Which files belong to a topic."""

# They say nothing about behaviour, or only that a browser has been left.
_SKIPPED = re.compile(r"idlharness|historical|pbkdf2|request-bad-port")
_SCRIPT = re.compile(r"^// META: *script=(.+)$", re.MULTILINE)
_JSON = re.compile(r"""["'`]([\w./-]+\.json)["'`]""")
_HELPERS = ("subset-tests", "idlharness", "webidl2", "gc.js")


def wpt_files(folder: Path) -> Iterator[StandardFile]:
    """Return the tests of all topics, in order."""
    for topic, pattern in TOPICS.items():
        for path in sorted(folder.glob(pattern)):
            if not _SKIPPED.search(path.name):
                yield _file(folder, topic, path)


def _file(folder: Path, topic: str, path: Path) -> StandardFile:
    source = path.read_text("utf-8")
    wanted = [name for name in _SCRIPT.findall(source) if not any(helper in name for helper in _HELPERS)]
    scripts = [_beside(folder, path, name) for name in wanted]
    text = "\n".join([*(script.read_text("utf-8") for script in scripts if script.exists()), source])
    files = {name: _beside(folder, path, name) for name in sorted(set(_JSON.findall(text)))}
    return StandardFile(
        topic=topic,
        name=str(path.relative_to(folder)),
        source=re.sub(r"^\s*importScripts.*$", "", text, flags=re.MULTILINE),
        files={
            re.sub(r"^.*/(?=resources/)", "", name): found.read_text("utf-8", "replace")
            for name, found in files.items()
            if found.exists()
        },
    )


def _beside(folder: Path, path: Path, name: str) -> Path:
    return folder / name.lstrip("/") if name.startswith("/") else path.parent / name


def wpt_state(folder: Path) -> str:
    """Return the commit of the folder and its day, if it is a checkout; otherwise nothing."""
    command = ["git", "-C", str(folder), "log", "-1", "--format=%h of %cs"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
