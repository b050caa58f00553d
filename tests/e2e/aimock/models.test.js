// Our server, driven by OpenAI's and Anthropic's wire traffic out of a mock model server that was not written by us.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { openChat, partsOfType } from "../support/chat.js";
import { teach } from "../support/llmock.js";
import { MAJORS } from "../support/majors.js";
import { ofType, startRun } from "../support/native.js";
import { assertChunksAreValid } from "../support/oracle.js";
import { MODELS, roles, storedMessages, text } from "../support/server.js";

const HELLO = "Grüß Gott, how can I help you today?";
const LONG = "This reply is long enough to be cut off well before it comes to its natural end.";
const ANSWER = { response: { content: LONG } };
const NO_CAPACITY = { response: { error: { message: "no capacity", type: "server_error" }, status: 503 } };
const TOO_FAST = { response: { error: { message: "slow down", type: "rate_limit_error" }, status: 429, retryAfter: 2 } };
const NONSENSE = { ...ANSWER, chaos: { malformedRate: 1 } };
const CUT_OFF = { ...ANSWER, truncateAfterChunks: 9, latency: 10 };
const HANG_UP = { ...ANSWER, chaos: { disconnectRate: 1 } };

for (const wire of ["openai", "openai-responses", "anthropic"]) {
  describe(`${wire}: what a model does`, { timeout: 60_000, concurrency: true }, () => conversations(wire));
  describe(`${wire}: trouble that passes`, { timeout: 60_000, concurrency: true }, () => recoveries(wire));
  describe(`${wire}: trouble that stays`, { timeout: 60_000, concurrency: true }, () => failures(wire));
  for (const [major, ai] of Object.entries(MAJORS)) {
    describe(`${wire}, seen by ai ${major}`, { timeout: 60_000, concurrency: true }, () => chats(ai, wire));
  }
}

function conversations(wire) {
  test("text is streamed as it comes", async () => {
    const { events, stored } = await ask(wire, "say hello");

    const deltas = ofType(events, "text_delta").map((event) => event.delta);
    assert.ok(deltas.length > 5);
    assert.equal(deltas.join(""), HELLO);
    assertCompleted(events);
    assert.deepEqual(stored.map(text), ["say hello", HELLO]);
  });

  test("a tool makes a round trip", async () => {
    const { events, stored } = await ask(wire, "weather in Paris");

    const [ready] = ofType(events, "tool_call_ready");
    assert.deepEqual(JSON.parse(ready.arguments), { city: "Paris" });
    assert.deepEqual(ofType(events, "tool_call_finished")[0].output, { city: "Paris", sky: "rain" });
    assertCompleted(events);
    assert.deepEqual(roles(stored), ["user", "assistant", "tool", "assistant"]);
    assert.deepEqual([text(stored[1]), text(stored[3])], ["Let me look.", "It rains in Paris."]);
  });

  test("reasoning is shown, and stored with what its vendor wants back", async () => {
    const { events, stored } = await ask(`${wire}-thinking`, "think first");

    const [{ signature, encrypted, ...reasoning }] = partsOfType(stored[1], "reasoning");
    const proofs = { openai: [], "openai-responses": [encrypted], anthropic: [signature] }[wire];
    assert.equal(ofType(events, "reasoning_delta").map((event) => event.delta).join(""), "First I consider it.");
    assert.equal(reasoning.text, "First I consider it.");
    assert.equal(reasoning.provider, wire);
    assert.deepEqual([signature, encrypted].filter(Boolean), proofs);
    assert.equal(text(stored[1]), "Because.");
  });

  // The mock refuses what Anthropic refuses: a thinking model's tool result without the signed thoughts before the call.
  test("a tool makes a round trip although the model reasoned before it", async () => {
    const { events, stored } = await ask(`${wire}-thinking`, "think about the weather in Rome");

    assertCompleted(events);
    assert.deepEqual(stored[1].parts.map((part) => part.type), ["reasoning", "tool_call"]);
    assert.equal(text(stored[3]), "It rains in Rome.");
  });
}

function recoveries(wire) {
  test("an overloaded model is asked again", async () => {
    const { events, stored } = await ask(wire, await teach(NO_CAPACITY, ANSWER));

    assertRetriedOnce(events, "overloaded");
    assert.equal(ofType(events, "retry_scheduled")[0].error.message, `${wire} answered 503: no capacity`);
    assertOneAnswer(stored);
  });

  test("a rate limit is waited out for as long as the vendor says", async () => {
    const { events, stored } = await ask(wire, await teach(TOO_FAST, ANSWER));

    const [retry] = ofType(events, "retry_scheduled");
    const next = events[events.indexOf(retry) + 1];
    assertRetriedOnce(events, "rate_limited");
    assert.equal(retry.delay_ms, 2000);
    assert.ok(next.at - retry.at >= 2000, `asked again after ${next.at - retry.at} ms`);
    assertOneAnswer(stored);
  });

  test("nonsense is asked again", async () => {
    const { events, stored } = await ask(wire, await teach(NONSENSE, ANSWER));

    assertRetriedOnce(events, "malformed_reply");
    assertOneAnswer(stored);
  });

  test("a dropped connection voids what it showed, and the answer is whole", async () => {
    const { events, stored } = await ask(wire, await teach(CUT_OFF, ANSWER));

    const [restart] = ofType(events, "step_restarted");
    const [before, after] = [events.slice(0, events.indexOf(restart)), events.slice(events.indexOf(restart))];
    assertRetriedOnce(events, "model_unavailable");
    assertIsBeginning(streamedText(before));
    assert.equal(streamedText(after), LONG);
    assertOneAnswer(stored);
  });

  test("a connection closed at once is tried again", async () => {
    const { events, stored } = await ask(wire, await teach(HANG_UP, ANSWER));

    assertRetriedOnce(events, "model_unavailable");
    assertOneAnswer(stored);
  });
}

function failures(wire) {
  for (const [trouble, fixture, code] of [
    ["an overloaded model", NO_CAPACITY, "overloaded"],
    ["nonsense", NONSENSE, "malformed_reply"],
    ["a connection closed at once", HANG_UP, "model_unavailable"],
  ]) {
    test(`${trouble} fails the run after two retries and stores no answer`, async () => {
      const { events, stored } = await ask(wire, await teach(fixture));

      assertFailed(events, code);
      assert.deepEqual(roles(stored), ["user"]);
    });
  }

  test("a connection dropped every time leaves its text marked as interrupted", async () => {
    const { events, stored } = await ask(wire, await teach(CUT_OFF));

    assertFailed(events, "model_unavailable");
    assert.deepEqual(roles(stored), ["user", "assistant"]);
    assertIsBeginning(text(stored[1]));
    assert.deepEqual(stored[1].parts, [{ type: "text", text: text(stored[1]), interrupted: true }]);
  });

  test("a thread goes on after a failure", async () => {
    const failed = await ask(wire, await teach(CUT_OFF));

    const { events, stored } = await ask(wire, "say hello", failed.threadId);

    assertCompleted(events);
    assert.deepEqual(roles(stored), ["user", "assistant", "user", "assistant"]);
    assert.equal(text(stored[3]), HELLO);
  });
}

function chats(ai, wire) {
  const api = `${MODELS}/v1/ai-sdk/agents/${wire}/runs`;

  test("a tool's round trip is one message", async () => {
    const chat = openChat(ai, { api });

    await chat.sendMessage({ text: "weather in Paris" });

    const [call] = partsOfType(chat.lastMessage, "tool-get_weather");
    const spoken = partsOfType(chat.lastMessage, "text").map((part) => part.text);
    assert.deepEqual(roles(chat.messages), ["user", "assistant"]);
    assert.equal(call.state, "output-available");
    assert.deepEqual(call.output, { city: "Paris", sky: "rain" });
    assert.deepEqual(spoken, ["Let me look.", "It rains in Paris."]);
    await assertChunksAreValid(ai, chat.wire);
  });

  test("trouble that passes is not an error", async () => {
    const chat = openChat(ai, { api });

    await chat.sendMessage({ text: await teach(NO_CAPACITY, ANSWER) });

    assert.equal(chat.status, "ready");
    assert.equal(text(chat.lastMessage), LONG);
    await assertChunksAreValid(ai, chat.wire);
  });

  test("after a dropped connection the last text is the whole answer", async () => {
    const chat = openChat(ai, { api });

    await chat.sendMessage({ text: await teach(CUT_OFF, ANSWER) });

    assert.equal(chat.status, "ready");
    assert.equal(partsOfType(chat.lastMessage, "text").at(-1).text, LONG);
    await assertChunksAreValid(ai, chat.wire);
  });

  test("trouble that stays is an error in words", async () => {
    const chat = openChat(ai, { api });

    await chat.sendMessage({ text: await teach(NONSENSE) });

    assert.equal(chat.status, "error");
    assert.match(chat.error.message, new RegExp(`^${wire} sent a reply that cannot be read`));
    await assertChunksAreValid(ai, chat.wire);
  });
}

async function ask(agentId, said, threadId = crypto.randomUUID()) {
  const events = await startRun(MODELS, { agentId, threadId, text: said });
  return { events, threadId, stored: await storedMessages(threadId, MODELS) };
}

function streamedText(events) {
  return ofType(events, "text_delta").map((event) => event.delta).join("");
}

function assertIsBeginning(part) {
  assert.ok(part.length > 0 && part.length < LONG.length && LONG.startsWith(part), `found ${JSON.stringify(part)}`);
}

function assertCompleted(events) {
  const ends = ofType(events, "run_finished");
  assert.deepEqual(ends, [events.at(-1)]);
  assert.equal(ends[0].outcome, "completed");
  assert.equal(ends[0].error, undefined);
}

function assertRetriedOnce(events, code) {
  assert.deepEqual(
    ofType(events, "retry_scheduled").map((event) => event.error.code),
    [code],
  );
  assertCompleted(events);
}

function assertOneAnswer(stored) {
  assert.deepEqual(roles(stored), ["user", "assistant"]);
  assert.deepEqual(stored[1].parts, [{ type: "text", text: LONG }]);
}

function assertFailed(events, code) {
  assert.equal(ofType(events, "retry_scheduled").length, 2);
  assert.deepEqual(ofType(events, "run_finished"), [events.at(-1)]);
  assert.equal(events.at(-1).outcome, "failed");
  assert.equal(events.at(-1).error.code, code);
}
