"""The page of documentation that tells how far the web standards are followed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs" / "reference" / "web-standards.md"
OUTCOMES = HERE / "outcomes.json"
DIFFERENCES = HERE / "differences.json"
OURS = "aiwebengine"

_HEAD = """# Web standards

Made by `bench/standards/survey.py` on {date}; do not edit it.
The same tests ran in scripts deployed to a server, {others}.
A cell shows how many tests passed; a test that gave no result has failed.
[What scripts may use](../explain/what-scripts-may-use.md) tells which classes there are, and what is missing.

## Our own tests

They are written from the standards and stand in `bench/standards/probes`; a name in brackets is that of the file.
Those of `fetch-network` call a server on the same machine.
Most differences that they showed were mended while they were written, so they say less than the tests of others.
"""
_TITLES = {
    "url": "URL, URLSearchParams", "encoding": "Encoding, atob, btoa", "blob": "Blob, File", "formdata": "FormData",
    "headers": "Headers", "fetch": "Request, Response, data: addresses", "fetch-network": "fetch, redirections, aborts",
    "abort": "AbortController, AbortSignal", "events": "Event, EventTarget, DOMException",
    "structured-clone": "structuredClone", "timers": "timers, microtasks, clock",
    "streams": "streams, compression", "urlpattern": "URLPattern", "crypto": "Web Cryptography",
}  # fmt: skip


def page(outcomes: Mapping[str, Any], differences: Mapping[str, Mapping[str, str]]) -> str:
    """
    Return the page.

    Args:
        outcomes: As `survey.py` keeps them: `date`, `versions`, `probes`, `wpt`, `wpt_state`.
        differences: Why tests of our own fail here: topic, name, reason.
    """
    versions: Mapping[str, str] = outcomes["versions"]
    others = " and ".join(f"in {_named(name)} {version}" for name, version in versions.items() if name != OURS)
    parts = [_HEAD.format(date=outcomes["date"], others=others), _table(outcomes["probes"], list(versions), _titled)]
    parts.append(_reasons(differences))
    if outcomes.get("wpt"):
        parts.append(_wpt(outcomes, list(versions)))
    return "\n".join(parts).rstrip("\n") + "\n"


def _named(name: str) -> str:
    return {"node": "Node.js", "deno": "Deno"}.get(name, name)


def _titled(topic: str) -> str:
    return f"{_TITLES.get(topic, topic)} (`{topic}`)"


def _table(topics: Mapping[str, Any], names: list[str], titled: Any) -> str:
    lines = [
        f"| topic | tests | {' | '.join(map(_named, names))} |",
        f"|---|---:|{'---:|' * len(names)}",
        *(
            f"| {titled(topic)} | {told['total']} | {' | '.join(str(told['passed'][name]) for name in names)} |"
            for topic, told in topics.items()
        ),
    ]
    totals = [sum(told["passed"][name] for told in topics.values()) for name in names]
    lines.append(f"| all | {sum(told['total'] for told in topics.values())} | {' | '.join(map(str, totals))} |")
    return "\n".join(lines) + "\n"


def _reasons(differences: Mapping[str, Mapping[str, str]]) -> str:
    rows = [
        f"| `{topic}` | {_cell(name)} | {reason} |"
        for topic, told in differences.items()
        for name, reason in told.items()
    ]
    return "\n".join(["What fails in scripts, and why:", "", "| topic | test | why |", "|---|---|---|", *rows]) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _wpt(outcomes: Mapping[str, Any], names: list[str]) -> str:
    state = f" (commit {outcomes['wpt_state']})" if outcomes.get("wpt_state") else ""
    head = (
        f"## The Web Platform Tests\n\nThe files `.any.js` of a checkout{state}, with the harness of our own tests.\n"
        "The checkout is not part of this repository; no package of npm contains these tests.\n"
        "Tests that need a document, or the server of the Web Platform Tests, fail everywhere;"
        " those of interface definitions (`idlharness`) and the slow ones of PBKDF2 were left out.\n"
        "A file that cannot be deployed, or that leaves a rejected promise behind, gives no results here.\n"
    )
    return f"{head}\n{_table(outcomes['wpt'], names, lambda topic: f'`{topic}`')}"


def read(path: Path) -> Any:
    """Read a file of JSON; an empty object if there is none."""
    return json.loads(path.read_text("utf-8")) if path.exists() else {}
