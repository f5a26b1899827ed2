// Each note is one asset, so that clients that write different notes never overwrite each other.
import type { Draft } from "./schema";

export interface Note extends Draft {
  id: string;
  at: string;
}

// An asset whose path does not begin with "/" is not served: only this script can read it.
const FOLDER = "notes-example/";
const pathOf = (id: string) => `${FOLDER}${encodeURIComponent(id)}.json`;

// Base64 is for bytes; these two functions encode and decode strings with any characters.
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
