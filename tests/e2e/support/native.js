// Wakeful's own API: starts a run and reads its event stream to the end.

import { postJson } from "./server.js";

export async function startRun(base, { agentId, threadId, text }) {
  const messages = [{ role: "user", content: text }];
  const response = await postJson(`${base}/v1/runs`, { agent_id: agentId, thread_id: threadId, messages });
  const events = [];
  for (const frame of (await response.text()).split("\n\n")) {
    const data = frame.split("\n").find((line) => line.startsWith("data: "));
    if (data) events.push(JSON.parse(data.slice("data: ".length)));
  }
  return events;
}

export function ofType(events, type) {
  return events.filter((event) => event.type === type);
}
