"""
`twistd aiwebengine`.

Twisted reads this file to list its commands, so it imports nothing of the engine that takes time.
There is no `__init__.py` beside it: `twisted.plugins` collects files from many folders.
"""

import sys

from twisted.application.service import ServiceMaker

from aiwebengine.cli.early import hold

# The first that is heard of the server when twistd starts it: importing the rest takes a second or two.
if "aiwebengine" in sys.argv[1:]:
    hold()

aiwebengine = ServiceMaker(
    "aiwebengine",
    "aiwebengine.cli.twistd",
    "A server to which people and AI agents deploy JavaScript and TypeScript.",
    "aiwebengine",
)
