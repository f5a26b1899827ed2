/*
 * Lowered files, kept by content: in memory for this worker, on disk for the next ones.
 *
 * A script whose comment changes is built again with everything else taken from here.  What is on disk is
 * bounded; when it grows past the bound the files that were not used for longest go.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const MOST_IN_MEMORY = 64 * 1024 * 1024; // characters
const FRESH_MS = 3600 * 1000;
const ROOM = 0.8; // of the bound, after trimming

export class Kept {
  /**
   * @param {string|null} folder - null to keep everything in memory only.
   * @param {number} mostBytes - Of all files in the folder.
   */
  constructor(folder, mostBytes) {
    this.folder = folder;
    this.mostBytes = mostBytes;
    this.memory = new Map();
    this.characters = 0;
    this.written = null; // bytes in the folder, null until they were counted
  }

  static key(...parts) {
    return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  }

  get(key) {
    const known = this.memory.get(key);
    if (known !== undefined) return known.value;
    if (this.folder === null) return undefined;
    const path = this.path(key);
    try {
      const text = readFileSync(path, 'utf8');
      const value = JSON.parse(text);
      const { mtimeMs } = statSync(path);
      const now = Date.now();
      if (now - mtimeMs > FRESH_MS) utimesSync(path, now / 1000, now / 1000);
      this.remember(key, value, text.length);
      return value;
    } catch { /* not kept, or half-written by a process that died: make it again */ }
    return undefined;
  }

  put(key, value) {
    const text = JSON.stringify(value);
    this.remember(key, value, text.length);
    if (this.folder === null) return;
    const path = this.path(key);
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeFileSync(`${path}.${process.pid}`, text);
      renameSync(`${path}.${process.pid}`, path);
      if (this.written !== null) this.written += text.length;
    } catch { /* a full disk costs time, nothing else */ }
  }

  path(key) {
    return join(this.folder, key.slice(0, 2), `${key}.json`);
  }

  remember(key, value, characters) {
    if (this.characters + characters > MOST_IN_MEMORY) {
      this.memory.clear();
      this.characters = 0;
    }
    this.memory.set(key, { value });
    this.characters += characters;
  }

  /** Remove what was not used for longest, if there is more than may be; between two builds. */
  trim() {
    if (this.folder === null || (this.written !== null && this.written <= this.mostBytes)) return;
    const files = [];
    let total = 0;
    for (const name of entries(this.folder)) {
      for (const file of entries(join(this.folder, name))) {
        const path = join(this.folder, name, file);
        try {
          const { size, mtimeMs } = statSync(path);
          files.push({ path, size, mtimeMs });
          total += size;
        } catch { /* another worker has removed it */ }
      }
    }
    if (total > this.mostBytes) {
      files.sort((one, other) => one.mtimeMs - other.mtimeMs);
      for (const { path, size } of files) {
        if (total <= this.mostBytes * ROOM) break;
        try {
          unlinkSync(path);
          total -= size;
        } catch { /* the same */ }
      }
    }
    this.written = total;
  }
}

function entries(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
