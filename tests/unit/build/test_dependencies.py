"""What a script may ask npm for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aiwebengine.build.dependencies import read
from aiwebengine.errors import DeploymentRefused

TARBALL = b"\x1f\x8b..."


def _files(wanted: Any, lock: Any = None, **more: bytes) -> dict[str, bytes]:
    files = {"package.json": json.dumps({"dependencies": wanted}, indent=1).encode(), **more}
    if lock is not None:
        files["package-lock.json"] = lock if isinstance(lock, bytes) else json.dumps(lock).encode()
    return files


def _refused(files: dict[str, bytes]) -> str:
    with pytest.raises(DeploymentRefused) as raised:
        read(files)
    [problem] = raised.value.problems
    assert problem.code == "packages"
    return f"{problem.file}:{problem.line}: {problem.message}"


@pytest.mark.parametrize(
    "wanted", ["1.2.3", "^1", "~1.2", ">=1 <2", "1.x || 2.x", "1 - 2", "*", "", "latest", "npm:other@1", "npm:@a/b@^2"]
)
def test_published_packages(wanted: str) -> None:
    """Versions, ranges, tags and aliases are what npm takes from a registry."""
    assert read(_files({"one": wanted, "@scope/two": wanted})).ranges["one"] == wanted


def test_none() -> None:
    """A script without a package file, or with one that says nothing or nonsense, depends on nothing."""
    for files in ({}, {"package.json": b"{}"}, {"package.json": b"{"}, {"package.json": b"[]"}, _files({})):
        assert not read(files).ranges


def test_deployed_tarballs() -> None:
    """A tarball among the deployed files can be installed, and its content is a part of what is stored."""
    files = _files({"one": "file:./lib/one.tgz"}, **{"lib/one.tgz": TARBALL})
    found = read(files)
    assert found.tarballs == {"lib/one.tgz": TARBALL}
    assert found.digest() == read(files).digest()
    assert found.digest() != read({**files, "lib/one.tgz": b"other"}).digest()


@pytest.mark.parametrize(
    "wanted",
    [
        "file:/etc/x.tgz", "file:../x.tgz", "file:lib", "file:lib/none.tgz", "link:lib", "/etc", "./lib", "../lib",
        "~/lib", "git+https://h/r.git", "git@h:r.git", "github:a/b", "a/b", "a/b#c", "http://h/x.tgz", "https://h/x.tgz",
    ],
)  # fmt: skip
def test_what_is_no_published_package(wanted: str) -> None:
    """Files and folders of the server, repositories and addresses are refused at the line that names them."""
    assert _refused(_files({"one": "1", "two": wanted})).startswith("package.json:4: ")


def test_wrong_shapes() -> None:
    """Dependencies are an object of strings, with names as packages have them."""
    for wanted in ([], "x", {"one": 1}):
        assert "must be an object of names and version ranges" in _refused(_files(wanted))
    for name in ("../x", "a/b/c", "/etc", "", ".hidden", "a b"):
        assert "is not the name of a package" in _refused(_files({name: "1"}))


def test_lock_files() -> None:
    """A lock file of npm is taken as it is."""
    lock = {
        "lockfileVersion": 3,
        "packages": {
            "": {"dependencies": {"one": "1"}},
            "node_modules/one": {"version": "1.0.0", "resolved": "https://h/one.tgz", "integrity": "sha512-x"},
            "node_modules/one/node_modules/@scope/two": {"version": "1.0.0", "inBundle": True},
            "node_modules/three": {"resolved": "file:lib/three.tgz"},
        },
    }
    files = _files({"one": "1", "three": "file:lib/three.tgz"}, lock, **{"lib/three.tgz": TARBALL})
    assert json.loads(read(files).lock) == lock


@pytest.mark.parametrize(
    "place",
    ["../x", "node_modules/../x", "node_modules/x/../../../y", "/etc", "x", "node_modules/a/b", "node_modules/.x"],
)
def test_places_in_lock_files(place: str) -> None:
    """A package lies under node_modules, whatever a lock file says."""
    lock = {"lockfileVersion": 3, "packages": {"": {}, place: {"version": "1.0.0"}}}
    assert "is not the path of a package" in _refused(_files({"x": "1"}, lock))


@pytest.mark.parametrize(
    "entry",
    [
        {"link": True}, {"link": True, "resolved": "../x"}, {"workspaces": ["../x"]}, {"resolved": "file:../x.tgz"},
        {"resolved": "git+ssh://git@h/r.git"}, {"resolved": "/etc/x.tgz"}, {"resolved": 1},
    ],
)  # fmt: skip
def test_origins_in_lock_files(entry: dict[str, Any]) -> None:
    """A package of a lock file comes from a registry or is a deployed tarball."""
    lock = {"lockfileVersion": 3, "packages": {"": {}, "node_modules/x": entry}}
    assert _refused(_files({"x": "1"}, lock)).startswith("package-lock.json:None: package-lock.json cannot be used: ")


@pytest.mark.parametrize("lock", [b"{", b"[]", b"{}", b'{"lockfileVersion": 1, "dependencies": {}}'])
def test_other_lock_files(lock: bytes) -> None:
    """What npm 7 or later has not written is refused with what to do."""
    assert "run npm install" in _refused(_files({"x": "1"}, lock))


def test_packages_that_options_extend() -> None:
    """Of devDependencies those are installed that a tsconfig.json extends; a script cannot import them."""
    package = {"dependencies": {"zod": "4"}, "devDependencies": {"@tsconfig/node20": "1", "vitest": "file:../x"}}
    files = {
        "package.json": json.dumps(package).encode(),
        "sub/tsconfig.app.json": b'{ /* base */ "extends": ["@tsconfig/node20/tsconfig.json", "zod"] }',
    }
    found = read(files)
    assert found.ranges == {"@tsconfig/node20": "1", "zod": "4"}
    assert found.importable == ("zod",)
    assert read({**files, "sub/tsconfig.app.json": b"{}"}).ranges == {"zod": "4"}
