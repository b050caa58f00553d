// Questions of a run started over one protocol, answered over another: one run goes on, and all see the same end.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { CLIENTS as AGENTS, openAgent, reopenAgent, resume, run, say } from "../support/agent.js";
import { answerAll, decide, denied } from "../support/approvals.js";
import { partsOfType } from "../support/chat.js";
import { CLIENTS as CHATS } from "../support/clients.js";
import { assertFinished } from "../support/heard.js";
import { hydrated, ids, reload } from "../support/oracle.js";
import { scenario } from "../support/scenario.js";
import { getJson, storedMessages, text, untilRunIs, WAKEFUL } from "../support/server.js";

const TWO_EMAILS = "email bob@example.com hi and email eve@example.com ho";
const ENDED = /I sent the email to bob.*I did not send the email to eve/;
const ONLY_BOB = ({ input }) => ({ approved: input.to === "bob@example.com", reason: "known people only" });

for (const client of CHATS) {
  for (const [version, agUi] of Object.entries(AGENTS)) {
    describe(`${client.name} and @ag-ui/client ${version}`, { timeout: 30_000, concurrency: true }, () => {
      approvals(client, agUi);
      frontend(client, agUi);
    });
  }
}

function approvals(client, agUi) {
  scenario(client, "a run of the AI SDK is approved over AG-UI", async (open) => {
    const chat = open();
    await chat.sendMessage({ text: TWO_EMAILS });
    const agent = reopenAgent(agUi, { threadId: chat.id });
    await agent.connectAgent();

    const resumed = await resume(agUi, agent, (interrupt) => ({ status: "resolved", payload: onlyBob(agent, interrupt) }));

    assertFinished(resumed);
    assert.match(agent.messages.at(-1).content, ENDED);
    await assertEnded(open, client, chat.id, chat.lastMessage.id);
  });

  scenario(client, "a run of AG-UI is approved over the AI SDK", async (open) => {
    const agent = openAgent(agUi);
    await say(agent, TWO_EMAILS);
    const chat = await reload(open, client, agent.threadId);

    await answerAll(chat, ONLY_BOB);

    assert.match(text(chat.lastMessage), ENDED);
    const returned = reopenAgent(agUi, { threadId: agent.threadId });
    await returned.connectAgent();
    assert.match(returned.messages.at(-1).content, ENDED);
    assert.deepEqual(returned.pendingInterrupts, []);
    assert.equal((await runsOf(agent.threadId)).length, 1);
  });

  scenario(client, "a run of AG-UI is approved over our own API, and both see its end", async (open) => {
    const agent = openAgent(agUi);
    await say(agent, TWO_EMAILS);
    const [{ run_id: runId }] = await runsOf(agent.threadId);

    for (const interrupt of agent.pendingInterrupts) {
      await decide(WAKEFUL, runId, { target: interrupt.id, ...onlyBob(agent, interrupt) });
    }

    await untilRunIs("completed", agent.threadId);
    const returned = reopenAgent(agUi, { threadId: agent.threadId });
    await returned.connectAgent();
    assert.match(returned.messages.at(-1).content, ENDED);
    await assertEnded(open, client, agent.threadId, agent.messages[1].id);
  });
}

function frontend(client, agUi) {
  scenario(client, "a call of the page that the AI SDK's run waits for is answered over AG-UI", async (open) => {
    const chat = open();
    await chat.sendMessage({ text: 'use ask_page {"question":"how many?"}' });
    const agent = reopenAgent(agUi, { threadId: chat.id });
    await agent.connectAgent();
    const [call] = agent.messages.at(-1).toolCalls;

    agent.addMessage({ id: crypto.randomUUID(), role: "tool", toolCallId: call.id, content: "0" });
    assertFinished(await run(agent));

    const [asked] = partsOfType((await hydrated(client, chat.id)).at(-1), "tool-ask_page");
    assert.deepEqual([asked.toolCallId, asked.state, asked.output], [call.id, "output-available", 0]);
    assert.equal((await runsOf(chat.id)).length, 1);
  });
}

// The same person is known over AG-UI by the arguments of the call an interrupt is about.
function onlyBob(agent, interrupt) {
  const calls = agent.messages.flatMap((message) => message.toolCalls ?? []);
  const call = calls.find(({ id }) => id === interrupt.toolCallId);
  return { approved: JSON.parse(call.function.arguments).to === "bob@example.com", reason: "known people only" };
}

// A page that is loaded now shows one run's answer, with both calls decided.
async function assertEnded(open, client, threadId, messageId) {
  const page = await reload(open, client, threadId);
  assert.deepEqual(states(page.lastMessage), ["output-available", denied(client.ai)]);
  assert.match(text(page.lastMessage), ENDED);
  assert.equal(ids(page.messages).at(-1), messageId);
  assert.equal((await storedMessages(threadId)).filter((message) => message.role === "tool").length, 2);
  assert.equal((await runsOf(threadId)).length, 1);
}

async function runsOf(threadId) {
  return (await getJson(`${WAKEFUL}/v1/threads/${threadId}/runs`)).items;
}

function states(message) {
  return partsOfType(message, "tool-send_email").map(({ state }) => state);
}
