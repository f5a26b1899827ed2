"""The four shapes in which a deployment arrives."""

from __future__ import annotations

import base64
import io
import json
import zipfile

import pytest

from aiwebengine.errors import Invalid, TooLarge
from aiwebengine.settings.schema import DeploySettings
from aiwebengine.web.api.bodies import DeploymentBody, body_bytes, read_deployment, read_files

SETTINGS = DeploySettings(max_files=2, max_total_bytes=2048, max_source_bytes=1024)
MULTIPART = 'multipart/form-data; boundary="b"'


def read(body: bytes | str, content_type: str = "", *, entry: str | None = None) -> DeploymentBody:
    """Read the body of a deployment of `shop`."""
    data = body.encode() if isinstance(body, str) else body
    return read_deployment(data, content_type=content_type, uri="shop", entry=entry, settings=SETTINGS)


def parts(*files: tuple[str, str]) -> bytes:
    """Make a multipart body; a part without a name is a field."""
    lines = []
    for name, content in files:
        file = f'; filename="{name}"' if name else ""
        lines += ["--b", f'content-disposition: form-data; name="f"{file}', "", content]
    return "\r\n".join([*lines, "--b--", ""]).encode()


def packed(**files: str) -> bytes:
    """Make a zip."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"{name}.ts", content)
    return data.getvalue()


def test_one_file() -> None:
    """Any other body is one file, named by the query or else by its type."""
    assert read("let a;", "text/javascript") == DeploymentBody(files={"main.js": b"let a;"}, entry="main.js")
    assert read("let a;", entry="x.ts").files == {"x.ts": b"let a;"}
    # Its type is wrong, and its source says so.
    assert list(read("let a;", "application/json").files.values()) == [b"let a;"]
    with pytest.raises(Invalid, match="The body is empty"):
        read("")


def test_json() -> None:
    """JSON holds text and base64 by path, and what else is said of the deployment."""
    files = {"main.ts": "é", "logo.png": {"base64": base64.b64encode(b"\0\1").decode()}}
    body = read(json.dumps({"files": files, "entry": "main.ts", "message": "m", "grants": None}), "application/json")
    assert body.files == {"main.ts": "é".encode(), "logo.png": b"\0\1"}
    assert (body.entry, body.fields) == ("main.ts", {"message": "m"})
    assert read(json.dumps({"files": files, "entry": "a"}), "application/json", entry="b").entry == "b"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "not valid JSON"),
        ("[]", "must be an object with"),
        ('{"files": []}', '"files" must be an object such as'),
        ('{"files": {}, "mesage": 1}', 'did you mean "message"'),
        ('{"files": {}, "zzzzzz": 1}', "known are files, entry"),
        ('{"files": {}, "entry": 1}', '"entry" must be the path of a file'),
        ('{"files": {"a": 1}}', 'must be text or {"base64": "..."}'),
        ('{"files": {"a": {"base64": "%"}}}', "is not valid base64"),
        ('{"files": {"a": "\\ud800"}}', "half a character"),
        ("[" * 100_000, "must be an object with"),
        ('{"entry": ' + "[" * 10_000, "not valid JSON"),
    ],
)
def test_wrong_json(text: str, why: str) -> None:
    """What is wrong with JSON is said with the rule."""
    with pytest.raises(Invalid, match=why.replace("(", r"\(").replace("{", r"\{")):
        read(text, "application/json")


def test_zip() -> None:
    """A zip is known by its type, or without one by how it begins."""
    for content_type in ("application/zip", ""):
        assert read(packed(main="let a;"), content_type).files == {"main.ts": b"let a;"}


def test_multipart() -> None:
    """Each part with a file name is a file, whose name may be percent-encoded; fields are left out."""
    body = parts(("main.ts", "let a;"), ("", "a field"), ("lib%2Fb.ts", "let b;"))
    assert read(body, MULTIPART).files == {"main.ts": b"let a;", "lib/b.ts": b"let b;"}
    assert read(parts(("100%.ts", "x")), MULTIPART).files == {"100%.ts": b"x"}


def test_wrong_multipart() -> None:
    """What is missing, twice there, too many or too large is refused with the rule."""
    for body, content_type, error, why in (
        (parts(("a.ts", "x")), "multipart/form-data", Invalid, "needs a boundary"),
        (b"--b\r\nnothing", MULTIPART, Invalid, "cannot be read"),
        (parts(("", "x")), MULTIPART, Invalid, "holds no files"),
        (parts(("a.ts", "x"), ("a.ts", "y")), MULTIPART, Invalid, "twice"),
        (parts(("a", ""), ("b", ""), ("c", "")), MULTIPART, TooLarge, "at most 2 files"),
        (parts(("a", "x" * 1025)), MULTIPART, Invalid, "cannot be read"),
    ):
        with pytest.raises(error, match=why):
            read(body, content_type)
    settings = DeploySettings(max_total_bytes=1024, max_source_bytes=1024)
    with pytest.raises(TooLarge, match=r"deploy\.max_total_bytes"):
        read_deployment(
            parts(("a", "x" * 600), ("b", "x" * 600)), content_type=MULTIPART, uri="s", entry=None, settings=settings
        )


def test_how_large_a_body_may_be() -> None:
    """A body has room for all files in base64."""
    assert body_bytes(SETTINGS) > len(base64.b64encode(b"x" * SETTINGS.max_total_bytes))


def test_other_keys() -> None:
    """Who reads files beside something else says what that is, and how large it may be."""
    body = b'{"recording": {"a": 1}, "files": {"main.ts": "1"}}'
    assert read_files(body, settings=SETTINGS, others={"recording": 20}) == (
        {"main.ts": b"1"},
        {"recording": {"a": 1}},
    )
    assert read_files(b"{}", settings=SETTINGS, others={}) == (None, {})
    with pytest.raises(Invalid, match="more than 5 bytes"):
        read_files(body, settings=SETTINGS, others={"recording": 5})
