"""
What is deployed: a script's files, checked before anything reads them.

A package is a mapping from path to bytes, however it came: one file, a folder, a zip.
Paths are relative, with forward slashes, and stay inside; sizes and counts are bounded
by the settings of the section `deploy`.  All problems are reported at once.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aiwebengine.build.paths import PUBLIC_FOLDER
from aiwebengine.errors import DeploymentRefused, Invalid, Problem
from aiwebengine.runtime.reserved import ReservedPaths
from aiwebengine.scripts.capabilities import Capabilities
from aiwebengine.scripts.manifest import FILE as MANIFEST_FILE
from aiwebengine.scripts.manifest import Manifest, read_manifest
from aiwebengine.scripts.quoting import nearest, quoted
from aiwebengine.services.db.columns import URI_LENGTH
from aiwebengine.settings.schema import DeploySettings, LimitSettings

CODE_ENDINGS = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts")
"""Files that are source, and so must be text."""

ENTRIES = tuple(f"{stem}{ending}" for stem in ("main", "index") for ending in (".ts", ".tsx", ".js", ".jsx", ".mjs"))
"""Where a script starts if it does not say so: the first of these that is there."""

_EMPTY = "main.js"
"""The entry of a site that consists of files alone."""
MAX_DEPTH = 32
_IGNORED_FOLDERS = frozenset({"node_modules", ".git", "__MACOSX", ".hg", ".svn"})
_IGNORED_FILES = frozenset({".DS_Store", "Thumbs.db"})
_MAX_PROBLEMS = 100
_MOST_TIMES = 4
"""With this many times the allowed number of files, nothing else is reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """Files that may be built."""

    entry: str
    """Path of the file to start with."""
    files: Mapping[str, bytes]
    """By path, in order of path."""
    manifest: Manifest
    warnings: tuple[Problem, ...] = ()

    @property
    def size_bytes(self) -> int:
        """Return the sum of all files."""
        return sum(len(content) for content in self.files.values())


def check_uri(uri: str) -> str:
    """
    Return *uri* if it can name a script.

    Raises:
        Invalid: It is empty, too long, or holds characters that no database keeps.
    """
    if not uri:
        raise Invalid("A script needs a URI: text of 1 to 255 characters, such as notes or https://example.org/notes.")
    if len(uri) > URI_LENGTH:
        raise Invalid(f"A script's URI has at most {URI_LENGTH} characters; this one has {len(uri)}.")
    if wrong := next((character for character in uri if unicodedata.category(character) in ("Cc", "Cs")), None):
        raise Invalid(f"A script's URI holds no control characters; this one holds U+{ord(wrong):04X}.")
    return uri


def file_name_for(uri: str, content_type: str = "") -> str:
    """Name the file of a script that came as one file without a name."""
    last = uri.rsplit("/", 1)[-1]
    if last.endswith(CODE_ENDINGS) and path_problem(last) is None:
        return last
    return "main.ts" if "typescript" in content_type.lower() else "main.js"


def check_package(
    files: Mapping[str, bytes],
    *,
    entry: str | None,
    settings: DeploySettings,
    limits: LimitSettings,
    capabilities: Capabilities,
    reserved: ReservedPaths,
) -> Package:
    """
    Check the files of one deployment.

    Args:
        files: As they came, by path; `node_modules`, version control and desktop litter are left out.
        entry: The file to start with; None for the manifest's choice, or the first of `ENTRIES`.
        capabilities: Those that a script may ask for.
        reserved: Paths that scripts may not use.

    Raises:
        DeploymentRefused: With every problem.
    """
    included = {path: content for path, content in sorted(files.items()) if not ignored(path)}
    if entry is None and _only_public(included):
        # What has no code of its own begins with none.
        included = dict(sorted({**included, _EMPTY: b""}.items()))
    if len(included) > settings.max_files * _MOST_TIMES:
        # Count before anything is looked at that takes longer for more files.
        raise refused([_too_many(included, settings)])
    warnings = _left_out(files, included)
    problems = [*_paths(included), *_sizes(included, settings), *_texts(included)]
    manifest, wrong = read_manifest(
        included.get(MANIFEST_FILE), limits=limits, capabilities=capabilities, reserved=reserved
    )
    problems += wrong
    chosen, wrong = _entry(included, entry or manifest.entry)
    problems += wrong
    if problems:
        raise refused(problems)
    return Package(entry=chosen, files=included, manifest=manifest, warnings=tuple(warnings))


def refused(problems: list[Problem]) -> DeploymentRefused:
    """Return the error with *problems*, bounded."""
    errors = sum(problem.severity == "error" for problem in problems)
    shown = problems[:_MAX_PROBLEMS]
    more = f" (the first {_MAX_PROBLEMS} are listed)" if len(problems) > _MAX_PROBLEMS else ""
    first = next((problem for problem in shown if problem.severity == "error"), shown[0])
    what = first.message if errors == 1 else f"There are {errors} problems{more}, the first: {first.message}"
    end = "" if what.endswith((".", "!", "?")) else "."
    return DeploymentRefused(f"{what}{end} Nothing was changed.", problems=shown)


def path_problem(path: str) -> str | None:
    """Say what is wrong with a path inside a package; None if nothing is."""
    shown = quoted(path if len(path) <= 80 else path[:77] + "...")
    if not path:
        return "A file needs a name."
    if len(path) > URI_LENGTH:
        return f"A path has at most {URI_LENGTH} characters; {shown} has {len(path)}."
    if path.startswith("/") or (len(path) > 1 and path[1] == ":"):
        return f"A path must be relative to the script's folder; {shown} is absolute."
    if "\\" in path:
        return f"A path is written with forward slashes; {shown} has a backslash."
    if any(unicodedata.category(character) in ("Cc", "Cs", "Cf") for character in path):
        return f"A path holds no control or invisible characters; {shown} does."
    parts = path.split("/")
    if ".." in parts:
        return f"A path must stay inside the script's folder; {shown} leaves it."
    if "" in parts or "." in parts:
        return f'A path has no empty or "." parts; {shown} has.'
    if len(parts) > MAX_DEPTH:
        return f"Folders are at most {MAX_DEPTH} deep; {shown} is deeper."
    return None


def _paths(files: Mapping[str, bytes]) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    good: list[str] = []
    for path in files:
        if message := path_problem(path):
            yield Problem(code="file_name", file=path[:URI_LENGTH], message=message)
        else:
            good.append(path)
    folders = {path[:at] for path in good for at, character in enumerate(path) if character == "/"}
    for path in good:
        # What differs only in case or composition is one file on many people's machines.
        folded = unicodedata.normalize("NFC", path).casefold()
        if folded in seen:
            message = f'"{path}" and "{seen[folded]}" differ only in case or accents; rename one.'
            yield Problem(code="file_name", file=path, message=message)
        seen[folded] = path
        if path in folders:
            yield Problem(code="file_name", file=path, message=f'"{path}" is both a file and a folder; rename one.')


def _sizes(files: Mapping[str, bytes], settings: DeploySettings) -> Iterator[Problem]:
    if not files:
        yield Problem(code="no_files", message="There are no files; a script needs at least one, such as main.ts.")
    if len(files) > settings.max_files:
        yield _too_many(files, settings)
    for path, content in files.items():
        if len(content) > settings.max_source_bytes:
            yield Problem(
                code="file_too_large",
                file=path[:URI_LENGTH],
                message=f"A file has at most {settings.max_source_bytes:,} bytes (deploy.max_source_bytes); "
                f"this one has {len(content):,}.",
            )
    total = sum(len(content) for content in files.values())
    if total > settings.max_total_bytes:
        yield Problem(
            code="too_large",
            message=f"All files together have at most {settings.max_total_bytes:,} bytes (deploy.max_total_bytes); "
            f"these have {total:,}.",
        )


def _too_many(files: Mapping[str, bytes], settings: DeploySettings) -> Problem:
    message = f"A script has at most {settings.max_files} files (deploy.max_files); this one has {len(files)}."
    return Problem(code="too_many_files", message=message)


def _texts(files: Mapping[str, bytes]) -> Iterator[Problem]:
    for path, content in files.items():
        if not path.endswith(CODE_ENDINGS) or path.startswith(PUBLIC_FOLDER):
            continue
        try:
            content.decode("utf-8")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            place = f"byte {error.start} (0x{content[error.start]:02X})"
            message = f"Source must be UTF-8 text; {place} is not. Save the file as UTF-8."
            yield Problem(code="not_utf8", file=path, line=line, message=message)


def _entry(files: Mapping[str, bytes], chosen: str | None) -> tuple[str, list[Problem]]:
    if chosen is not None:
        chosen = chosen.removeprefix("./")
        if chosen in files:
            if chosen.endswith(CODE_ENDINGS):
                return chosen, []
            message = f'The entry must be source ({", ".join(CODE_ENDINGS)}); "{chosen[:URI_LENGTH]}" is not.'
            return "", [Problem(code="no_entry", message=message)]
        message = f'There is no file "{chosen[:URI_LENGTH]}" to start with.'
        return "", [Problem(code="no_entry", message=message, hint=nearest(chosen, files))]
    for name in ENTRIES:
        if name in files:
            return name, []
    source = [
        path
        for path in files
        if path.endswith(CODE_ENDINGS) and not path.endswith(".d.ts") and not path.startswith(PUBLIC_FOLDER)
    ]
    if len(source) == 1:
        return source[0], []
    message = (
        f"It is not clear which file to start with: there is none of {', '.join(ENTRIES)}. "
        f'Name it: --entry, or "aiwebengine": {{"entry": "..."}} in {MANIFEST_FILE}.'
    )
    return "", [Problem(code="no_entry", message=message)] if files else []


def _only_public(files: Mapping[str, bytes]) -> bool:
    """Return whether there are files to serve and no code."""
    return any(path.startswith(PUBLIC_FOLDER) for path in files) and not any(
        path.endswith(CODE_ENDINGS) and not path.startswith(PUBLIC_FOLDER) for path in files
    )


def ignored(path: str) -> bool:
    """Return whether a path belongs to no script: installed packages, version control, desktop litter."""
    *folders, name = path.split("/")
    return name in _IGNORED_FILES or not _IGNORED_FOLDERS.isdisjoint(folders)


def _left_out(files: Mapping[str, bytes], included: Mapping[str, bytes]) -> list[Problem]:
    if not any("node_modules" in path.split("/")[:-1] for path in files.keys() - included.keys()):
        return []
    message = f"node_modules was left out: packages are installed from what {MANIFEST_FILE} names."
    return [Problem(code="ignored_files", severity="warning", message=message)]
