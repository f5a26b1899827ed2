/*
 * Modules of Node.js that a script can have, as modules of its bundle: `node:buffer` and others.
 *
 * They were lowered when the package was built; see made.mjs.
 */

/* What is a member of another module, or what the engine has as a global. */
const ALIASES = {
  'assert/strict': "module.exports = require('node:assert').strict;",
  console: 'module.exports = globalThis.console;',
  'path/posix': "module.exports = require('node:path');",
  perf_hooks: 'module.exports = { performance: globalThis.performance };',
  'stream/consumers': "module.exports = require('node:stream').consumers;",
  'stream/promises': "module.exports = require('node:stream').promises;",
  sys: "module.exports = require('node:util');",
  'timers/promises': "module.exports = require('node:timers').promises;",
  'util/types': "module.exports = require('node:util').types;",
};
const STREAMS = [
  'ReadableStream', 'ReadableStreamDefaultReader', 'ReadableStreamBYOBReader', 'WritableStream', 'WritableStreamDefaultWriter', 'TransformStream',
  'ByteLengthQueuingStrategy', 'CountQueuingStrategy', 'TextEncoderStream', 'TextDecoderStream', 'CompressionStream', 'DecompressionStream',
];

export class NodeModules {
  /** @param {function(): object} read - Gives `dist/node.json`. */
  constructor(read) {
    this.read = read;
    this.made = null;
  }

  get all() {
    return (this.made ??= this.read());
  }

  /** What `Buffer` and `process` have, and what modules export, for globals.mjs. */
  get known() {
    const { buffer, process } = this.all;
    const exports = Object.fromEntries(Object.entries(this.all).map(([name, one]) => [name, one.exports]));
    return { members: { Buffer: buffer.members, process: process.members }, exports };
  }

  /** The module that a specifier names, such as `util` for `node:util` and for `util/`; null if it is none of these. */
  named(specifier) {
    const name = specifier.replace(/^node:/, '').replace(/\/$/, '');
    return Object.hasOwn(this.all, name) || Object.hasOwn(ALIASES, name) || name === 'stream/web' ? name : null;
  }

  /** @returns {{code: string, helpers: string[]}} */
  load(name) {
    if (name === 'stream/web') return { code: `module.exports = { ${STREAMS.map((one) => `get ${one}() { return globalThis.${one}; }`).join(', ')} };`, helpers: [] };
    return Object.hasOwn(ALIASES, name) ? { code: ALIASES[name], helpers: [] } : this.all[name];
  }
}
