"""The file of the server's own log."""

from __future__ import annotations

from pathlib import Path

from aiwebengine.observe.log_file import SharedLogFile


def test_two_processes(tmp_path: Path) -> None:
    """What two processes write in turn is all there: neither writes over the other."""
    path = tmp_path / "server.log"
    first, second = SharedLogFile.fromFullPath(str(path)), SharedLogFile.fromFullPath(str(path))
    for number in range(3):
        first.write(f"first {number}\n")
        second.write(f"second {number}\n")
    assert path.read_text().splitlines() == [f"{who} {number}" for number in range(3) for who in ("first", "second")]
    first.close()
    second.close()


def test_rotated_by_the_other(tmp_path: Path) -> None:
    """After one process has rotated the file, or a program has moved or removed it, the other writes the new one."""
    path = tmp_path / "server.log"
    first, second = SharedLogFile.fromFullPath(str(path)), SharedLogFile.fromFullPath(str(path))
    first.write("old\n")
    first.rotate()
    second.write("new\n")
    first.write("newer\n")
    assert path.read_text() == "new\nnewer\n"
    assert (tmp_path / "server.log.1").read_text() == "old\n"
    path.rename(tmp_path / "moved.log")
    first.write("newest\n")
    assert path.read_text() == "newest\n"
    path.unlink()
    second.write("again\n")
    assert path.read_text() == "again\n"
    first.close()
    second.close()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """When the file cannot be made again, the one that is open goes on."""
    folder = tmp_path / "logs"
    folder.mkdir()
    log = SharedLogFile.fromFullPath(str(folder / "server.log"))
    folder.rename(tmp_path / "moved")
    log.write("still here\n")
    assert (tmp_path / "moved" / "server.log").read_text() == "still here\n"
    log.close()
