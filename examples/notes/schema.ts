// The schema of what a client may send.

export interface Draft {
  text: string;
  tags?: string[];
}

export const draftSchema = {
  type: "object",
  properties: {
    text: { type: "string", minLength: 1, maxLength: 1000 },
    tags: { type: "array", items: { type: "string", minLength: 1, maxLength: 30 }, maxItems: 10, uniqueItems: true },
  },
  required: ["text"],
  additionalProperties: false,
};
