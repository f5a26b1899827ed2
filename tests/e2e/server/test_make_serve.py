"""What `make serve` runs: a server with the examples, which leaves alone what somebody else has deployed."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from tests.support.servers import started
from tests.support.waiting import wait_until

EXAMPLES = Path(__file__).parents[3] / "examples"
PROGRAM = EXAMPLES / "serve.py"
DEPLOYED = {"notes", "hello-ts"}
"""Examples that are enough here; with all of them the program is run by the tests of the documents."""
OWN = 'registerWebHandler("/mine", () => "mine");'
PATIENCE_SECONDS = 90


def with_few_examples(folder: Path) -> Path:
    """Copy the program and some of the examples; return the copy of the program."""
    few = [load for load in json.loads((EXAMPLES / "examples.json").read_text("utf-8")) if load["uri"] in DEPLOYED]
    folder.mkdir()
    (folder / "examples.json").write_text(json.dumps(few), "utf-8")
    for example in few:
        source = EXAMPLES / example["path"]
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / example["path"])
    return Path(shutil.copy(PROGRAM, folder))


@contextmanager
def serving(program: Path, folder: Path, name: str) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Run the program in *folder*; it is told to stop at the end of the block."""
    output = folder / name
    with output.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, str(program), "--port", "0"], cwd=folder, stdout=stream, stderr=subprocess.STDOUT
        )
    try:
        yield process, output
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)


def wait_for(output: Path, text: str) -> str:
    """Wait until *text* is printed; return all that is."""
    wait_until(lambda: text in output.read_text(), state=output.read_text, seconds=PATIENCE_SECONDS)
    return output.read_text()


def test_leaves_others_alone(tmp_path: Path) -> None:
    """A script that a person has deployed under the name of an example stays; a second one says whose folder it is."""
    with started(tmp_path) as server:
        assert server.address
        (tmp_path / "notes.js").write_text(OWN)
        words = [sys.executable, "-m", "aiwebengine.cli", "deploy", "--data-folder", "data", "notes.js"]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        server.stop()
    program = with_few_examples(tmp_path / "examples")
    with serving(program, tmp_path, "first") as (_, output):
        printed = wait_for(output, "Stop with Ctrl-C.")
        assert "notes: left as it is, since `make serve` has not deployed it" in printed
        address = (tmp_path / "data" / "address").read_text().strip()
        with urlopen(f"{address}/mine") as answer:
            assert answer.read() == b"mine"
        listed = subprocess.run(
            [sys.executable, "-m", "aiwebengine.cli", "list", "--data-folder", "data", "--json"],
            cwd=tmp_path, capture_output=True, text=True, check=True,
        )  # fmt: skip
        versions = {script["uri"]: script["version"] for script in json.loads(listed.stdout)["scripts"]}
        assert versions["notes"] == 1
        assert set(versions) == DEPLOYED
        with serving(program, tmp_path, "second") as (second, result):
            assert second.wait(PATIENCE_SECONDS) == 1
        assert "Another server" in result.read_text()
        assert "PORT=" not in result.read_text()
        assert "Main loop" not in result.read_text()
        assert (tmp_path / "data" / "address").read_text().strip() == address


def test_busy_port(tmp_path: Path) -> None:
    """When the port is busy it says how to take another one."""
    with started(tmp_path) as server:
        port = server.address.rpartition(":")[2]
        (tmp_path / "other").mkdir()
        done = subprocess.run(
            [sys.executable, str(PROGRAM), "--port", port],
            cwd=tmp_path / "other", capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS,
        )  # fmt: skip
        assert done.returncode == 1
        assert "make serve PORT=8081" in done.stderr
