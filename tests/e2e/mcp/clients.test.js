// The TypeScript clients of both lines: list, call, approve, give up, read, come back.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setInterval } from "node:timers/promises";

import { CLIENTS } from "./clients.js";
import { served } from "./served.js";

const FORTY = Array.from({ length: 40 }, (_, index) => index + 1).join(" ");

let server;
before(async () => {
  server = await served();
});
after(() => server.remove());

for (const [name, { era, piped, open }] of Object.entries(CLIENTS)) {
  describe(name, { timeout: 60_000 }, () => {
    let opened;
    let user;
    before(async () => {
      opened = await open(server, (params) => user(params));
    });
    after(() => opened.close());

    test("it lists what is offered, and nothing of the prompt", async () => {
      const { tools } = await opened.client.listTools();

      assert.deepEqual(tools.map((tool) => tool.name), ["assistant", "add", "erase"]);
      assert.equal(tools[0].description, "Answers offline.");
      assert.ok(!JSON.stringify(tools).includes("secret"));
      assert.equal(opened.client.getServerVersion().name, "wakeful");
      if (era !== "2025-11-25") assert.equal(opened.client.getNegotiatedProtocolVersion(), era);
    });

    test("an agent answers, with progress", async () => {
      const seen = [];
      const onprogress = ({ progress }) => seen.push(progress);

      const found = await opened.call("assistant", { message: "weather in Paris" }, { onprogress });

      assert.match(found.content[0].text, /Paris/);
      assert.equal(found.structuredContent.text, found.content[0].text);
      assert.ok(seen.length > 1);
      assert.deepEqual(seen, [...seen].sort((a, b) => a - b));
    });

    test("a tool gives its value", async () => {
      assert.deepEqual((await opened.call("add", { a: 2, b: 3 })).structuredContent, { sum: 5 });
    });

    for (const approved of [true, false]) {
      test(`a tool that asks ${approved ? "runs after a yes" : "does not run after a no"}`, async () => {
        const asked = [];
        user = (params) => {
          asked.push(params.message);
          return { action: "accept", content: { approved } };
        };

        const found = await opened.call("erase", { name: "all" });

        assert.equal(asked.length, 1);
        assert.equal(found.content[0].text === "erased all", approved);
        assert.equal(Boolean(found.isError), !approved);
      });
    }

    test("a call that is given up is cancelled", async () => {
      const giveUp = new AbortController();
      const options = { signal: giveUp.signal, onprogress: () => giveUp.abort() };

      await assert.rejects(opened.call("assistant", { message: "count to 1000 every 50 ms" }, options));

      for await (const _ of setInterval(50)) {
        const [run] = await server.runs();
        if (run.status === "cancelled") break;
      }
    });

    test("resources and prompts are read", async () => {
      const { resources } = await opened.client.listResources();
      const { contents } = await opened.client.readResource({ uri: "docs:guide" });
      const { messages } = await opened.client.getPrompt({ name: "review", arguments: { code: "x" } });

      assert.equal(resources[0].uri, "docs:guide");
      assert.equal(contents[0].text, "# Guide");
      assert.equal(messages[0].content.text, "Review x.");
      await assert.rejects(opened.client.readResource({ uri: "docs:none" }));
    });

    if (era === "2025-11-25" && !piped) test("a call outlives a crash of the server", () => crash(open));
  });
}

async function crash(open) {
  const own = await served();
  try {
    const opened = await open(own, () => ({ action: "cancel" }));
    let begun;
    const progress = new Promise((resolve) => (begun = resolve));
    const answer = opened.call("assistant", { message: "count to 40 every 50 ms" }, { onprogress: begun });
    await progress;

    await own.restart();

    assert.equal((await answer).structuredContent.text, FORTY);
    await opened.close();
  } finally {
    await own.remove();
  }
}
