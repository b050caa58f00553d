// A major's own judgement of what it was sent, and of what it is given after a reload.

import assert from "node:assert/strict";

import { getJson, WAKEFUL } from "./server.js";

export async function assertChunksAreValid(ai, wire) {
  const schema = ai.uiMessageChunkSchema();
  assert.ok(wire.events.length > 0, "no chunk was sent");
  for (const chunk of wire.events) {
    const checked = await schema.validate(chunk);
    assert.ok(checked.success, `${JSON.stringify(chunk)}: ${checked.error}`);
  }
}

// The thread as UI messages, which a page of this client starts with when it is reloaded; they are valid.
export async function hydrated({ ai, headers }, threadId, base = WAKEFUL) {
  const url = `${base}/v1/ai-sdk/threads/${encodeURIComponent(threadId)}/messages`;
  const { messages } = await getJson(url, headers);
  return ai.validateUIMessages({ messages });
}

// One more client of a thread, as a page is loaded: it starts with the thread's messages.
export async function reload(open, client, id, base = WAKEFUL) {
  return open({ id, base, messages: await hydrated(client, id, base) });
}

// What a page draws: without metadata, absent values and the names of a stream's blocks.
export function shown(messages) {
  const drawn = messages.map(({ id, role, parts }) => ({ id, role, parts: parts.map(({ id, ...part }) => part) }));
  return JSON.parse(JSON.stringify(drawn));
}

export function ids(messages) {
  return messages.map((message) => message.id);
}
