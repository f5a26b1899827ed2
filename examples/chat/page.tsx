// The page, with the function that runs in the browser.

const style = `
  body { font: 1.1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 36rem; padding: 0 1rem; }
  #lines { min-height: 12rem; padding: 0; list-style: none; }
  #lines .whisper { font-style: italic; }
  form { display: flex; gap: 0.5rem; }
  input { font: inherit; min-width: 0; }
  #text { flex: 1; }
  #state { color: gray; }
`;

// This function runs in the browser; its source is inserted into the page.
const script = `
  const list = document.getElementById("lines");
  const state = document.getElementById("state");
  const name = document.getElementById("name");
  name.value = sessionStorage.name || "guest" + Math.floor(Math.random() * 1000);
  name.addEventListener("change", () => { sessionStorage.name = name.value; listen(); });
  let source;

  function show(line, kind) {
    const item = document.createElement("li");
    const who = document.createElement("b");
    who.textContent = line.name + ": ";
    item.append(who, line.text);
    item.className = kind;
    list.append(item);
  }

  function listen() {
    if (source) source.close();
    source = new EventSource(location.pathname + "/stream?name=" + encodeURIComponent(name.value));
    source.onopen = () => { state.textContent = "listening"; };
    source.onerror = () => { state.textContent = "coming back"; };
    source.onmessage = (event) => {
      const message = JSON.parse(event.data);
      if (message.type === "lines") {
        list.replaceChildren();
        for (const line of message.lines) show(line, "line");
      } else show(message.line, message.type);
    };
    // Lines are missing: reload, which shows the stored lines.
    source.addEventListener("gap", listen);
  }

  document.getElementById("say").addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = document.getElementById("text");
    const whisper = text.value.match(/^@(\\S+)\\s+(.+)/);
    const said = whisper ? { to: whisper[1], text: whisper[2] } : { text: text.value };
    const answer = await fetch(location.pathname, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: name.value, ...said }),
    });
    if (answer.ok) text.value = "";
    else state.textContent = (await answer.json()).detail;
  });
  listen();
`;

export const Page = ({ room }: { room: string }) => (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width" />
      <title>{room}</title>
      <style>{style}</style>
    </head>
    <body>
      <h1>{room}</h1>
      <ul id="lines"></ul>
      <form id="say">
        <input id="name" size="8" aria-label="Your name" />
        <input id="text" autocomplete="off" autofocus aria-label="What you say" placeholder="Say something, or @name something" />
        <button>Say</button>
      </form>
      <p id="state">opening</p>
      <script type="module">{html.raw(script)}</script>
    </body>
  </html>
);
