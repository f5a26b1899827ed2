"""Held effects and reading one's own writes."""

from __future__ import annotations

import base64
import json

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.errors import Conflict, Problem, TooLarge, TooMany
from aiwebengine.host.effects import HeldEffect
from aiwebengine.host.session import CallSession
from aiwebengine.values import LogLine
from tests.unit.host.fakes import Everything, ask, host, invocation, receipt

SVG = base64.b64encode(b"<svg/>").decode()


def committing(session: CallSession) -> Deferred[None]:
    """Begin a commit that has something to do."""
    done = session.commit()
    assert done is not None
    return done


class ScriptEffectTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.behind = Everything()
        self.session = host(self.behind).begin(invocation())

    def commit(self) -> None:
        self.successResultOf(committing(self.session))

    def test_holds_an_upsert_until_commit(self) -> None:
        """A script that was written goes live only when the invocation is committed."""
        self.assertEqual(ask(self.session, "upsertScript", "other", "// x"), {"ok": None})
        self.assertNotIn("other", self.behind.scripts)
        self.commit()
        self.assertEqual(self.behind.scripts["other"], "// x")

    def test_drops_effects_that_were_not_committed(self) -> None:
        """A handler that fails leaves no script behind."""
        ask(self.session, "upsertScript", "other", "// x")
        self.session.end(receipt("script_failed"))
        self.assertIsNone(self.session.commit())
        self.assertEqual(list(self.behind.scripts), ["me"])

    def test_sees_its_own_writes(self) -> None:
        """A script reads what it has just written or deleted."""
        ask(self.session, "upsertScript", "other", "// x")
        self.assertEqual(ask(self.session, "deleteScript", "me"), {"ok": True})
        self.assertEqual(ask(self.session, "listScripts"), {"ok": ["other"]})
        self.assertEqual(ask(self.session, "getScript", "other"), {"ok": "// x"})
        self.assertEqual(ask(self.session, "getScript", "me"), {"ok": ""})
        self.assertEqual(ask(self.session, "deleteScript", "me"), {"ok": False})

    def test_commits_only_the_last_write(self) -> None:
        """Of several writes to one script the last one counts."""
        ask(self.session, "upsertScript", "other", "// 1")
        ask(self.session, "upsertScript", "other", "// 2")
        self.commit()
        self.assertEqual(self.behind.scripts["other"], "// 2")
        self.assertIsNone(self.session.commit())

    def test_logs_what_cannot_be_deployed(self) -> None:
        """`upsertScript` throws nothing; the problem is in the log of the caller."""
        self.behind.problems = [Problem(code="syntax", message="Unexpected token.", file="main.js", line=3)]
        self.assertEqual(ask(self.session, "upsertScript", "other", "{"), {"ok": None})
        self.assertIsNone(self.session.commit())
        ((script, level, message),) = self.behind.lines
        self.assertEqual((script, level), ("me", "error"))
        self.assertEqual(message, 'upsertScript: "other" is not deployed: Unexpected token. (main.js:3)')

    def test_warnings_name_the_route(self) -> None:
        """What the server says of a run names the route; what the script logs, and a load, does not."""
        lines = [LogLine(at=0, level="warn", message=who, of_server=who == "server") for who in ("server", "script")]
        host(self.behind).begin(invocation()._replace(label="GET /a")).log(lines)
        host(self.behind).begin(invocation("load")._replace(label="load")).log(lines)
        self.assertEqual(self.behind.routes, ["GET /a", None, None, None])

    def test_commits_everything_at_once(self) -> None:
        """Several scripts that one invocation deploys and deletes go live together."""
        ask(self.session, "upsertScript", "a", "// a")
        ask(self.session, "upsertScript", "b", "// b")
        ask(self.session, "deleteScript", "me")
        self.commit()
        self.assertEqual((sorted(self.behind.scripts), self.behind.commits), (["a", "b"], 1))

    def test_tells_a_conflict_at_commit(self) -> None:
        """What can no longer be deployed at commit fails the invocation as a conflict."""
        ask(self.session, "upsertScript", "other", "// x")
        self.behind.refuse_deploy = True
        failure = self.failureResultOf(committing(self.session), Conflict)
        self.assertIn("Taken by other.", failure.value.public)

    def test_keeps_the_effects_of_a_load_for_the_deployment(self) -> None:
        """What the top level writes is carried out by the deployment, and never by a mere check."""
        session = host(self.behind).begin(invocation("load"))
        ask(session, "upsertScript", "other", "// x")
        self.assertIsNone(session.commit())
        session.end(receipt())
        self.assertNotIn("other", self.behind.scripts)
        assert session.registrations is not None
        self.successResultOf(Deferred.fromCoroutine(session.registrations.carry_out()))
        self.assertEqual(self.behind.scripts["other"], "// x")

    def test_carries_nothing_out_of_a_load_that_failed(self) -> None:
        """A top level that throws has written nothing."""
        session = host(self.behind).begin(invocation("load"))
        ask(session, "upsertScript", "other", "// x")
        session.end(receipt("script_failed"))
        assert session.registrations is not None
        self.successResultOf(Deferred.fromCoroutine(session.registrations.carry_out()))
        self.assertNotIn("other", self.behind.scripts)

    def test_bounds_what_it_holds(self) -> None:
        """An invocation cannot hold effects without end, and a refused one leaves the others."""
        for number in range(1000):
            self.session.hold(HeldEffect(group="scripts", key=str(number), value=""))
        self.assertRaises(TooMany, self.session.hold, HeldEffect(group="scripts", key="x", value=""))
        self.session.hold(HeldEffect(group="scripts", key="5", value="again"))
        self.assertRaises(
            TooLarge, self.session.hold, HeldEffect(group="scripts", key="6", value="", size_bytes=1 << 30)
        )
        self.assertEqual(len(self.session.pending("scripts")), 1000)


class AssetEffectTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.behind = Everything()
        self.session = host(self.behind).begin(invocation())

    def commit(self) -> None:
        self.successResultOf(committing(self.session))

    def test_stores_at_commit(self) -> None:
        """An asset is seen by its writer at once and by others after the commit."""
        ask(self.session, "upsertAsset", "/a.svg", "image/svg+xml", SVG)
        self.assertEqual(self.behind.assets, {})
        self.assertEqual(ask(self.session, "listAssets"), {"ok": ["/a.svg"]})
        stored = json.loads(ask(self.session, "fetchAsset", "/a.svg")["ok"])
        self.assertEqual(stored, {"publicPath": "/a.svg", "mimetype": "image/svg+xml", "content": SVG})
        self.commit()
        self.assertEqual(self.behind.assets["/a.svg"].content, b"<svg/>")

    def test_gives_null_as_text(self) -> None:
        """An asset that is not there is the text `null`, as it always was."""
        self.assertEqual(ask(self.session, "fetchAsset", "/no"), {"ok": "null"})

    def test_refuses_what_is_not_base64(self) -> None:
        """Content that is no base64 is refused with what to do."""
        for content in ("<svg/>", "YQ", "é"):
            error = ask(self.session, "upsertAsset", "/a.svg", "image/svg+xml", content)["err"]
            self.assertIn("use btoa(text)", error["message"])

    def test_says_whether_there_was_one(self) -> None:
        """`deleteAsset` says whether there was something to delete, own writes among it."""
        self.assertEqual(ask(self.session, "deleteAsset", "/a.svg"), {"ok": False})
        ask(self.session, "upsertAsset", "/a.svg", "image/svg+xml", SVG)
        self.assertEqual(ask(self.session, "deleteAsset", "/a.svg"), {"ok": True})
        self.assertEqual(ask(self.session, "fetchAsset", "/a.svg"), {"ok": "null"})


class LogTests(SynchronousTestCase):
    def test_reads_its_own_log(self) -> None:
        """A script reads its own messages without a grant."""
        behind = Everything()
        session = host(behind, granted=()).begin(invocation())
        session.note("info", "hello")
        self.assertEqual(ask(session, "listLogs"), {"ok": ["hello"]})
        self.assertEqual(ask(session, "listLogsForUri", "me"), {"ok": ["hello"]})

    def test_needs_a_grant_for_others(self) -> None:
        """The log of another script takes the capability `logs`."""
        session = host(Everything(), granted=()).begin(invocation())
        self.assertEqual(ask(session, "listLogsForUri", "other")["err"]["code"], "denied")
        self.assertEqual(ask(host(Everything()).begin(invocation()), "listLogsForUri", "other"), {"ok": []})
