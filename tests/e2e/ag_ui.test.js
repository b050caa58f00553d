// AG-UI's own clients, 0.0.59 (which CopilotKit pins) and 1.0.0, against a real server. Their verifiers are on.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { CLIENTS, openAgent, reopenAgent, run, say, types, userSays } from "./support/agent.js";
import { getJson, roles, storedMessages, text, untilRunIs, WAKEFUL } from "./support/server.js";

const URL_OF_AGENT = `${WAKEFUL}/v1/ag-ui/agents/assistant/runs`;
const COUNT = "count to 40 every 50 ms";
const FORTY = Array.from({ length: 40 }, (_, index) => index + 1).join(" ");
const CHANGE_COLOR = {
  name: "change_color",
  description: "Change the colour of the page.",
  parameters: { type: "object", properties: { color: { type: "string" } }, required: ["color"] },
};

for (const [version, client] of Object.entries(CLIENTS)) {
  describe(`@ag-ui/client ${version}`, { timeout: 60_000 }, () => conversations(client));
}

test("only a client of 1.0 is told which calls are its own", { timeout: 20_000 }, async () => {
  const [older, newer] = Object.values(CLIENTS).map((client) => openAgent(client, { url: URL_OF_AGENT }));

  const [toOlder, toNewer] = [await askForRed(older), await askForRed(newer)];

  assert.equal(toOlder.finished.event.outcome, undefined);
  assert.equal(toNewer.finished.event.outcome.type, "success");
  assert.deepEqual(toNewer.finished.pendingToolCallIds, [newer.messages.at(-1).toolCalls[0].id]);
});

function conversations(client) {
  test("a text turn is answered", async () => {
    const agent = openAgent(client, { url: URL_OF_AGENT });

    const heard = await say(agent, "hello", { runId: "r-" + agent.threadId });

    assertFinished(heard);
    assert.equal(heard.events[0].runId, "r-" + agent.threadId);
    assert.equal(heard.events[0].threadId, agent.threadId);
    assert.deepEqual(roles(agent.messages), ["user", "assistant"]);
    assert.match(agent.messages.at(-1).content, /^You said "hello"\./);
  });

  test("a tool call is shown with its result, and the answer after it", async () => {
    const agent = openAgent(client, { url: URL_OF_AGENT });

    const heard = await say(agent, "weather in Paris");

    assertFinished(heard);
    assert.deepEqual(roles(agent.messages), ["user", "assistant", "tool", "assistant"]);
    const [, calling, result, answer] = agent.messages;
    assert.equal(calling.toolCalls[0].function.name, "get_weather");
    assert.deepEqual(JSON.parse(calling.toolCalls[0].function.arguments), { city: "Paris" });
    assert.equal(result.toolCallId, calling.toolCalls[0].id);
    assert.equal(JSON.parse(result.content).city, "Paris");
    assert.match(answer.content, /^The weather in Paris:/);
  });

  test("reasoning is a message of its own before the answer", async () => {
    const agent = openAgent(client, { url: URL_OF_AGENT });

    const heard = await say(agent, "think about time");

    assertFinished(heard);
    assert.deepEqual(roles(agent.messages), ["user", "reasoning", "assistant"]);
    assert.match(agent.messages[1].content, /^The question is time\./);
    assert.match(agent.messages[2].content, /^I thought about time/);
  });

  test("a failure is RUN_ERROR in words, and the conversation goes on after it", async () => {
    const agent = openAgent(client, { url: URL_OF_AGENT });

    const failed = await say(agent, "fail");
    const answered = await say(agent, "hello");

    assert.equal(types(failed).at(-1), "RUN_ERROR");
    assert.equal(failed.error.message, "the demo model was asked to fail");
    assert.equal(failed.finished, null);
    assertFinished(answered);
    assert.match(agent.messages.at(-1).content, /^You said "hello"\./);
  });

  test("two turns on one thread are stored once each, although the client sends everything again", async () => {
    const agent = openAgent(client, { url: URL_OF_AGENT });

    await say(agent, "weather in Paris");
    assertFinished(await say(agent, "think about time"));

    const stored = await storedMessages(agent.threadId);
    assert.deepEqual(roles(agent.wire.requests[1].messages), ["user", "assistant", "tool", "assistant", "user"]);
    assert.deepEqual(roles(stored), ["user", "assistant", "tool", "assistant", "user", "assistant"]);
    assert.deepEqual(
      stored.filter((message) => message.role === "user").map(text),
      ["weather in Paris", "think about time"],
    );
  });

  for (const said of ["hello", "weather in Paris", "think about time"]) {
    test(`the server's history is what was streamed: ${said}`, async () => {
      const agent = openAgent(client, { url: URL_OF_AGENT });
      await say(agent, said);

      const history = await getJson(`${WAKEFUL}/v1/ag-ui/threads/${agent.threadId}/messages`);

      assert.deepEqual(history.messages, JSON.parse(JSON.stringify(agent.messages)));
    });
  }

  test("a call of the page's own tool ends the run, and its answer continues it", async () => {
    const agent = openAgent(client, { url: URL_OF_AGENT });
    const asked = await askForRed(agent);
    const [call] = agent.messages.at(-1).toolCalls;
    agent.addMessage({ id: crypto.randomUUID(), role: "tool", toolCallId: call.id, content: "the page is red now" });

    const answered = await run(agent, { tools: [CHANGE_COLOR] });

    assertFinished(asked);
    assert.ok(!types(asked).includes("TOOL_CALL_RESULT"));
    assert.deepEqual(JSON.parse(call.function.arguments), { color: "red" });
    assertFinished(answered);
    assert.match(agent.messages.at(-1).content, /the page is red now/);
    assert.deepEqual(roles(await storedMessages(agent.threadId)), ["user", "assistant", "tool", "assistant"]);
  });

  for (const approved of [true, false]) {
    test(`a call that asks first is ${approved ? "made once approved" : "not made once denied"}`, async () => {
      const agent = openAgent(client, { url: URL_OF_AGENT });
      const asked = await say(agent, "email bob@example.com hi");
      const [question] = agent.pendingInterrupts;
      const answer = { status: "resolved", payload: { approved, reason: "because" } };

      const resumed = await run(agent, { resume: client.buildResumeArray([question], { [question.id]: answer }) });

      assert.equal(asked.finished.outcome, "interrupt");
      assert.equal(question.toolCallId, agent.messages[1].toolCalls[0].id);
      assertFinished(resumed);
      assert.deepEqual(agent.pendingInterrupts, []);
      assert.match(agent.messages.at(-1).content, approved ? /^I sent the email/ : /^I did not send the email.*because/);
      assert.deepEqual(roles(await storedMessages(agent.threadId)), ["user", "assistant", "tool", "assistant"]);
    });
  }

  for (const [what, keeps] of [["kept what it had seen", true], ["was reloaded", false]]) {
    test(`an answer whose connection broke is shown whole on a page that ${what}`, async () => {
      const broken = await brokenAfterThree(client);
      const messages = keeps ? broken.messages : [];
      const returned = reopenAgent(client, { base: `${WAKEFUL}/v1/ag-ui`, threadId: broken.threadId, messages });

      await returned.connectAgent();

      assert.deepEqual(returned.messages.map(({ role, content }) => [role, content]), [["user", COUNT], ["assistant", FORTY]]);
      assert.deepEqual(roles(await storedMessages(broken.threadId)), ["user", "assistant"]);
    });
  }

  test("an answer that ended while nobody watched is shown once, however often a page comes back", async () => {
    const broken = await brokenAfterThree(client);
    await untilRunIs("completed", broken.threadId);
    const returned = reopenAgent(client, { base: `${WAKEFUL}/v1/ag-ui`, threadId: broken.threadId });

    await returned.connectAgent();
    await returned.connectAgent();

    assert.deepEqual(returned.messages.map(({ content }) => content), [COUNT, FORTY]);
  });

  test("there is nothing to come back to on a new thread", async () => {
    const agent = reopenAgent(client, { base: `${WAKEFUL}/v1/ag-ui`, threadId: crypto.randomUUID() });

    await agent.connectAgent();

    assert.deepEqual([agent.messages, agent.wire.statuses], [[], [200]]);
  });

  test("an unknown agent is refused in words", async (t) => {
    silence(t);
    const agent = openAgent(client, { url: `${WAKEFUL}/v1/ag-ui/agents/nobody/runs` });

    await assert.rejects(say(agent, "hello"), /HTTP 404: .*agent not found: nobody/s);
  });

  test("a blank thread id is refused in words", async (t) => {
    silence(t);
    const agent = openAgent(client, { url: URL_OF_AGENT, threadId: " " });

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
    const agent = new client.HttpAgent({ url: URL_OF_AGENT, fetch: async () => new Response(body, { headers }) });
    agent.addMessage(userSays("hello"));

    await assert.rejects(agent.runAgent(), /TEXT_MESSAGE_START/);
  });
}

// A client that lost its connection after the third number.
async function brokenAfterThree(client) {
  const agent = openAgent(client, { url: URL_OF_AGENT });
  agent.addMessage(userSays(COUNT));
  await agent.runAgent({}, {
    onTextMessageContentEvent: ({ textMessageBuffer }) => {
      if (textMessageBuffer.includes("1 2 3")) agent.abortRun();
    },
  });
  assert.notEqual(agent.messages.at(-1).content, FORTY);
  return agent;
}

// The clients print what they throw.
function silence(t) {
  t.mock.method(console, "error", () => {});
}

function askForRed(agent) {
  return say(agent, 'use change_color {"color":"red"}', { tools: [CHANGE_COLOR] });
}

// A client takes a stream that just stops for success, so the end itself has to be seen.
function assertFinished(heard) {
  assert.equal(types(heard).at(0), "RUN_STARTED");
  assert.equal(types(heard).at(-1), "RUN_FINISHED");
  assert.equal(types(heard).filter((type) => type === "RUN_FINISHED").length, 1);
  assert.equal(heard.error, null);
}
