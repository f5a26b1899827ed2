"""
Write the oldest versions that setup.cfg allows, as requirements.

    python lowest.py setup.cfg lowest.txt
"""

from __future__ import annotations

import configparser
import re
import sys
from pathlib import Path

_REQUIREMENT = re.compile(r"^([\w.-]+)(?:\[[\w,]+\])?(?:==|>=)([\w.]+)")


def lowest(setup: str) -> list[str]:
    """Return `name==version` for each dependency; ValueError for one without a lower bound."""
    config = configparser.ConfigParser(interpolation=None)
    config.read_string(setup)
    found = []
    for line in config["options"]["install_requires"].strip().splitlines():
        match = _REQUIREMENT.match(line.strip())
        if match is None:
            raise ValueError(f"{line.strip()} has no lower bound")
        found.append(f"{match[1]}=={match[2]}")
    return found


if __name__ == "__main__":
    Path(sys.argv[2]).write_text("\n".join(lowest(Path(sys.argv[1]).read_text("utf-8"))) + "\n", "utf-8")
