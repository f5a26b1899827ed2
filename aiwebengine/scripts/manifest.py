"""
A script's manifest: the key `aiwebengine` of its `package.json`.

    {"name": "notes", "dependencies": {"zod": "^4"},
     "aiwebengine": {"entry": "main.ts", "basePath": "/notes", "hosts": ["notes.example.org"],
                     "capabilities": ["scripts"], "isolation": "request",
                     "limits": {"timeout": "5s", "cpu": 2000, "memory": "128MB"}}}

Everything in it is optional.  A key that is not known is refused with the nearest one
that is, because an unnoticed misspelt limit is worse than a failed deployment.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from aiwebengine.errors import Problem
from aiwebengine.runtime.reserved import ReservedPaths
from aiwebengine.scripts.base_path import why_not
from aiwebengine.scripts.capabilities import MOST_CAPABILITIES, Capabilities
from aiwebengine.scripts.hosts import MOST_HOSTS, normal_host, why_not_host
from aiwebengine.scripts.quoting import nearest, quoted
from aiwebengine.settings.amounts import shown
from aiwebengine.settings.budgets import RESOURCES, read_budget
from aiwebengine.settings.requested_limits import WORDS, read_limits
from aiwebengine.settings.schema import LimitSettings
from aiwebengine.settings.script_env import read_env

FILE = "package.json"

KEYS = ("entry", "basePath", "hosts", "capabilities", "isolation", "limits", "budgets", "env")
_MOST_BUDGETS = 5
_MOST_BYTES = 256 * 1024
ISOLATIONS = ("shared", "request")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a script says about itself, checked."""

    entry: str | None = None
    """The file to start with; None to look for one."""
    base_path: str = ""
    """The prefix of its paths; empty for none."""
    hosts: tuple[str, ...] = ()
    """On which it answers, such as `shop.example.org` or `*.example.org`; empty: on all."""
    capabilities: tuple[str, ...] = ()
    """What it asks for; has no effect until it is granted."""
    isolation: str | None = None
    """`shared`, `request`, or None for the server's setting."""
    limits: Mapping[str, float] = field(default_factory=dict)
    """Those that are present, under their names in `settings.requested_limits.WORDS`."""

    budgets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By the names of the settings, such as `host_calls`: what it may use over time, beside what the server says."""

    env: Mapping[str, str] = field(default_factory=dict)
    """Plain settings, by name."""

    def as_json(self) -> dict[str, Any]:
        """Return what was said, in its normal form."""
        pairs = {
            "entry": self.entry,
            "basePath": self.base_path,
            "hosts": list(self.hosts),
            "capabilities": list(self.capabilities),
            "isolation": self.isolation,
            "limits": dict(self.limits),
            "budgets": {name: list(texts) for name, texts in self.budgets.items()},
            "env": dict(self.env),
        }
        return {key: value for key, value in pairs.items() if value}


def read_manifest(
    content: bytes | None, *, limits: LimitSettings, capabilities: Capabilities, reserved: ReservedPaths
) -> tuple[Manifest, list[Problem]]:
    """
    Check a `package.json`.

    Args:
        content: The file; None if the script has none.
        limits: The server's own; a script may ask for less, not for more.
        capabilities: Those that there are.
        reserved: Paths that scripts may not use.

    Returns:
        The manifest, as far as it was good, and everything that is wrong with it.
    """
    if content is None:
        return Manifest(), []
    if len(content) > _MOST_BYTES:
        message = f"{FILE} has at most {_MOST_BYTES:,} bytes; this one has {len(content):,}."
        return Manifest(), [Problem(code="manifest", file=FILE, message=message)]
    try:
        text = content.decode("utf-8-sig")
        whole = json.loads(text)
    except UnicodeDecodeError:
        return Manifest(), [Problem(code="manifest", file=FILE, message=f"{FILE} is not UTF-8 text; save it as UTF-8.")]
    except (json.JSONDecodeError, RecursionError) as error:
        line, column = getattr(error, "lineno", None), getattr(error, "colno", None)
        message = f"{FILE} is not valid JSON: {getattr(error, 'msg', 'it is nested too deeply')}."
        return Manifest(), [Problem(code="manifest", file=FILE, line=line, column=column, message=message)]
    if not isinstance(whole, dict):
        return Manifest(), [
            Problem(code="manifest", file=FILE, message=f"{FILE} must hold an object; it holds {shown(whole)}.")
        ]
    reading = _ManifestReader(text=text, limits=limits, capabilities=capabilities, reserved=reserved)
    return reading.manifest(whole.get("aiwebengine", {})), reading.problems


class _ManifestReader:
    """One pass over a manifest, collecting what is wrong."""

    def __init__(
        self, *, text: str, limits: LimitSettings, capabilities: Capabilities, reserved: ReservedPaths
    ) -> None:
        self.problems: list[Problem] = []
        self._text = text
        self._limits = limits
        self._known_capabilities = capabilities
        self._reserved = reserved

    def manifest(self, value: Any) -> Manifest:
        if not isinstance(value, dict):
            self._wrong("aiwebengine", f'"aiwebengine" in {FILE} must be an object; it is {shown(value)}.')
            return Manifest()
        self._known(value, (*KEYS, *self._known_capabilities.keys), "aiwebengine")
        return Manifest(
            entry=self._entry(value.get("entry")),
            base_path=self._base_path(value.get("basePath")),
            hosts=self._hosts(value.get("hosts")),
            capabilities=tuple(sorted(self._capabilities(value.get("capabilities")) | self._scoped(value))),
            isolation=self._isolation(value.get("isolation")),
            limits=self._limit_values(value.get("limits")),
            budgets=self._budgets(value.get("budgets")),
            env=self._env(value.get("env")),
        )

    def _entry(self, value: Any) -> str | None:
        if value is None:
            return None
        if isinstance(value, str) and value:
            return value.removeprefix("./")
        self._wrong("entry", f'"entry" must be the path of a file, such as "main.ts"; it is {shown(value)}.')
        return None

    def _base_path(self, value: Any) -> str:
        if value is None or value in {"", "/"}:
            return ""
        why = why_not(value, self._reserved) if isinstance(value, str) else 'must be a path such as "/shop"'
        if why is None:
            return str(value)
        self._wrong("basePath", f'"basePath" {why}; it is {shown(value)}.')
        return ""

    def _hosts(self, value: Any) -> tuple[str, ...]:
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self._wrong(
                "hosts", f'"hosts" must be a list of names, such as ["shop.example.org"]; it is {shown(value)}.'
            )
            return ()
        if len(value) > MOST_HOSTS:
            self._wrong("hosts", f'"hosts" may hold at most {MOST_HOSTS} names; it holds {len(value)}.')
            return ()
        for name in value:
            if why := why_not_host(normal_host(name)):
                self._wrong(name, f'"hosts" {why}; one of them is {shown(name)}.')
        return tuple(dict.fromkeys(normal_host(name) for name in value))

    def _capabilities(self, value: Any) -> frozenset[str]:
        if value is None:
            return frozenset()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self._wrong(
                "capabilities", f'"capabilities" must be a list of names, such as ["scripts"]; it is {shown(value)}.'
            )
            return frozenset()
        return self._read_capabilities(value, written=lambda name: name)

    def _scoped(self, manifest: Mapping[str, Any]) -> frozenset[str]:
        """Return what is requested by keys of its own, such as `"fetch": ["api.example.com"]`."""
        names: list[str] = []
        for key, capability in self._known_capabilities.keys.items():
            value, scope = manifest.get(key), self._known_capabilities.scopes[capability]
            if value is None:
                continue
            asked = (scope.asked or _list_of_strings)(value)
            if asked is None:
                form = scope.form or f'a list, such as ["{scope.example}"]'
                self._wrong(key, f'"{key}" must be {form}; it is {shown(value)}.')
                continue
            names += [f"{capability}:{item}" for item in asked]
        return self._read_capabilities(names, written=lambda name: name.partition(":")[2])

    def _read_capabilities(self, names: Sequence[str], *, written: Callable[[str], str]) -> frozenset[str]:
        """Return the normal forms of those that there are; *written* is the value in the file."""
        accepted = set()
        for name in dict.fromkeys(names):
            normal, problem = self._known_capabilities.read(name)
            if problem is None:
                accepted.add(normal)
            else:
                self.problems.append(replace(problem, file=FILE, line=self._line(written(name))))
        if len(accepted) > MOST_CAPABILITIES:
            self._wrong(
                "capabilities", f"A script may ask for at most {MOST_CAPABILITIES} capabilities; it asks for more."
            )
        return frozenset(accepted)

    def _isolation(self, value: Any) -> str | None:
        if value is None or value in ISOLATIONS:
            return value  # type: ignore[no-any-return]
        self._wrong("isolation", f'"isolation" must be "shared" or "request"; it is {shown(value)}.')
        return None

    def _limit_values(self, value: Any) -> dict[str, float]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            self._wrong("limits", f'"limits" must be an object such as {{"timeout": "5s"}}; it is {shown(value)}.')
            return {}
        self._known(value, WORDS, "limits")
        accepted, wrong = read_limits(value, limits=self._limits, words=WORDS)
        for key, why in wrong:
            self._wrong(key, f'"limits.{key}" {why}')
        return accepted

    def _budgets(self, value: Any) -> dict[str, tuple[str, ...]]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            form = 'an object such as {"hostCalls": "1000/1m"}'
            self._wrong("budgets", f'"budgets" must be {form}; it is {shown(value)}.')
            return {}
        self._known(value, RESOURCES, "budgets")
        lists: dict[str, tuple[str, ...]] = {}
        for word, resource in RESOURCES.items():
            budget = value.get(word)
            if budget is None:
                continue
            texts = budget if isinstance(budget, list) else [budget]
            wrong = next((text for text in texts if read_budget(text, resource) is None), None)
            if wrong is not None or len(texts) > _MOST_BUDGETS:
                form = f'a budget such as "{resource.example}", or a list of at most {_MOST_BUDGETS} of them'
                self._wrong(word, f'"budgets.{word}" must be {form}; it is {shown(budget)}.')
            else:
                lists[resource.name] = tuple(texts)
        return lists

    def _env(self, value: Any) -> dict[str, str]:
        if value is None:
            return {}
        env, wrong = read_env(value)
        if wrong:
            self._wrong("env", f'"env" {wrong}.')
        return env

    def _known(self, value: Mapping[str, Any], known: Iterable[str], where: str) -> None:
        for key in value:
            if key not in known:
                self._wrong(
                    key,
                    f'{quoted(key[:64])} is not a key of "{where}" in {FILE}; known are {", ".join(known)}.',
                    hint=nearest(key, known),
                )

    def _wrong(self, key: str, message: str, *, hint: str | None = None) -> None:
        self.problems.append(Problem(code="manifest", file=FILE, line=self._line(key), message=message, hint=hint))

    def _line(self, key: str) -> int | None:
        """Find where a key stands; the first place is nearly always the right one."""
        at = self._text.find(json.dumps(key, ensure_ascii=False))
        return None if at < 0 else self._text.count("\n", 0, at) + 1


def _list_of_strings(value: Any) -> Sequence[str] | None:
    return value if isinstance(value, list) and all(isinstance(item, str) for item in value) else None
