// AG-UI's own clients, 0.0.59 (which CopilotKit pins) and 1.0.0, with their verifiers on: what is shown for what is said.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { CLIENTS, history, openAgent, say } from "../support/agent.js";
import { assertFinished, types } from "../support/heard.js";
import { roles, storedMessages, text } from "../support/server.js";

const TWO_CITIES = "weather in Paris and weather in Rome";

for (const [version, client] of Object.entries(CLIENTS)) {
  describe(`@ag-ui/client ${version}`, { timeout: 30_000, concurrency: true }, () => {
    turns(client);
    tools(client);
    histories(client);
  });
}

function turns(client) {
  test("a text turn is answered", async () => {
    const agent = openAgent(client);

    const heard = await say(agent, "hello", { runId: "r-" + agent.threadId });

    assertFinished(heard);
    assert.equal(heard.events[0].runId, "r-" + agent.threadId);
    assert.equal(heard.events[0].threadId, agent.threadId);
    assert.deepEqual(roles(agent.messages), ["user", "assistant"]);
    assert.match(agent.messages.at(-1).content, /^You said "hello"\./);
  });

  test("reasoning is a message of its own before the answer", async () => {
    const agent = openAgent(client);

    const heard = await say(agent, "think about time");

    assertFinished(heard);
    assert.deepEqual(roles(agent.messages), ["user", "reasoning", "assistant"]);
    assert.match(agent.messages[1].content, /^The question is time\./);
    assert.match(agent.messages[2].content, /^I thought about time/);
  });

  test("a failure is RUN_ERROR in words, and the conversation goes on after it", async () => {
    const agent = openAgent(client);

    const failed = await say(agent, "fail");
    const answered = await say(agent, "hello");

    assert.equal(types(failed).at(-1), "RUN_ERROR");
    assert.equal(failed.error.message, "the demo model was asked to fail");
    assert.equal(failed.finished, null);
    assertFinished(answered);
    assert.match(agent.messages.at(-1).content, /^You said "hello"\./);
  });

  test("two turns on one thread are stored once each, although the client sends everything again", async () => {
    const agent = openAgent(client);

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
}

function tools(client) {
  test("a tool call is shown with its result, and the answer after it", async () => {
    const agent = openAgent(client);

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

  test("two tools called at once are one message with a result each", async () => {
    const agent = openAgent(client);

    const heard = await say(agent, TWO_CITIES);

    assertFinished(heard);
    assert.deepEqual(roles(agent.messages), ["user", "assistant", "tool", "tool", "assistant"]);
    const [, calling, ...rest] = agent.messages;
    const results = new Map(rest.slice(0, 2).map(({ toolCallId, content }) => [toolCallId, JSON.parse(content).city]));
    assert.deepEqual(calling.toolCalls.map(({ id }) => results.get(id)), ["Paris", "Rome"]);
    assert.match(rest.at(-1).content, /^The weather in Paris: .* The weather in Rome:/);
  });
}

function histories(client) {
  for (const said of ["hello", "weather in Paris", TWO_CITIES, "think about time", "email bob@example.com hi"]) {
    test(`the server's history is what was streamed: ${said}`, async () => {
      const agent = openAgent(client);
      await say(agent, said);

      const kept = await history(agent.threadId);

      assert.deepEqual(kept, JSON.parse(JSON.stringify(agent.messages)));
    });

    test(`a page that starts with the server's history goes on from it: ${said}`, async () => {
      const before = openAgent(client);
      await say(before, said);
      const agent = openAgent(client, { threadId: before.threadId, messages: await history(before.threadId) });

      assertFinished(await say(agent, "count to 3"));

      const asked = (await storedMessages(agent.threadId)).filter((message) => message.role === "user").map(text);
      assert.deepEqual(asked, [said, "count to 3"]);
      assert.equal(agent.messages.at(-1).content, "1 2 3");
    });
  }
}
