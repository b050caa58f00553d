// Where Wakeful listens, and plain reads of what it stored.

import { setInterval } from "node:timers/promises";

export const WAKEFUL = process.env.WAKEFUL_URL;

export async function getJson(path) {
  const response = await fetch(WAKEFUL + path);
  if (!response.ok) throw new Error(`GET ${path} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

// The thread's messages in AG-UI's shapes, as the server gives them to a page that returns.
export async function storedMessages(threadId) {
  const { messages } = await getJson(`/v1/ag-ui/threads/${encodeURIComponent(threadId)}/messages`);
  return messages;
}

function latestRun(threadId) {
  return getJson(`/v1/threads/${encodeURIComponent(threadId)}/runs/latest`);
}

// Waits until the thread's newest run has the status.
export async function untilRunIs(status, threadId) {
  for await (const _ of setInterval(20)) {
    const run = await latestRun(threadId);
    if (run.status === status) return run;
  }
}
