"""The exports of an entry file that the server uses, for the reference page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

EXAMPLES: Mapping[str, str] = {
    "init": """\
export async function init() {
  for (const name of ["tea", "coffee"]) {
    registerWebHandler("/" + name, () => ({ name }));
  }
}""",
    "fetch": """\
export default {
  async fetch(request, env, ctx) {
    ctx.waitUntil(Promise.resolve().then(() => console.info("answered")));
    return new Response("You asked for " + new URL(request.url).pathname);
  },
};""",
}
"""An example of each export."""

SECTION: Sequence[str] = f"""
### Exports

The server uses two exports of the entry file; a script may have one, both or none.

The function `init` runs once when the script starts, after the top level.
It may be asynchronous, which the top level cannot be, and may register handlers.
The results of its host calls are stored with the version, so that all processes of a version start with the same state.

```javascript
{EXAMPLES["init"]}
```

The default export is an object with a function `fetch`, as in a Cloudflare Worker.
It answers all requests of the script for which no handler is registered.

- `request` is a `Request`; its URL is without the script's base path.
- `env` is an empty object.
- `ctx` is the context of a handler, with `waitUntil`.

`fetch` returns a `Response`, or anything else that a handler may return.

```javascript
{EXAMPLES["fetch"]}
```

If several scripts have a default export, each needs [a base path or a host of its own](../howto/share-a-server.md).
""".removesuffix("\n").split("\n")
"""The lines of the section."""
