/* node with a child process, spoken to over node's own channel. */
import { fork } from 'node:child_process';
import http from 'node:http';

const child = fork(new URL('./process-task.mjs', import.meta.url));
const open = new Map();
let next = 0;
child.on('message', ({ id, body }) => {
  const res = open.get(id);
  open.delete(id);
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  res.end(body);
});

http.createServer((req, res) => {
  open.set(++next, res);
  child.send({ id: next, req: { method: req.method, path: req.url, headers: req.headers, params: { name: req.url.slice(7) } } });
}).listen(Number(process.argv[2]), '127.0.0.1');
