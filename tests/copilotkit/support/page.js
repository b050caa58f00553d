// A page that uses CopilotKit, without the page: its core, one agent on one thread, and the errors a user is shown.

import { buildResumeArray } from "@ag-ui/client";
import { CopilotKitCore, CopilotKitCoreRuntimeConnectionStatus } from "@copilotkit/core";

// The core connects to a runtime only where there is a window.
globalThis.window ??= globalThis;

export class Page {
  errors = [];
  #lastRunId;

  static async open(runtime, { threadId = crypto.randomUUID(), tools = [] } = {}) {
    const core = new CopilotKitCore({ runtimeUrl: runtime.url, tools });
    await connected(core);
    return new Page(core, threadId);
  }

  constructor(core, threadId) {
    this.core = core;
    this.agent = core.getAgent("default");
    this.agent.threadId = threadId;
    this.agent.subscribe({ onRunFinishedEvent: ({ input }) => void (this.#lastRunId = input.runId) });
    core.subscribe({ onError: ({ code, error }) => void this.errors.push({ code, message: error.message }) });
  }

  get threadId() {
    return this.agent.threadId;
  }

  get messages() {
    return this.agent.messages;
  }

  get questions() {
    return this.agent.pendingInterrupts;
  }

  async say(content) {
    this.agent.addMessage({ id: crypto.randomUUID(), role: "user", content });
    await this.core.runAgent({ agent: this.agent });
  }

  // Answers every open question the same way; like `useInterrupt`, under the id of the run that asked.
  async answer(payload) {
    const answers = Object.fromEntries(this.questions.map(({ id }) => [id, { status: "resolved", payload }]));
    const resume = buildResumeArray(this.questions, answers);
    await this.core.runAgent({ agent: this.agent, resume, runId: this.#lastRunId });
  }

  // What a page does when it opens a thread that may have messages.
  connect() {
    return this.core.connectAgent({ agent: this.agent });
  }

  stop() {
    this.core.stopAgent({ agent: this.agent });
  }

  // Resolves once the condition on this page holds, which is looked at whenever a message changes.
  until(condition) {
    return new Promise((resolve) => {
      const look = () => {
        if (!condition(this)) return;
        subscription.unsubscribe();
        resolve();
      };
      const subscription = this.agent.subscribe({ onMessagesChanged: look });
      look();
    });
  }
}

function connected(core) {
  const { Connected, Error: Failed } = CopilotKitCoreRuntimeConnectionStatus;
  return new Promise((resolve, reject) => {
    const look = () => {
      const status = core.runtimeConnectionStatus;
      if (status === Connected) resolve();
      if (status === Failed) reject(new Error(`the runtime at ${core.runtimeUrl} cannot be reached`));
    };
    core.subscribe({ onRuntimeConnectionStatusChanged: look });
    look();
  });
}
