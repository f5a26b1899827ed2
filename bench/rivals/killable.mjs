/*
 * node with child processes that can be killed: each has one request in hand, so that a deadline ends that one alone,
 * and another child is started for it.  What finds no free child waits.
 */
import { fork } from 'node:child_process';
import http from 'node:http';

const CHILDREN = 2, DEADLINE = 1000;
const free = [], waiting = [];

function start() {
  const child = fork(new URL('./process-task.mjs', import.meta.url));
  const worker = { child, res: null, timer: null };
  child.on('message', ({ body }) => {
    clearTimeout(worker.timer);
    answer(worker.res, 200, body);
    worker.res = null;
    serve(worker);
  });
  child.on('exit', () => {
    clearTimeout(worker.timer);
    if (worker.res) answer(worker.res, 504, '{}');
    worker.res = null;
    if (free.includes(worker)) free.splice(free.indexOf(worker), 1);
    start();
  });
  serve(worker);
}

function answer(res, status, body) {
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  res.end(body);
}

function serve(worker) {
  const next = waiting.shift();
  if (next) give(worker, next);
  else free.push(worker);
}

function give(worker, { req, res }) {
  worker.res = res;
  worker.timer = setTimeout(() => worker.child.kill('SIGKILL'), DEADLINE);
  worker.child.send({ id: 0, req: { method: req.method, path: req.url, headers: req.headers, params: { name: req.url.slice(7) } } });
}

for (let i = 0; i < CHILDREN; i++) start();
http.createServer((req, res) => {
  const worker = free.pop();
  if (worker) give(worker, { req, res });
  else waiting.push({ req, res });
}).listen(Number(process.argv[2]), '127.0.0.1');
