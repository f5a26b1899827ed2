// Rooms to talk in. A page listens to the room's stream; what is said is kept and sent in one unit:
// nobody reads a line that was not kept, and whoever comes back reads what was said meanwhile.
// Ask for /chat in two windows.
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
  // What `to` is compared with; the room is one by itself, because it is in the path.
  attributes: (req) => ({ name: req.query.name ?? "somebody" }),
  // Whoever comes sees the last lines at once, and reads on from there.
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
      // For these two alone, and kept nowhere.
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
