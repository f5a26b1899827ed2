/* node's own fetch behind node's own server: `caller.mjs TARGET PORT`. */
import http from 'node:http';

const target = process.argv[2];

http.createServer(async (req, res) => {
  const answer = await (await fetch(target)).json();
  res.writeHead(200, { 'content-type': 'application/json' });
  res.end(JSON.stringify(answer));
}).listen(Number(process.argv[3]), '127.0.0.1');
