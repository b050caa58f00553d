// Sessions with the protocol's own TypeScript client: lists, replays, what ends in the middle, servers and rules.

import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, test } from "node:test";

import { allow, choose, withEditor } from "./editor.js";

const target = "acp/agents.py:agents";
const HERE = import.meta.dirname;
const PYTHON = join(dirname(resolve(HERE, "..", process.env.E2E_WAKEFUL)), "python");
const PLAIN = join(HERE, "../../protocols/acp/servers/plain.py");
const SECRET = "hush-hush-4711";
const notes = { name: "notes", command: PYTHON, args: [PLAIN, "x"], env: [{ name: "TOKEN", value: SECRET }] };

function ownStore() {
  return `sqlite:///${join(mkdtempSync(join(process.env.E2E_WORK, "acp-")), "acp.db")}`;
}

const load = (editor, sessionId, mcpServers = []) =>
  editor.ctx.request("session/load", { sessionId, cwd: "/project", mcpServers });

// What a client holds of each call after all updates.
function calls(updates) {
  const held = new Map();
  for (const update of updates) {
    if (!update.sessionUpdate.startsWith("tool_call")) continue;
    held.set(update.toolCallId, { ...held.get(update.toolCallId), ...update, sessionUpdate: "" });
  }
  return [...held.values()];
}

describe("ACP sessions", { timeout: 60_000, concurrency: 2 }, () => {
  test("a long list comes in pages, and an unknown folder has none", () =>
    withEditor({ target }, async (editor) => {
      const made = new Set();
      for (let count = 0; count < 55; count++) made.add(await editor.open("/many"));

      const first = await editor.ctx.request("session/list", { cwd: "/many" });
      const second = await editor.ctx.request("session/list", { cwd: "/many", cursor: first.nextCursor });

      const listed = [...first.sessions, ...second.sessions].map((session) => session.sessionId);
      assert.equal(listed.length, 55);
      assert.deepEqual(new Set(listed), made);
      assert.equal(second.nextCursor ?? null, null);
      assert.deepEqual((await editor.ctx.request("session/list", { cwd: "/nowhere" })).sessions, []);
    }));

  test("closing a session ends its prompt as cancelled", () =>
    withEditor({ target }, async (editor) => {
      const session = await editor.open();
      const turn = editor.say(session, "count to 1000 every 50 ms");
      await editor.until(() => editor.text());

      await editor.ctx.request("session/close", { sessionId: session });

      assert.equal((await turn).stopReason, "cancelled");
    }));

  test("deleting what nobody knows succeeds", () =>
    withEditor({ target }, async (editor) => {
      assert.deepEqual(await editor.ctx.request("session/delete", { sessionId: "never-was" }), {});
      assert.equal((await editor.say(await editor.open(), "hello")).stopReason, "end_turn");
    }));

  test("a replay has the words, thoughts, calls, files and the plan of the live turns, in their order", async () => {
    const store = ownStore();
    const image = { type: "image", data: "iVBORw0KGgo=", mimeType: "image/png" };
    const live = await withEditor({ store, target }, async (editor) => {
      const session = await editor.open();
      await editor.say(session, "think about time");
      await editor.say(session, 'use make_plan {"steps": ["look", "leap"]}');
      await editor.say(session, 'use edit_file {"path": "a.py"}');
      await editor.say(session, "use paint {}");
      await editor.ctx.request("session/prompt", { sessionId: session, prompt: [{ type: "text", text: "hello" }, image] });
      return { session, heard: editor.heard.updates };
    });

    const replayed = await withEditor({ store, target }, async (editor) => {
      await load(editor, live.session);
      return [...editor.heard.updates];
    });

    const plan = (updates) => updates.filter((update) => update.sessionUpdate === "plan").at(-1).entries;
    assert.deepEqual(plan(replayed).map((entry) => entry.content), ["look", "leap"]);
    assert.deepEqual(plan(replayed), plan(live.heard));
    assert.deepEqual(calls(replayed), calls(live.heard));
    assert.equal(calls(replayed).length, 3);
    assert.ok(calls(replayed).some((call) => call.content.some((item) => item.type === "diff" && item.path === "/project/a.py")));
    assert.ok(calls(replayed).some((call) => call.content.some((item) => item.content?.type === "image")));
    const order = (updates) => {
      const kinds = updates.map((update) => update.sessionUpdate);
      const said = kinds.filter((kind) => ["agent_thought_chunk", "agent_message_chunk", "tool_call"].includes(kind));
      return said.filter((kind, place) => kind !== said[place - 1]);
    };
    assert.deepEqual(order(replayed), order(live.heard));
    const users = replayed.filter((update) => update.sessionUpdate === "user_message_chunk");
    assert.deepEqual(users.at(-1).content, image);
    assert.equal(users.length, 6);
  });

  test("a tool of the editor's own server is called, and its secret is told to nobody", () =>
    withEditor({ target, answers: { permission: allow } }, async (editor) => {
      assert.deepEqual(editor.about.agentCapabilities.mcpCapabilities, { http: true, sse: false });
      const session = await editor.open("/project", [notes]);

      assert.equal((await editor.say(session, "use mcp__notes__about {}")).stopReason, "end_turn");

      const [done] = calls(editor.heard.updates);
      assert.equal(done.status, "completed");
      assert.deepEqual(JSON.parse(done.rawOutput).args, ["x"]);
      assert.equal(JSON.parse(done.rawOutput).knows, SECRET.length);
      assert.ok(!JSON.stringify(editor.judge.said()).includes(SECRET));
    }));

  test("what is always allowed is asked about once, and shows the rule, also to the next process", async () => {
    const store = ownStore();
    const session = await withEditor({ store, target, answers: { permission: choose("allow_always") } }, async (editor) => {
      const made = await editor.open();
      await editor.say(made, "email bob@example.com hi");
      assert.equal(editor.heard.asked.length, 1);
      return made;
    });

    await withEditor({ store, target }, async (editor) => {
      await load(editor, session);
      await editor.say(session, "email bob@example.com again");

      assert.equal(editor.heard.asked.length, 0);
      const shown = JSON.stringify(calls(editor.heard.updates).at(-1).content);
      assert.match(shown, /Allowed by rule: send_email is always allowed in this session/);
      assert.equal((await editor.say(await editor.open(), "email bob@example.com elsewhere")).stopReason, "cancelled");
      assert.equal(editor.heard.asked.length, 1);
    });
  });

  test("what is always rejected is not asked about again", () =>
    withEditor({ target, answers: { permission: choose("reject_always") } }, async (editor) => {
      const session = await editor.open();

      for (const text of ["email bob@example.com hi", "email ann@example.com hi"]) await editor.say(session, text);

      assert.equal(editor.heard.asked.length, 1);
      assert.deepEqual(calls(editor.heard.updates).map((call) => call.status), ["failed", "failed"]);
    }));
});
