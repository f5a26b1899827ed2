"""
Unpacking an untrusted zip.

Nothing is believed: the directory's size is looked at before it is parsed, each file is
read through a bound whatever its header says, and links, passwords and paths that leave
the folder are refused.
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib

from aiwebengine.errors import Invalid, Problem, TooLarge
from aiwebengine.scripts.package import ignored, path_problem, refused
from aiwebengine.settings.schema import DeploySettings

_END = b"PK\x05\x06"
_END_FORM = struct.Struct("<4s4H2LH")
_ENTRY = b"PK\x01\x02"
_ENTRY_FORM = struct.Struct("<28x3H12x")
"""Of the 46 bytes before a path: how long it, the extra fields and the comment are."""
_LARGE_END = b"PK\x06\x07"
_LARGE_END_BYTES = 20
_LONGEST_COMMENT = 65_535
_ENTRY_BYTES = 1024
"""Most that one entry of the directory takes, on average: 46 bytes, a path and times."""


def unzip(content: bytes, *, settings: DeploySettings) -> dict[str, bytes]:
    """
    Return the files of a zip; a single folder around everything is removed.

    Args:
        content: The whole archive.

    Raises:
        Invalid: It is not a zip, or a damaged one.
        TooLarge: It holds more than the settings allow; found out without unpacking the rest.
        DeploymentRefused: It holds links, passwords, or names that no script may have.
    """
    _look(content, settings)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _without_top_folder(_read(archive, settings))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, struct.error, NotImplementedError, ValueError) as error:
        raise Invalid(f"The zip cannot be read: {str(error)[:200] or type(error).__name__}. Make it again.") from error


def _look(content: bytes, settings: DeploySettings) -> None:
    """Refuse a directory that would cost more to parse than it may hold."""
    at = content.rfind(_END, max(0, len(content) - _LONGEST_COMMENT - _END_FORM.size))
    if at < 0 or at + _END_FORM.size > len(content):
        raise Invalid("The body is not a zip: it has no directory at its end.")
    if content[max(0, at - _LARGE_END_BYTES) : at].startswith(_LARGE_END):
        # Its other directory is the one that counts.
        raise Invalid("The zip is in the form for more than 4 GiB (Zip64); make it again without.")
    _, _, _, _, entries, directory_bytes, _, _ = _END_FORM.unpack_from(content, at)
    # Folders are entries too, and litter that is left out.
    most = settings.max_files * 4 + 100
    entry_count = max(entries, _count(content, max(0, at - directory_bytes), at, most=most))
    if entry_count > most or directory_bytes > most * _ENTRY_BYTES:
        raise TooLarge(
            f"A script has at most {settings.max_files} files (deploy.max_files); "
            f"the zip's directory has {entry_count} entries{' or more' if entry_count > entries else ''}."
        )


def _count(content: bytes, at: int, end: int, *, most: int) -> int:
    """Count the entries of a directory, whose end may state another number; no further than to one more than *most*."""
    count = 0
    while count <= most and content.startswith(_ENTRY, at) and at + _ENTRY_FORM.size <= end:
        count += 1
        at += _ENTRY_FORM.size + sum(_ENTRY_FORM.unpack_from(content, at))
    return count


def _read(archive: zipfile.ZipFile, settings: DeploySettings) -> dict[str, bytes]:
    problems: list[Problem] = []
    files: dict[str, bytes] = {}
    left = settings.max_total_bytes
    for info in archive.infolist():
        path = info.filename
        # A damaged directory may have an entry without a name, of which `is_dir` asks the last letter.
        if not info.filename or info.is_dir() or ignored(path):
            continue
        if message := _entry_problem(info) or path_problem(path):
            problems.append(Problem(code="file_name", file=path[:255], message=message))
            continue
        if path in files:
            problems.append(Problem(code="file_name", file=path, message=f'The zip holds "{path}" twice.'))
            continue
        if len(files) >= settings.max_files:
            raise TooLarge(f"A script has at most {settings.max_files} files (deploy.max_files); the zip holds more.")
        with archive.open(info) as stream:
            files[path] = stream.read(min(left, settings.max_source_bytes) + 1)
        if len(files[path]) > settings.max_source_bytes:
            raise TooLarge(
                f'A file has at most {settings.max_source_bytes:,} bytes (deploy.max_source_bytes); "{path}" has more.'
            )
        left -= len(files[path])
        if left < 0:
            raise TooLarge(
                f"All files together have at most {settings.max_total_bytes:,} bytes (deploy.max_total_bytes); "
                "the zip unpacks to more."
            )
    if problems:
        raise refused(problems)
    return files


def _entry_problem(info: zipfile.ZipInfo) -> str | None:
    mode = info.external_attr >> 16
    if stat.S_ISLNK(mode):
        return f'"{info.filename[:80]}" is a symbolic link; put the file itself into the zip.'
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return f'"{info.filename[:80]}" is not a plain file.'
    if info.flag_bits & 1:
        return f'"{info.filename[:80]}" is locked with a password.'
    return None


def _without_top_folder(files: dict[str, bytes]) -> dict[str, bytes]:
    tops = {path.split("/", 1)[0] for path in files if "/" in path}
    if len(tops) != 1 or any("/" not in path for path in files):
        return files
    (top,) = tops
    return {path[len(top) + 1 :]: content for path, content in files.items()}
