"""The page of documentation that tells which packages work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.packages.case import Case

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "packages.md"
_HEAD = """# Packages of npm

Made by `bench/packages/survey.py`; do not edit it.
Each package was used in a few lines, in Node.js and in a deployed script, and both gave one JSON value.

- right: the values are the same
- refused: the script could not be deployed
- failed: an exception at run time
- wrong: another value, without an exception
- no answer of node: the case does not run in Node.js, so nothing was compared

"""


def page(cases: Sequence[Case], outcomes: Mapping[str, Any]) -> str:
    """Return the page."""
    counts = Counter(outcome["result"] for outcome in outcomes.values())
    told = ", ".join(f"{number} {result}" for result, number in counts.most_common())
    lines = [
        f"There are {len(cases)} cases, of which {sum(counts.values())} were tried: {told}.",
        "",
        "| package | version | result | build, s | why |",
        "|---|---|---|---:|---|",
    ]
    for case in cases:
        outcome = outcomes.get(case.name, {"result": "not tried", "why": ""})
        build = f"{outcome['build_ms'] / 1000:.1f}" if "build_ms" in outcome else ""
        cells = (case.name, case.versions[case.name], outcome["result"], build, _cell(outcome["why"]))
        lines.append(f"| {' | '.join(cells)} |")
    return _HEAD + "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Return a text that a table can hold, as it was written."""
    plain = " ".join(text.split())[:200].replace("`", "'").replace("|", "\\|")
    return f"`{plain}`" if plain else ""
