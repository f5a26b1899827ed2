"""The table of the benchmarks, and the results of the run before."""

from __future__ import annotations

import importlib
import json
import tempfile
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.rules.tree import ROOT

BENCH = ROOT / "bench"


class ResultsTests(SynchronousTestCase):
    """`bench/rows.py`."""

    def setUp(self) -> None:
        """Import what is no package."""
        self.patch(__import__("sys"), "path", [str(BENCH), *__import__("sys").path])
        self.rows: Any = importlib.import_module("rows")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "new" / "bench.json"

    def kept(self, *rows: Any) -> None:
        """Keep the results of a run."""
        self.rows.Results(self.path).keep(rows, seconds=1, rounds=2)

    def lines(self, *rows: Any) -> list[list[str]]:
        """Return the cells of the table below its headings."""
        return [line.split() for line in self.rows.Results(self.path).table(rows).splitlines()[1:]]

    def test_median_and_spread(self) -> None:
        """A row is the median of its rounds, with the least and the most."""
        row = self.rows.row_of("rate", [1000.0, 3000.0, 2100.0], unit="/s", note="p50 1 ms")
        self.assertEqual((row.value, row.note), (2100.0, "1,000 to 3,000, p50 1 ms"))
        self.assertEqual(self.rows.row_of("rate", [1.0, 2.0]).value, 1.5)
        self.assertEqual(self.rows.row_of("rate", [0.12345]).note, "")

    def test_beside_the_run_before(self) -> None:
        """A row stands beside what it was; a row that is new, or has another unit by now, stands alone."""
        row = self.rows.Row
        self.kept(row(what="rate", value=200.0, unit="ms"), row(what="size", value=1.0, unit="KB"))
        self.assertEqual(self.lines(row(what="rate", value=250.0, unit="ms")), [["rate", "250", "ms", "200", "+25%"]])
        self.assertEqual(self.lines(row(what="size", value=1.0, unit="MB")), [["size", "1.00", "MB"]])
        self.assertEqual(self.lines(row(what="new", note="no npm")), [["new", "not", "measured", "no", "npm"]])

    def test_what_was_not_measured_stays(self) -> None:
        """A run of one group leaves the results of the others, and a result says where it is from."""
        self.kept(self.rows.Row(what="a", value=1.0))
        self.kept(self.rows.Row(what="b", value=2.0), self.rows.Row(what="a"))
        figures = json.loads(self.path.read_text("utf-8"))["figures"]
        self.assertEqual({name: figure["value"] for name, figure in figures.items()}, {"a": 1.0, "b": 2.0})
        self.assertLessEqual({"at", "commit", "machine", "rounds", "seconds"}, set(figures["a"]))

    def test_broken_results(self) -> None:
        """Results that cannot be read are named, not overwritten."""
        self.path.parent.mkdir()
        self.path.write_text("{")
        with self.assertRaisesRegex(SystemExit, "bench.json is not JSON"):
            self.rows.Results(self.path)
