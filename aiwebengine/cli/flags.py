"""
The flags of a server, the same for `aiwebengine serve`, `aiwebengine doctor` and `twistd aiwebengine`.

Every setting can be given with `--set`; the most common ones have their own flags.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from aiwebengine.errors import CannotStart
from aiwebengine.feature import Feature
from aiwebengine.features.all import installed, sections_of
from aiwebengine.settings.load import SettingSources, load
from aiwebengine.settings.schema import Settings
from aiwebengine.terminal import exits
from aiwebengine.terminal.exits import CommandFailed

OWN_FLAGS: Mapping[str, tuple[str, str]] = {
    "listen": ("server.listen", "Address to listen on, such as 127.0.0.1, 0.0.0.0 or ::1."),
    "port": ("server.port", "TCP port; 0 chooses a free port and prints it."),
    "data-folder": (
        "server.data_folder",
        "Folder of the databases, caches and the administrator token; created if it does not exist.",
    ),
    "log-level": ("logs.level", "debug, info, warn or error."),
    "log-format": ("logs.format", "text for people, json for programs."),
}
"""Flag without dashes to the setting's key and the help."""

CONFIG_HELP = "YAML or TOML file with settings; repeatable, later files override earlier ones."
PROFILE_HELP = "development, staging or production: the set of values that overrides the base."
SET_HELP = "Any setting, such as limits.wall_seconds=5; repeatable."


def with_own_flags(command: Any) -> Any:
    """Return a command of click with `OWN_FLAGS` as options."""
    for name, (_, text) in reversed(list(OWN_FLAGS.items())):
        command = click.option(f"--{name}", name.replace("-", "_"), help=text)(command)
    return command


def own_values(flags: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return the values that a command of click got for `OWN_FLAGS`, by flag."""
    return {name: flags[name.replace("-", "_")] for name in OWN_FLAGS}


def configured(
    *,
    profile: str | None,
    config: Iterable[str],
    own: Mapping[str, str | None],
    assignments: Iterable[str],
) -> tuple[tuple[Feature, ...], Settings]:
    """
    Return the installed features, and the settings for a command; reads the current folder and environment.

    Args:
        own: All options of the command that `with_own_flags` has added.
        assignments: See `sources`.

    Raises:
        CommandFailed: A flag, a file, a value or a feature is wrong.
    """
    try:
        features = installed()
        setting_sources = sources(
            profile=profile,
            config=config,
            own=own_values(own),
            assignments=assignments,
            environ=os.environ,
            folder=Path.cwd(),
        )
        return features, load(setting_sources, sections=sections_of(features))
    except (CannotStart, WrongFlag) as error:
        raise CommandFailed(str(error), code=exits.USAGE) from error


class WrongFlag(Exception):
    """A flag that is not written as it must be; the text says how."""


def sources(
    *,
    profile: str | None,
    config: Iterable[str],
    own: Mapping[str, str | None],
    assignments: Iterable[str],
    environ: Mapping[str, str],
    folder: Path,
) -> SettingSources:
    """
    Put together where settings come from.

    Args:
        own: Values of `OWN_FLAGS`; None where one was not given.
        assignments: What followed each `--set`.
        folder: Relative paths start here.

    Raises:
        WrongFlag: A `--set` without `=`.
    """
    flags = [(f"--{name}", OWN_FLAGS[name][0], value) for name, value in own.items() if value is not None]
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals:
            raise WrongFlag(f"--set {assignment}: write it as section.key=value, such as server.port=8080.")
        flags.append((f"--set {key.strip()}", key.strip(), value.strip()))
    files = tuple(Path(path) for path in config)
    return SettingSources(profile=profile, config=files, flags=tuple(flags), environ=environ, folder=folder)
