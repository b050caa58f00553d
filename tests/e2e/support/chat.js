// An AI SDK chat of either major over its own transport: what a page holds, without the page.

import assert from "node:assert/strict";

import * as ai6 from "ai6";
import * as ai7 from "ai7";

import { Wire } from "./wire.js";

export const MAJORS = { 6: ai6, 7: ai7 };

export function openChat(ai, { api, id = crypto.randomUUID(), messages = [] }) {
  const wire = new Wire();
  const state = new State(messages);
  const chat = new ai.AbstractChat({
    id,
    state,
    transport: new ai.DefaultChatTransport({ api, fetch: wire.fetch }),
    sendAutomaticallyWhen: ai.lastAssistantMessageIsCompleteWithApprovalResponses,
  });
  return Object.assign(chat, { wire, until: (condition) => state.until(() => condition(chat)) });
}

// Every chunk the server sent fits this major's own schema.
export async function assertChunksAreValid(ai, wire) {
  const schema = ai.uiMessageChunkSchema();
  assert.ok(wire.events.length > 0, "no chunk was sent");
  for (const chunk of wire.events) {
    const checked = await schema.validate(chunk);
    assert.ok(checked.success, `${JSON.stringify(chunk)}: ${checked.error}`);
  }
}

export function partsOfType(message, type) {
  return message.parts.filter((part) => part.type === type);
}

export function isAtRest(chat) {
  return chat.status === "ready" || chat.status === "error";
}

class State {
  #status = "ready";
  #messages;
  #watchers = new Set();
  error = undefined;

  constructor(messages) {
    this.#messages = messages;
  }

  get status() {
    return this.#status;
  }

  set status(status) {
    this.#status = status;
    this.#tell();
  }

  get messages() {
    return this.#messages;
  }

  set messages(messages) {
    this.#messages = messages;
    this.#tell();
  }

  pushMessage = (message) => {
    this.messages = [...this.#messages, message];
  };

  popMessage = () => {
    this.messages = this.#messages.slice(0, -1);
  };

  replaceMessage = (index, message) => {
    this.messages = this.#messages.with(index, structuredClone(message));
  };

  snapshot = (value) => structuredClone(value);

  until(condition) {
    return new Promise((resolve) => {
      const look = () => {
        if (!condition()) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  #tell() {
    for (const look of [...this.#watchers]) look();
  }
}
