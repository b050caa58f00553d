// Calls that ask first, as interrupts: several at once, resolved, cancelled, answered again, and answered wrongly.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { AGENT, CLIENTS, history, openAgent, resume, run, say } from "../support/agent.js";
import { assertFinished, types } from "../support/heard.js";
import { getJson, roles, storedMessages, untilRunIs, WAKEFUL } from "../support/server.js";

const EMAIL = "email bob@example.com hi";
const TWO_EMAILS = `${EMAIL} and email eve@example.com ho`;
const YES = () => ({ status: "resolved", payload: { approved: true, reason: "because" } });
const NO = () => ({ status: "resolved", payload: { approved: false, reason: "because" } });
const CANCELLED = () => ({ status: "cancelled" });

for (const [version, client] of Object.entries(CLIENTS)) {
  describe(`@ag-ui/client ${version}`, { timeout: 30_000, concurrency: true }, () => {
    answers(client);
    several(client);
    refused(client);
    late(client);
  });
}

function answers(client) {
  for (const [outcome, answer, words] of [
    ["is made once approved", YES, /^I sent the email to bob/],
    ["is not made once denied", NO, /^I did not send the email to bob.*because/],
    ["is not made once cancelled", CANCELLED, /^I did not send the email to bob/],
    ["is not made by an answer without a payload", () => ({ status: "resolved" }), /^I did not send the email to bob/],
  ]) {
    test(`a call that asks first ${outcome}`, async () => {
      const agent = openAgent(client);
      const asked = await say(agent, EMAIL);
      const [question] = agent.pendingInterrupts;

      const resumed = await resume(client, agent, answer);

      assert.equal(asked.finished.outcome, "interrupt");
      assert.equal(question.toolCallId, agent.messages[1].toolCalls[0].id);
      assertFinished(resumed);
      assert.deepEqual(agent.pendingInterrupts, []);
      assert.match(agent.messages.at(-1).content, words);
      assert.deepEqual(roles(await storedMessages(agent.threadId)), ["user", "assistant", "tool", "assistant"]);
      assert.deepEqual(spoken(await history(agent.threadId)), spoken(agent.messages));
    });
  }

  test("an answer needs no messages", async () => {
    const agent = openAgent(client);
    await say(agent, EMAIL);
    const reloaded = openAgent(client, { threadId: agent.threadId });
    reloaded.pendingInterrupts = agent.pendingInterrupts;

    const resumed = await resume(client, reloaded, YES);

    assertFinished(resumed);
    assert.deepEqual(reloaded.wire.requests[0].messages, []);
    assert.match(reloaded.messages.at(-1).content, /^I sent the email to bob/);
  });

  test("the same answers sent again change nothing", async () => {
    const agent = openAgent(client);
    await say(agent, EMAIL);
    const again = openAgent(client, { threadId: agent.threadId, messages: agent.messages });
    again.pendingInterrupts = agent.pendingInterrupts;
    await resume(client, agent, YES);
    const before = await stateOf(agent.threadId);

    const replayed = await resume(client, again, YES);

    assert.deepEqual(await stateOf(agent.threadId), before);
    assert.equal(before.runs.length, 1);
    assertFinished(replayed);
  });
}

function several(client) {
  test("two calls that ask at once are two interrupts, each with its own answer", async () => {
    const agent = openAgent(client);
    await say(agent, TWO_EMAILS);
    const asked = agent.pendingInterrupts;
    const [bob] = agent.messages[1].toolCalls.map((call) => call.id);

    const resumed = await resume(client, agent, ({ toolCallId }) => (toolCallId === bob ? YES() : NO()));

    assert.deepEqual(asked.map(({ toolCallId }) => toolCallId), agent.messages[1].toolCalls.map((call) => call.id));
    assertFinished(resumed);
    assert.match(agent.messages.at(-1).content, /I sent the email to bob.*I did not send the email to eve.*because/);
    assert.equal(types(resumed).filter((type) => type === "TOOL_CALL_RESULT").length, 2);
    assert.ok(!types(resumed).includes("TOOL_CALL_START"), "an approved call is not shown again");
  });
}

function refused(client) {
  test("answers to only some interrupts are RUN_ERROR and change nothing", async () => {
    const agent = await forgetful(client, TWO_EMAILS);
    const [first] = agent.asked;
    const before = await stateOf(agent.threadId);

    const heard = await run(agent, { resume: [{ interruptId: first.id, ...YES() }] });

    assertRefused(heard, "INTERRUPTS_OPEN");
    assert.deepEqual(await stateOf(agent.threadId), before);
  });

  test("after answers to only some interrupts all of them can still be answered", async () => {
    const agent = await forgetful(client, TWO_EMAILS);
    const [first] = agent.asked;
    await run(agent, { resume: [{ interruptId: first.id, ...YES() }] });
    agent.pendingInterrupts = agent.asked;

    const resumed = await resume(client, agent, YES);

    assertFinished(resumed);
    assert.match(agent.messages.at(-1).content, /I sent the email to bob.*I sent the email to eve/);
  });

  test("an answer to an interrupt that is not known is RUN_ERROR and changes nothing", async () => {
    const agent = await forgetful(client, EMAIL);
    const [asked] = agent.asked;
    const before = await stateOf(agent.threadId);

    const heard = await run(agent, {
      resume: [{ interruptId: asked.id, ...YES() }, { interruptId: "never-asked", ...YES() }],
    });

    assertRefused(heard, "UNKNOWN_INTERRUPT");
    assert.deepEqual(await stateOf(agent.threadId), before);
  });
}

function late(client) {
  test("an answer after the question has expired is RUN_ERROR and changes nothing", async () => {
    const agent = await forgetful(client, EMAIL, `${WAKEFUL}/v1/ag-ui/agents/impatient/runs`);
    const [asked] = agent.asked;
    await untilRunIs("completed", agent.threadId);
    const before = await stateOf(agent.threadId);

    const heard = await run(agent, { resume: [{ interruptId: asked.id, ...YES() }] });

    assert.match(asked.expiresAt, /^\d{4}-\d\d-\d\dT/);
    assertRefused(heard, "INTERRUPT_EXPIRED");
    assert.deepEqual(await stateOf(agent.threadId), before);
  });

  test("another answer after the first is RUN_ERROR and changes nothing", async () => {
    const agent = await forgetful(client, EMAIL);
    const [asked] = agent.asked;
    await run(agent, { resume: [{ interruptId: asked.id, ...YES() }] });
    const before = await stateOf(agent.threadId);

    const heard = await run(agent, { resume: [{ interruptId: asked.id, ...NO() }] });

    assertRefused(heard, "INTERRUPT_MISMATCH");
    assert.deepEqual(await stateOf(agent.threadId), before);
  });
}

// An agent whose client no longer keeps it from leaving interrupts open; what was `asked` it still tells.
async function forgetful(client, said, url = AGENT) {
  const agent = openAgent(client, { url });
  await say(agent, said);
  const asked = agent.pendingInterrupts;
  agent.pendingInterrupts = [];
  assert.ok(asked.length > 0, "no question was asked");
  return Object.assign(agent, { asked });
}

function assertRefused(heard, code) {
  assert.deepEqual(types(heard), ["RUN_ERROR"]);
  assert.equal(heard.error.code, code);
  assert.ok(heard.error.message.length > 0);
}

// Without what only a stream shows, progress, and what only history says, that a result is an error.
function spoken(messages) {
  const kept = messages.filter((message) => message.role !== "activity");
  return JSON.parse(JSON.stringify(kept.map(({ error, ...message }) => message)));
}

// All that a thread keeps: its messages, its runs with their status and length, and what is open.
async function stateOf(threadId) {
  const thread = `${WAKEFUL}/v1/threads/${threadId}`;
  const [messages, runs, active] = await Promise.all([
    storedMessages(threadId),
    getJson(`${thread}/runs`),
    getJson(`${thread}/runs/active`),
  ]);
  return { messages, runs: runs.items, interrupts: active.interrupts };
}
