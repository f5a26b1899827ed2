import Anthropic from "@anthropic-ai/sdk";

registerWebHandler("/anthropic", async (req) => {
  const client = new Anthropic({ apiKey: "good", baseURL: req.query.api, maxRetries: 0 });
  const asked = { model: "small", max_tokens: 100, messages: [{ role: "user" as const, content: "hi" }] };
  const message = await client.messages.create(asked);
  const tokens = await client.messages.countTokens({ model: "small", messages: asked.messages });
  const models = [];
  for await (const one of client.models.list()) models.push(one.id);
  const pieces: string[] = [];
  const stream = client.messages.stream(asked).on("text", (text) => pieces.push(text));
  const whole = await stream.finalMessage();
  const bad = new Anthropic({ apiKey: "bad", baseURL: req.query.api, maxRetries: 0 });
  const error = await bad.messages.create(asked).catch((thrown) => thrown);
  return { message: message.content, tokens: tokens.input_tokens, models, pieces, whole: whole.content, error: [error instanceof Anthropic.AuthenticationError, error.status, error.error?.error?.message] };
});
