/* node with piscina: worker threads answer. */
import http from 'node:http';
import { Piscina } from 'piscina';

const pool = new Piscina({ filename: new URL('./pool-task.mjs', import.meta.url).href, minThreads: 2, maxThreads: 2 });

http.createServer(async (req, res) => {
  const body = await pool.run({ method: req.method, path: req.url, headers: req.headers, params: { name: req.url.slice(7) } });
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  res.end(body);
}).listen(Number(process.argv[2]), '127.0.0.1');
