import { applyPatches, enableMapSet, enablePatches, produce, produceWithPatches } from "immer";
import { marked } from "marked";
import { z } from "zod";
import { z as z3 } from "zod/v3";

enableMapSet();
enablePatches();

registerWebHandler("/well-known/marked", (req) => ({ html: marked.parse(req.body) }), { method: "POST" });

registerWebHandler("/well-known/immer", () => {
  const before = { count: 1, list: [1, { deep: true }], map: new Map([["k", { v: 1 }]]), set: new Set([1]) };
  const after = produce(before, (draft) => {
    draft.count += 1;
    draft.list.push(2);
    draft.map.get("k")!.v = 2;
    draft.set.add(3);
  });
  const [changed, patches, back] = produceWithPatches(after, (draft) => { draft.list.splice(0, 1); });
  return {
    before: [before.count, before.list.length, [...before.map], [...before.set]],
    after: [after.count, after.list.length, [...after.map], [...after.set]],
    shared: before.list[1] === after.list[1],
    frozen: Object.isFrozen(after),
    patches,
    undone: applyPatches(changed, back).list,
  };
});

const Person = z.object({
  name: z.string().trim().min(2),
  age: z.number().int().optional(),
  mail: z.email().optional(),
  tags: z.array(z.string()).default([]),
  kind: z.enum(["a", "b"]),
  mood: z.emoji().optional(),
  id: z.bigint().optional(),
});

registerWebHandler("/well-known/zod", async (req) => {
  const told = Person.safeParse(await req.json());
  return told.success ? { person: told.data } : { tree: z.treeifyError(told.error), text: z.prettifyError(told.error) };
}, { method: "POST" });

const Person3 = z3.object({
  name: z3.string().trim().min(2),
  mail: z3.string().email().optional(),
  mood: z3.string().emoji().optional(),
  when: z3.coerce.date().optional(),
}).strict();

registerWebHandler("/well-known/zod3", async (req) => {
  const told = await Person3.refine(async (one) => one.name !== "nobody").safeParseAsync(await req.json());
  return told.success ? { person: told.data } : { issues: told.error.issues.map((one) => [one.code, ...one.path]) };
}, { method: "POST" });
