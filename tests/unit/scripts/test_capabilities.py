"""Capabilities: how they are asked for, granted and compared."""

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Invalid
from aiwebengine.scripts.capabilities import Capabilities
from aiwebengine.values import CapabilityScope


def normal(value):
    if " " in value:
        raise Invalid("No name has spaces.")
    return value.lower()


SCOPE = CapabilityScope(
    noun="name", example="ann", normal=normal, covers=lambda granted, asked: granted in {"*", asked}
)
KNOWN = Capabilities({"assets": None, "call": SCOPE})


class CapabilityTests(SynchronousTestCase):
    """`Capabilities`."""

    def granted(self, *texts, requested=()):
        grants, problems = KNOWN.granted(texts, requested=requested)
        self.assertEqual(problems, [])
        return sorted(grants)

    def test_granted(self):
        """Grants have a normal form; the name of a scoped one means all that the manifest asks for."""
        self.assertEqual(self.granted("assets", "call:Ann"), ["assets", "call:ann"])
        self.assertEqual(self.granted("call", requested=["call:ann", "call:bo", "assets"]), ["call:ann", "call:bo"])
        self.assertEqual(self.granted("call"), [])

    def test_wrong_grants(self):
        """Every grant that means nothing is reported."""
        _, problems = KNOWN.granted(["asets", "assets:ann", "call:a b"], requested=())
        messages = sorted(problem.message for problem in problems)
        self.assertIn('There is no capability "asets"; there are assets, call:NAME.', messages)
        self.assertIn('There is no capability "assets:ann"; there are assets, call:NAME.', messages)
        self.assertIn('The capability "call:a b" cannot be granted: No name has spaces.', messages)

    def test_allows(self):
        """A grant allows itself and what its scope says that it covers, of its own capability."""
        self.assertTrue(KNOWN.allows({"assets"}, "assets"))
        self.assertTrue(KNOWN.allows({"call:*"}, "call:ann"))
        self.assertFalse(KNOWN.allows({"call:bo", "assets"}, "call:ann"))
        self.assertFalse(KNOWN.allows({"call:*"}, "assets"))

    def test_keys(self):
        """A capability may be asked for, and granted as asked for, under another name than its own."""
        scope = CapabilityScope(
            noun="name", example="ann", normal=normal, covers=str.__eq__, key="calls", asked=list, form="a list"
        )
        known = Capabilities({"call": scope})
        self.assertEqual(known.keys, {"calls": "call"})
        self.assertEqual(known.granted(["calls"], requested=["call:ann"])[0], {"call:ann"})
        [problem] = known.granted(["call"], requested=())[1]
        self.assertIn('"calls": ["ann"] in the manifest', problem.message)
