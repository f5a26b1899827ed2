// Chat rooms. A page listens to the stream of its room; a line is stored and sent in one transaction:
// nobody gets a line that was not stored, and a client that reconnects gets the lines that it missed.
// Open /chat in two windows.
import { Page } from "./page";

interface Line {
  at: string;
  name: string;
  text: string;
}

const KEPT = 20;

async function linesOf(room: string): Promise<Line[]> {
  return (await kv.get<Line[]>("room/" + room)) ?? [];
}

registerWebStream("/chat/:room/stream", {
  // The attributes with which `to` is compared; the room is one too, because it is a path parameter.
  attributes: (req) => ({ name: req.query.name ?? "somebody" }),
  // A client first gets the last lines, then new lines.
  onConnect: async (req) => ({ type: "lines", lines: await linesOf(req.params.room) }),
  history: 100,
});

registerWebHandler(
  "/chat/:room",
  async (req) => {
    const { name, text, to } = req.data as { name: string; text: string; to?: string };
    const line: Line = { at: new Date().toISOString(), name, text };
    const stream = `/chat/${encodeURIComponent(req.params.room)}/stream`;
    if (to) {
      // Sent to these two only, and not stored.
      sendStreamMessageToPath(stream, { type: "whisper", line, whom: to }, { to: { name: [name, to] } });
      return json({ whispered: to }, 201);
    }
    await kv.set("room/" + req.params.room, [...(await linesOf(req.params.room)), line].slice(-KEPT));
    sendStreamMessageToPath(stream, { type: "line", line });
    return json(line, 201);
  },
  {
    method: "POST",
    body: {
      type: "object",
      properties: {
        name: { type: "string", minLength: 1, maxLength: 40 },
        text: { type: "string", minLength: 1, maxLength: 2000 },
        to: { type: "string", maxLength: 40 },
      },
      required: ["name", "text"],
      additionalProperties: false,
    },
  },
);

registerWebHandler("/chat", () => redirect("/chat/lobby"));
registerWebHandler("/chat/:room", (req) => <Page room={req.params.room} />);
