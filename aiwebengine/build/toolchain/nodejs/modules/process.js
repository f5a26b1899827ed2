/*
 * node:process: what of it has a meaning in a script.  Of the machine it shows nothing.
 */
const { EventEmitter } = require('node:events');

const VERSION = '20.19.0';

/* Plain settings of the script. */
function settings() {
  const given = globalThis.env;
  const made = { NODE_ENV: process.env.NODE_ENV }; // written in by the build
  for (const name of given === undefined || given === null ? [] : Object.keys(given)) made[name] = String(given[name]);
  return made;
}

function refused(name, instead) {
  return function () { throw new Error(`process.${name}() does not exist here: ${instead}`); };
}

/* Whole lines of what is written become lines of the log. */
function output(fd, write) {
  return Object.assign(new EventEmitter(), {
    fd,
    isTTY: false,
    writable: true,
    columns: undefined,
    write(text, encoding, done = encoding) {
      write(String(text).replace(/\n$/, ''));
      if (typeof done === 'function') queueMicrotask(done);
      return true;
    },
    end() {},
  });
}

function hrtime(since = [0, 0]) {
  const now = Math.round(performance.now() * 1e6) - since[0] * 1e9 - since[1];
  return [Math.floor(now / 1e9), now - Math.floor(now / 1e9) * 1e9];
}
hrtime.bigint = () => BigInt(Math.round(performance.now() * 1e6));

let environment;
let [stdout, stderr] = [];
const own = {
  title: 'aiwebengine',
  version: `v${VERSION}`,
  versions: {},
  release: { name: 'aiwebengine' },
  arch: '',
  platform: 'linux',
  pid: 1,
  ppid: 0,
  argv: [],
  argv0: '',
  execArgv: [],
  execPath: '/',
  exitCode: undefined,
  browser: true,
  config: {},
  features: {},
  get env() { return (environment ??= settings()); },
  set env(value) { environment = value; },
  get stdout() { return (stdout ??= output(1, (line) => console.log(line))); },
  get stderr() { return (stderr ??= output(2, (line) => console.error(line))); },
  stdin: { fd: 0, isTTY: false },
  cwd: () => '/',
  chdir: refused('chdir', 'a script has no folders.'),
  umask: () => 0o22,
  uptime: () => performance.now() / 1000,
  hrtime,
  memoryUsage: () => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 }),
  cpuUsage: () => ({ user: 0, system: 0 }),
  nextTick: (callback, ...given) => queueMicrotask(() => callback(...given)),
  emitWarning(warning, kind, code) {
    const name = typeof kind === 'string' ? kind : kind?.type ?? warning?.name ?? 'Warning';
    const id = code ?? kind?.code;
    console.warn(`${typeof id === 'string' ? `[${id}] ` : ''}${name}: ${warning?.message ?? warning}`);
  },
  exit: refused('exit', 'return from the handler, or throw httpError(status, message).'),
  abort: refused('abort', 'throw an error.'),
  kill: refused('kill', 'a script starts no programs.'),
  binding: refused('binding', 'there is nothing of Node.js inside.'),
  getBuiltinModule: () => undefined,
};

module.exports = Object.defineProperties(Object.create(EventEmitter.prototype), Object.getOwnPropertyDescriptors(own));
