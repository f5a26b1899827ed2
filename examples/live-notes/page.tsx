// The page, with the function that runs in the browser: a client for both protocols, without a library.

const style = `
  body { font: 1.1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 40rem; padding: 0 1rem; }
  #notes { padding: 0; list-style: none; }
  #notes li { display: flex; gap: 0.5rem; align-items: baseline; padding: 0.25rem 0; overflow-wrap: anywhere; }
  #notes span { flex: 1; }
  form { display: flex; flex-wrap: wrap; gap: 0.5rem; }
  input, button, select { font: inherit; min-width: 0; }
  #text { flex: 1 1 12rem; }
  #state { color: gray; }
`;

// This function runs in the browser; its source is inserted into the page.
const script = `
  const list = document.getElementById("notes");
  const state = document.getElementById("state");
  const transport = document.getElementById("transport");
  const FIELDS = "id text tag author { name notes }";
  const SUBSCRIPTION = "subscription { noteChanged { change note { " + FIELDS + " } } }";
  let stop = () => {};

  async function ask(query, variables) {
    const answer = await fetch("/graphql", {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/graphql-response+json" },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = await answer.json();
    if (errors) throw new Error(errors[0].message);
    return data;
  }

  function show({ change, note }) {
    let item = document.getElementById("note-" + note.id);
    if (change === "REMOVED") { if (item) item.remove(); return; }
    if (!item) {
      item = document.createElement("li");
      item.id = "note-" + note.id;
      const remove = document.createElement("button");
      remove.textContent = "Remove";
      remove.addEventListener("click", () => ask("mutation($id: ID!) { removeNote(id: $id) { id } }", { id: note.id }).catch(tell));
      item.append(document.createElement("span"), remove);
      list.prepend(item);
    }
    item.firstChild.textContent = note.author.name + ": " + note.text + (note.tag ? " #" + note.tag : "");
  }

  function tell(error) { state.textContent = error.message; }

  async function all() {
    const { notes } = await ask("{ notes { " + FIELDS + " } }");
    list.replaceChildren();
    for (const note of notes.reverse()) show({ change: "ADDED", note });
  }

  // graphql-transport-ws; reconnects when the connection breaks.
  function overWebSocket() {
    let over = false, socket;
    function open() {
      socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/graphql/ws", "graphql-transport-ws");
      socket.onopen = () => socket.send('{"type":"connection_init"}');
      socket.onmessage = (event) => {
        const message = JSON.parse(event.data);
        if (message.type === "connection_ack") {
          socket.send(JSON.stringify({ type: "subscribe", id: "1", payload: { query: SUBSCRIPTION } }));
          listening("WebSocket");
        } else if (message.type === "next") show(message.payload.data.noteChanged);
        else if (message.type === "ping") socket.send('{"type":"pong"}');
        else if (message.type === "error") tell(new Error(message.payload[0].message));
      };
      socket.onclose = () => { if (!over) { state.textContent = "coming back"; setTimeout(open, 1000); } };
    }
    open();
    return () => { over = true; socket.close(); };
  }

  // Server-sent events, for which browsers have EventSource.
  function overEvents() {
    const source = new EventSource("/graphql/sse?query=" + encodeURIComponent(SUBSCRIPTION));
    source.onopen = () => listening("events");
    source.onerror = () => { state.textContent = "coming back"; };
    source.addEventListener("next", (event) => show(JSON.parse(event.data).data.noteChanged));
    return () => source.close();
  }

  // Load what has changed while the page was disconnected.
  function listening(how) { all().then(() => { state.textContent = "listening over " + how; }, tell); }

  function listen() {
    stop();
    state.textContent = "opening";
    stop = transport.value === "events" ? overEvents() : overWebSocket();
  }

  transport.addEventListener("change", listen);
  document.getElementById("add").addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = document.getElementById("text"), by = document.getElementById("by");
    const words = text.value.split(/\\s+#(\\w+)\\s*$/);
    try {
      await ask("mutation($text: String!, $tag: String, $by: String) { addNote(text: $text, tag: $tag, by: $by) { id } }",
        { text: words[0], tag: words[1] ?? null, by: by.value || "somebody" });
      text.value = "";
    } catch (error) { tell(error); }
  });
  listen();
`;

export const Page = () => (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width" />
      <title>Live notes</title>
      <style>{style}</style>
    </head>
    <body>
      <h1>Live notes</h1>
      <form id="add">
        <input id="by" size="8" aria-label="Your name" placeholder="Your name" />
        <input id="text" autocomplete="off" autofocus aria-label="The note" placeholder="A note, perhaps with a #tag" />
        <button>Add</button>
      </form>
      <ul id="notes" aria-live="polite"></ul>
      <p>
        <label>
          Listen over{" "}
          <select id="transport">
            <option value="websocket">WebSocket</option>
            <option value="events">server-sent events</option>
          </select>
        </label>{" "}
        <span id="state">opening</span>
      </p>
      <script type="module">{html.raw(script)}</script>
    </body>
  </html>
);
