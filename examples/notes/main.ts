// Notes as a JSON API: several files, schemas, errors, and data that stays.
//
// Each note is one asset, so the script needs the capability "assets".
// A module variable could only be a cache: several processes run the script, and each has its own
// variables.  A write takes effect when the handler has returned; if the handler throws, nothing is
// written.
//
//   GET    /notes          every note, newest first
//   POST   /notes          creates a note: {"text": "...", "tags": ["..."]}
//   GET    /notes/:id      one note
//   PUT    /notes/:id      replaces a note; the same body
//   DELETE /notes/:id      removes a note
import { type Draft, draftSchema } from "./schema";
import { type Note, notes } from "./store";

const found = (id: string): Note => {
  const note = notes.get(id);
  if (!note) throw httpError(404, `There is no note ${id}.`);
  return note;
};

registerWebHandler("/notes", () => notes.all(), { summary: "Every note, newest first" });

registerWebHandler(
  "/notes",
  (req) => {
    const note: Note = { id: crypto.randomUUID(), at: new Date().toISOString(), tags: [], ...(req.data as Draft) };
    notes.put(note);
    return json(note, { status: 201, headers: { location: `/notes/${note.id}` } });
  },
  { method: "POST", body: draftSchema, summary: "Makes a note" },
);

registerWebHandler("/notes/:id", (req) => found(req.params.id), { summary: "One note" });

registerWebHandler(
  "/notes/:id",
  (req) => {
    const note: Note = { ...found(req.params.id), tags: [], ...(req.data as Draft) };
    notes.put(note);
    return note;
  },
  { method: "PUT", body: draftSchema, summary: "Replaces a note" },
);

registerWebHandler(
  "/notes/:id",
  (req) => {
    notes.remove(found(req.params.id).id);
  },
  { method: "DELETE", summary: "Removes a note" },
);
