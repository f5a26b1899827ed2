// Notes over GraphQL: queries, mutations, and a subscription that every page uses.
// Open /live-notes in two windows, or /graphql to try operations.
import { Page } from "./page";

interface Note {
  id: string;
  text: string;
  tag: string | null;
  by: string;
  at: string;
}

const SCHEMA = `
  "A moment, as ISO 8601."
  scalar Moment
  type Note {
    id: ID!
    text: String!
    tag: String
    at: Moment!
    author: Author!
  }
  type Author {
    name: String!
    "How many notes there are of this author."
    notes: Int!
  }
  enum Change { ADDED EDITED REMOVED }
  type NoteChange {
    change: Change!
    note: Note!
  }
`;

async function noteOf(id: string): Promise<Note> {
  const note = await kv.get<Note>(`live-note/${id}`);
  if (note === undefined) throw httpError(404, `There is no note ${id}.`);
  return note;
}

function checked(text: string): string {
  const words = text.trim();
  if (words === "" || words.length > 500) throw httpError(422, "A note has 1 to 500 characters.", { field: "text" });
  return words;
}

// Subscribers to a tag get only the changes of its notes; see the attributes below.
function tell(change: "ADDED" | "EDITED" | "REMOVED", note: Note): void {
  sendSubscriptionMessage("noteChanged", { change, note }, { to: { tag: [note.tag ?? "", "*"] } });
}

registerQueryHandler("notes", `type Query { notes(first: Int = 20, tag: String): [Note!]! } ${SCHEMA}`, async (args) => {
  const { entries } = await kv.list<Note>({ prefix: "live-note/", limit: 1000 });
  const notes = entries.map((entry) => entry.value).filter((note) => args.tag == null || note.tag === args.tag);
  return notes.reverse().slice(0, Math.max(0, args.first));
});

registerQueryHandler("note", "note(id: ID!): Note", (args) => noteOf(args.id));

registerMutationHandler(
  "addNote",
  'addNote(text: String!, tag: String, by: String = "somebody"): Note!',
  async (args) => {
    const id = String(await kv.increment("live-notes")).padStart(8, "0");
    const note: Note = { id, text: checked(args.text), tag: args.tag ?? null, by: args.by, at: new Date().toISOString() };
    await kv.set(`live-note/${id}`, note);
    await kv.increment(`live-notes-of/${note.by}`);
    tell("ADDED", note);
    return note;
  },
);

registerMutationHandler("editNote", "editNote(id: ID!, text: String!): Note!", async (args) => {
  const note: Note = { ...(await noteOf(args.id)), text: checked(args.text) };
  await kv.set(`live-note/${note.id}`, note);
  tell("EDITED", note);
  return note;
});

registerMutationHandler("removeNote", "removeNote(id: ID!): Note!", async (args) => {
  const note = await noteOf(args.id);
  await kv.delete(`live-note/${note.id}`);
  await kv.increment(`live-notes-of/${note.by}`, -1);
  tell("REMOVED", note);
  return note;
});

// The attributes with which `to` is compared: one tag, or all.
registerSubscriptionHandler("noteChanged", "noteChanged(tag: String): NoteChange!", (args) => ({ tag: args.tag ?? "*" }));

// Called once for all notes of a result, and once for all their authors.
registerFieldHandler<Note>("Note.author", (notes) => notes.map((note) => ({ name: note.by })));
registerFieldHandler<{ name: string }>("Author.notes", async (authors) => {
  const names = [...new Set(authors.map((author) => author.name))];
  const counts = await Promise.all(names.map((name) => kv.get<number>(`live-notes-of/${name}`)));
  return authors.map((author) => counts[names.indexOf(author.name)] ?? 0);
});

registerScalar("Moment", {
  parse: (text) => {
    if (Number.isNaN(Date.parse(text))) throw new Error("a moment is written 2026-01-31T12:00:00Z");
    return new Date(text).toISOString();
  },
});

registerWebHandler("/live-notes", () => <Page />);
