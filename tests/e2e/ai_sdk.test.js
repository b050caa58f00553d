// The AI SDK's own chat, majors 6 and 7, against a real server: what a user of a page sees.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { assertChunksAreValid, isAtRest, MAJORS, openChat, partsOfType } from "./support/chat.js";
import { getJson, postJson, roles, storedMessages, text, untilRunIs, WAKEFUL } from "./support/server.js";

const CHAT = "/v1/ai-sdk/chat";
const AGENT = "/v1/ai-sdk/agents/assistant/runs";
const FORTY = Array.from({ length: 40 }, (_, index) => index + 1).join(" ");
const COUNT = "count to 40 every 50 ms";

for (const [major, ai] of Object.entries(MAJORS)) {
  for (const path of [CHAT, AGENT]) {
    describe(`ai ${major} at ${path}`, { timeout: 60_000, concurrency: true }, () => conversations(ai, `${WAKEFUL}${path}`));
  }
  describe(`ai ${major}, refused`, { timeout: 20_000 }, () => refusals(ai));
}

function conversations(ai, api) {
  test("a text turn is answered", async () => {
    const chat = openChat(ai, { api });

    await chat.sendMessage({ text: "hello" });

    assert.equal(chat.status, "ready");
    assert.deepEqual(roles(chat.messages), ["user", "assistant"]);
    assert.match(text(chat.lastMessage), /^You said "hello"\./);
    assert.equal(chat.wire.done, 1);
    await assertChunksAreValid(ai, chat.wire);
  });

  test("two turns are one conversation, however little of it the client sends", async () => {
    const first = openChat(ai, { api });
    await first.sendMessage({ text: "hello" });
    await first.sendMessage({ text: "hello again" });
    const forgetful = openChat(ai, { api, id: first.id });

    await forgetful.sendMessage({ text: "still there?" });

    const turns = ["hello", "hello again", "still there?"];
    const stored = await storedMessages(first.id);
    assert.deepEqual(roles(stored), turns.flatMap(() => ["user", "assistant"]));
    assert.deepEqual(stored.filter((message) => message.role === "user").map(text), turns);
    assert.deepEqual(
      [...first.messages, ...forgetful.messages].map((message) => message.id),
      stored.map((message) => message.id),
    );
    await assertChunksAreValid(ai, first.wire);
  });

  test("reasoning is shown before the answer", async () => {
    const chat = openChat(ai, { api });

    await chat.sendMessage({ text: "think about time" });

    const [reasoning] = partsOfType(chat.lastMessage, "reasoning");
    assert.match(reasoning.text, /^The question is time\./);
    assert.equal(reasoning.state, "done");
    assert.match(text(chat.lastMessage), /^I thought about time/);
    await assertChunksAreValid(ai, chat.wire);
  });

  test("a tool call is shown with its output, and the answer after it", async () => {
    const chat = openChat(ai, { api });

    await chat.sendMessage({ text: "weather in Paris" });

    const [call] = partsOfType(chat.lastMessage, "tool-get_weather");
    assert.equal(call.state, "output-available");
    assert.deepEqual(call.input, { city: "Paris" });
    assert.equal(call.output.city, "Paris");
    assert.match(text(chat.lastMessage), /^The weather in Paris:/);
    assert.equal(chat.messages.length, 2);
    await assertChunksAreValid(ai, chat.wire);
  });

  test("an answer is given again in its place, and the thread agrees", async () => {
    const chat = openChat(ai, { api });
    await chat.sendMessage({ text: "hello" });
    await chat.sendMessage({ text: "count to 3" });
    const before = chat.messages.map((message) => message.id);

    await chat.regenerate();

    const stored = await storedMessages(chat.id);
    assert.equal(chat.status, "ready");
    assert.deepEqual(roles(chat.messages), ["user", "assistant", "user", "assistant"]);
    assert.deepEqual(chat.messages.map((message) => message.id), stored.map((message) => message.id));
    assert.deepEqual(chat.messages.slice(0, 3).map((message) => message.id), before.slice(0, 3));
    assert.notEqual(chat.lastMessage.id, before[3]);
    assert.match(text(chat.lastMessage), /^1 2 3$/);
    await assertChunksAreValid(ai, chat.wire);
  });

  test("an edited message goes on from there, and what followed is gone", async () => {
    const chat = openChat(ai, { api });
    await chat.sendMessage({ text: "hello" });
    await chat.sendMessage({ text: "hello again" });

    await chat.sendMessage({ text: "count to 3", messageId: chat.messages[0].id });

    const stored = await storedMessages(chat.id);
    assert.deepEqual(stored.map(text), ["count to 3", "1 2 3"]);
    assert.deepEqual(chat.messages.map((message) => message.id), stored.map((message) => message.id));
    await assertChunksAreValid(ai, chat.wire);
  });

  test("a failure is an error in words, and the chat goes on after it", async () => {
    const chat = openChat(ai, { api });

    await chat.sendMessage({ text: "fail" });
    const failed = { status: chat.status, message: chat.error?.message };
    await chat.sendMessage({ text: "hello" });

    assert.deepEqual(failed, { status: "error", message: "the demo model was asked to fail" });
    assert.equal(chat.status, "ready");
    assert.match(text(chat.lastMessage), /^You said "hello"\./);
    await assertChunksAreValid(ai, chat.wire);
  });

  for (const approved of [true, false]) {
    test(`a call that asks first is ${approved ? "made once approved" : "not made once denied"}`, async () => {
      const chat = openChat(ai, { api });
      await chat.sendMessage({ text: "email bob@example.com hi" });
      const asked = partsOfType(chat.lastMessage, "tool-send_email")[0];
      const answerId = chat.lastMessage.id;

      await chat.addToolApprovalResponse({ id: asked.approval.id, approved, reason: approved ? "go on" : "too late" });
      await chat.until(() => isAtRest(chat) && /email to bob/.test(text(chat.lastMessage)));

      const [call] = partsOfType(chat.lastMessage, "tool-send_email");
      assert.equal(asked.state, "approval-requested");
      assert.equal(call.state, approved ? "output-available" : "output-denied");
      assert.match(text(chat.lastMessage), approved ? /^I sent the email/ : /^I did not send the email.*too late/);
      assert.equal(chat.lastMessage.id, answerId);
      assert.deepEqual(roles(chat.messages), ["user", "assistant"]);
      assert.deepEqual(roles(await storedMessages(chat.id)), ["user", "assistant", "tool", "assistant"]);
      await assertChunksAreValid(ai, chat.wire);
    });
  }

  test("an answer whose connection broke is shown whole on the same page", async () => {
    const chat = await brokenAfterThree(ai, api);

    await chat.resumeStream();

    assert.equal(chat.status, "ready");
    assert.equal(text(chat.lastMessage), FORTY);
    assert.deepEqual(roles(chat.messages), ["user", "assistant"]);
    await assertChunksAreValid(ai, chat.wire);
  });

  test("an answer whose connection broke is shown whole on a reloaded page", async () => {
    const broken = await brokenAfterThree(ai, api);
    const reloaded = openChat(ai, { api, id: broken.id, messages: await hydrated(broken.id) });

    await reloaded.resumeStream();

    assert.equal(text(reloaded.lastMessage), FORTY);
    assert.deepEqual(roles(reloaded.messages), ["user", "assistant"]);
    assert.equal(reloaded.lastMessage.id, broken.lastMessage.id);
    assert.equal(streamedText(reloaded.wire), FORTY);
    assert.equal(text((await storedMessages(broken.id)).at(-1)), FORTY);
    await assertChunksAreValid(ai, reloaded.wire);
  });

  test("an answer that ended while nobody watched is shown once on a reloaded page", async () => {
    const broken = await brokenAfterThree(ai, api);
    await untilRunIs("completed", broken.id);
    const reloaded = openChat(ai, { api, id: broken.id, messages: await hydrated(broken.id) });

    await reloaded.resumeStream();

    assert.deepEqual(reloaded.wire.statuses, [200]);
    assert.deepEqual(ids(reloaded.messages), ids(await hydrated(broken.id)));
    assert.equal(text(reloaded.lastMessage), FORTY);
  });

  test("what was approved elsewhere is shown once on a reloaded page", async () => {
    const chat = openChat(ai, { api });
    await chat.sendMessage({ text: "email bob@example.com hi" });
    const [asked] = partsOfType(chat.lastMessage, "tool-send_email");
    const run = await untilRunIs("waiting", chat.id);
    await postJson(`${WAKEFUL}/v1/runs/${run.run_id}/decision`, { target: asked.approval.id, approved: true });
    await untilRunIs("completed", chat.id);
    const reloaded = openChat(ai, { api, id: chat.id, messages: await hydrated(chat.id) });

    await reloaded.resumeStream();

    assert.deepEqual(reloaded.wire.statuses, [200]);
    assert.deepEqual(ids(reloaded.messages), ids(chat.messages));
    assert.equal(partsOfType(reloaded.lastMessage, "tool-send_email").length, 1);
    assert.equal(partsOfType(reloaded.lastMessage, "tool-send_email")[0].state, "output-available");
    assert.match(text(reloaded.lastMessage), /^I sent the email to bob@example.com:/);
    assert.equal(text(reloaded.lastMessage).match(/I sent/g).length, 1);
    await assertChunksAreValid(ai, reloaded.wire);
  });

  test("there is nothing to resume when the answer was read to its end", async () => {
    const chat = openChat(ai, { api });
    await chat.sendMessage({ text: "hello" });

    await chat.resumeStream();

    assert.deepEqual(chat.wire.statuses, [200, 204]);
    assert.equal(chat.status, "ready");
    assert.equal(chat.messages.length, 2);
  });

  for (const said of ["hello", "think about time", "weather in Paris", "email bob@example.com hi"]) {
    test(`a reloaded page shows what was streamed: ${said}`, async () => {
      const chat = openChat(ai, { api });
      await chat.sendMessage({ text: said });

      const reloaded = await hydrated(chat.id);

      await ai.validateUIMessages({ messages: reloaded });
      assert.deepEqual(shown(reloaded), shown(chat.messages));
    });
  }

  test("a reloaded page shows a call that was denied", async () => {
    const chat = openChat(ai, { api });
    await chat.sendMessage({ text: "email bob@example.com hi" });
    const [asked] = partsOfType(chat.lastMessage, "tool-send_email");
    await chat.addToolApprovalResponse({ id: asked.approval.id, approved: false });
    await chat.until(() => isAtRest(chat) && /email to bob/.test(text(chat.lastMessage)));

    const reloaded = await hydrated(chat.id);

    await ai.validateUIMessages({ messages: reloaded });
    assert.deepEqual(ids(reloaded), ids(chat.messages));
    assert.equal(partsOfType(reloaded.at(-1), "tool-send_email")[0].state, "output-denied");
  });
}

function refusals(ai) {
  for (const [what, path, id, status, words] of [
    ["an unknown agent", "/v1/ai-sdk/agents/nobody/runs", undefined, 404, /agent not found: nobody/],
    ["a blank chat id", CHAT, " ", 400, /id must not be blank/],
    ["a blank chat id on the agent's route", AGENT, " ", 400, /id must not be blank/],
  ]) {
    test(`${what} is refused in words`, async () => {
      const chat = openChat(ai, { api: `${WAKEFUL}${path}`, id });

      await chat.sendMessage({ text: "hello" });

      assert.deepEqual(chat.wire.statuses, [status]);
      assert.equal(chat.status, "error");
      assert.match(chat.error.message, words);
    });
  }
}

// A chat that lost its connection after the third number.
async function brokenAfterThree(ai, api) {
  const chat = openChat(ai, { api });
  const sending = chat.sendMessage({ text: COUNT });
  await chat.until(() => text(chat.lastMessage ?? { parts: [] }).includes("1 2 3"));
  await chat.stop();
  await sending;
  assert.notEqual(text(chat.lastMessage), FORTY);
  return chat;
}

async function hydrated(threadId) {
  return (await getJson(`${WAKEFUL}/v1/ai-sdk/threads/${encodeURIComponent(threadId)}/messages`)).messages;
}

function streamedText(wire) {
  const deltas = wire.events.filter((chunk) => chunk.type === "text-delta");
  return deltas.map((chunk) => chunk.delta).join("");
}

function ids(messages) {
  return messages.map((message) => message.id);
}

// What a page draws: without metadata, absent values and the names of a stream's blocks.
function shown(messages) {
  const drawn = messages.map(({ id, role, parts }) => ({ id, role, parts: parts.map(({ id, ...part }) => part) }));
  return JSON.parse(JSON.stringify(drawn));
}
