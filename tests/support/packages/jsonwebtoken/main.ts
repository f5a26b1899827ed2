import bcrypt from "bcryptjs";
import jwt from "jsonwebtoken";

const tried = (run: () => unknown) => {
  try {
    return run();
  } catch (error) {
    return [(error as Error).name, (error as Error).message];
  }
};

registerWebHandler("/jsonwebtoken", async (req) => {
  const { pem, open } = (await req.json()) as Record<string, Record<string, string>>;
  const token = jwt.sign({ sub: "ada" }, "secret", { expiresIn: "1h", issuer: "us" });
  const now = Math.floor(Date.now() / 1000);
  const made: Record<string, unknown> = {
    verified: (jwt.verify(token, "secret", { issuer: "us" }) as jwt.JwtPayload).sub,
    head: jwt.decode(token, { complete: true })?.header,
    wrong: tried(() => jwt.verify(token, "other")),
    expired: (tried(() => jwt.verify(jwt.sign({ exp: now - 10 }, "secret"), "secret")) as string[])[0],
    tokens: {},
  };
  for (const [algorithm, key] of Object.entries(pem)) {
    const signed = jwt.sign({ sub: "ada" }, key, { algorithm: algorithm as jwt.Algorithm, noTimestamp: true });
    (made.tokens as Record<string, unknown>)[algorithm] = [signed, (jwt.verify(signed, open[algorithm]) as jwt.JwtPayload).sub];
  }
  return made;
}, "POST");

registerWebHandler("/bcryptjs", async () => {
  const hash = await bcrypt.hash("password", 4);
  return [await bcrypt.compare("password", hash), bcrypt.compareSync("other", hash), bcrypt.getRounds(hash), bcrypt.hashSync("password", "$2b$04$abcdefghijklmnopqrstuu"), await bcrypt.compare("x", "").catch((error) => error.message)];
});
