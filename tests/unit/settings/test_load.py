"""Settings from files, environment and flags."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aiwebengine.errors import CannotStart
from aiwebengine.features.all import FEATURES, sections_of
from aiwebengine.settings.load import SettingSources, WrongSettings
from aiwebengine.settings.load import load as load_with
from aiwebengine.settings.schema import Settings

SHIPPED = Path(__file__).parents[3] / "config"


def load(sources: SettingSources) -> Settings:
    """Load with the sections of the engine's own features."""
    return load_with(sources, sections=sections_of(FEATURES))


class ConfigFolder:
    """A folder with files, and what a start in it gives."""

    def __init__(self, folder: Path) -> None:
        self.path = folder

    def file(self, name: str, text: str) -> Path:
        file = self.path / name
        file.write_text(text, "utf-8")
        return file

    def sources(self, *config: Path, **more: Any) -> SettingSources:
        return SettingSources(config=config, folder=self.path, **{"values": SHIPPED, **more})

    def problems(self, *config: Path, **more: Any) -> list[str]:
        with pytest.raises(WrongSettings) as caught:
            load(self.sources(*config, **more))
        return [str(problem) for problem in caught.value.problems]


@pytest.fixture(name="config_folder")
def _config_folder(tmp_path: Path) -> ConfigFolder:
    return ConfigFolder(tmp_path)


def test_defaults_without_anything(config_folder: ConfigFolder) -> None:
    """A start without files and flags is the development profile on this machine's port 8080."""
    settings = load(config_folder.sources())
    assert (settings.profile, settings.server.listen, settings.server.port) == ("development", "127.0.0.1", 8080)
    assert settings.server.data_folder == str(config_folder.path / "data")
    assert settings.errors.show_source


@pytest.mark.setting("profile")
@pytest.mark.parametrize(("profile", "shown", "form"), [("staging", False, "json"), ("production", False, "json")])
def test_profiles(config_folder: ConfigFolder, profile: str, shown: bool, form: str) -> None:
    """Staging and production show no source and log for machines."""
    settings = load(config_folder.sources(profile=profile))
    assert (settings.profile, settings.errors.show_source, settings.logs.format) == (profile, shown, form)


def test_later_sources_win(config_folder: ConfigFolder) -> None:
    """File over profile, later file over earlier, environment over files, flags over all."""
    first = config_folder.file("first.yaml", "server: {port: 1001, listen: 127.0.0.2}\nlogs: {level: warn}\n")
    second = config_folder.file("second.toml", "[server]\nport = 1002\n")
    environ = {"AIWEBENGINE__SERVER__PORT": "1003", "AIWEBENGINE__LIMITS__WALL_SECONDS": "2.5"}
    assert load(config_folder.sources(first, second)).server.port == 1002
    assert load(config_folder.sources(first, second, environ=environ)).server.port == 1003
    flags = (("--port", "server.port", "1004"),)
    settings = load(config_folder.sources(first, second, environ=environ, flags=flags))
    assert settings.server.port == 1004
    assert settings.server.listen == "127.0.0.2"
    assert (settings.logs.level, settings.limits.wall_seconds) == ("warn", 2.5)


def test_profile_from_every_source(config_folder: ConfigFolder) -> None:
    """The profile comes from the flag, else the environment, else a file, else it is development."""
    file = config_folder.file("my.yaml", "profile: staging\n")
    assert load(config_folder.sources(file)).profile == "staging"
    environ = {"AIWEBENGINE_PROFILE": "production"}
    assert load(config_folder.sources(file, environ=environ)).profile == "production"
    assert load(config_folder.sources(file, environ=environ, profile="development")).profile == "development"


def test_config_files_from_the_environment(config_folder: ConfigFolder) -> None:
    """AIWEBENGINE_CONFIG names files too, and those of flags win."""
    first = config_folder.file("first.yaml", "server: {port: 1001}\nlogs: {level: warn}\n")
    second = config_folder.file("second.yaml", "server: {port: 1002}\n")
    settings = load(config_folder.sources(second, environ={"AIWEBENGINE_CONFIG": str(first)}))
    assert (settings.server.port, settings.logs.level) == (1002, "warn")


def test_ways_to_write_values(config_folder: ConfigFolder) -> None:
    """Sizes with units, lists, numbers as text, paths with a home folder and empty sections are understood."""
    file = config_folder.file(
        "my.yaml",
        "http:\n  max_body_bytes: 1.5 MiB\n  idle_seconds: 1e2\n"
        "server:\n  trusted_proxies: [10.0.0.0/8, '::1']\n  data_folder: ~/engine\nlimits:\n",
    )
    settings = load(config_folder.sources(file))
    assert settings.http.max_body_bytes == 1536 * 1024
    assert settings.http.idle_seconds == 100.0
    assert settings.server.trusted_proxies == ("10.0.0.0/8", "::1")
    assert settings.server.data_folder == str(Path("~/engine").expanduser())
    environ = {
        "AIWEBENGINE__SERVER__TRUSTED_PROXIES": "10.1.0.0/16, 127.0.0.1",
        "AIWEBENGINE__ERRORS__SHOW_SOURCE": "no",
    }
    settings = load(config_folder.sources(environ=environ))
    assert settings.server.trusted_proxies == ("10.1.0.0/16", "127.0.0.1")
    assert settings.errors.show_source is False


def test_a_wrong_setting_names_its_place(config_folder: ConfigFolder) -> None:
    """A wrong value is told with file, line, column, what it is and what is allowed."""
    file = config_folder.file("my.yaml", "# mine\nserver:\n  port: 99999\n")
    result = f"{file}:3:3: `server.port` cannot be 99999; allowed is a whole number from 0 to 65535."
    assert config_folder.problems(file) == [f"{result}\n      port: 99999\n      ^"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "server: {prot: 1}",
            "There is no setting `server.prot`; did you mean `server.port`? `server` has listen, port",
        ),
        ("sever: {port: 1}", "There is no section `sever`; did you mean `server.port`? sections are server, http"),
        ("isolation: shared", "did you mean `pool.isolation`?"),
        ("server: 8080", "`server` is a section and takes keys, not a value; its keys are listen, port"),
        ("server: {port: {number: 1}}", "`server.port` takes a value, not keys; allowed is a whole number"),
        ("server: {port: }", "`server.port` has no value; allowed is a whole number from 0 to 65535"),
        ("server: {port: 80.5}", "`server.port` cannot be 80.5; allowed is a whole number"),
        ("server: {port: true}", "`server.port` cannot be true; allowed is a whole number"),
        ("server: {port: .inf}", "`server.port` cannot be inf"),
        ("server: {listen: example.org}", "allowed is an IP address such as 127.0.0.1"),
        ("server: {public_url: 'ftp://example.org'}", "allowed is a web address without a path"),
        ("server: {public_url: 'http://[::1'}", "allowed is a web address without a path"),
        ("server: {trusted_proxies: 10.0.0.0/8}", "allowed is a list, each item an address or a network"),
        ("server: {trusted_proxies: [localhost]}", "`server.trusted_proxies` cannot be 'localhost'"),
        ("pool: {isolation: process}", "allowed is `shared` or `request`"),
        ("logs: {level: loud}", "allowed is `debug`, `info`, `warn` or `error`"),
        ("errors: {show_source: 'yes'}", "`errors.show_source` cannot be 'yes'; allowed is true or false"),
        ("http: {max_body_bytes: 10 MB}", "sizes may be written as `10 MiB`"),
        ("profile: prod", "`profile` cannot be 'prod'; allowed is `development`, `staging` or `production`"),
        ("streams: {retry_seconds: 1}", "The setting `streams.retry_seconds` is called `live.retry_seconds` now."),
        ("sockets: {origins: ['*']}", "The setting `sockets.origins` is called `websocket.origins` now."),
        ("http: {idempotency_seconds: 9}", "is called `idempotency.keep_seconds` now."),
        ("streams: {history: 1}", "There is no setting `streams.history`; did you mean `streams.history_messages`?"),
        ("server: {port: 1, port: 2}", "`server.port` stands here a second time; the first is in line 1"),
        ("- server", "Settings are sections with keys"),
        ("server: [", "This is not YAML"),
        ("server: {port: 1}\n---\nserver: {port: 2}", "This is not YAML: but found another document"),
        ("server: {port: !!python/name:os.system }", "This is not YAML: could not determine a constructor"),
        ("? [a]\n: 1", "There is no section or setting `?`"),
    ],
)
def test_wrong_yaml(config_folder: ConfigFolder, text: str, message: str) -> None:
    """What is wrong with a file is said in words that help."""
    file = config_folder.file("my.yaml", text)
    problems = config_folder.problems(file)
    assert len(problems) == 1
    assert message in problems[0]
    assert problems[0].startswith(f"{file}:")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[server]\n# port\nport = 99999\n", "my.toml:3:1: `server.port` cannot be 99999"),
        ('[server]\nlisten = "x"\n', "my.toml:2:1: `server.listen` cannot be 'x'"),
        ("[server]\nport = \n", "my.toml:2:8: This is not TOML: Invalid value."),
        ('server.port = "x"\n', "my.toml:1:1: `server.port` cannot be 'x'"),
        ("port = 1\n", "my.toml:1:1: There is no section or setting `port`; did you mean `server.port`?"),
    ],
)
def test_wrong_toml(config_folder: ConfigFolder, text: str, message: str) -> None:
    """TOML gets the same messages, with the line of the key."""
    problems = config_folder.problems(config_folder.file("my.toml", text))
    assert len(problems) == 1
    assert message in problems[0]


def test_wrong_environment_and_flags(config_folder: ConfigFolder) -> None:
    """Wrong variables and flags are named as they were given, misspelt variables too."""
    environ = {"AIWEBENGINE__SERVER__PROT": "1", "AIWEBENGINE__LIMITS__WALL_SECONDS": "long", "AIWEBENGINE__X": "1"}
    problems = config_folder.problems(environ=environ, flags=(("--port", "server.port", "http"),))
    assert [problem.split(";")[0] for problem in problems] == [
        "environment variable AIWEBENGINE__LIMITS__WALL_SECONDS: `limits.wall_seconds` cannot be 'long'",
        "environment variable AIWEBENGINE__SERVER__PROT: There is no setting `server.prot`",
        "environment variable AIWEBENGINE__X: There is no section or setting `x`",
        "flag --port: `server.port` cannot be 'http'",
    ]


def test_wrong_profile_from_flag_and_environment(config_folder: ConfigFolder) -> None:
    """A profile that does not exist is told once, with those that do."""
    for more in ({"profile": "prod"}, {"environ": {"AIWEBENGINE_PROFILE": "prod"}}):
        problems = config_folder.problems(**more)
        assert len(problems) == 1
        assert "`profile` cannot be 'prod'; allowed is `development`, `staging` or `production`" in problems[0]


def test_all_problems_at_once(config_folder: ConfigFolder) -> None:
    """Every wrong setting of every source is told in one go, and nothing is loaded."""
    file = config_folder.file("my.yaml", "server: {port: 70000, listen: x}\nlogs: {level: x}\n")
    problems = config_folder.problems(
        file, config_folder.path / "none.yaml", environ={"AIWEBENGINE__POOL__ISOLATION": "x"}
    )
    assert len(problems) == 5
    with pytest.raises(CannotStart, match="5 settings are wrong"):
        load(
            config_folder.sources(file, config_folder.path / "none.yaml", environ={"AIWEBENGINE__POOL__ISOLATION": "x"})
        )


def test_a_wrong_value_counts_even_if_it_is_covered(config_folder: ConfigFolder) -> None:
    """A wrong value in a file is told although a flag replaces it: the next start may lack the flag."""
    file = config_folder.file("my.yaml", "server: {port: x}\n")
    assert len(config_folder.problems(file, flags=(("--port", "server.port", "80"),))) == 1


def test_files_that_cannot_be_read(config_folder: ConfigFolder) -> None:
    """A missing file, a folder, bytes that are no text and a giant file are refused in words."""
    latin = config_folder.path / "latin.yaml"
    latin.write_bytes(b"server:\n  listen: \xe9\n")
    giant = config_folder.file("giant.yaml", "#" * (1024 * 1024 + 1))
    assert "No such file" in config_folder.problems(config_folder.path / "none.yaml")[0]
    assert "cannot be read: Is a directory" in config_folder.problems(config_folder.path)[0]
    assert "latin.yaml:2: The file is not UTF-8: byte 0xe9" in config_folder.problems(latin)[0]
    assert "larger than 1 MiB" in config_folder.problems(giant)[0]


def test_a_date(config_folder: ConfigFolder) -> None:
    """A value that YAML takes for a date is shown as what was written, with the reason."""
    file = config_folder.file("my.yaml", "server:\n  listen: 2026-01-02\n")
    (problem,) = config_folder.problems(file)
    assert "the date 2026-01-02, which YAML reads without quotation marks" in problem
