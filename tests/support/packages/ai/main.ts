import { createOpenAI } from "@ai-sdk/openai";
import { embed, generateText, streamText } from "ai";

registerWebHandler("/ai", async (req) => {
  const provider = createOpenAI({ apiKey: "good", baseURL: `${req.query.api}/v1` });
  const model = provider.chat("small");
  const { text, usage } = await generateText({ model, prompt: "hi", maxRetries: 0 });
  const pieces = [];
  for await (const one of streamText({ model, prompt: "hi", maxRetries: 0 }).textStream) pieces.push(one);
  const { embedding } = await embed({ model: provider.embedding("small"), value: "text", maxRetries: 0 });
  const bad = createOpenAI({ apiKey: "bad", baseURL: `${req.query.api}/v1` });
  const error = await generateText({ model: bad.chat("small"), prompt: "hi", maxRetries: 0 }).catch((thrown) => thrown);
  return { text, tokens: usage.totalTokens, pieces, embedding, error: [error.name, error.statusCode, error.message] };
});
