"""What `/` says while no script answers it."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.web.welcome import welcome


class WelcomeTests(SynchronousTestCase):
    """`welcome`."""

    def test_a_page(self) -> None:
        """A browser is told that the server runs and how to deploy; the page needs nothing from elsewhere."""
        for scripts, words in [(0, "No script is deployed yet."), (1, "1 script serves"), (2, "2 scripts serve")]:
            page = welcome(page=True, scripts=scripts).body.decode()
            self.assertIn(words, page)
            self.assertIn("aiwebengine deploy hello.js", page)
            self.assertNotIn("src=", page)

    def test_a_program(self) -> None:
        """A program gets JSON."""
        self.assertEqual(json.loads(welcome(page=False, scripts=2).body), {"server": "aiwebengine", "scripts": 2})
