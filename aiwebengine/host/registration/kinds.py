"""
A kind of registration: all that the machinery has to know of what scripts may register.

    registerPage("/live", { auth: "required" })               JavaScript, while the script loads
    -> register.page {path, handler, options, ...}          the wire; nothing in it is trusted
    -> Registration                                           its path and call are checked (`book.py`)
    -> Entry                                                  `RegistrationKind.check`
    -> Registry.index("page")                                 `RegistrationKind.index`, when it serves

One `RegistrationKind` describes all of that.  The book of a load, the registry, stored versions, the
listening site and the management API work with kinds and entries, and know none by name but
plain routes.  So a new kind needs one value, and the JavaScript function that sends it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiwebengine.errors import EngineError, Invalid, TooMany
from aiwebengine.host.declare import described, nearest
from aiwebengine.runtime.index import AS_THEY_ARE, EntryIndex
from aiwebengine.values import Entry, HandlerRef

_MOST_HANDLERS = 1_000_000
_LONGEST_NAME = 200
_MOST_FUNCTIONS = 64
_LONGEST_TEXT = 500
_MOST_WORDS = 20
_LONGEST_WORD = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """One call of a registering function, as a child sent it."""

    kind: str
    call: str
    """The JavaScript function; one of those of the kind."""
    script: str
    version: str
    pattern: str = ""
    """Of a kind that takes a path: the path, checked and in its normal form."""
    sent: Mapping[str, Any] = field(default_factory=dict)
    """Everything that was sent; not trusted."""

    @property
    def options(self) -> Mapping[str, Any]:
        """Return the options, none of them checked."""
        options = self.sent.get("options")
        return options if isinstance(options, dict) else {}

    def handler(self, what: str = "the handler") -> HandlerRef:
        """
        Return the handler.

        Raises:
            Invalid: There is none.
        """
        handler = self.sent.get("handler")
        number, name = (handler.get("id"), handler.get("name")) if isinstance(handler, dict) else (None, None)
        return HandlerRef(id=self.function(number, what), name=name[:_LONGEST_NAME] if isinstance(name, str) else "")

    def function(self, value: Any, what: str) -> int:
        """
        Return the number of a function that was sent as *value*.

        Raises:
            Invalid: It is not valid.
        """
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MOST_HANDLERS:
            raise Invalid(f"{self.call}: {what} must be a function, or the name of a top-level function.")
        return value

    def functions(self, value: Any, what: str) -> list[int]:
        """
        Return the numbers of functions, of which one or a list was sent.

        Raises:
            Invalid: They are not valid.
            TooMany: There are too many.
        """
        items = value if isinstance(value, list) else [value]
        if len(items) > _MOST_FUNCTIONS:
            raise TooMany(f"{self.call}: {what} is a list of at most {_MOST_FUNCTIONS} functions.")
        return [
            self.function(function.get("id") if isinstance(function, dict) else function, what) for function in items
        ]

    def short_string(self, value: Any, what: str) -> str:
        """
        Return a short string for people, such as a summary.

        Raises:
            Invalid: It is not valid, or too long.
        """
        if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
            raise Invalid(
                f"{self.call}: {what} must be a string of at most {_LONGEST_TEXT} characters; "
                f"{described(value)} was given."
            )
        return value

    def short_strings(self, value: Any, what: str) -> list[str]:
        """
        Return short strings for people, such as tags; a single string stands for a list of one.

        Raises:
            Invalid: They are not valid, too many or too long.
        """
        words = [value] if isinstance(value, str) else value
        good = isinstance(words, list) and all(
            isinstance(word, str) and 0 < len(word) <= _LONGEST_WORD for word in words
        )
        if not good or len(words) > _MOST_WORDS:
            raise Invalid(
                f"{self.call}: {what} must be a list of at most {_MOST_WORDS} words; {described(value)} was given."
            )
        return list(words)

    def unknown_option(self, name: str, known: Mapping[str, Any]) -> Invalid:
        """Return the error for an option that is not among those of *known*."""
        suggestion = nearest(name, known)
        advice = f"; did you mean {suggestion}?" if suggestion else f"; there are {', '.join(known)}."
        return Invalid(f"{self.call}: there is no option {described(name)}{advice}")

    def entry(
        self,
        *,
        options: Mapping[str, Any],
        key: str = "",
        handler: HandlerRef | None = None,
        methods: tuple[str, ...] = (),
    ) -> Entry:
        """
        Return the entry that this becomes.

        Args:
            options: Checked.
            key: See `Entry.key`; empty for that of a kind that takes a path.
            methods: Of a kind that takes a path.
        """
        return Entry(
            kind=self.kind,
            key=key or self.pattern,
            script=self.script,
            version=self.version,
            handler=handler,
            methods=methods,
            options=options,
        )


@contextmanager
def blaming(*, option: str = "", argument: int | None = None) -> Iterator[None]:
    """
    Have every refusal within say what of the call is wrong, so that it can be marked in the source.

    Args:
        option: The key in an object among the arguments.
        argument: Which argument, from 0; the one that is marked if the option is not there.
    """
    try:
        yield
    except EngineError as error:
        if error.details is None:
            error.details = {"option": option} if option else {}
            if argument is not None:
                error.details["argument"] = argument
        raise


class OptionChecks:
    """
    The checks of the options of one call: all wrong ones are reported together.

        checks = OptionChecks(registration.call)
        for name, value in registration.options.items():
            with checks.of(name):
                ...
        checks.settle()

    Args:
        call: The function of JavaScript, with which refusals begin.
    """

    def __init__(self, call: str) -> None:
        self._call = call
        self._found: list[Invalid] = []

    @contextmanager
    def of(self, option: str) -> Iterator[None]:
        """Keep the refusal of one option for `settle`."""
        try:
            with blaming(option=option):
                yield
        except Invalid as error:
            self._found.append(error)

    def settle(self) -> None:
        """
        Refuse the call if an option is wrong.

        Raises:
            Invalid: It names every wrong option, and blames the first.
        """
        if not self._found:
            return
        first, *others = self._found
        if not others:
            raise first
        also = " ".join(error.public.removeprefix(f"{self._call}: ") for error in others)
        raise Invalid(f"{first.public} Also: {also}", details=first.details)


def label_of(entry: Entry) -> str:
    """Return what people see of an entry unless its kind says more."""
    return entry.label


def quick(_: Mapping[str, Any]) -> bool:
    """Return that checking what was sent takes no time that matters."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationKind:
    """Something that scripts may register; see the module."""

    name: str
    """Unique; letters.  On the wire, in stored versions and in the management API."""
    functions: tuple[str, ...]
    """
    The JavaScript functions that register it; the first is used in messages where it is not known which one was called.

    Empty: no script registers one, they are found in what is deployed (`Hooks.found_in_files`).
    """
    noun: str
    """What people call one, such as `stream`."""
    nouns: str
    """The same of many."""
    check: Callable[[Registration], Entry]
    """
    Make the entry, with `Registration.entry`.

    Raises Invalid for whatever a script, or a hostile child, may have sent that breaks a rule; the message names the
    call, the value and the remedy.
    """
    takes_long: Callable[[Mapping[str, Any]], bool] = quick
    """Whether checking one takes milliseconds, so that it is done in a thread; it gets what was sent."""
    takes_path: bool = False
    """
    Whether an entry is reached by a path.

    The path is parsed, kept from those that the engine reserves, replaced method by method within its script, and a
    conflict between scripts; `check` sets the entry's methods.
    """
    most: int = 1000
    """How many a script may register; not of a kind that takes a path, for paths are counted over all kinds."""
    index: EntryIndex = AS_THEY_ARE
    """What all of them become together, and which ones cannot serve at the same time."""
    opens: Callable[[Any], None] | None = None
    """
    Of a kind that takes a path: takes a matched request over; it gets a `web.arrival.Arrival`.

    None: the entry's handler is run, and its answer is the response.
    """
    describe: Callable[[Entry], str] = label_of
    """What people see of one in lists: a short line."""
    counted: bool = False
    """Lists say how many there are, by their places, and do not name each."""
