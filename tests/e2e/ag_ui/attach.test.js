// Clients that come back to a thread, and streams that are refused or out of order.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { AGENT, CLIENTS, openAgent, reopenAgent, say, silence, userSays } from "../support/agent.js";
import { roles, storedMessages, untilRunIs, WAKEFUL } from "../support/server.js";

const COUNT = "count to 40 every 50 ms";
const FORTY = Array.from({ length: 40 }, (_, index) => index + 1).join(" ");

for (const [version, client] of Object.entries(CLIENTS)) {
  describe(`@ag-ui/client ${version}`, { timeout: 30_000 }, () => {
    describe("comes back", { concurrency: true }, () => returns(client));
    describe("is refused", () => refusals(client));
  });
}

function returns(client) {
  for (const [what, keeps] of [["kept what it had seen", true], ["was reloaded", false]]) {
    test(`an answer whose connection broke is shown whole on a page that ${what}`, async () => {
      const broken = await brokenAfterThree(client);
      const messages = keeps ? broken.messages : [];
      const returned = reopenAgent(client, { threadId: broken.threadId, messages });

      await returned.connectAgent();

      assert.deepEqual(returned.messages.map(({ role, content }) => [role, content]), [["user", COUNT], ["assistant", FORTY]]);
      assert.deepEqual(roles(await storedMessages(broken.threadId)), ["user", "assistant"]);
    });
  }

  test("an answer that ended while nobody watched is shown once, however often a page comes back", async () => {
    const broken = await brokenAfterThree(client);
    await untilRunIs("completed", broken.threadId);
    const returned = reopenAgent(client, { threadId: broken.threadId });

    await returned.connectAgent();
    await returned.connectAgent();

    assert.deepEqual(returned.messages.map(({ content }) => content), [COUNT, FORTY]);
  });

  test("there is nothing to come back to on a new thread", async () => {
    const agent = reopenAgent(client, { threadId: crypto.randomUUID() });

    await agent.connectAgent();

    assert.deepEqual([agent.messages, agent.wire.statuses], [[], [200]]);
  });

  test("a page that comes back while a call waits is asked again", async () => {
    const left = openAgent(client);
    await say(left, "email bob@example.com hi and email eve@example.com ho");
    const returned = reopenAgent(client, { threadId: left.threadId });

    await returned.connectAgent();

    assert.deepEqual(returned.pendingInterrupts, left.pendingInterrupts);
    assert.equal(returned.pendingInterrupts.length, 2);
  });
}

function refusals(client) {
  test("an unknown agent is refused in words", async (t) => {
    silence(t);
    const agent = openAgent(client, { url: `${WAKEFUL}/v1/ag-ui/agents/nobody/runs` });

    await assert.rejects(say(agent, "hello"), /HTTP 404: .*agent not found: nobody/s);
  });

  test("a blank thread id is refused in words", async (t) => {
    silence(t);
    const agent = openAgent(client, { threadId: " " });

    await assert.rejects(say(agent, "hello"), /HTTP 400: .*id must not be blank/s);
  });

  test("the client's verifier is on: it refuses a stream out of order", async (t) => {
    silence(t);
    const events = [
      { type: "RUN_STARTED", threadId: "t", runId: "r" },
      { type: "TEXT_MESSAGE_CONTENT", messageId: "never opened", delta: "x" },
    ];
    const body = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
    const headers = { "content-type": "text/event-stream" };
    const agent = new client.HttpAgent({ url: AGENT, fetch: async () => new Response(body, { headers }) });
    agent.addMessage(userSays("hello"));

    await assert.rejects(agent.runAgent(), /TEXT_MESSAGE_START/);
  });
}

// A client that lost its connection after the third number.
async function brokenAfterThree(client) {
  const agent = openAgent(client);
  agent.addMessage(userSays(COUNT));
  await agent.runAgent({}, {
    onTextMessageContentEvent: ({ textMessageBuffer }) => {
      if (textMessageBuffer.includes("1 2 3")) agent.abortRun();
    },
  });
  assert.notEqual(agent.messages.at(-1).content, FORTY);
  return agent;
}
