// Listens with the package eventsource and writes a line of JSON for whatever happens.
//
//     node eventsource.mjs ADDRESS
import { EventSource } from "eventsource";

const source = new EventSource(process.argv[2]);
const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");
source.onopen = () => say({ type: "open" });
source.onerror = (error) => say({ type: "error", code: error.code ?? null, closed: source.readyState === 2 });
for (const type of ["message", "gap", "end", "note"]) {
  source.addEventListener(type, (event) => say({ type, id: event.lastEventId, data: event.data }));
}
// While it waits to come back nothing else keeps the program.
setInterval(() => {}, 1000);
