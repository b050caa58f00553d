// Answers given again and messages edited: the thread goes on from there, and client and server agree on it.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { partsOfType } from "../support/chat.js";
import { CLIENTS } from "../support/clients.js";
import { ids } from "../support/oracle.js";
import { scenario } from "../support/scenario.js";
import { roles, storedMessages, text } from "../support/server.js";

for (const client of CLIENTS) {
  describe(client.name, { concurrency: true }, () => {
    scenario(client, "the last answer is given again in its place", async (open) => {
      const chat = await twoTurns(open);
      const before = ids(chat.messages);

      await chat.regenerate();

      assert.deepEqual(roles(chat.messages), ["user", "assistant", "user", "assistant"]);
      assert.deepEqual(ids(chat.messages).slice(0, 3), before.slice(0, 3));
      assert.notEqual(chat.lastMessage.id, before[3]);
      assert.match(text(chat.lastMessage), /^1 2 3$/);
      await assertAgreed(chat);
    });

    scenario(client, "an earlier answer is given again, and what followed is gone", async (open) => {
      const chat = await twoTurns(open);
      const before = ids(chat.messages);

      await chat.regenerate({ messageId: before[1] });

      assert.deepEqual(roles(chat.messages), ["user", "assistant"]);
      assert.equal(chat.messages[0].id, before[0]);
      assert.notEqual(chat.lastMessage.id, before[1]);
      assert.match(text(chat.lastMessage), /^You said "hello"\./);
      await assertAgreed(chat);
    });

    scenario(client, "an answer with tools is given again, and shows its calls once", async (open) => {
      const chat = open();
      await chat.sendMessage({ text: "weather in Paris and weather in Rome" });

      await chat.regenerate({ messageId: chat.lastMessage.id });

      assert.equal(partsOfType(chat.lastMessage, "tool-get_weather").length, 2);
      assert.deepEqual(roles(await storedMessages(chat.id)), ["user", "assistant", "tool", "tool", "assistant"]);
    });

    scenario(client, "an edited message goes on from there, and what followed is gone", async (open) => {
      const chat = await twoTurns(open);

      await chat.sendMessage({ text: "count to 4", messageId: chat.messages[0].id });

      assert.deepEqual(chat.messages.map(text), ["count to 4", "1 2 3 4"]);
      await assertAgreed(chat);
    });
  });
}

async function twoTurns(open) {
  const chat = open();
  await chat.sendMessage({ text: "hello" });
  await chat.sendMessage({ text: "count to 3" });
  return chat;
}

async function assertAgreed(chat) {
  const stored = await storedMessages(chat.id);
  assert.equal(chat.status, "ready");
  assert.deepEqual(ids(chat.messages), ids(stored));
  assert.deepEqual(chat.messages.map(text), stored.map(text));
}
