// WebSockets: an echo, and a page that shows the pointers of all its visitors.
// Open /cursors in two windows.
import { Page } from "./page";

registerWebSocket("/echo", {
  message(ws, data) {
    ws.send(data);
  },
});

interface Who {
  name: string;
  color: string;
}

const COLORS = ["crimson", "darkorange", "olive", "seagreen", "teal", "royalblue", "purple", "deeppink"];

registerWebSocket<"/cursors/socket", Who>("/cursors/socket", {
  open(ws, req) {
    const name = (req.query.name ?? "").slice(0, 20) || "somebody";
    ws.data = { name, color: COLORS[Math.floor(Math.random() * COLORS.length)] };
    ws.subscribe("cursors");
    ws.send({ type: "you", id: ws.id, ...ws.data });
  },
  message(ws, data) {
    const { x, y } = JSON.parse(data);
    if (!(x >= 0 && x <= 1 && y >= 0 && y <= 1)) return;
    ws.publish("cursors", { type: "at", id: ws.id, x, y, ...ws.data });
  },
  close(ws) {
    sendSocketMessage("cursors", { type: "gone", id: ws.id });
  },
});

registerWebHandler("/cursors", () => <Page />);
