"""Documents as their reader sees them."""

from __future__ import annotations

import pytest

from tests.support.reading.rendered import Block, blocks, matched

DOCUMENT = """
# A title

Some words.
Save this as `notes.ts`:

```typescript
const one = 1;
```

<!-- hidden `other.ts`: -->

```typescript
const two = 2;
```

Add this to `notes.ts`:

~~~
const three = 3;
~~~

- In a list, in another terminal:

  ```console
  $ aiwebengine logs -f notes
  one
  ^C
  $ curl \\
      http://127.0.0.1:8080
  ```
"""


def block(*lines: str, above: str = "") -> Block:
    """Make a block."""
    return Block(text="\n".join(lines), above=above, line=1)


def test_files_have_visible_names() -> None:
    """A block is the file that the sentence above it names; what is hidden names nothing."""
    found = list(blocks(DOCUMENT))
    assert [(file.file, file.is_added, file.text) for file in found[:3]] == [
        ("notes.ts", False, "const one = 1;"),
        (None, False, "const two = 2;"),
        ("notes.ts", True, "const three = 3;"),
    ]


def test_commands_have_what_they_print() -> None:
    """A line with a prompt is a command, which a backslash continues, and what follows is what it prints."""
    typed = list(blocks(DOCUMENT))[3]
    assert typed.is_typed
    assert typed.in_other_terminal
    first, second = typed.commands()
    assert (first.command, first.goes_on, first.all_printed) == ("aiwebengine logs -f notes", True, ("one",))
    assert (second.command, second.goes_on, second.printed) == ("curl \\\n    http://127.0.0.1:8080", False, ())


def test_only_the_last_sentence_counts() -> None:
    """Another terminal that was mentioned earlier is not meant."""
    above = "Type this in another terminal. First activate `it`:"
    assert not block("$ ls", above=above).in_other_terminal
    assert block("x", above="Add a file. Save this as `a.ts`:").is_added is False


def test_folders_and_home() -> None:
    """A name may have folders, and lie in the home folder; a word alone is no file."""
    assert block("x", above="Save this as `~/.config/a/b.toml`:").file == "~/.config/a/b.toml"
    assert block("x", above="Save this as `lib/METADATA`:").file == "lib/METADATA"
    assert block("x", above="Set `timeout`:").file is None
    assert block("$ x", above="Look at `a.ts`:").file is None


@pytest.mark.parametrize(
    ("shown", "printed", "fits"),
    [
        (["a"], "a\n", True),
        (["a"], "a", True),
        (["a"], "b\n", False),
        (["a"], "a\nb\n", False),
        ([], "", True),
        ([], "a\n", False),
        (["..."], "", True),
        (["a", "...", "d"], "a\nb\nc\nd\n", True),
        (["a", "...", "d"], "a\nb\nc\n", False),
        (["in ... ms, [1]"], "in 12 ms, [1]\n", True),
        (["in ... ms"], "in 12 s\n", False),
        (["name  size"], "name        size\n", True),
        (["  name"], "name\n", False),
    ],
)
def test_what_is_shown_is_what_is_printed(shown: list[str], printed: str, fits: object) -> None:
    """Whatever is printed must be shown, except for what three dots stand for."""
    assert (matched(tuple(shown), printed, {}) is not None) is fits


def test_placeholders() -> None:
    """What stands in the place of a placeholder is meant by it from then on."""
    words = matched(("id", "ID  ... ID"), "id\n4be0  x  4be0\n", {})
    assert words == {"ID": "4be0"}
    assert matched(("ID: ok",), "4be0: ok\n", words) == words
    assert matched(("ID: ok",), "77aa: ok\n", words) is None
    [typed] = block("$ replay ID --id $ID 'query($id: ID!)'").commands()
    assert typed.with_words(words) == "replay 4be0 --id $ID 'query($id: ID!)'"
