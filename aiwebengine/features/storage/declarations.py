"""What scripts store: `kv`, `sharedStorage` and `personalStorage`."""

from __future__ import annotations

from dataclasses import dataclass

from aiwebengine.host.declarations import Declarations
from aiwebengine.host.declare import Argument, Global, HostCall, Member

_GROUP = "Storage"
_VALUE_BYTES = 1024 * 1024

_KEY = Argument(
    name="key",
    kind="string",
    doc="The key: 1 to 255 characters, without line breaks.",
    max_length=255,
    empty=False,
    converts="primitive",
)
_IF_VERSION = "throws `conflict` unless the key has this version"

KV_CALLS: tuple[HostCall, ...] = (
    HostCall(
        name="kv.get",
        group=_GROUP,
        arguments=(_KEY,),
        signatures=("<T = unknown>(key: string): Promise<T | undefined>",),
        effect="none",
        sync=False,
        errors=("unavailable",),
        doc="Returns the value of a key, or `undefined` if there is none.",
        example=(
            'registerWebHandler("/motto", async () => {\n'
            '  const motto = await kv.get("motto");\n'
            '  return motto ?? httpError(404, "There is no motto.");\n'
            "});"
        ),
    ),
    HostCall(
        name="kv.set",
        group=_GROUP,
        arguments=(
            _KEY,
            Argument(
                name="value",
                kind="any",
                doc=(
                    "Any value that JSON can represent; at most 1 MiB including the key (setting "
                    "`storage.max_value_bytes`)."
                ),
                max_bytes=_VALUE_BYTES,
                advice="Use kv.delete to remove a key.",
            ),
            Argument(
                name="options",
                kind="object",
                type="{ ttl?: Duration; ifVersion?: string | null }",
                optional=True,
                doc=(
                    f"`ttl`: how long the entry is kept. `ifVersion`: {_IF_VERSION}; null means that the key must not "
                    "exist."
                ),
            ),
        ),
        returns="string",
        effect="held",
        sync=False,
        errors=("conflict", "too_large", "too_many", "unavailable"),
        doc="Stores a value under a key; resolves to the new version.",
        example=(
            'registerWebHandler("/notes/:id", async (req) => {\n'
            '  const version = await kv.set("note/" + req.params.id, { text: req.body }, { ttl: "30d" });\n'
            "  return { version };\n"
            '}, "PUT");'
        ),
    ),
    HostCall(
        name="kv.delete",
        group=_GROUP,
        arguments=(
            _KEY,
            Argument(
                name="options",
                kind="object",
                type="{ ifVersion?: string }",
                optional=True,
                doc=f"`ifVersion`: {_IF_VERSION}.",
            ),
        ),
        returns="boolean",
        effect="held",
        sync=False,
        errors=("conflict", "too_many", "unavailable"),
        doc="Removes a key; resolves to whether it existed.",
        example=(
            'registerWebHandler("/notes/:id", async (req) => {\n'
            '  return { removed: await kv.delete("note/" + req.params.id) };\n'
            '}, "DELETE");'
        ),
    ),
    HostCall(
        name="kv.increment",
        group=_GROUP,
        arguments=(
            _KEY,
            Argument(
                name="by",
                kind="any",
                type="number",
                optional=True,
                max_bytes=64,
                doc="The number to add; default 1. It may be negative.",
            ),
        ),
        returns="number",
        effect="held",
        sync=False,
        errors=("too_large", "too_many", "unavailable"),
        doc=(
            "Adds to the number under a key; resolves to the sum. A key that does not exist counts as 0; an "
            "existing `ttl` is kept."
        ),
        example='registerWebHandler("/visits", async () => ({ visits: await kv.increment("visits") }));',
    ),
    HostCall(
        name="kv.list",
        group=_GROUP,
        arguments=(
            Argument(
                name="options",
                kind="object",
                type="{ prefix?: string; limit?: number; cursor?: string | null }",
                optional=True,
                doc=(
                    "`prefix`: only keys that begin with it. `limit`: the number of entries, from 1 to 1,000; "
                    "default 100; a page has fewer if together they have more than 1 MiB. "
                    "`cursor`: the `cursor` of the page before."
                ),
            ),
        ),
        signatures=(
            (
                "<T = unknown>(options?: { prefix?: string; limit?: number; cursor?: string | null }): "
                "Promise<{ entries: { key: string; value: T; version: string }[]; cursor: string | null }>"
            ),
        ),
        effect="none",
        sync=False,
        cost=2,
        errors=("unavailable",),
        doc=(
            "Returns one page of entries, in the order of their keys. `cursor` leads to the next page; it is "
            "null after the last one."
        ),
        example=(
            'registerWebHandler("/notes", async (req) => {\n'
            '  const page = await kv.list({ prefix: "note/", limit: 20, cursor: req.query.cursor });\n'
            "  return { keys: page.entries.map((entry) => entry.key), next: page.cursor };\n"
            "});"
        ),
    ),
    HostCall(
        name="kv.watch",
        speaks_for="kv.watch",
        group=_GROUP,
        arguments=(
            Argument(name="id", kind="integer", doc="The watch."),
            Argument(name="what", kind="object", doc="Key or prefix."),
        ),
        returns="unknown",
        effect="none",
        sync=False,
        errors=("too_many", "unavailable"),
        doc="Begins a watch, or waits for its next changes.",
    ),
    HostCall(
        name="kv.unwatch",
        speaks_for="kv.watch",
        group=_GROUP,
        arguments=(Argument(name="id", kind="integer", doc="The watch."),),
        returns="void",
        effect="none",
        sync=False,
        doc="Ends a watch.",
    ),
)

_KV = Global(
    name="kv",
    group=_GROUP,
    kind="object",
    importable=True,
    doc=(
        "A key-value store that belongs to this script. A value is anything that JSON can represent. The "
        "invocation sees its own writes at once; others see them when the handler has returned, all of them "
        "or none. If another invocation changes a value that this one has read, and commits first, the "
        "handler runs again. A version is a string that changes with every write."
    ),
    members=(
        Member(
            signature="getWithVersion<T = unknown>(key: string): Promise<{ value: T; version: string } | undefined>",
            uses=("kv.get",),
            doc="Returns the value of a key with its version, or `undefined` if there is none.",
            example=(
                'registerWebHandler("/motto", async (req) => {\n'
                '  const found = await kv.getWithVersion("motto");\n'
                '  await kv.set("motto", req.body, { ifVersion: found ? found.version : null });\n'
                '  return "changed";\n'
                '}, "POST");'
            ),
        ),
        Member(
            signature=(
                "update<T = any>(key: string, change: (value: T | undefined) => T | Promise<T>, "
                "options?: { retries?: number }): Promise<T>"
            ),
            uses=("kv.get", "kv.set"),
            doc=(
                "Replaces the value by what `change` returns for it; `change` gets `undefined` if there is no "
                "such key. If the value was changed in the meantime, `change` is called again with the new "
                "one, at most `retries` times; default 3."
            ),
            example=(
                'registerWebHandler("/tags/:tag", async (req) => {\n'
                '  return kv.update("tags", (tags = []) => [...tags, req.params.tag].slice(-10));\n'
                '}, "POST");'
            ),
        ),
        Member(
            signature=(
                "watch<T = unknown>(what: string | { prefix: string }): "
                "AsyncIterableIterator<{ key: string; value?: T; version: string | null }>"
            ),
            uses=("kv.watch", "kv.unwatch"),
            doc=(
                "Yields the committed value of a key, then the newest value after each commit; with a prefix, "
                "every entry that changes. The version of a removed key is null. An invocation can have 32 "
                "watches."
            ),
            example=(
                'registerWebHandler("/price", async () => {\n'
                '  for await (const { value } of kv.watch("price")) return { price: value ?? null };\n'
                "});"
            ),
        ),
    ),
    example=(
        'registerWebHandler("/carts/:id", async (req) => {\n'
        "  const key = `cart/${req.params.id}`;\n"
        '  await kv.set(key, { items: [] }, { ttl: "1d" });\n'
        "  return await kv.get(key);\n"
        '}, "PUT");'
    ),
)


_STRING = Argument(
    name="value",
    kind="string",
    doc=(
        "The string; at most 1 MiB including the key (setting `storage.max_value_bytes`). Numbers and "
        "booleans are converted to strings."
    ),
    max_bytes=_VALUE_BYTES,
    converts="primitive",
    advice="Use JSON.stringify, or kv.set, which takes any value.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Storage:
    """One Web Storage, and what the examples of its calls look like."""

    name: str
    errors: tuple[str, ...] = ()
    """What any of its calls may throw."""
    route: str
    before: str
    """What stands in an example before its expression: the arrow of the handler, and perhaps a condition."""
    after: str = ""

    def example(self, expression: str, method: str = "GET") -> str:
        """Return a handler that does something with the storage."""
        last = "" if method == "GET" else f', "{method}"'
        return f'registerWebHandler("{self.route}", {self.before}{expression}{self.after}{last});'

    def call(
        self, member: str, *arguments: Argument, returns: str, doc: str, example: str, held: bool = False
    ) -> HostCall:
        """Declare one of its calls."""
        large = ("too_large", "too_many") if _STRING in arguments else ("too_many",) if held else ()
        return HostCall(
            name=f"{self.name}.{member}",
            group=_GROUP,
            arguments=arguments,
            returns=returns,
            effect="held" if held else "none",
            doc=doc,
            example=example,
            errors=(*self.errors, *large, "unavailable"),
        )


def _storage_calls(storage: _Storage) -> tuple[HostCall, ...]:
    name = storage.name
    return (
        storage.call(
            "getItem",
            _KEY,
            returns="string | null",
            doc="Returns the string under a key, or null if there is none.",
            example=storage.example(f'{name}.getItem("motto") ?? "none yet"'),
        ),
        storage.call(
            "setItem",
            _KEY,
            _STRING,
            returns="void",
            held=True,
            doc=("Stores a string under a key. Values other than strings, numbers and booleans are refused."),
            example=storage.example(f'{name}.setItem("motto", req.body)', "POST"),
        ),
        storage.call(
            "removeItem",
            _KEY,
            returns="void",
            held=True,
            doc="Removes a key, if it exists.",
            example=storage.example(f'{name}.removeItem("motto")', "DELETE"),
        ),
        storage.call(
            "clear",
            returns="void",
            held=True,
            doc="Removes all keys; at most 1,000 in one call.",
            example=storage.example(f"{name}.clear()", "DELETE"),
        ),
        HostCall(
            name=f"{name}.keys",
            speaks_for=f"{name}.key",
            group=_GROUP,
            arguments=(),
            returns="string[]",
            effect="none",
            doc="All keys, in order.",
            errors=(*storage.errors, "unavailable"),
        ),
    )


def _storage_members(storage: _Storage) -> tuple[Member, ...]:
    return (
        Member(
            signature="key(index: number): string | null",
            uses=(f"{storage.name}.keys",),
            doc=("Returns the key at an index in alphabetical order, or null if there are fewer keys."),
            example=storage.example(f'{storage.name}.key(0) ?? "nothing"'),
        ),
        Member(
            signature="readonly length: number",
            doc=(
                "The number of keys. It is known only after `key(0)` was called in the invocation, because a "
                "getter cannot wait for the server."
            ),
        ),
    )


_SHARED = _Storage(name="sharedStorage", route="/motto", before="(req) => ")
_PERSONAL = _Storage(
    name="personalStorage",
    errors=("denied",),
    route="/mine",
    before="(req, ctx) => ctx.user ? ",
    after=' : "sign in first"',
)

STORAGE_CALLS: tuple[HostCall, ...] = (*_storage_calls(_SHARED), *_storage_calls(_PERSONAL))

_ADVICE = {
    "database": "A script can keep data in kv.",
    "database.prepare": "A script can keep data in kv.",
    "kv.put": "Use kv.set(key, value).",
    "localStorage": "Use sharedStorage, personalStorage or kv.",
    "node:fs": "To keep data use kv.",
    "sessionStorage": "Use personalStorage or kv.",
}

DECLARATIONS = Declarations(
    advice=_ADVICE,
    calls=(*KV_CALLS, *STORAGE_CALLS),
    globals=(
        _KV,
        Global(
            name="sharedStorage",
            group=_GROUP,
            kind="object",
            doc=(
                "Strings by key that belong to this script, with the interface of the Web Storage standard. "
                "The calls are synchronous. `kv` can do more."
            ),
            members=_storage_members(_SHARED),
            example=(
                'registerWebHandler("/motto", (req) => {\n'
                '  if (req.query.set) sharedStorage.setItem("motto", req.query.set);\n'
                '  return sharedStorage.getItem("motto") ?? "none yet";\n'
                "});"
            ),
        ),
        Global(
            name="personalStorage",
            group=_GROUP,
            kind="object",
            doc=(
                "Strings by key that belong to one user of this script, with the interface of "
                "`sharedStorage`. In an invocation without a user every call throws `denied`."
            ),
            members=_storage_members(_PERSONAL),
            example=(
                'registerWebHandler("/mine", () => {\n'
                "  try {\n"
                '    return personalStorage.getItem("name");\n'
                "  } catch (error) {\n"
                '    return "sign in first";\n'
                "  }\n"
                "});"
            ),
        ),
    ),
)
"""All of it."""
