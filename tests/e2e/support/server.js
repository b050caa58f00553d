// Where the servers under test listen, and plain reads of what they stored.

import { setInterval } from "node:timers/promises";

export const WAKEFUL = process.env.WAKEFUL_URL;
export const MODELS = process.env.WAKEFUL_MODELS_URL;

export async function getJson(url, headers = {}) {
  const response = await fetch(url, { headers });
  if (!response.ok) throw new Error(`GET ${url} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

// The thread's messages as the native API shows them, which is as they are stored.
export async function storedMessages(threadId, base = WAKEFUL) {
  const page = await getJson(`${base}/v1/threads/${encodeURIComponent(threadId)}/messages?limit=200`);
  return page.messages;
}

// Waits, without watching the run, until the thread's newest run has the status.
export async function untilRunIs(status, threadId, base = WAKEFUL) {
  for await (const _ of setInterval(20)) {
    const run = await getJson(`${base}/v1/threads/${encodeURIComponent(threadId)}/runs/latest`);
    if (run.status === status) return run;
  }
}

export async function postJson(url, body) {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`POST ${url} answered ${response.status}: ${await response.text()}`);
  return response;
}

export function roles(messages) {
  return messages.map((message) => message.role);
}

export function text(message) {
  const parts = message.parts.filter((part) => part.type === "text");
  return parts.map((part) => part.text).join("");
}
