// One run seen over the AI SDK, AG-UI and our own API at once: the same things in the same order.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { CLIENTS as AGENTS, openAgent, reopenAgent, say } from "../support/agent.js";
import { untilShows } from "../support/chat.js";
import { CLIENTS as CHATS } from "../support/clients.js";
import { watchRun } from "../support/native.js";
import { hydrated, reload } from "../support/oracle.js";
import { orderOf } from "../support/order.js";
import { scenario } from "../support/scenario.js";
import { getJson, postJson, roles, text, untilRunIs, WAKEFUL } from "../support/server.js";

const BUSY = "count to 20 every 50 ms and weather in Paris and weather in Rome";
const LONG = "count to 10000 every 50 ms";

for (const client of CHATS) {
  for (const [version, agUi] of Object.entries(AGENTS)) {
    describe(`${client.name} and @ag-ui/client ${version}`, { timeout: 30_000, concurrency: true }, () => {
      watching(client, agUi);
      stopping(client, agUi);
    });
  }
}

function watching(client, agUi) {
  scenario(client, "a run of the AI SDK is the same over AG-UI and our own API", async (open) => {
    const chat = open();
    const sending = chat.sendMessage({ text: BUSY });
    await untilShows(chat, "1 2 3");
    const agent = reopenAgent(agUi, { threadId: chat.id });

    const [native] = await Promise.all([watchRun(WAKEFUL, chat.lastMessage.metadata.runId), agent.connectAgent(), sending]);

    assertOneStory(orderOf.aiSdk(chat.wire.events), orderOf.agUi(agent.wire.events), orderOf.native(native));
    const shownByChat = text(chat.lastMessage);
    const shownByAgent = agent.messages.filter((message) => message.role === "assistant").map(({ content }) => content ?? "");
    assert.equal(shownByAgent.join(""), shownByChat);
    assert.equal(agent.messages.find((message) => message.role === "assistant").id, chat.lastMessage.id);
  });

  scenario(client, "a run of AG-UI is the same over the AI SDK and our own API", async (open) => {
    const agent = openAgent(agUi);
    const { sending, runId } = await started(agent, BUSY);
    const chat = await reload(open, client, agent.threadId);

    const [native] = await Promise.all([watchRun(WAKEFUL, runId), chat.resumeStream(), sending]);

    assertOneStory(orderOf.agUi(agent.wire.events), orderOf.aiSdk(chat.wire.events), orderOf.native(native));
    assert.deepEqual(roles(chat.messages), ["user", "assistant"]);
    assert.equal(agent.messages.find((message) => message.role === "assistant").id, chat.lastMessage.id);
  });
}

function stopping(client, agUi) {
  scenario(client, "a run of AG-UI is stopped over the AI SDK", async (open) => {
    const agent = openAgent(agUi);
    const { sending, runId } = await started(agent, LONG);
    const chat = await reload(open, client, agent.threadId);
    const resuming = chat.resumeStream();
    await untilShows(chat, "1 2 3");

    await postJson(`${WAKEFUL}/v1/ai-sdk/chat/${agent.threadId}/stop`, {});

    await Promise.all([sending, resuming]);
    assert.equal((await untilRunIs("cancelled", agent.threadId)).run_id, runId);
    assert.equal(agent.messages.at(-1).content, text(chat.lastMessage));
  });

  scenario(client, "a run of the AI SDK is stopped over our own API, and AG-UI sees its end", async (open) => {
    const chat = open();
    const sending = chat.sendMessage({ text: LONG });
    await untilShows(chat, "1 2 3");
    const agent = reopenAgent(agUi, { threadId: chat.id });
    const watching = agent.connectAgent();

    await postJson(`${WAKEFUL}/v1/runs/${chat.lastMessage.metadata.runId}/cancel`, {});

    await Promise.all([sending, watching]);
    await untilRunIs("cancelled", chat.id);
    assert.equal(agent.messages.at(-1).content, text(chat.lastMessage));
    assert.equal(chat.status, "ready");
  });

  scenario(client, "new words over AG-UI end what the AI SDK's run was doing", async (open) => {
    const chat = open();
    const sending = chat.sendMessage({ text: LONG });
    await untilShows(chat, "1 2 3");
    const { runId } = chat.lastMessage.metadata;

    await say(openAgent(agUi, { threadId: chat.id }), "hello");

    await sending;
    const run = await getJson(`${WAKEFUL}/v1/runs/${runId}`);
    assert.equal(run.status, "cancelled");
    assert.ok(chat.wire.events.some((chunk) => chunk.type === "abort"));
    assert.deepEqual(roles(await hydrated(client, chat.id)), ["user", "assistant", "user", "assistant"]);
  });
}

// A run that has begun to count, and the promise of its end.
async function started(agent, said) {
  const begun = Promise.withResolvers();
  const { unsubscribe } = agent.subscribe({
    onTextMessageContentEvent: ({ textMessageBuffer }) => {
      if (textMessageBuffer.includes("1 2 3")) begun.resolve();
    },
  });
  const sending = say(agent, said);
  await begun.promise;
  unsubscribe();
  const { run_id: runId } = await getJson(`${WAKEFUL}/v1/threads/${agent.threadId}/runs/latest`);
  return { sending, runId };
}

function assertOneStory(...stories) {
  const [first, ...rest] = stories;
  assert.deepEqual(first.map(([what]) => what), ["text", "called", "called", "answered", "answered", "text"]);
  for (const story of rest) assert.deepEqual(story, first);
}
