"""
What the documents show is what happens.

Each document is followed as its reader would: from the rendered text alone, on a server that was
started as `make serve` does.  The documents share the server, so that none of them may use names of
another or of the examples.  `tests/support/reading/rendered.py` says what is a file and what is typed.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import pytest

from tests.support.reading.reader import MadeServer, Reader, made_server
from tests.support.reading.rendered import ROOT, Block, blocks_of, documents

BROWSER = "It runs in a browser, or with a package of a client."
SYSTEM = "It needs a system that was booted with systemd."
INSTALLS = "It installs or builds packages, which takes minutes and changes this Python."
OUTPUT = "Nothing is typed: it shows what may be printed."
UNRUN = {
    "README.md": {
        "make serve": "The server of these tests is started in this way.",
        "make test": "It runs this test.",
    },
    "docs/contributing.md": {
        "make test": "It runs this test.",
        "python -m aiwebengine.cli types": "It writes into the checkout; a rule compares what it would write.",
    },
    "docs/howto/debug.md": {
        'warn  observe.watchdog: the reactor was held for 180 ms by POST /orders of "shop" in web.site._route': OUTPUT,
    },
    "docs/howto/install.md": {
        "python3 -m venv .venv": INSTALLS,
        "pip install .": INSTALLS,
        "pip wheel --no-deps .": INSTALLS,
    },
    "docs/howto/run-in-production.md": {
        "/etc/systemd/system/aiwebengine.service": SYSTEM,
        "/etc/systemd/system/aiwebengine.socket": SYSTEM,
        "systemctl enable --now aiwebengine": SYSTEM,
    },
    "docs/howto/stream-events.md": {
        'source.addEventListener("gap", () => location.reload());': BROWSER,
    },
    "docs/howto/subscribe.md": {
        'import { createClient } from "graphql-ws";': BROWSER,
        'const source = new EventSource("/graphql/sse?query=" + encodeURIComponent("subscription { said(room: 1) { text } }"));': BROWSER,  # noqa: E501  It is a line of the document.
        'source.addEventListener("gap", () => location.reload());': BROWSER,
    },
}
"""By document, what is not run: commands, files, and the first lines of blocks that are neither."""

GUIDES = [path for path in documents() if path.parent == ROOT or {"tutorial", "howto"} & {*path.parts}]
FOLLOWED = [path for path in documents() if any(block.is_typed for block in blocks_of(path))]


def name(path: Path) -> str:
    """Return what a document is called."""
    return str(path.relative_to(ROOT))


def parts(block: Block) -> list[str]:
    """Return how the parts of a block are called in the list of what is not run."""
    if block.is_typed:
        return [typed.command for typed in block.commands()]
    return [block.file or block.text.partition("\n")[0]]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadeServer]:
    """Start the server that all documents use."""
    if missing := [program for program in ("bash", "curl") if shutil.which(program) is None]:
        pytest.skip(f"{' and '.join(missing)} is not installed")
    with made_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.mark.parametrize("path", FOLLOWED, ids=map(name, FOLLOWED))
def test_document_is_true(path: Path, served: MadeServer, tmp_path: Path) -> None:
    """Doing what a document says, from its top to its end, prints what it shows."""
    reader = Reader(folder=tmp_path, server=served, unrun=UNRUN.get(name(path), {}))
    followed = list(blocks_of(path))
    line = 0
    try:
        for block, following in zip_longest(followed, followed[1:]):
            line = block.line
            reader.do(block, following)
        reader.end()
    except AssertionError as error:
        raise AssertionError(f"{name(path)}:{line}: {error}") from error
    finally:
        reader.close()


@pytest.mark.parametrize("path", documents(), ids=map(name, documents()))
def test_exceptions_are_needed(path: Path) -> None:
    """Whatever is named as not run is in its document."""
    found = {part for block in blocks_of(path) for part in parts(block)}
    assert set(UNRUN.get(name(path), {})) - found == set()


@pytest.mark.parametrize("path", GUIDES, ids=map(name, GUIDES))
def test_nothing_is_left_out(path: Path) -> None:
    """Each code block of a how-to is a file with a visible name, is typed at a terminal, or is a named exception."""
    known = UNRUN.get(name(path), {})
    left = [block for block in blocks_of(path) if not block.is_typed and block.file is None]
    assert [block.text for block in left if parts(block)[0] not in known] == []


@pytest.mark.parametrize("path", GUIDES, ids=map(name, GUIDES))
def test_how_to_can_be_tried(path: Path) -> None:
    """A how-to that has a script deploys it, and shows what comes back."""
    blocks = blocks_of(path)
    scripts = [block.file for block in blocks if block.file and block.file.endswith((".js", ".ts", ".jsx", ".tsx"))]
    typed = [typed for block in blocks for typed in block.commands()]
    assert typed
    for script in scripts:
        words = {script, script.partition("/")[0]}
        assert any(words & set(shell_line.command.split()) for shell_line in typed), f"nothing is done with {script}"
    assert any(shell_line.printed for shell_line in typed)


def test_exceptions_are_of_documents() -> None:
    """Whatever is not run belongs to a document that is there."""
    assert set(UNRUN) <= {name(path) for path in documents()}
