// One store, two doors: what began at a server is approved in an editor, and what an editor began is seen at the server.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ownServer } from "../support/own-server.js";
import { allow, withEditor } from "./editor.js";

async function send(server, thread, text) {
  const body = { agent_id: "assistant", thread_id: thread, messages: [{ role: "user", content: text }] };
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${server.url}/v1/runs`, { method: "POST", headers, body: JSON.stringify(body) });
  assert.equal(answer.status, 200);
  return answer.text();
}

const told = (server, thread) =>
  fetch(`${server.url}/v1/threads/${thread}/messages`)
    .then((answer) => answer.json())
    .then((page) => JSON.stringify(page));

test("a run of a server that waits is approved in an editor", { timeout: 60_000 }, async () => {
  const server = await ownServer();
  try {
    await send(server, "shared", "email bob@example.com hi");

    await withEditor({ store: `sqlite:///${server.file}`, answers: { permission: allow } }, async (editor) => {
      await editor.ctx.request("session/load", { sessionId: "shared", cwd: "/project", mcpServers: [] });
      await editor.until(() => editor.text().includes("I sent the email"));
      assert.equal(editor.heard.asked.length, 1);
    });

    assert.match(await told(server, "shared"), /I sent the email/);
  } finally {
    await server.remove();
  }
});

test("an editor that carries nothing is answered by the server", { timeout: 60_000 }, async () => {
  const server = await ownServer();
  try {
    const store = `sqlite:///${server.file}`;
    const session = await withEditor({ store, args: ["--no-worker"] }, async (editor) => {
      const made = await editor.open();
      assert.equal((await editor.say(made, "weather in Paris")).stopReason, "end_turn");
      assert.match(editor.text(), /The weather in Paris/);
      return made;
    });

    assert.match(await told(server, session), /The weather in Paris/);
  } finally {
    await server.remove();
  }
});
