import OpenAI from "openai";

registerWebHandler("/openai", async (req) => {
  const client = new OpenAI({ apiKey: "good", baseURL: `${req.query.api}/v1`, maxRetries: 0 });
  const messages = [{ role: "user" as const, content: "hi" }];
  const models = [];
  for await (const one of client.models.list()) models.push(one.id);
  const chat = await client.chat.completions.create({ model: "small", messages });
  const embedding = await client.embeddings.create({ model: "small", input: "text", encoding_format: "float" });
  const pieces = [];
  for await (const one of await client.chat.completions.create({ model: "small", messages, stream: true })) pieces.push(one.choices[0]?.delta?.content);
  const bad = new OpenAI({ apiKey: "bad", baseURL: `${req.query.api}/v1`, maxRetries: 0 });
  const error = await bad.models.list().catch((thrown) => thrown);
  return { models, chat: chat.choices[0].message.content, embedding: embedding.data[0].embedding, pieces, error: [error instanceof OpenAI.AuthenticationError, error.status, error.message] };
});
