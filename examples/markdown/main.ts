// A package from npm: "marked" makes HTML of Markdown.
// Ask for /markdown, or POST Markdown to it.
import { marked } from "marked";

const welcome = `# Markdown

This page was made by **marked**, a package from npm that runs inside the sandbox.

| what        | how                         |
| ----------- | --------------------------- |
| show a page | \`GET /markdown\`             |
| make a page | \`POST\` Markdown to the same |

- [x] tables, lists and code
- [ ] anything that needs a file system
`;

// html.raw trusts what marked made.  Markdown may hold HTML of its own, so a real site must clean it first.
const page = (markdown: string) => html`<!doctype html>
  <meta charset="utf-8" />
  <title>Markdown</title>
  <body>
    ${html.raw(marked.parse(markdown, { async: false }))}
  </body>`;

registerWebHandler("/markdown", () => page(welcome));
registerWebHandler("/markdown", (req) => page(req.body), "POST");
