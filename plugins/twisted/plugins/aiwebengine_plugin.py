"""
`twistd aiwebengine`.

Twisted reads this file to list its commands, so it imports nothing of the engine.
There is no `__init__.py` beside it: `twisted.plugins` collects files from many folders.
"""

from twisted.application.service import ServiceMaker

aiwebengine = ServiceMaker(
    "aiwebengine",
    "aiwebengine.cli.twistd",
    "A server to which people and AI agents deploy JavaScript and TypeScript.",
    "aiwebengine",
)
