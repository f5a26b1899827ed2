// Notes in assets, one for each note: two clients who write two notes never overwrite each other.
import type { Draft } from "./schema";

export interface Note extends Draft {
  id: string;
  at: string;
}

// A path that does not begin with "/" has no address: only this script reads what is there.
const FOLDER = "notes-example/";
const pathOf = (id: string) => `${FOLDER}${encodeURIComponent(id)}.json`;

// Base64 carries bytes; these two carry text of any script through it.
const toBase64 = (text: string) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
const fromBase64 = (data: string) =>
  new TextDecoder().decode(Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0)));

function read(path: string): Note | undefined {
  const asset = JSON.parse(fetchAsset(path)) as { content: string } | null;
  return asset ? (JSON.parse(fromBase64(asset.content)) as Note) : undefined;
}

export const notes = {
  all: (): Note[] =>
    listAssets()
      .filter((path) => path.startsWith(FOLDER))
      .map((path) => read(path))
      .filter((note) => note !== undefined)
      .sort((a, b) => b.at.localeCompare(a.at)),
  get: (id: string) => read(pathOf(id)),
  put: (note: Note) => upsertAsset(pathOf(note.id), "application/json", toBase64(JSON.stringify(note))),
  remove: (id: string) => deleteAsset(pathOf(id)),
};
