import { Resend } from "resend";

registerWebHandler("/resend", async (req) => {
  const client = new Resend("good", { baseUrl: req.query.api });
  const mail = { from: "a@example.com", to: "b@example.com", subject: "Hello", html: "<p>hi</p>" };
  const sent = await client.emails.send(mail);
  const found = await client.emails.get("mail-1");
  const batch = await client.batch.send([mail, mail]);
  const bad = await new Resend("bad", { baseUrl: req.query.api }).emails.send(mail);
  return { sent: sent.data, found: found.data?.subject, batch: batch.data, error: bad.error };
});
