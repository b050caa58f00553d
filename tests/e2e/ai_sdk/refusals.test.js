// What the server refuses before a run begins is an error in words on the page.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { CLIENTS } from "../support/clients.js";
import { WAKEFUL } from "../support/server.js";

const NOT_A_FILE = { type: "file", mediaType: "image/png", url: "data:image/png;base64,###" };

for (const client of CLIENTS) {
  describe(client.name, { timeout: 20_000, concurrency: true }, () => {
    for (const [what, options, said, status, words] of [
      ["an unknown agent", { path: "/v1/ai-sdk/agents/nobody/runs" }, { text: "hello" }, 404, /agent not found: nobody/],
      ["a blank chat id", { id: " " }, { text: "hello" }, 400, /id must not be blank/],
      ["an empty message", {}, { text: " " }, 400, /nothing new to answer/],
      ["a file that is none", {}, { parts: [NOT_A_FILE] }, 400, /base64/],
    ]) {
      test(`${what} is refused in words`, async (t) => {
        const chat = client.open(options);
        t.after(() => chat.close());

        await chat.sendMessage(said);

        assert.deepEqual(chat.wire.statuses, [status]);
        assert.equal(chat.status, "error");
        assert.match(chat.error.message, words);
      });
    }

    test("a thread nothing was said on has no history", async () => {
      const response = await fetch(`${WAKEFUL}/v1/ai-sdk/threads/${crypto.randomUUID()}/messages`);

      assert.equal(response.status, 404);
      assert.match((await response.json()).error, /thread not found/);
    });
  });
}
