// An editor: `wakeful acp` as its child process, the protocol's own client, and a judge that reads every line.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { PassThrough, Readable, Writable } from "node:stream";

import * as acp from "@agentclientprotocol/sdk";

import { Judge } from "./judge.js";

// Runs `use(editor)` with a connected editor; `answers` says what it does when it is asked: {permission, form}.
export async function withEditor({ store, answers = {}, capabilities = {}, args = [], target = "agents.py:agents" }, use) {
  const child = spawn(process.env.E2E_WAKEFUL, ["acp", target, ...(store ? ["--store", store] : []), ...args], {
    cwd: join(import.meta.dirname, ".."),
    stdio: ["pipe", "pipe", "ignore"],
  });
  const judge = new Judge();
  const heard = { updates: [], asked: [] };
  const stream = acp.ndJsonStream(
    Writable.toWeb(judge.tap("client", child.stdin)),
    Readable.toWeb(child.stdout.pipe(judge.tap("agent", new PassThrough()))),
  );
  const app = acp
    .client({ name: "e2e" })
    .onNotification("session/update", ({ params }) => void heard.updates.push(params.update))
    .onRequest("session/request_permission", ({ params }) => {
      heard.asked.push(params);
      return answers.permission?.(params) ?? { outcome: { outcome: "cancelled" } };
    })
    .onRequest("elicitation/create", ({ params }) => {
      heard.asked.push(params);
      return answers.form?.(params) ?? { action: "cancel" };
    });
  try {
    return await app.connectWith(stream, async (ctx) => {
      const editor = new Editor(ctx, child, heard, judge);
      editor.about = await ctx.request("initialize", { protocolVersion: 1, clientCapabilities: capabilities });
      const result = await use(editor);
      judge.assertAllFit();
      return result;
    });
  } finally {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  }
}

class Editor {
  constructor(ctx, child, heard, judge) {
    Object.assign(this, { ctx, child, heard, judge });
  }

  async open(cwd = "/project", mcpServers = []) {
    const opened = await this.ctx.request("session/new", { cwd, mcpServers });
    return opened.sessionId;
  }

  say(sessionId, text) {
    return this.ctx.request("session/prompt", { sessionId, prompt: [{ type: "text", text }] });
  }

  text(kind = "agent_message_chunk") {
    const chunks = this.heard.updates.filter((update) => update.sessionUpdate === kind);
    return chunks.map((update) => update.content.text ?? "").join("");
  }

  // Waits until what was heard fits.
  async until(fits) {
    const end = AbortSignal.timeout(10_000);
    while (!fits()) {
      assert.ok(!end.aborted, `never heard; so far: ${JSON.stringify(this.heard).slice(-2000)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  // As a crash ends it.
  async kill() {
    const gone = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await gone;
  }
}

export const choose = (optionId) => () => ({ outcome: { outcome: "selected", optionId } });
export const allow = choose("allow_once");
