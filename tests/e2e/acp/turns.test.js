// The protocol's own TypeScript client with `wakeful acp`: turns, approvals, questions, cancels, sessions.

import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";

import { allow, withEditor } from "./editor.js";

const FORMS = { elicitation: { form: {} } };

function ownStore() {
  return `sqlite:///${join(mkdtempSync(join(process.env.E2E_WORK, "acp-")), "acp.db")}`;
}

describe("ACP TypeScript SDK", { timeout: 60_000, concurrency: 2 }, () => {
  test("a text turn is answered", () =>
    withEditor({}, async (editor) => {
      const session = await editor.open();

      const done = await editor.say(session, "hello");

      assert.equal(done.stopReason, "end_turn");
      assert.match(editor.text(), /^You said "hello"\./);
      assert.equal(editor.about.protocolVersion, 1);
      assert.equal(editor.about.agentInfo.name, "wakeful");
    }));

  test("a call is shown from its beginning to its end", () =>
    withEditor({}, async (editor) => {
      await editor.say(await editor.open(), "weather in Paris");

      const calls = editor.heard.updates.filter((update) => update.sessionUpdate.startsWith("tool_call"));
      assert.equal(new Set(calls.map((update) => update.toolCallId)).size, 1);
      assert.equal(calls[0].kind, "read");
      const statuses = calls.map((update) => update.status).filter(Boolean);
      assert.deepEqual(statuses, ["pending", "in_progress", "completed"]);
      assert.equal(calls.at(-1).rawOutput.city, "Paris");
    }));

  test("an allowed call runs", () =>
    withEditor({ answers: { permission: allow } }, async (editor) => {
      const done = await editor.say(await editor.open(), "email bob@example.com hi");

      assert.equal(done.stopReason, "end_turn");
      assert.equal(editor.heard.asked.length, 1);
      assert.match(editor.text(), /I sent the email/);
    }));

  test("a dismissed permission cancels the turn", () =>
    withEditor({}, async (editor) => {
      const done = await editor.say(await editor.open(), "email bob@example.com hi");

      assert.equal(done.stopReason, "cancelled");
    }));

  test("a question is a form", () =>
    withEditor(
      { capabilities: FORMS, answers: { form: () => ({ action: "accept", content: { answer: "42" } }) } },
      async (editor) => {
        const done = await editor.say(await editor.open(), 'use ask_page {"question": "How many?"}');

        assert.equal(done.stopReason, "end_turn");
        assert.equal(editor.heard.asked[0].mode, "form");
        assert.match(editor.text(), /ask_page answered: 42/);
      },
    ));

  test("without forms the next prompt is the answer", () =>
    withEditor({}, async (editor) => {
      const session = await editor.open();

      assert.equal((await editor.say(session, 'use ask_page {"question": "How many?"}')).stopReason, "end_turn");
      assert.equal((await editor.say(session, "42")).stopReason, "end_turn");

      assert.equal(editor.heard.asked.length, 0);
      assert.match(editor.text(), /ask_page answered: 42/);
    }));

  test("a cancelled turn ends as cancelled and nothing follows", () =>
    withEditor({}, async (editor) => {
      const session = await editor.open();
      const turn = editor.say(session, "count to 1000 every 50 ms");
      await editor.until(() => editor.text());

      await editor.ctx.notify("session/cancel", { sessionId: session });

      assert.equal((await turn).stopReason, "cancelled");
      await editor.ctx.request("session/list", {});
      assert.deepEqual(
        editor.judge.said().slice(-2).map((message) => message.method),
        [undefined, undefined],
      );
    }));

  test("a mode is an agent, and a limit is the reason it stopped", () =>
    withEditor({}, async (editor) => {
      const opened = await editor.ctx.request("session/new", { cwd: "/project", mcpServers: [] });
      const { sessionId, modes } = opened;

      await editor.ctx.request("session/set_mode", { sessionId, modeId: "hasty" });

      assert.equal(modes.currentModeId, "assistant");
      assert.equal((await editor.say(sessionId, "weather in Paris")).stopReason, "max_turn_requests");
    }));

  test("a client that reads notices is told in one of a server that does not start", () =>
    withEditor({ capabilities: { session: { notices: {} } } }, async (editor) => {
      const session = await editor.open("/project", [{ name: "files", command: "/bin/none", args: [], env: [] }]);

      await editor.say(session, "hello");
      await editor.say(session, "hello");

      const notices = editor.heard.updates.filter((update) => update.sessionUpdate === "notice");
      assert.equal(notices.length, 1);
      assert.match(notices[0].title, /files/);
      assert.equal(editor.judge.faults({ ...notices[0], title: "" }).length, 1);
      assert.equal(editor.judge.faults({ ...notices[0], severity: undefined }).length, 1);
    }));

  test("sessions are listed, loaded with their past, closed and deleted", async () => {
    const store = ownStore();
    const session = await withEditor({ store }, async (editor) => {
      const made = await editor.open("/here");
      await editor.say(made, "weather in Paris");
      return made;
    });

    await withEditor({ store }, async (editor) => {
      const list = await editor.ctx.request("session/list", { cwd: "/here" });
      assert.deepEqual(list.sessions.map((found) => [found.sessionId, found.title]), [[session, "weather in Paris"]]);
      await editor.ctx.request("session/load", { sessionId: session, cwd: "/here", mcpServers: [] });
      assert.equal(editor.text("user_message_chunk"), "weather in Paris");
      assert.match(editor.text(), /The weather in Paris/);
      await editor.ctx.request("session/close", { sessionId: session });
      await editor.ctx.request("session/delete", { sessionId: session });
      assert.deepEqual((await editor.ctx.request("session/list", {})).sessions, []);
    });
  });

  test("a run whose process was killed goes on in the next one", async () => {
    const store = ownStore();
    let session;
    const lost = withEditor({ store }, async (editor) => {
      session = await editor.open();
      const turn = editor.say(session, "count to 80 every 50 ms");
      await editor.until(() => editor.text().length > 3);
      await editor.kill();
      await turn;
    });
    await assert.rejects(lost, /closed/);

    await withEditor({ store }, async (editor) => {
      await editor.ctx.request("session/load", { sessionId: session, cwd: "/project", mcpServers: [] });
      await editor.until(() => / 80\b/.test(editor.text()));
      assert.equal((await editor.say(session, "hello")).stopReason, "end_turn");
    });
  });
});
