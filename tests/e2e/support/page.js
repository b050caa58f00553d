// `useChat` of any major in a drawn page: the same doors as a chat, and what they show is what React has drawn.

import "./dom.js";

import { createElement, useEffect, useState } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";

import { connect } from "./chat.js";
import { Watchers } from "./watchers.js";

export function openPage(ai, { id = crypto.randomUUID(), messages = [], resume = false, ...options }) {
  const { wire, ...connection } = connect(ai, options);
  return new Page(ai.useChat, { id, messages, resume, ...connection }, wire);
}

class Page {
  #root;
  #drawn;
  #redraw;
  #asked = 0;
  #answered = 0;
  #watchers = new Watchers();

  constructor(useChat, options, wire) {
    this.id = options.id;
    this.wire = wire;
    this.container = document.body.appendChild(document.createElement("main"));
    this.#root = createRoot(this.container);
    const Conversation = () => {
      const chat = useChat(options);
      const [asked, redraw] = useState(0);
      useEffect(() => this.#show(chat, asked, redraw));
      return createElement("ol", { "data-status": chat.status }, chat.messages.map(line));
    };
    flushSync(() => this.#root.render(createElement(Conversation)));
  }

  get messages() {
    return this.#drawn.messages;
  }

  get lastMessage() {
    return this.#drawn.messages.at(-1);
  }

  get status() {
    return this.#drawn.status;
  }

  get error() {
    return this.#drawn.error;
  }

  // What a person reads, one text per message.
  get lines() {
    return [...this.container.querySelectorAll("li")].map((item) => item.textContent);
  }

  sendMessage = (...args) => this.#ask("sendMessage", args);
  regenerate = (...args) => this.#ask("regenerate", args);
  stop = () => this.#ask("stop", []);
  resumeStream = () => this.#ask("resumeStream", []);
  addToolOutput = (...args) => this.#ask("addToolOutput", args);
  addToolApprovalResponse = (...args) => this.#ask("addToolApprovalResponse", args);

  until = (condition) => this.#watchers.until(() => condition(this), condition);

  // As a tab is closed: its connections end, and nothing is drawn any more.
  close() {
    void this.#drawn.stop();
    this.#root.unmount();
    this.container.remove();
    this.#answered = Infinity;
    this.#watchers.tell();
  }

  #show(chat, asked, redraw) {
    this.#drawn = chat;
    this.#answered = asked;
    this.#redraw = redraw;
    this.#watchers.tell();
  }

  async #ask(what, args) {
    await this.#drawn[what](...args);
    await this.#everythingDrawn();
  }

  // React draws what was asked for in order: once it has drawn this, it has drawn all that the chat told it before.
  #everythingDrawn() {
    const asked = ++this.#asked;
    this.#redraw(asked);
    return this.until(() => this.#answered >= asked);
  }
}

function line(message) {
  const spoken = message.parts.filter((part) => part.type === "text").map((part) => part.text);
  return createElement("li", { key: message.id }, spoken.join(""));
}
