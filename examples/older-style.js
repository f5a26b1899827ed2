// A script in the older style: `register` with the name of a function, `writeLog`, an answer envelope.
// Scripts like this one work unchanged.  Open /older-style and /older-style/log.

let started = "from the start";

const words = (req) => `You asked for ${req.path} with ${req.method}, ${started}.`;

function answer(req) {
  writeLog(`answering ${req.path}`);
  return { status: 200, body: words(req), contentType: "text/plain" };
}

function lastLines() {
  return { status: 200, body: listLogs().slice(-5).join("\n") };
}

function init() {
  register("/older-style", "answer", "GET");
  register("/older-style/log", "lastLines", "GET");
}
