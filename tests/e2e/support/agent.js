// An AG-UI client of either generation whose requests and events are remembered.

import * as client0 from "ag-ui-client-0";
import * as client1 from "ag-ui-client-1";

import { getJson, WAKEFUL } from "./server.js";
import { Wire } from "./wire.js";

export const CLIENTS = { "0.0.59": client0, "1.0.0": client1 };

export const AGENT = `${WAKEFUL}/v1/ag-ui/agents/assistant/runs`;

export function openAgent(client, { url = AGENT, threadId = crypto.randomUUID(), messages = [] } = {}) {
  const wire = new Wire();
  const agent = new client.HttpAgent({ url, threadId, fetch: wire.fetch, initialMessages: messages });
  return Object.assign(agent, { wire });
}

// The same thread seen by a client that comes back: `connectAgent` reads the thread's stream.
export function reopenAgent(client, { threadId, messages = [] }) {
  const wire = new Wire();
  class Returning extends client.HttpAgent {
    connect() {
      const url = `${WAKEFUL}/v1/ag-ui/threads/${encodeURIComponent(this.threadId)}/stream`;
      return client.transformHttpEventStream(client.runHttpRequest(() => this.fetch(url, { headers: this.headers })));
    }
  }
  const agent = new Returning({ url: AGENT, threadId, fetch: wire.fetch, initialMessages: messages });
  return Object.assign(agent, { wire });
}

export function userSays(content) {
  return { id: crypto.randomUUID(), role: "user", content };
}

// Adds a message, runs the agent, and tells what a subscriber heard of this run.
export async function say(agent, content, parameters) {
  agent.addMessage(userSays(content));
  return run(agent, parameters);
}

export async function run(agent, parameters) {
  const heard = { events: [], finished: null, error: null };
  await agent.runAgent(parameters, {
    onEvent: ({ event }) => void heard.events.push(event),
    onRunFinishedEvent: (told) => void (heard.finished = told),
    onRunErrorEvent: ({ event }) => void (heard.error = event),
  });
  return heard;
}

// Answers every open interrupt with `answer`, a function from an interrupt to {status, payload}.
export function resume(client, agent, answer) {
  const answers = Object.fromEntries(agent.pendingInterrupts.map((interrupt) => [interrupt.id, answer(interrupt)]));
  return run(agent, { resume: client.buildResumeArray(agent.pendingInterrupts, answers) });
}

// The thread's messages as the server keeps them for AG-UI.
export async function history(threadId, base = WAKEFUL) {
  return (await getJson(`${base}/v1/ag-ui/threads/${encodeURIComponent(threadId)}/messages`)).messages;
}

// The clients print what they throw.
export function silence(t) {
  t.mock.method(console, "error", () => {});
}
