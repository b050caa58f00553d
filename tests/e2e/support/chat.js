// An AI SDK chat of any major over its own transport: what a page holds, without the page.

import { completeWithAnswers, headersOf } from "./majors.js";
import { text } from "./server.js";
import { Watchers } from "./watchers.js";
import { Wire } from "./wire.js";

export function openChat(ai, { id = crypto.randomUUID(), messages = [], ...options }) {
  const state = new State(messages);
  const { wire, ...connection } = connect(ai, options);
  const chat = new ai.AbstractChat({ id, state, ...connection });
  const until = (condition) => state.watchers.until(() => condition(chat), condition);
  return Object.assign(chat, { wire, until, close: () => chat.stop() });
}

// The options that both kinds of chat are made with, and the wire beneath them.
export function connect(ai, { api, headers = headersOf(ai), sendAutomaticallyWhen = completeWithAnswers(ai) }) {
  const wire = new Wire();
  const transport = new ai.DefaultChatTransport({ api, headers, fetch: wire.fetch });
  return { wire, transport, sendAutomaticallyWhen };
}

export function partsOfType(message, type) {
  return message.parts.filter((part) => part.type === type);
}

export function isAtRest(chat) {
  return chat.status === "ready" || chat.status === "error";
}

// Until the answer in progress shows the words.
export function untilShows(chat, words) {
  return chat.until(() => chat.lastMessage?.role === "assistant" && text(chat.lastMessage).includes(words));
}

class State {
  #status = "ready";
  #messages;
  watchers = new Watchers();
  error = undefined;

  constructor(messages) {
    this.#messages = messages;
  }

  get status() {
    return this.#status;
  }

  set status(status) {
    this.#status = status;
    this.watchers.tell();
  }

  get messages() {
    return this.#messages;
  }

  set messages(messages) {
    this.#messages = messages;
    this.watchers.tell();
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
}
