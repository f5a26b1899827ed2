// The page, with the function that runs in the browser.

const style = `
  body { font: 1.1rem/1.5 system-ui, sans-serif; margin: 0; }
  header { padding: 0.5rem 1rem; }
  #board { position: relative; height: calc(100vh - 6rem); margin: 0 1rem 1rem; border: 1px solid gray; overflow: hidden; touch-action: none; }
  .cursor { position: absolute; padding: 0 0.4rem; border-radius: 0 0.8rem 0.8rem 0.8rem; color: white; pointer-events: none; }
  #state { color: gray; }
`;

// This function runs in the browser; its source is inserted into the page.
const script = `
  const board = document.getElementById("board");
  const state = document.getElementById("state");
  const at = { x: 0.5, y: 0.5 };
  let socket, you = null, due = false;

  function cursor(id) {
    const found = document.getElementById("cursor-" + id);
    if (found) return found;
    const made = document.createElement("div");
    made.id = "cursor-" + id;
    made.className = "cursor";
    board.append(made);
    return made;
  }

  function open() {
    const name = new URLSearchParams(location.search).get("name") ?? "";
    socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/cursors/socket?name=" + encodeURIComponent(name));
    socket.onmessage = (event) => {
      const message = JSON.parse(event.data);
      if (message.type === "you") {
        you = message.id;
        state.textContent = "You are " + message.name + ".";
        move();
      } else if (message.type === "gone") cursor(message.id).remove();
      else {
        const one = cursor(message.id);
        one.style.left = message.x * 100 + "%";
        one.style.top = message.y * 100 + "%";
        one.style.background = message.color;
        one.textContent = message.id === you ? "you" : message.name;
      }
    };
    socket.onclose = () => { board.replaceChildren(); state.textContent = "coming back"; setTimeout(open, 1000); };
  }

  // At most twenty messages a second.
  function move() {
    if (due) return;
    due = true;
    setTimeout(() => {
      due = false;
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(at));
    }, 50);
  }

  function within(value) { return Math.min(1, Math.max(0, value)); }

  board.addEventListener("pointermove", (event) => {
    const box = board.getBoundingClientRect();
    at.x = within((event.clientX - box.left) / box.width);
    at.y = within((event.clientY - box.top) / box.height);
    move();
  });
  board.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-0.02, 0], ArrowRight: [0.02, 0], ArrowUp: [0, -0.02], ArrowDown: [0, 0.02] }[event.key];
    if (!step) return;
    event.preventDefault();
    at.x = within(at.x + step[0]);
    at.y = within(at.y + step[1]);
    move();
  });
  open();
`;

export const Page = () => (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width" />
      <title>Cursors</title>
      <style>{style}</style>
    </head>
    <body>
      <header>
        Move your pointer, or the arrow keys, below. <span id="state">opening</span>
      </header>
      <div id="board" tabindex="0" aria-label="Where all pointers are; move yours with the arrow keys"></div>
      <script type="module">{html.raw(script)}</script>
    </body>
  </html>
);
