/*
 * The files of installed packages, and nothing else of the machine.
 *
 * A package is somebody else's: its package.json may name files outside of its folder, and a link in it may
 * lead there.  So a path is followed to its end, and only a regular file that lies under `node_modules` is
 * read, up to a bound.  What is no regular file (a pipe would block whoever opens it) is not there.
 */
import { closeSync, constants, fstatSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';

const MOST_BYTES = 32 * 1024 * 1024;
const ROOT = 'node_modules';

export class Installed {
  /** @param {string|null} folder - Holds `node_modules`; null if there are no packages. */
  constructor(folder) {
    this.real = null;
    if (folder !== null) {
      try { this.real = realpathSync(folder); } catch { /* nothing is installed */ }
    }
    this.looked = new Map();
    this.packages = new Map();
  }

  /**
   * Tell what a path is.
   *
   * @param {string} path - Relative to the folder, such as `node_modules/zod/index.js`.
   * @returns {{kind: 'file'|'folder', path: string}|null} `path` is where it really lies, which differs after a link;
   *   null if there is nothing, or nothing that a script may have.
   */
  look(path) {
    const known = this.looked.get(path);
    if (known !== undefined) return known;
    const found = this.find(path);
    this.looked.set(path, found);
    return found;
  }

  find(path) {
    const plain = posix.normalize(path).replace(/\/$/, '');
    if (this.real === null || (plain !== ROOT && !plain.startsWith(`${ROOT}/`)) || plain.includes('\0')) return null;
    try {
      const real = realpathSync(join(this.real, plain));
      const inside = relative(this.real, real).split(sep).join('/');
      if (inside !== ROOT && !inside.startsWith(`${ROOT}/`)) return null;
      const stat = statSync(real);
      if (stat.isFile()) return { kind: 'file', path: inside };
      return stat.isDirectory() ? { kind: 'folder', path: inside } : null;
    } catch {
      return null;
    }
  }

  /**
   * Read a file as text.
   *
   * @throws {Error} It is not there, or is too large; the message names it as the author knows it.
   */
  read(path) {
    const found = this.look(path);
    if (found === null || found.kind !== 'file') throw new Error(`There is no file ${path}.`);
    const descriptor = openSync(join(this.real, found.path), constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    try {
      const { size } = fstatSync(descriptor);
      if (!fstatSync(descriptor).isFile()) throw new Error(`${path} is not a file.`);
      if (size > MOST_BYTES) throw new Error(`${path} is larger than ${MOST_BYTES / (1024 * 1024)} MiB.`);
      const content = Buffer.alloc(size);
      let filled = 0;
      while (filled < size) {
        const got = readSync(descriptor, content, filled, size - filled, filled);
        if (got === 0) break;
        filled += got;
      }
      return content.toString('utf8', 0, filled);
    } finally {
      closeSync(descriptor);
    }
  }

  /** The `package.json` of a folder; null if it has none, or one that is no object. */
  manifest(folder) {
    if (this.packages.has(folder)) return this.packages.get(folder);
    let parsed = null;
    try {
      parsed = JSON.parse(this.read(posix.join(folder, 'package.json')));
    } catch { /* as if there were none */ }
    if (parsed === null || typeof parsed !== 'object' || Array.isArray(parsed)) parsed = null;
    this.packages.set(folder, parsed);
    return parsed;
  }

  /** The nearest folder at or above a file's that has a `package.json`; null if there is none. */
  enclosing(path) {
    for (let folder = posix.dirname(path); folder !== '.' && folder !== ROOT && !folder.endsWith(`/${ROOT}`); folder = posix.dirname(folder)) {
      if (this.manifest(folder) !== null) return folder;
    }
    return null;
  }
}

/** The name of the package that a file belongs to, such as `@babel/core`. */
export function packageOf(path) {
  const parts = path.slice(path.lastIndexOf(`${ROOT}/`) + ROOT.length + 1).split('/');
  return parts[0].startsWith('@') ? parts.slice(0, 2).join('/') : parts[0];
}
