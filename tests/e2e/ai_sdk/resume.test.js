// Answers that go on while nobody, somebody else or a second page watches, and how they are ended.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { untilShows } from "../support/chat.js";
import { CLIENTS } from "../support/clients.js";
import { hydrated, ids, reload } from "../support/oracle.js";
import { scenario } from "../support/scenario.js";
import { getJson, postJson, roles, storedMessages, text, untilRunIs, WAKEFUL } from "../support/server.js";

const FORTY = Array.from({ length: 40 }, (_, index) => index + 1).join(" ");
const COUNT = "count to 40 every 50 ms";
const LONG_COUNT = "count to 10000 every 50 ms";

for (const client of CLIENTS) {
  describe(client.name, { concurrency: true }, () => {
    brokenConnections(client);
    secondPages(client);
    idle(client);
    stops(client);
  });
}

function brokenConnections(client) {
  scenario(client, "an answer whose connection broke is shown whole on the same page", async (open) => {
    const chat = await brokenAfterThree(open);

    await chat.resumeStream();

    assert.equal(chat.status, "ready");
    assert.equal(text(chat.lastMessage), FORTY);
    assert.deepEqual(roles(chat.messages), ["user", "assistant"]);
  });

  scenario(client, "an answer whose connection broke is shown whole on a reloaded page", async (open) => {
    const broken = await brokenAfterThree(open);
    const reloaded = await reload(open, client, broken.id);

    await reloaded.resumeStream();

    assert.equal(text(reloaded.lastMessage), FORTY);
    assert.deepEqual(ids(reloaded.messages), ids(broken.messages));
    assert.equal(streamedText(reloaded.wire), FORTY);
    assert.equal(text((await storedMessages(broken.id)).at(-1)), FORTY);
  });

  scenario(client, "an answer that ended while nobody watched is shown once on a reloaded page", async (open) => {
    const broken = await brokenAfterThree(open);
    await untilRunIs("completed", broken.id);
    const reloaded = await reload(open, client, broken.id);

    await reloaded.resumeStream();

    assert.deepEqual(reloaded.wire.statuses, [200]);
    assert.deepEqual(ids(reloaded.messages), ids(await hydrated(client, broken.id)));
    assert.equal(text(reloaded.lastMessage), FORTY);
  });
}

function secondPages(client) {
  scenario(client, "a second page that comes in the middle of an answer sees all of it", async (open) => {
    const first = open();
    const sending = first.sendMessage({ text: COUNT });
    await untilShows(first, "1 2 3");
    const second = await reload(open, client, first.id);

    await second.resumeStream();
    await sending;

    assert.deepEqual(second.wire.statuses, [200]);
    assert.deepEqual([first, second].map((chat) => text(chat.lastMessage)), [FORTY, FORTY]);
    assert.deepEqual(ids(second.messages), ids(first.messages));
    assert.equal((await getJson(`${WAKEFUL}/v1/threads/${first.id}/runs`)).items.length, 1);
  });
}

function idle(client) {
  scenario(client, "there is nothing to resume when the answer was read to its end", async (open) => {
    const chat = open();
    await chat.sendMessage({ text: "hello" });

    await chat.resumeStream();

    assert.deepEqual(chat.wire.statuses, [200, 204]);
    assert.equal(chat.status, "ready");
    assert.equal(chat.messages.length, 2);
  });

  scenario(client, "there is nothing to resume on a thread that is new", async (open) => {
    const chat = open();

    await chat.resumeStream();

    assert.deepEqual(chat.wire.statuses, [204]);
    assert.equal(chat.status, "ready");
    assert.deepEqual(chat.messages, []);
  });
}

function stops(client) {
  scenario(client, "a page that stops listening does not stop the run", async (open) => {
    const chat = await brokenAfterThree(open);

    const run = await untilRunIs("completed", chat.id);

    assert.equal(run.run_id, chat.lastMessage.metadata.runId);
    assert.equal(text((await storedMessages(chat.id)).at(-1)), FORTY);
  });

  scenario(client, "a stop asked of the server ends the run for whoever watches", async (open) => {
    const first = open();
    const sending = first.sendMessage({ text: LONG_COUNT });
    await untilShows(first, "1 2 3");
    const second = await reload(open, client, first.id);
    const resuming = second.resumeStream();
    await untilShows(second, "1 2 3");

    await postJson(`${WAKEFUL}/v1/ai-sdk/chat/${first.id}/stop`, {});
    await Promise.all([sending, resuming]);

    const run = await untilRunIs("cancelled", first.id);
    const [stored] = (await storedMessages(first.id)).slice(-1).map(text);
    assert.equal(run.run_id, first.lastMessage.metadata.runId);
    assert.deepEqual([first.status, second.status], ["ready", "ready"]);
    assert.deepEqual([first, second].map((chat) => text(chat.lastMessage)), [stored, stored]);
    assert.ok(first.wire.events.some((chunk) => chunk.type === "abort"));
    assert.match(stored, /^1 2 3( \d+)*$/);
  });

  scenario(client, "a conversation goes on after a stop", async (open) => {
    const chat = open();
    const sending = chat.sendMessage({ text: LONG_COUNT });
    await untilShows(chat, "1 2 3");
    await postJson(`${WAKEFUL}/v1/ai-sdk/threads/${chat.id}/stop`, {});
    await sending;

    await chat.sendMessage({ text: "hello" });

    assert.match(text(chat.lastMessage), /^You said "hello"\./);
    assert.deepEqual(roles(await storedMessages(chat.id)), ["user", "assistant", "user", "assistant"]);
  });
}

// A chat that lost its connection after the third number.
async function brokenAfterThree(open) {
  const chat = open();
  const sending = chat.sendMessage({ text: COUNT });
  await untilShows(chat, "1 2 3");
  await chat.stop();
  await sending;
  assert.notEqual(text(chat.lastMessage), FORTY);
  return chat;
}

function streamedText(wire) {
  const deltas = wire.events.filter((chunk) => chunk.type === "text-delta");
  return deltas.map((chunk) => chunk.delta).join("");
}
