"""`aiwebengine init`: what an editor needs to know scripts, in a folder of the author's."""

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
