/* node with isolated-vm: one isolate, the handler's answer made inside. */
import http from 'node:http';
import ivm from 'isolated-vm';

const isolate = new ivm.Isolate({ memoryLimit: 128 });
const context = isolate.createContextSync();
isolate.compileScriptSync('globalThis.handle = (text) => { const req = JSON.parse(text); return JSON.stringify({ hello: req.params.name }); }').runSync(context);
const handle = context.global.getSync('handle', { reference: true });

http.createServer(async (req, res) => {
  const given = JSON.stringify({ method: req.method, path: req.url, headers: req.headers, params: { name: req.url.slice(7) } });
  const body = await handle.apply(undefined, [given], { timeout: 1000 });
  res.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  res.end(body);
}).listen(Number(process.argv[2]), '127.0.0.1');
