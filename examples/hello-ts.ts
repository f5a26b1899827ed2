// Hello in TypeScript: types, template literals, an async handler, an answer with a status.
// Open /hello-ts or /hello-ts?name=Ada, and POST {"name": "Ada"} to /hello-ts.

interface Greeting {
  hello: string;
  at: string;
}

const greet = (name: string): Greeting => ({ hello: name, at: new Date().toISOString() });

registerWebHandler("/hello-ts", (req) => greet(req.query.name ?? "world"));

registerWebHandler(
  "/hello-ts",
  async (req, ctx) => {
    const { name } = req.data as { name: string };
    console.info(`greeted ${name}`, { invocation: ctx.invocation.id });
    return json(greet(name), { status: 201 });
  },
  {
    method: "POST",
    summary: "Greets the person named in the body",
    body: {
      type: "object",
      properties: { name: { type: "string", minLength: 1, maxLength: 50 } },
      required: ["name"],
      additionalProperties: false,
    },
  },
);
