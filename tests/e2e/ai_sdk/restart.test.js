// What a page sees of a server that dies and comes back on the same store, and of one whose store is broken.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { DatabaseSync } from "node:sqlite";

import { answerAll, denied } from "../support/approvals.js";
import { partsOfType, untilShows } from "../support/chat.js";
import { CLIENTS } from "../support/clients.js";
import { assertChunksAreValid, ids, reload } from "../support/oracle.js";
import { ownServer } from "../support/own-server.js";
import { scenario } from "../support/scenario.js";
import { roles, storedMessages, text, untilRunIs } from "../support/server.js";

const EMAIL = "email bob@example.com hi";
const TWO_EMAILS = `${EMAIL} and email eve@example.com ho`;
const ONLY_BOB = ({ input }) => ({ approved: input.to === "bob@example.com", reason: "known people only" });
const FORTY = Array.from({ length: 40 }, (_, index) => index + 1).join(" ");

describe("a server that died and came back", { concurrency: true }, () => {
  // What each client had on its page when the server died.
  const pages = new Map();
  let server;

  before(async () => {
    server = await ownServer();
    await Promise.all(CLIENTS.map(async (client) => pages.set(client, await threePages(client, server.url))));
    await server.restart();
  }, { timeout: 30_000 });

  after(async () => {
    for (const chat of [...pages.values()].flatMap(Object.values)) chat.close();
    await server.remove();
  });

  for (const client of CLIENTS) {
    test(`${client.name}: calls that ask are answered on the same page`, { timeout: 20_000 }, async () => {
      const chat = pages.get(client).askedTwice;

      await answerAll(chat, ONLY_BOB);

      assert.deepEqual(states(chat.lastMessage), ["output-available", denied(client.ai)]);
      assert.match(text(chat.lastMessage), /I sent the email to bob.*I did not send the email to eve/);
      assert.deepEqual(roles(chat.messages), ["user", "assistant"]);
      await assertChunksAreValid(client.ai, chat.wire);
    });

    scenario(client, `${client.name}: a call that asks is answered on a reloaded page`, async (open) => {
      const chat = pages.get(client).asked;
      const reloaded = await reload(open, client, chat.id, server.url);

      await answerAll(reloaded, ONLY_BOB);

      assert.deepEqual(ids(reloaded.messages), ids(chat.messages));
      assert.deepEqual(states(reloaded.lastMessage), ["output-available"]);
      const stored = await storedMessages(chat.id, server.url);
      assert.deepEqual(roles(stored), ["user", "assistant", "tool", "assistant"]);
    });

    scenario(client, `${client.name}: an answer that was cut off is whole on a reloaded page`, async (open) => {
      const chat = pages.get(client).counting;
      const reloaded = await reload(open, client, chat.id, server.url);

      await reloaded.resumeStream();

      await untilRunIs("completed", chat.id, server.url);
      assert.notEqual(text(chat.lastMessage), FORTY);
      assert.equal(partsOfType(reloaded.lastMessage, "text").at(-1).text, FORTY);
      assert.equal(text((await storedMessages(chat.id, server.url)).at(-1)), FORTY);
      assert.deepEqual(roles(reloaded.messages), ["user", "assistant"]);
    });
  }
});

describe("a server whose store is broken", { concurrency: true }, () => {
  let server;

  before(async () => {
    server = await ownServer();
    breakStore(server.file);
  }, { timeout: 30_000 });

  after(() => server.remove());

  for (const client of CLIENTS) {
    test(`is an error in words to ${client.name}`, { timeout: 20_000 }, async (t) => {
      const chat = client.open({ base: server.url });
      t.after(() => chat.close());

      await chat.sendMessage({ text: "hello" });

      assert.deepEqual(chat.wire.statuses, [503]);
      assert.equal(chat.status, "error");
      assert.match(chat.error.message, /"error":".+"/);
      assert.doesNotMatch(chat.error.message, /Traceback/);
    });
  }
});

async function threePages(client, base) {
  const open = () => client.open({ base });
  const [asked, askedTwice, counting] = [open(), open(), open()];
  await Promise.all([asked.sendMessage({ text: EMAIL }), askedTwice.sendMessage({ text: TWO_EMAILS })]);
  void counting.sendMessage({ text: "count to 40 every 50 ms" });
  await untilShows(counting, "1 2 3");
  return { asked, askedTwice, counting };
}

function breakStore(file) {
  const database = new DatabaseSync(file);
  database.exec("alter table threads rename to lost");
  database.close();
}

function states(message) {
  return partsOfType(message, "tool-send_email").map(({ state }) => state);
}
