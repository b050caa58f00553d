// `useChat` drawn by React: what a person reads on a page that is opened, reloaded and left.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { isAtRest } from "../support/chat.js";
import { CLIENTS } from "../support/clients.js";
import { hydrated } from "../support/oracle.js";
import { scenario } from "../support/scenario.js";
import { storedMessages, text, untilRunIs } from "../support/server.js";

const COUNT = "count to 40 every 50 ms";
const FORTY = Array.from({ length: 40 }, (_, index) => index + 1).join(" ");

for (const client of CLIENTS.filter(({ name }) => name.startsWith("useChat"))) {
  describe(client.name, { concurrency: true }, () => {
    scenario(client, "a page draws what is said, as it is said", async (open) => {
      const page = open();
      const drawn = [];

      const sending = page.sendMessage({ text: COUNT });
      await page.until(() => drawn.push(page.lines.at(-1)) && page.lines.at(-1) === FORTY);
      await sending;

      assert.deepEqual(page.lines, [COUNT, FORTY]);
      assert.ok(new Set(drawn).size > 10, `drawn at once: ${JSON.stringify(drawn)}`);
      assert.ok(drawn.slice(1).every((line) => line === COUNT || FORTY.startsWith(line)), "something else was drawn");
    });

    scenario(client, "a page that is reloaded in the middle of an answer goes on by itself", async (open) => {
      const left = open();
      const sending = left.sendMessage({ text: COUNT });
      await left.until(() => left.lines.at(-1)?.includes("1 2 3"));
      left.close();
      await sending;

      const page = open({ id: left.id, messages: await hydrated(client, left.id), resume: true });
      await page.until(() => isAtRest(page) && page.lines.at(-1) === FORTY);

      assert.deepEqual(page.lines, [COUNT, FORTY]);
      assert.deepEqual(page.wire.statuses, [200]);
    });

    scenario(client, "a page that is reloaded when all was read asks once and shows it", async (open) => {
      const left = open();
      await left.sendMessage({ text: "hello" });
      left.close();

      const page = open({ id: left.id, messages: await hydrated(client, left.id), resume: true });
      await page.wire.answered;
      await page.until(isAtRest);

      assert.deepEqual(page.wire.statuses, [204]);
      assert.deepEqual(page.lines, left.messages.map(text));
    });

    scenario(client, "a page that is left does not stop the run", async (open) => {
      const page = open();
      const sending = page.sendMessage({ text: COUNT });
      await page.until(() => page.lines.at(-1)?.includes("1 2 3"));

      page.close();

      await sending;
      await untilRunIs("completed", page.id);
      assert.equal(text((await storedMessages(page.id)).at(-1)), FORTY);
    });
  });
}
