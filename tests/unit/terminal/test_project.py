"""The project file: it chooses among the servers that the user has a token for, and gets no other token."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from aiwebengine.terminal import exits
from aiwebengine.terminal.exits import CommandFailed
from aiwebengine.terminal.folder import read
from aiwebengine.terminal.target import Target, TargetOptions, find
from tests.unit.terminal.test_target import UserFolder

PROFILES = """
default = "mine"
[mine]
url = "https://mine.example"
token = "awe_mine"
[staging]
url = "https://staging.example:443/"
token = "awe_staging"
[bare]
url = "https://bare.example"
"""


class Checkout(UserFolder):
    """A home with a profile file, and a project of somebody else in it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.write(".config/aiwebengine/profiles.toml", PROFILES)
        self.scripts = folder / "project" / "scripts" / "notes"
        self.scripts.mkdir(parents=True)

    def names(self, server: str) -> None:
        self.write("project/aiwebengine.toml", f'server = "{server}"\n')

    def deploy(self, **more: object) -> Target:
        return self.find(starts=[self.scripts], **more)

    def refuses(self, **more: object) -> CommandFailed:
        with pytest.raises(CommandFailed) as caught:
            self.deploy(**more)
        return caught.value


@pytest.fixture(name="checkout")
def _checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Checkout]:
    monkeypatch.chdir(tmp_path)
    checkout = Checkout(tmp_path)
    yield checkout
    checkout.end()


def test_a_profile_is_chosen(checkout: Checkout) -> None:
    """A project file above the folder chooses a profile, before the default of the profile file."""
    assert checkout.deploy().token == "awe_mine"
    checkout.names("staging")
    found = checkout.deploy()
    assert (found.url, found.token) == ("https://staging.example:443", "awe_staging")
    assert found.named_by == checkout.folder / "project" / "aiwebengine.toml"
    assert checkout.find(starts=[checkout.folder]).token == "awe_mine"


def test_the_nearest_one(checkout: Checkout) -> None:
    """The nearest project file counts, for a single file too."""
    checkout.names("mine")
    (checkout.scripts / "aiwebengine.toml").write_text('server = "staging"')
    script = checkout.scripts / "main.ts"
    script.write_text("")
    assert checkout.find(starts=[script]).token == "awe_staging"


def test_flags_and_environment_come_first(checkout: Checkout) -> None:
    """What the person says now, by a flag or in the environment, comes before the project."""
    checkout.serve()
    checkout.names("staging")
    environ = {"AIWEBENGINE_URL": "https://b.example", "AIWEBENGINE_TOKEN": "awe_b"}
    assert checkout.deploy(environ=environ).token == "awe_b"
    assert checkout.deploy(server="mine").token == "awe_mine"
    assert checkout.deploy(data_folder=checkout.folder / "data", environ={}).token == "awe_local"
    local = checkout.deploy(data_folder=checkout.folder / "data", environ={"AIWEBENGINE_URL": "https://b.example"})
    assert (local.url, local.token) == ("http://127.0.0.1:9999", "awe_local")


def test_an_address_with_a_token(checkout: Checkout) -> None:
    """An address gets the token of the profile for that very address."""
    for same in ("https://staging.example", "https://STAGING.example:443/"):
        checkout.names(same)
        found = checkout.deploy()
        assert (found.url, found.token) == ("https://staging.example:443", "awe_staging")


@pytest.mark.parametrize(
    "other",
    [
        "https://evil.example",
        "http://staging.example",
        "https://staging.example:8443",
        "https://staging.example.evil.example",
        "https://staging.example/other",
        "http://127.0.0.1:9998",
        "http://localhost:1",
        "bare",
    ],
)
def test_no_token_for_a_server_that_a_stranger_names(checkout: Checkout, other: str) -> None:
    """A server that only the project names gets no token that was given for another one, and nothing is sent to it."""
    checkout.serve()
    checkout.names(other)
    for environ in ({}, {"AIWEBENGINE_TOKEN": "awe_env"}, {"AIWEBENGINE_ALLOW_HTTP": "1"}):
        error = checkout.refuses(environ=environ)
        assert error.code == exits.DENIED
        assert "nothing was sent" in error.message
    file = checkout.write("token", "awe_file")
    for name in (other, "staging"):
        checkout.names(name)
        error = checkout.refuses(token_file=file)
        assert error.code == exits.USAGE
        assert "--token-file goes only to a server that you name too" in error.message


def test_the_server_of_the_data_folder(checkout: Checkout) -> None:
    """The server that runs on the data folder gets that folder's token, and not one of the environment."""
    checkout.serve()
    checkout.names("http://127.0.0.1:9999")
    assert checkout.deploy(environ={"AIWEBENGINE_TOKEN": "awe_env"}).token == "awe_local"
    checkout.end()
    assert checkout.refuses().code == exits.DENIED


def test_no_plain_http(checkout: Checkout) -> None:
    """A project cannot make a token travel without encryption."""
    text = '[near]\nurl = "http://near.example"\ntoken = "awe_n"\n'
    checkout.write(".config/aiwebengine/profiles.toml", text)
    for name in ("near", "http://near.example"):
        checkout.names(name)
        assert "without encryption" in checkout.refuses().message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("server = [", "it is not TOML"),
        ("\xff", "it is not TOML"),
        ('server = "a"\ntoken = "awe_x"\n', "it must not hold `token`"),
        ('token_file = "../data/administrator-token"\n', "it must not hold `token_file`"),
        ('sever = "a"\n', "`sever` is not known"),
        ("server = 1\n", "`server` must be an address or the name"),
        ("", "`server` must be an address or the name"),
        ('server = "nobody"\n', "has no profile `nobody`; it has: mine, staging, bare"),
        ('server = "default"\n', "has no profile `default`"),
        ('server = "ftp://x"\n', "is not the address of a server"),
        ('server = "https://user:secret@mine.example"\n', "is not the address of a server"),
        ("#" * 70_000, "not a file of at most 64 KiB"),
    ],
)
def test_wrong_project_files(checkout: Checkout, text: str, message: str) -> None:
    """What is wrong with a project file is said with its path."""
    (checkout.folder / "project" / "aiwebengine.toml").write_text(text, "latin-1")
    error = checkout.refuses()
    assert error.code == exits.USAGE
    assert message in error.message


def test_neither_links_nor_pipes(checkout: Checkout) -> None:
    """A project file that is a link or a pipe is refused without being read."""
    path = checkout.folder / "project" / "aiwebengine.toml"
    path.symlink_to(checkout.write("other.toml", 'server = "staging"'))
    assert "a link is not followed" in checkout.refuses().message
    path.unlink()
    os.mkfifo(path)
    assert "not a file" in checkout.refuses().message


def test_a_file_of_another_user(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project file that another user has put above the folder is not used."""
    checkout.names("staging")
    path = checkout.folder / "project" / "aiwebengine.toml"
    if os.geteuid() != 0:
        pytest.skip("only root can give a file to another user")
    os.chown(path, 4242, 4242)
    assert checkout.deploy().token == "awe_mine"
    assert "belongs to another user" in checkout.warnings[0]
    os.chown(checkout.scripts, 4242, 4242)
    assert checkout.deploy().token == "awe_staging", "whoever wrote the project wrote its file"


def test_two_projects_at_once(checkout: Checkout) -> None:
    """What belongs to different servers is not deployed with one command."""
    checkout.names("staging")
    options = TargetOptions(
        server=None,
        token_file=None,
        profile_file=None,
        data_folder=None,
        environ={"HOME": str(checkout.folder)},
        starts=[checkout.scripts, checkout.folder],
    )
    with pytest.raises(CommandFailed, match="different servers"):
        find(options, warn=checkout.warnings.append)


def test_it_is_not_deployed(checkout: Checkout) -> None:
    """The project file in a script's folder is not a file of the script."""
    (checkout.scripts / "main.ts").write_text("")
    (checkout.scripts / "aiwebengine.toml").write_text('server = "staging"')
    assert list(read(checkout.scripts).files) == ["main.ts"]
