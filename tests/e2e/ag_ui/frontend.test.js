// Tools that the page brings and carries out: the call ends the run, and a tool message continues it.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { CLIENTS, history, openAgent, run, say } from "../support/agent.js";
import { assertFinished, types } from "../support/heard.js";
import { roles, storedMessages } from "../support/server.js";

const CHANGE_COLOR = {
  name: "change_color",
  description: "Change the colour of the page.",
  parameters: { type: "object", properties: { color: { type: "string" } }, required: ["color"] },
};
const RED = 'use change_color {"color":"red"}';

for (const [version, client] of Object.entries(CLIENTS)) {
  describe(`@ag-ui/client ${version}`, { timeout: 30_000, concurrency: true }, () => results(client));
}

test("only a client of 1.0 is told which calls are its own", { timeout: 20_000 }, async () => {
  const [older, newer] = Object.values(CLIENTS).map((client) => openAgent(client));

  const [toOlder, toNewer] = [await ask(older, RED), await ask(newer, RED)];

  assert.equal(toOlder.finished.event.outcome, undefined);
  assert.equal(toNewer.finished.event.outcome.type, "success");
  assert.deepEqual(toNewer.finished.pendingToolCallIds, [newer.messages.at(-1).toolCalls[0].id]);
});

function results(client) {
  test("a call of the page's own tool ends the run, and its answer continues it", async () => {
    const agent = openAgent(client);
    const asked = await ask(agent, RED);
    const [call] = agent.messages.at(-1).toolCalls;

    const answered = await answer(agent, [[call.id, "the page is red now"]]);

    assertFinished(asked);
    assert.ok(!types(asked).includes("TOOL_CALL_RESULT"));
    assert.deepEqual(JSON.parse(call.function.arguments), { color: "red" });
    assertFinished(answered);
    assert.match(agent.messages.at(-1).content, /the page is red now/);
    assert.deepEqual(roles(await storedMessages(agent.threadId)), ["user", "assistant", "tool", "assistant"]);
  });

  for (const [content, output] of [["0", 0], ["[]", []], ["null", null], ["no", "no"], ["false", false], ['{"n":0}', { n: 0 }]]) {
    test(`the page's ${content} is the result`, async () => {
      const agent = openAgent(client);
      await ask(agent, RED);

      const answered = await answer(agent, [[agent.messages.at(-1).toolCalls[0].id, content]]);

      assertFinished(answered);
      assert.deepEqual(await storedResults(agent.threadId), [["succeeded", output]]);
      const kept = (await history(agent.threadId)).find((message) => message.role === "tool");
      assert.equal(kept.content, content);
    });
  }

  test("two calls of the page are answered together", async () => {
    const agent = openAgent(client);
    await ask(agent, `${RED} and use change_color {"color":"blue"}`);
    const [red, blue] = agent.messages.at(-1).toolCalls;

    const answered = await answer(agent, [[red.id, "now red"], [blue.id, "now blue"]]);

    assertFinished(answered);
    assert.deepEqual(await storedResults(agent.threadId), [["succeeded", "now red"], ["succeeded", "now blue"]]);
    assert.match(agent.messages.at(-1).content, /now red.*now blue/);
  });

  test("the page's own call beside the server's ends with both results", async () => {
    const agent = openAgent(client);
    const asked = await ask(agent, `weather in Paris and ${RED}`);
    const call = agent.messages.find((message) => message.toolCalls).toolCalls.at(-1);

    const answered = await answer(agent, [[call.id, "now red"]]);

    assert.equal(types(asked).filter((type) => type === "TOOL_CALL_RESULT").length, 1);
    assertFinished(answered);
    assert.match(agent.messages.at(-1).content, /The weather in Paris:.*now red/);
  });

  test("a failure on the page is the result", async () => {
    const agent = openAgent(client);
    await ask(agent, RED);
    const [call] = agent.messages.at(-1).toolCalls;

    const error = "no such colour";
    agent.addMessage({ id: crypto.randomUUID(), role: "tool", toolCallId: call.id, content: error, error });
    const answered = await run(agent, { tools: [CHANGE_COLOR] });

    assertFinished(answered);
    assert.deepEqual(await storedResults(agent.threadId), [["failed", error]]);
  });
}

function ask(agent, said) {
  return say(agent, said, { tools: [CHANGE_COLOR] });
}

// One tool message per [call id, content], then the run that sends them.
function answer(agent, results) {
  for (const [toolCallId, content] of results) {
    agent.addMessage({ id: crypto.randomUUID(), role: "tool", toolCallId, content });
  }
  return run(agent, { tools: [CHANGE_COLOR] });
}

async function storedResults(threadId) {
  const parts = (await storedMessages(threadId)).flatMap((message) => message.parts);
  return parts.filter((part) => part.type === "tool_result").map(({ status, output }) => [status, output]);
}
