"""Which server a command talks to."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiwebengine.cli import exits
from aiwebengine.cli.exits import CommandFailed
from aiwebengine.cli.target import LOCAL, Asked, Target, find


class Home:
    """A user's folder and what commands find from there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.warnings: list[str] = []
        self.profiles = folder / ".config" / "aiwebengine" / "profiles.toml"
        self.profiles.parent.mkdir(parents=True)
        (folder / "data").mkdir()

    def write(self, name: str, text: str, mode: int = 0o600) -> Path:
        path = self.folder / name
        path.write_text(text, "utf-8")
        path.chmod(mode)
        return path

    def find(self, server: str | None = None, **more: object) -> Target:
        environ = {"HOME": str(self.folder), **more.pop("environ", {})}  # type: ignore[dict-item]
        given = {"token_file": None, "profile_file": None, "data_folder": self.folder / "data", **more}
        return find(Asked(server=server, environ=environ, **given), warn=self.warnings.append)

    def refused(self, server: str | None = None, **more: object) -> CommandFailed:
        with pytest.raises(CommandFailed) as caught:
            self.find(server, **more)
        return caught.value


@pytest.fixture(name="home")
def _home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_the_server_on_this_machine(home: Home) -> None:
    """Without anything it is this machine's server, with address and token from its data folder."""
    assert home.find().url == LOCAL
    home.write("data/address", "http://127.0.0.1:9999\n")
    home.write("data/administrator-token", "awe_local\n")
    found = home.find()
    assert (found.url, found.token) == ("http://127.0.0.1:9999", "awe_local")


def test_order_of_sources(home: Home) -> None:
    """Flags win over the environment, the environment over the profile file."""
    home.write(".config/aiwebengine/profiles.toml", 'default = "a"\n[a]\nurl = "https://a.example"\ntoken = "awe_a"\n')
    assert home.find().url == "https://a.example"
    environ = {"AIWEBENGINE_URL": "https://b.example/", "AIWEBENGINE_TOKEN": "awe_b"}
    found = home.find(environ=environ)
    assert (found.url, found.token) == ("https://b.example", "awe_b")
    file = home.write("token", "awe_c\n")
    found = home.find("https://c.example", environ=environ, token_file=file)
    assert (found.url, found.token) == ("https://c.example", "awe_c")


def test_a_server_by_name(home: Home) -> None:
    """A name is looked up in the profile file, and its token file stands beside that."""
    home.write(".config/aiwebengine/profiles.toml", '[live]\nurl = "https://live.example"\ntoken_file = "live.token"\n')
    home.write(".config/aiwebengine/live.token", "awe_live\n")
    found = home.find("live")
    assert (found.url, found.token) == ("https://live.example", "awe_live")
    error = home.refused("life")
    assert error.code == exits.USAGE
    assert "no profile `life`; it has: live" in error.message


def test_local_token_stays_here(home: Home) -> None:
    """The token of this machine's data folder is not sent to another one."""
    home.write("data/administrator-token", "awe_local\n")
    assert home.find("https://elsewhere.example").token == ""
    assert home.find("http://localhost:81").token == "awe_local"
    assert home.find("http://[::1]:81").token == "awe_local"


def test_token_without_encryption(home: Home) -> None:
    """A token that would travel over plain HTTP to another machine is warned about."""
    home.find("http://elsewhere.example", environ={"AIWEBENGINE_TOKEN": "awe_x"})
    assert home.warnings == ["The token travels to elsewhere.example without encryption; use https."]


def test_profile_file_that_others_may_read(home: Home) -> None:
    """A profile file with a token that others may read is warned about."""
    text = 'default = "a"\n[a]\nurl = "https://a.example"\ntoken = "awe_a"\n'
    home.write(".config/aiwebengine/profiles.toml", text, mode=0o644)
    home.find()
    assert len(home.warnings) == 1
    assert "run: chmod 600" in home.warnings[0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a = [", "cannot be read: "),
        ('[a]\nurl = "https://a.example"\ntocken = "x"\n', "`tocken` is not one"),
        ("[a]\nurl = 1\n", "`url` is not one"),
        ("[a]\n", "the profile `a` has no `url`"),
        ('[a]\nurl = "https://a.example"\ntoken_file = "none"\n', "cannot be read: No such file or directory"),
        ('a = "x"\n', "no profile `a`; it has: none"),
    ],
)
def test_wrong_profile_files(home: Home, text: str, told: str) -> None:
    """What is wrong with a profile file is said."""
    home.write(".config/aiwebengine/profiles.toml", text)
    assert told in home.refused("a").message


@pytest.mark.parametrize("url", ["ftp://x", "http://", "http://x:port", "http://user@x", "http://x?y", "http://[x"])
def test_wrong_addresses(home: Home, url: str) -> None:
    """What is no address of a server is refused."""
    error = home.refused(url)
    assert error.code == exits.USAGE
    assert "is not the address of a server" in error.message


def test_token_that_cannot_be_one(home: Home) -> None:
    """A token with a line break or other characters that headers do not take is refused."""
    for text in ("two\nlines", "ümlaut", "with space"):
        assert "holds characters" in home.refused(token_file=home.write("token", text)).message


def test_missing_files(home: Home) -> None:
    """Files that were named but are not there are told."""
    assert "There is no profile file" in home.refused(profile_file=home.folder / "none.toml").message
    assert home.refused(token_file=home.folder / "none").code == exits.DENIED
