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

    test("values are suggested", async () => {
      const ref = { type: "ref/prompt", name: "review" };

      const { completion } = await opened.client.complete({ ref, argument: { name: "tone", value: "k" } });

      assert.deepEqual(completion.values, ["kind"]);
    });

    if (name.startsWith("sdk 1")) test("a call may be a task", () => task(opened, (asking) => (user = asking)));

    if (era === "2025-11-25") test("a change is heard of", () => change(opened));

    if (era === "2025-11-25" && !piped) test("a call outlives a crash of the server", () => crash(open));
  });
}

// Tasks of 2025-11-25 through the SDK: made, asked, ended, listed, cancelled.
async function task({ client }, answerWith) {
  const { tasks } = client.experimental;
  answerWith(() => ({ action: "accept", content: { approved: true } }));
  await client.listTools();
  const seen = [];
  for await (const message of tasks.callToolStream({ name: "erase", arguments: { name: "all" } }, undefined, { task: {} })) {
    seen.push(message);
  }
  const made = seen[0].task;

  assert.equal(seen[0].type, "taskCreated");
  assert.equal(seen.at(-1).type, "result", JSON.stringify(seen.at(-1)));
  assert.equal(seen.at(-1).result.content[0].text, "erased all");
  assert.equal((await tasks.getTask(made.taskId)).status, "completed");
  assert.ok((await tasks.listTasks()).tasks.some((one) => one.taskId === made.taskId));

  const long = tasks.callToolStream(
    { name: "assistant", arguments: { message: "count to 1000 every 50 ms" } },
    undefined,
    { task: {} },
  );
  const { value } = await long.next();
  assert.equal((await tasks.cancelTask(value.task.taskId)).status, "cancelled");
}

// The client opens its stream when it likes: there is always another thread to hear of.
async function change({ client, call }) {
  let heard = false;
  client.fallbackNotificationHandler = async ({ method }) => {
    heard ||= method === "notifications/resources/list_changed";
  };
  for await (const _ of setInterval(200)) {
    if (heard) break;
    await call("add", { a: 1, b: 2 });
  }
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
