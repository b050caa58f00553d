// Wakeful's own API: starts runs, and reads their event streams to the end.

import { postJson } from "./server.js";

export async function startRun(base, { agentId, threadId, text }) {
  const messages = [{ role: "user", content: text }];
  return eventsOf(await postJson(`${base}/v1/runs`, { agent_id: agentId, thread_id: threadId, messages }));
}

// All events of a run that somebody else started, until it is finished.
export async function watchRun(base, runId) {
  return eventsOf(await fetch(`${base}/v1/runs/${runId}/events/stream`));
}

export function ofType(events, type) {
  return events.filter((event) => event.type === type);
}

async function eventsOf(response) {
  const frames = (await response.text()).split("\n\n");
  const data = frames.map((frame) => frame.split("\n").find((line) => line.startsWith("data: "))).filter(Boolean);
  return data.map((line) => JSON.parse(line.slice("data: ".length)));
}
