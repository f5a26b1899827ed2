/* What scripts and rivals call: JSON, and a body of as many megabytes as asked for. */
import http from 'node:http';

const MEGABYTE = Buffer.alloc(1 << 20, 'x');

http.createServer((req, res) => {
  const url = new URL(req.url, 'http://target');
  if (url.pathname !== '/large') {
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end('{"hello":"Ada"}');
    return;
  }
  let left = Number(url.searchParams.get('mb'));
  const write = () => {
    while (left-- > 0) {
      if (!res.write(MEGABYTE)) {
        res.once('drain', write);
        return;
      }
    }
    res.end();
  };
  write();
}).listen(Number(process.argv[2]), '127.0.0.1');
