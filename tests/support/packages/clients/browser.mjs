// Opens a page in Chromium and does what it is told there.
//
//     node browser.mjs CHROMIUM FOLDER ADDRESS STEP...
//
// A step is JavaScript that is evaluated in the page again and again until it gives something true, which is written
// as a line of JSON.  The browser keeps what it must in FOLDER.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

const [chromium, folder, address, ...steps] = process.argv.slice(2);
const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-port=0"];
const browser = spawn(chromium, [...flags, `--user-data-dir=${folder}`, "about:blank"], { stdio: "ignore" });
const pause = () => new Promise((resolve) => setTimeout(resolve, 50));

async function until(look) {
  for (;;) {
    try {
      const found = await look();
      if (found) return found;
    } catch {}
    await pause();
  }
}

const port = await until(() => readFileSync(`${folder}/DevToolsActivePort`, "utf8").split("\n")[0]);
const page = await until(async () => (await (await fetch(`http://127.0.0.1:${port}/json`)).json()).find((one) => one.type === "page"));
const socket = new WebSocket(page.webSocketDebuggerUrl);
await new Promise((resolve) => { socket.onopen = resolve; });
const waiting = new Map();
socket.onmessage = (event) => {
  const told = JSON.parse(event.data);
  waiting.get(told.id)?.(told.result);
};
let last = 0;
const call = (method, params) => new Promise((resolve) => {
  waiting.set(++last, resolve);
  socket.send(JSON.stringify({ id: last, method, params }));
});
await call("Page.navigate", { url: address });
for (const expression of steps) {
  const value = await until(async () => (await call("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true })).result?.value);
  process.stdout.write(JSON.stringify(value) + "\n");
}
const ended = new Promise((resolve) => browser.on("exit", resolve));
browser.kill();
await ended;
process.exit(0);
