"""`aiwebengine migrate-names`: write scripts with today's names."""

from __future__ import annotations

import difflib
import subprocess
from collections.abc import Mapping
from pathlib import Path

import click

from aiwebengine.services.whole_files import write_whole
from aiwebengine.terminal import exits, folder, show
from aiwebengine.terminal.exits import CommandFailed

_ENDINGS = (".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".mts", ".cts")


@click.command("migrate-names")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--write", is_flag=True, help="Write the files; without this option the changes are only shown.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, for programs.")
def migrate_names(path: Path, write: bool, as_json: bool) -> int:
    """
    Replace the older names of functions in a script by today's names; without --write, show the changes.

    PATH is a script's file or folder. Only names are changed, and not those that the script defines itself. No server
    is needed. If a file cannot be parsed, it is not changed, and the exit code is 3.
    """
    from aiwebengine.assembly.declared import DECLARED  # noqa: PLC0415  Other commands need not wait for it.
    from aiwebengine.build.builder import TOOLCHAIN  # noqa: PLC0415  The same.
    from aiwebengine.build.node import NodeProgram, find_node  # noqa: PLC0415  The same.
    from aiwebengine.build.rename import rename  # noqa: PLC0415  The same.

    names = DECLARED.older
    files = _files(path)
    node = find_node("", TOOLCHAIN)
    if not isinstance(node, NodeProgram):
        raise CommandFailed(f"Scripts cannot be parsed here: {node.private}.", code=exits.FAILED)
    try:
        results = rename(node, TOOLCHAIN, files, names)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise CommandFailed(f"Scripts cannot be parsed here: {error}.", code=exits.FAILED) from error
    changed = {name: result for name, result in results.items() if result.changes}
    if write:
        for name, result in changed.items():
            _write(path / name if path.is_dir() else path, result.source)
    problems = {name: result.problem for name, result in results.items() if result.problem}
    if as_json:
        changes = {
            name: [{"line": each.line, "old": each.old, "new": each.new} for each in result.changes]
            for name, result in changed.items()
        }
        show.document({"changes": changes, "problems": problems, "written": write})
    else:
        _show({name: (files[name], result.source) for name, result in changed.items()})
        for name, problem in problems.items():
            show.note(f"{name} was not changed: {problem}")
        count = sum(len(result.changes) for result in changed.values())
        done = "Written." if write else "Nothing was written; add --write to write the files."
        show.note(f"{count} older names in {len(changed)} of {len(files)} files. {done if changed else ''}".strip())
    return exits.REFUSED if problems else exits.OK


def _files(path: Path) -> dict[str, str]:
    contents = folder.read(path).files
    files = {name: text for name, text in contents.items() if name.endswith(_ENDINGS) and isinstance(text, str)}
    files = {name: text for name, text in files.items() if not name.endswith(".d.ts")}
    if not files:
        raise CommandFailed(f"{path} holds no JavaScript or TypeScript.", code=exits.USAGE)
    return files


def _write(path: Path, source: str) -> None:
    # Whole or not at all: a full disk must not cut a script short.
    try:
        write_whole(path, source.encode(), mode=path.stat().st_mode & 0o7777)
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error.strerror}.", code=exits.FAILED) from error


def _show(changed: Mapping[str, tuple[str, str]]) -> None:
    for name, (before, after) in changed.items():
        lines = difflib.unified_diff(before.splitlines(), after.splitlines(), name, name, lineterm="", n=1)
        for line in lines:
            colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
            click.echo(click.style(show.safe(line), fg=colour))
