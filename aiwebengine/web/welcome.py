"""What `/` says while no script answers it."""

from __future__ import annotations

import json

from aiwebengine.values import Answer

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>aiwebengine</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 40rem; padding: 2rem 1rem; }}
pre {{ font: 0.9rem/1.5 ui-monospace, monospace; overflow-x: auto; padding: 0.75rem; }}
pre {{ border: 1px solid #8886; border-radius: 0.25rem; }}
</style>
<main>
<h1>aiwebengine is running</h1>
<p>{summary}</p>
<p>A first script, <code>hello.js</code>:</p>
<pre>registerWebHandler("/hello/:name", function (req) {{
  return {{ hello: req.params.name }};
}});</pre>
<p>Deploy it:</p>
<pre>aiwebengine deploy hello.js</pre>
<p>A script that answers <code>/</code> takes the place of this page.</p>
</main>
</html>
"""


def welcome(*, page: bool, scripts: int) -> Answer:
    """
    Return the answer.

    Args:
        page: For a browser.
        scripts: How many serve.
    """
    summary = "No script is deployed yet." if not scripts else f"{scripts} scripts serve here."
    if scripts == 1:
        summary = "1 script serves here."
    if page:
        body = _PAGE.format(summary=summary).encode()
        return Answer(
            status=200, headers=((b"content-type", b"text/html; charset=utf-8"), (b"vary", b"accept")), body=body
        )
    body = json.dumps({"server": "aiwebengine", "scripts": scripts}).encode()
    return Answer(status=200, headers=((b"content-type", b"application/json"), (b"vary", b"accept")), body=body)
