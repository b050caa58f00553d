// The CopilotKit 1.75 runtime in front of a real server, seen as a CopilotKit user sees it.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { z } from "zod";

import { Page } from "./support/page.js";
import { startRuntime } from "./support/runtime.js";
import { storedMessages, untilRunIs } from "./support/wakeful.js";

const COUNT = "count to 400 every 20 ms";
const BOTH = 'weather in Paris and use get_weather {"city":"Rome"}';

let runtime;
before(async () => {
  runtime = await startRuntime();
});
after(() => runtime.close());

describe("a CopilotKit page", { timeout: 60_000 }, () => {
  test("is answered in text", async () => {
    const page = await Page.open(runtime);

    await page.say("hello");

    assert.deepEqual(roles(page.messages), ["user", "assistant"]);
    assert.match(page.messages[1].content, /^You said "hello"\./);
    assert.deepEqual(page.errors, []);
  });

  test("shows a tool call with its result and the answer after it", async () => {
    const page = await Page.open(runtime);

    await page.say("weather in Paris");

    assert.deepEqual(roles(page.messages), ["user", "assistant", "tool", "assistant"]);
    const [, calling, result, answer] = page.messages;
    assert.deepEqual(calls(calling), [["get_weather", { city: "Paris" }]]);
    assert.equal(result.toolCallId, calling.toolCalls[0].id);
    assert.equal(JSON.parse(result.content).city, "Paris");
    assert.match(answer.content, /^The weather in Paris:/);
    assert.deepEqual(page.errors, []);
  });

  test("shows two calls made together, each with its own result", async () => {
    const page = await Page.open(runtime);

    await page.say(BOTH);

    const calling = page.messages.find((message) => message.toolCalls);
    const cities = calling.toolCalls.map((call) => {
      const result = page.messages.find((message) => message.toolCallId === call.id);
      return [JSON.parse(call.function.arguments).city, JSON.parse(result.content).city];
    });
    assert.deepEqual(cities, [["Paris", "Paris"], ["Rome", "Rome"]]);
    assert.equal(page.messages.at(-1).role, "assistant");
    assert.deepEqual(page.errors, []);
  });

  test("shows reasoning before the answer", async () => {
    const page = await Page.open(runtime);

    await page.say("think about time");

    assert.deepEqual(roles(page.messages), ["user", "reasoning", "assistant"]);
    assert.match(page.messages[1].content, /^The question is time\./);
    assert.deepEqual(page.errors, []);
  });

  for (const approved of [true, false]) {
    test(`asks before an email, which is ${approved ? "sent once approved" : "not sent once denied"}`, async () => {
      const page = await Page.open(runtime);
      await page.say("email bob@example.com hi");
      const [question, ...others] = page.questions;

      await page.answer({ approved, reason: "because" });

      assert.deepEqual(others, []);
      assert.equal(question.toolCallId, page.messages[1].toolCalls[0].id);
      assert.deepEqual(page.questions, []);
      assert.deepEqual(roles(page.messages), ["user", "assistant", "tool", "assistant"]);
      assert.match(page.messages.at(-1).content, approved ? /^I sent the email/ : /^I did not send the email.*because/);
      assert.deepEqual(page.errors, []);
    });
  }

  test("answers two questions with one request", async () => {
    const page = await Page.open(runtime);
    await page.say("email bob@example.com hi and email eve@example.com ho");
    const asked = page.questions.length;

    await page.answer({ approved: true });

    assert.equal(asked, 2);
    assert.deepEqual(page.questions, []);
    assert.equal(page.messages.filter((message) => message.role === "tool").length, 2);
    assert.deepEqual(page.errors, []);
  });

  test("carries out its own tool, and the answer goes on from what it returned", async () => {
    const colors = [];
    const changeColor = tool("change_color", async ({ color }) => {
      colors.push(color);
      return `the page is ${color} now`;
    });
    const page = await Page.open(runtime, { tools: [changeColor] });

    await page.say('use change_color {"color":"red"}');

    assert.deepEqual(colors, ["red"]);
    assert.deepEqual(roles(page.messages), ["user", "assistant", "tool", "assistant"]);
    assert.match(page.messages.at(-1).content, /the page is red now/);
    assert.deepEqual(page.errors, []);
    assert.deepEqual(roles(await storedMessages(page.threadId)), ["user", "assistant", "tool", "assistant"]);
  });

  for (const [returned, told] of [[0, "0"], [[], "[]"], ["no", "no"], [{ a: null }, '{"a":null}']]) {
    test(`carries out its own tool whatever it returns: ${JSON.stringify(returned)}`, async () => {
      const page = await Page.open(runtime, { tools: [tool("look", async () => returned)] });

      await page.say("use look {}");

      assert.deepEqual(roles(page.messages), ["user", "assistant", "tool", "assistant"]);
      const stored = await storedMessages(page.threadId);
      assert.equal(stored.find(({ role }) => role === "tool").content, told);
      assert.deepEqual(page.errors, []);
    });
  }

  test("is told that its own tool broke, and goes on after it", async () => {
    const broken = tool("look", async () => {
      throw new Error("it is dark");
    });
    const page = await Page.open(runtime, { tools: [broken] });

    await page.say("use look {}");
    const shown = page.errors.splice(0);
    await page.say("hello");

    assert.deepEqual(shown.map(({ message }) => message), ["it is dark"]);
    assert.match(page.messages.at(-1).content, /^You said "hello"\./);
    assert.deepEqual(page.errors, []);
  });

  test("is told of a failure in words, and goes on after it", async () => {
    const page = await Page.open(runtime);

    await page.say("fail");
    const shown = page.errors.splice(0);
    await page.say("hello");

    assert.ok(shown.some(({ message }) => message.includes("the demo model was asked to fail")), JSON.stringify(shown));
    assert.match(page.messages.at(-1).content, /^You said "hello"\./);
    assert.deepEqual(page.errors, []);
  });

  test("keeps one history with the server over two turns", async () => {
    const page = await Page.open(runtime);

    await page.say("weather in Paris");
    await page.say("think about time");

    const stored = await storedMessages(page.threadId);
    assert.deepEqual(roles(page.messages), ["user", "assistant", "tool", "assistant", "user", "reasoning", "assistant"]);
    assert.deepEqual(stored, JSON.parse(JSON.stringify(page.messages)));
  });

  test("shares its state with the agent's tools, and the next turn begins with what both made of it", async () => {
    const page = await Page.open(runtime);
    page.agent.setState({ items: ["bread"], mine: true });
    await page.say('use add_to_list {"item":"milk"}');
    const after = page.agent.state;
    page.agent.setState({ ...after, items: after.items.filter((item) => item !== "bread") });

    await page.say('use add_to_list {"item":"tea"}');

    assert.deepEqual(after, { items: ["bread", "milk"], mine: true });
    assert.deepEqual(page.agent.state, { items: ["milk", "tea"], mine: true });
    assert.deepEqual(page.errors, []);
  });

  test("stops reading in the middle of an answer, and is answered again after it", async () => {
    const page = await Page.open(runtime);
    const running = page.say(COUNT);
    await page.until(({ messages }) => messages.at(-1).content?.includes("1 2 3"));

    page.stop();
    await running;
    const shown = page.messages.at(-1).content;
    await page.say("hello");

    assert.doesNotMatch(shown, / 400$/);
    assert.match(page.messages.at(-1).content, /^You said "hello"\./);
    assert.equal((await untilRunIs("completed", page.threadId)).status, "completed");
  });

  test("shows a second page of the same thread what the first one saw", async () => {
    const page = await Page.open(runtime);
    await page.say("weather in Paris");
    const second = await Page.open(runtime, { threadId: page.threadId });

    await second.connect();

    assert.deepEqual(second.messages, page.messages);
    assert.deepEqual(second.errors, []);
  });

  test("may answer what another page of the thread was asked", async () => {
    const page = await Page.open(runtime);
    await page.say("email bob@example.com hi");
    const second = await Page.open(runtime, { threadId: page.threadId });
    await second.connect();

    await second.answer({ approved: true });

    assert.match(second.messages.at(-1).content, /^I sent the email/);
    assert.deepEqual(second.questions, []);
    assert.deepEqual(second.errors, []);
  });
});

test("an agent that Wakeful does not have is an error in words", { timeout: 20_000 }, async (t) => {
  t.mock.method(console, "error", () => {});
  const elsewhere = await startRuntime({ agentId: "nobody" });
  t.after(() => elsewhere.close());
  const page = await Page.open(elsewhere);

  await page.say("hello");

  assert.ok(page.errors.some(({ message }) => message.includes("agent not found: nobody")), JSON.stringify(page.errors));
});

// What was said and done; progress comes and goes in between.
function roles(messages) {
  return messages.map((message) => message.role).filter((role) => role !== "activity");
}

function tool(name, handler) {
  return { name, description: "Of the page.", parameters: z.object({ color: z.string().optional() }), handler };
}

function calls(message) {
  return message.toolCalls.map((call) => [call.function.name, JSON.parse(call.function.arguments)]);
}
