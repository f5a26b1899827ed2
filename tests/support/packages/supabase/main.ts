import { createClient } from "@supabase/supabase-js";

registerWebHandler("/supabase", async (req) => {
  const client = createClient(req.query.api, "good", { auth: { persistSession: false }, realtime: { transport: class {} as never } });
  const inserted = await client.from("notes").insert({ text: "first" }).select().single();
  const found = await client.from("notes").select("id,text").eq("text", "first").order("id");
  const called = await client.rpc("total", { of: "notes" });
  const signed = await client.auth.signInWithPassword({ email: "a@example.com", password: "right" });
  const missing = await client.from("none").select();
  return { inserted: inserted.data, found: found.data, called: called.data, user: signed.data.user?.email, error: [missing.status, missing.error?.code, missing.error?.message] };
});
