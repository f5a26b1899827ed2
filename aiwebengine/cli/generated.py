"""`aiwebengine types`: write the files of the repository that are made from declarations."""

from __future__ import annotations

from pathlib import Path

import click

from aiwebengine.terminal import exits
from aiwebengine.terminal.exits import CommandFailed


@click.command(hidden=True)
@click.option("--check", is_flag=True, help="Write nothing; fail if a file is not as it would be written.")
@click.option("--root", type=click.Path(path_type=Path), default=Path(), help="The repository.")
def types(check: bool, root: Path) -> None:
    """Write type declarations and reference pages, in a checkout of the repository."""
    if not (root / "setup.cfg").is_file():
        raise CommandFailed(f"{root.resolve()} is not a checkout of aiwebengine.", code=exits.USAGE)
    stale = [name for name, text in generated().items() if _current(root / name) != text]
    if check and stale:
        raise CommandFailed(f"Not current: {', '.join(stale)}. Run `aiwebengine types`.", code=exits.REFUSED)
    for name in stale:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(generated()[name], "utf-8")
        click.echo(f"wrote {name}")


def generated() -> dict[str, str]:
    """Return the text of every generated file by its path in the repository."""
    from aiwebengine.assembly.declared import DECLARED  # noqa: PLC0415  Only this command needs it.
    from aiwebengine.cli import reference  # noqa: PLC0415  It imports the commands, and so this module.
    from aiwebengine.features.all import FEATURES, sections_of  # noqa: PLC0415  Only this command needs it.
    from aiwebengine.host import describe as javascript  # noqa: PLC0415  The same.
    from aiwebengine.settings import describe as settings  # noqa: PLC0415  The same.

    return {**javascript.generated(DECLARED), **settings.generated(sections_of(FEATURES)), **reference.generated()}


def _current(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return ""
