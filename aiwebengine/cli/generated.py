"""`aiwebengine types` and `init`: write what is made from declarations, into the repository or an author's folder."""

from __future__ import annotations

import json
from pathlib import Path

import click

from aiwebengine.services.whole_files import write_whole
from aiwebengine.terminal import exits
from aiwebengine.terminal.exits import CommandFailed

DECLARATIONS = "aiwebengine.d.ts"
COMPILER_SETTINGS = "tsconfig.json"

_READABLE = 0o644
_OPTIONS = {
    "strict": True,
    "noEmit": True,
    "allowJs": True,
    "lib": ["ES2023"],
    "types": [],
    "target": "ES2022",
    "module": "ESNext",
    "moduleResolution": "bundler",
    "moduleDetection": "force",
    "jsx": "react",
    "jsxFactory": "h",
    "jsxFragmentFactory": "Fragment",
}


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
    from aiwebengine.assembly import feature_interface  # noqa: PLC0415  Only this command needs it.
    from aiwebengine.assembly.declared import DECLARED  # noqa: PLC0415  Only this command needs it.
    from aiwebengine.cli import reference  # noqa: PLC0415  It imports the commands, and so this module.
    from aiwebengine.features.all import FEATURES, sections_of  # noqa: PLC0415  Only this command needs it.
    from aiwebengine.host import describe as javascript  # noqa: PLC0415  The same.
    from aiwebengine.settings import describe as settings  # noqa: PLC0415  The same.

    return {
        **javascript.generated(DECLARED),
        **settings.generated(sections_of(FEATURES)),
        **reference.generated(),
        **feature_interface.generated(),
    }


def _current(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return ""


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
def init(folder: Path) -> None:
    """
    Write the type declarations and a tsconfig.json into a folder, for an editor.

    Without FOLDER it is the current one; a folder that does not exist is made. aiwebengine.d.ts is written again each
    time, so run this after an update of aiwebengine too; a tsconfig.json that is there already is left alone.
    """
    settings = folder / COMPILER_SETTINGS
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / DECLARATIONS, _declarations())
        if settings.exists():
            click.echo(f"left {settings} as it is")
        else:
            _write(settings, json.dumps({"compilerOptions": _OPTIONS}, indent=2) + "\n")
    except OSError as error:
        raise CommandFailed(f"{folder} cannot be set up: {error.strerror or error}.", code=exits.USAGE) from error


def _write(path: Path, text: str) -> None:
    write_whole(path, text.encode(), mode=_READABLE, durable=False)
    click.echo(f"wrote {path}")


def _declarations() -> str:
    """Return the declarations of everything that scripts see of an engine with the features that are installed here."""
    from aiwebengine.features.all import installed  # noqa: PLC0415  Only this command needs it.
    from aiwebengine.host.describe import type_declarations  # noqa: PLC0415  The same.
    from aiwebengine.host.names import declarations  # noqa: PLC0415  The same.

    return type_declarations(declarations(feature.declares for feature in installed()))
