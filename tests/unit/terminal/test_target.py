"""Which server a command talks to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from aiwebengine.services import lock
from aiwebengine.terminal import exits
from aiwebengine.terminal.exits import CommandFailed
from aiwebengine.terminal.target import Target, TargetOptions, find


class UserFolder:
    """A user's folder and what commands find from there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.warnings: list[str] = []
        self.profiles = folder / ".config" / "aiwebengine" / "profiles.toml"
        self.profiles.parent.mkdir(parents=True)
        (folder / "data").mkdir()
        self.lock: int | None = None

    def write(self, name: str, text: str, mode: int = 0o600) -> Path:
        path = self.folder / name
        path.write_text(text, "utf-8")
        path.chmod(mode)
        return path

    def serve(self, address: str = "http://127.0.0.1:9999") -> None:
        """Do what a server does to its data folder, in this process."""
        self.lock = lock.take(self.folder / "data" / lock.LOCK_NAME)
        self.write("data/address", f"{address}\n")
        self.write("data/administrator-token", "awe_local\n")

    def end(self) -> None:
        """End as a server that is killed does: only the kernel cleans up."""
        if self.lock is not None:
            os.close(self.lock)
            self.lock = None

    def find(self, server: str | None = None, **more: object) -> Target:
        environ = {"HOME": str(self.folder), **more.pop("environ", {})}  # type: ignore[dict-item]
        given = {"token_file": None, "profile_file": None, "data_folder": None, **more}
        return find(TargetOptions(server=server, environ=environ, **given), warn=self.warnings.append)

    def refused(self, server: str | None = None, **more: object) -> CommandFailed:
        with pytest.raises(CommandFailed) as caught:
            self.find(server, **more)
        return caught.value


@pytest.fixture(name="home")
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[UserFolder]:
    monkeypatch.chdir(tmp_path)
    home = UserFolder(tmp_path)
    yield home
    home.end()


def test_the_server_on_this_machine(home: UserFolder) -> None:
    """Without anything it is the server that runs on the data folder, with address and token from there."""
    home.serve()
    found = home.find()
    assert (found.url, found.token) == ("http://127.0.0.1:9999", "awe_local")


@pytest.mark.parametrize(
    ("noted", "asked"),
    [
        ("http://0.0.0.0:81", "http://127.0.0.1:81"),
        ("http://[::]:81", "http://[::1]:81"),
        ("http://192.0.2.7:81", "http://192.0.2.7:81"),
    ],
)
def test_a_server_that_listens_elsewhere(home: UserFolder, noted: str, asked: str) -> None:
    """A server on every address is asked on this machine, one on another address of it there; both get the token."""
    home.serve(noted)
    found = home.find()
    assert (found.url, found.token) == (asked, "awe_local")


def test_no_server_on_the_data_folder(home: UserFolder) -> None:
    """Without a server on the data folder there is none to send the token to, whoever listens on the usual port."""
    home.write("data/administrator-token", "awe_local\n")
    for environ in ({}, {"AIWEBENGINE_TOKEN": "awe_x"}):
        error = home.refused(environ=environ)
        assert error.code == exits.UNREACHABLE
        assert f"No server runs on the data folder {home.folder / 'data'}" in error.message
        assert "aiwebengine serve" in error.message
    assert "No server runs" in home.refused(data_folder=home.folder / "none").message


def test_a_server_that_was_killed(home: UserFolder) -> None:
    """The address that a killed server has left is not believed: another program may listen there."""
    home.serve()
    home.end()
    assert "No server runs on the data folder" in home.refused().message
    assert home.find("http://127.0.0.1:9999").token == ""


def test_a_server_that_starts(home: UserFolder) -> None:
    """A server that holds the folder and has no address yet is waited for by whoever asked."""
    home.serve()
    (home.folder / "data" / "address").write_text("")
    assert f"The server (process {os.getpid()})" in home.refused().message
    (home.folder / "data" / "address").unlink()
    assert "does not answer yet" in home.refused().message


def test_order_of_sources(home: UserFolder) -> None:
    """Flags win over the environment, the environment over the profile file."""
    home.write(".config/aiwebengine/profiles.toml", 'default = "a"\n[a]\nurl = "https://a.example"\ntoken = "awe_a"\n')
    assert home.find().url == "https://a.example"
    environ = {"AIWEBENGINE_URL": "https://b.example/", "AIWEBENGINE_TOKEN": "awe_b"}
    found = home.find(environ=environ)
    assert (found.url, found.token) == ("https://b.example", "awe_b")
    file = home.write("token", "awe_c\n")
    found = home.find("https://c.example", environ=environ, token_file=file)
    assert (found.url, found.token) == ("https://c.example", "awe_c")


def test_a_server_by_name(home: UserFolder) -> None:
    """A name is looked up in the profile file, and its token file stands beside that."""
    home.write(".config/aiwebengine/profiles.toml", '[live]\nurl = "https://live.example"\ntoken_file = "live.token"\n')
    home.write(".config/aiwebengine/live.token", "awe_live\n")
    found = home.find("live")
    assert (found.url, found.token) == ("https://live.example", "awe_live")
    error = home.refused("life")
    assert error.code == exits.USAGE
    assert "no profile `life`; it has: live" in error.message


def test_local_token_stays_here(home: UserFolder) -> None:
    """The token of a data folder is sent to the server that runs on it, and to no other one of this machine."""
    home.serve()
    for same in ("http://127.0.0.1:9999", "http://localhost:9999/"):
        found = home.find(same)
        assert (found.url, found.token) == ("http://127.0.0.1:9999", "awe_local")
    for other in (
        "http://elsewhere.example:9999",
        "http://127.0.0.1:81",
        "http://[::1]:9999",
        "https://127.0.0.1:9999",
    ):
        assert home.find(other).token == ""
    assert home.find(environ={"AIWEBENGINE_URL": "http://127.0.0.1:81"}).token == ""
    assert home.find(environ={"AIWEBENGINE_URL": "http://127.0.0.1:9999"}).token == "awe_local"


def test_a_token_for_another_server(home: UserFolder) -> None:
    """The token of the environment goes to the address of the environment, a profile's to the profile's."""
    home.serve()
    home.write(".config/aiwebengine/profiles.toml", '[live]\nurl = "https://live.example"\ntoken = "awe_live"\n')
    environ = {"AIWEBENGINE_URL": "https://b.example", "AIWEBENGINE_TOKEN": "awe_b"}
    assert home.find(environ=environ).token == "awe_b"
    assert home.find("https://b.example/", environ=environ).token == "awe_b"
    other = home.find("https://c.example", environ=environ)
    assert other.token == ""
    assert "AIWEBENGINE_TOKEN belongs to AIWEBENGINE_URL (https://b.example)" in other.token_hint
    assert home.find("live", environ=environ).token == "awe_live"
    assert home.find("http://127.0.0.1:9999", environ=environ).token == "awe_local"
    assert home.find("https://c.example", environ={"AIWEBENGINE_TOKEN": "awe_b"}).token == "awe_b"


def test_a_profile_by_environment(home: UserFolder) -> None:
    """The environment may name a profile, and give the token that the profile does not hold."""
    home.write(".config/aiwebengine/profiles.toml", '[live]\nurl = "https://live.example"\n')
    found = home.find(environ={"AIWEBENGINE_URL": "live", "AIWEBENGINE_TOKEN": "awe_b"})
    assert (found.url, found.token) == ("https://live.example", "awe_b")


def test_token_without_encryption(home: UserFolder) -> None:
    """A token is not sent over plain HTTP to another machine, unless that is allowed by name."""
    environ = {"AIWEBENGINE_TOKEN": "awe_x"}
    error = home.refused("http://elsewhere.example", environ=environ)
    assert error.code == exits.USAGE
    assert "would travel to elsewhere.example without encryption, and nothing was sent" in error.message
    assert home.find("http://elsewhere.example").token == ""
    assert home.find("http://127.0.0.1:81", environ=environ).token == "awe_x"
    assert home.find("http://elsewhere.example", environ=environ, allow_http=True).token == "awe_x"
    allowed = {**environ, "AIWEBENGINE_ALLOW_HTTP": "1"}
    assert home.find("http://elsewhere.example", environ=allowed).token == "awe_x"
    text = '[near]\nurl = "http://near.example"\ntoken = "awe_n"\nallow_http = true\n'
    home.write(".config/aiwebengine/profiles.toml", text)
    assert home.find("near").token == "awe_n"


def test_profile_file_that_others_may_read(home: UserFolder) -> None:
    """A profile file with a token that others may read is warned about."""
    text = 'default = "a"\n[a]\nurl = "https://a.example"\ntoken = "awe_a"\n'
    home.write(".config/aiwebengine/profiles.toml", text, mode=0o644)
    home.find()
    assert len(home.warnings) == 1
    assert "run: chmod 600" in home.warnings[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = [", "cannot be read: "),
        ('[a]\nurl = "https://a.example"\ntocken = "x"\n', "`tocken` is not one"),
        ("[a]\nurl = 1\n", "`url` is not one"),
        ('[a]\nurl = "http://a.example"\nallow_http = "yes"\n', "`allow_http` is not one"),
        ("[a]\n", "the profile `a` has no `url`"),
        ('[a]\nurl = "https://a.example"\ntoken_file = "none"\n', "cannot be read: No such file or directory"),
        ('a = "x"\n', "no profile `a`; it has: none"),
    ],
)
def test_wrong_profile_files(home: UserFolder, text: str, message: str) -> None:
    """What is wrong with a profile file is said."""
    home.write(".config/aiwebengine/profiles.toml", text)
    assert message in home.refused("a").message


@pytest.mark.parametrize("url", ["ftp://x", "http://", "http://x:port", "http://user@x", "http://x?y", "http://[x"])
def test_wrong_addresses(home: UserFolder, url: str) -> None:
    """What is no address of a server is refused."""
    error = home.refused(url)
    assert error.code == exits.USAGE
    assert "is not the address of a server" in error.message


def test_token_that_cannot_be_one(home: UserFolder) -> None:
    """A token with a line break or other characters that headers do not take is refused."""
    for text in ("two\nlines", "ümlaut", "with space"):
        assert "contains characters" in home.refused("https://a.example", token_file=home.write("token", text)).message


def test_missing_files(home: UserFolder) -> None:
    """Files that were named but are not there are told."""
    assert "There is no profile file" in home.refused(profile_file=home.folder / "none.toml").message
    assert home.refused("https://a.example", token_file=home.folder / "none").code == exits.DENIED
