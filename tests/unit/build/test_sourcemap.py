"""Source maps lead from the bundle to the author's line."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from aiwebengine.build.sourcemap import SourceMap, frame_of_registration, map_stack, readable, with_callee

# Line 1: nothing.  Line 2: column 0 is a.ts 1:1, column 4 is a.ts 3:5.  Line 3: b.ts 11:1.
MAP = json.dumps({"version": 3, "sources": ["script:a.ts", "b.ts"], "names": [], "mappings": ";AAAA,IAEI;ACQJ"})


class SourceMapTests(SynchronousTestCase):
    """Decoding and looking up."""

    def test_lookup(self) -> None:
        """A place is found by line: that of the line's first segment."""
        source_map = SourceMap.parse(MAP)
        self.assertEqual(source_map.lookup(2), ("a.ts", 1, 1))
        self.assertEqual(len(source_map), 3)
        self.assertEqual(source_map.lookup(3), ("b.ts", 11, 1))
        self.assertIsNone(source_map.lookup(0))
        self.assertIsNone(source_map.lookup(1))
        self.assertIsNone(source_map.lookup(99))

    def test_stack(self) -> None:
        """Frames of the engine are left out; the others show the author's source."""
        stack = (
            "TypeError: x\n    at [anon] (duk_js_call.c:2925) internal\n"
            "    at boom (input:2)\n    at live (eval:88) strict"
        )
        [frame] = map_stack(stack, SourceMap.parse(MAP), {"a.ts": "  const x = 1;\n"})
        self.assertEqual(
            (frame.file, frame.line, frame.function, frame.source_line), ("a.ts", 1, "boom", "const x = 1;")
        )

    def test_texts(self) -> None:
        """A text that shows a stack shows the author's places; frames that are nobody's are left out."""
        text = (
            "failed TypeError: x (input:2)\n"
            "    at TypeError (eval:15) strict construct\n    at boom (input:2) tailcall\n    at [anon] (input:3)\n"
            "    at map (native) strict\n"
            "    at asyncGeneratorStep2 (input:1)\n    at helper (input:1)\n"
            "    at deep (input:99)\n  and at home (eval: no)"
        )
        self.assertEqual(
            readable(text, SourceMap.parse(MAP), None),
            "failed TypeError: x (input:2)\n"
            "    at boom (a.ts:1)\n    at (anonymous) (b.ts:11)\n  and at home (eval: no)",
        )
        self.assertEqual(readable("    at f (input:7)", None, "main.js"), "    at f (main.js:7)")
        self.assertEqual(readable("    at f (input:7)", None, None), "    at f (line 7)")
        self.assertEqual(readable("\n".join(["    at f (input:7)"] * 90), None, "a").count("\n"), 49)

    def test_place(self) -> None:
        """The place of a registration is a frame with its line."""
        frame = frame_of_registration("lib/a.ts:2", None, {"lib/a.ts": "one\n  two\n"})
        self.assertEqual((frame.file, frame.line, frame.source_line), ("lib/a.ts", 2, "two"))
        self.assertEqual(frame_of_registration("lib/b.ts:x", None, {}).source_line, None)
        functions = [[[2, 20, 5, 1, ""], [3, 4, 5, 0, "inner"]]]
        source_map = SourceMap.parse(json.dumps({**json.loads(MAP), "functions": functions}))
        self.assertEqual(frame_of_registration("a.ts:5", source_map, {}).line, 2)
        self.assertEqual(frame_of_registration("a.ts:4", source_map, {}).line, 4)

    def test_callee(self) -> None:
        """What is not a function has its whole name if the line tells it, and only then."""
        for line, shown in (
            ("res.json({ a: 1 });", "res.json is not a function"),
            ("return this.store.json?.(a) + json(b);", "this.store.json is not a function"),
            ("x = list[0].json (1)", "list[0].json is not a function"),
            ("a.json(); b.json();", "json is not a function (of an object)"),
            ("load().json()", "json is not a function (of an object)"),
            ("", "json is not a function (of an object)"),
            (None, "json is not a function (of an object)"),
        ):
            self.assertEqual(
                with_callee("The script threw TypeError: json is not a function (of an object)", line),
                f"The script threw TypeError: {shown}",
            )
        self.assertEqual(with_callee("boom", "res.json()"), "boom")

    def test_refused_writes(self) -> None:
        """What cannot be written to has its name if the line writes to one property, and only then."""
        for line, shown in (
            ("settings.mode = 1;", "property 'mode'"),
            ("if (a.b === 1) list[0] += a.c;", "property '0'"),
            ("this['a b']++;", "property 'a b'"),
            ("a.b = c.d = 1;", "property"),
            ("a[key] = 1;", "property"),
            ("", "property"),
        ):
            result = "The script threw TypeError: Cannot assign to read only property"
            self.assertEqual(
                with_callee(result, line), f"The script threw TypeError: Cannot assign to read only {shown}"
            )
        self.assertEqual(
            with_callee("Cannot add a property, the object is not extensible", "o.x ??= 1"),
            "Cannot add property 'x', the object is not extensible",
        )
        self.assertEqual(
            with_callee("Cannot set a property that has only a getter", "o.x >>>= 1"),
            "Cannot set property 'x', which has only a getter",
        )

    def test_statements_at_top_level(self) -> None:
        """A function that the build has put around statements is no frame of its own."""
        stack = "Error\n    at f (input:2)\n    at __top12 (input:3) strict\n    at [anon] (input:3)"
        for source_map in (SourceMap.parse(MAP), None):
            frames = map_stack(stack, source_map, {})
            self.assertEqual([frame.function for frame in frames], ["f", None])
            self.assertEqual(readable(stack, source_map, "a.js").count("    at "), 2)
            self.assertNotIn("__top", readable(stack, source_map, "a.js"))

    def test_names(self) -> None:
        """A frame is named by the author's function in which it lies, whatever the program calls that one."""
        functions = [[[1, 0, 9, 1, "outer"], [3, 2, 5, 3, "Thing.inner"], [4, 0, 4, 9, "deeper"]], [[11, 4, 12, 0, ""]]]
        source_map = SourceMap.parse(json.dumps({**json.loads(MAP), "functions": functions}))
        self.assertEqual(source_map.function("a.ts", 1, 1, "_callee2"), "outer")
        self.assertEqual(source_map.function("a.ts", 3, 3, "inner7"), "Thing.inner")
        self.assertEqual(source_map.function("a.ts", 5, 4, "inner7"), "outer")
        self.assertIsNone(source_map.function("a.ts", 9, 2, "top"))
        self.assertIsNone(source_map.function("b.ts", 11, 5, "arrow4"))
        self.assertEqual(SourceMap.parse(MAP).function("a.ts", 1, 1, "as it is"), "as it is")
        self.assertEqual(readable("    at _callee2 (input:2)", source_map, None), "    at outer (a.ts:1)")
        [frame] = map_stack("Error\n    at arrow4 (input:3)", source_map, {})
        self.assertIsNone(frame.function)

    def test_packages(self) -> None:
        """Files of packages are named by where they are."""
        result = json.dumps({"version": 3, "sources": ["package:node_modules/x/i.js"], "mappings": "AAAA"})
        self.assertEqual(
            readable("    at f (input:1)", SourceMap.parse(result), None), "    at f (node_modules/x/i.js:1)"
        )

    def test_plain_script(self) -> None:
        """Without a map the lines are the author's own."""
        [frame] = map_stack("Error: x\n    at [anon] (input:2)", None, {"main.js": "a\nb"})
        self.assertEqual((frame.file, frame.line, frame.function, frame.source_line), ("main.js", 2, None, "b"))
