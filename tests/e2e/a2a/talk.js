// The official client of A2A over one binding and version, and what tests say with it.

import { randomUUID } from "node:crypto";

import { Role, TaskState } from "@a2a-js/sdk";
import {
  ClientFactory, DefaultAgentCardResolver, JsonRpcTransportFactory, RestTransportFactory,
} from "@a2a-js/sdk/client";

// `dropsAppend`: this client takes what continues an artifact for all of it, so what it was streamed cannot be told.
export const WAYS = [
  { binding: "JSONRPC", version: "1.0" },
  { binding: "HTTP+JSON", version: "1.0" },
  { binding: "JSONRPC", version: "0.3" },
  { binding: "HTTP+JSON", version: "0.3", dropsAppend: true },
];

// A client made from the card the server shows, left with the one interface that is to be used.
export async function client(base, { binding, version }) {
  const legacyCompat = { enabled: true };
  const transports = [new JsonRpcTransportFactory({ legacyCompat }), new RestTransportFactory({ legacyCompat })];
  const card = await new DefaultAgentCardResolver().resolve(base);
  const fits = (found) => found.protocolBinding === binding && found.protocolVersion === version;
  const supportedInterfaces = card.supportedInterfaces.filter(fits);
  if (supportedInterfaces.length !== 1) throw new Error(`the card has no ${binding} ${version}`);
  return new ClientFactory({ transports }).createFromAgentCard({ ...card, supportedInterfaces });
}

export function text(value) {
  return { content: { $case: "text", value }, metadata: undefined, filename: "", mediaType: "" };
}

export function data(value) {
  return { content: { $case: "data", value }, metadata: undefined, filename: "", mediaType: "" };
}

export function say(part, task = {}, configuration = undefined) {
  const message = {
    messageId: randomUUID(), role: Role.ROLE_USER, parts: [part], contextId: task.contextId ?? "", taskId: task.id ?? "",
    metadata: undefined, extensions: [], referenceTaskIds: [],
  };
  return { message, configuration, tenant: "", metadata: undefined };
}

// What a stream brought: its task, the states it went through, and its text by artifact.
export async function follow(stream) {
  const seen = { task: undefined, states: [], texts: new Map() };
  for await (const { payload } of stream) take(seen, payload);
  return seen;
}

export function take(seen, payload) {
  if (payload.$case === "task") {
    seen.task = payload.value;
    seen.states.push(TaskState[payload.value.status.state]);
    for (const artifact of payload.value.artifacts) seen.texts.set(artifact.artifactId, words(artifact));
  } else if (payload.$case === "statusUpdate") {
    seen.states.push(TaskState[payload.value.status.state]);
  } else {
    const { artifact, append } = payload.value;
    const before = append ? seen.texts.get(artifact.artifactId) : "";
    seen.texts.set(artifact.artifactId, before + words(artifact));
  }
}

export function words(artifact) {
  return artifact.parts.map((part) => (part.content?.$case === "text" ? part.content.value : "")).join("");
}

export function answer(seen) {
  return [...seen.texts.values()].join("");
}
