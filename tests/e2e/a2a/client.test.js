// The official Node client of A2A, over both bindings and both versions: text, an approval, a cancellation, coming back.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { TaskState } from "@a2a-js/sdk";

import { ownServer } from "../support/own-server.js";
import { WAKEFUL } from "../support/server.js";
import { WAYS, answer, client, data, follow, say, take, text, words } from "./talk.js";

const EMAIL = "email a@example.com hello";
const COUNT = "count to 30 every 50 ms";

for (const way of WAYS) {
  describe(`${way.binding} ${way.version}`, () => {
    let talk;
    before(async () => { talk = await client(WAKEFUL, way); });

    test("text streams, and the stored task is what was streamed", { skip: way.dropsAppend }, async () => {
      const seen = await follow(talk.sendMessageStream(say(text("hello"))));

      const stored = await talk.getTask({ id: seen.task.id, tenant: "" });

      assert.equal(seen.states[0], "TASK_STATE_SUBMITTED");
      assert.equal(seen.states.at(-1), "TASK_STATE_COMPLETED");
      assert.ok(answer(seen).length > 0);
      assert.equal(stored.artifacts.map(words).join(""), answer(seen));
    });

    test("a message that waits for its answer brings the finished task", async () => {
      const task = await talk.sendMessage(say(text("hello")));

      assert.equal(task.status.state, TaskState.TASK_STATE_COMPLETED);
      assert.equal(task.history[0].parts[0].content.value, "hello");
    });

    test("a call that needs approval asks, and goes on when it is given", async () => {
      const asked = await follow(talk.sendMessageStream(say(text(EMAIL))));

      const seen = await follow(talk.sendMessageStream(say(data({ approved: true }), asked.task)));

      assert.equal(asked.states.at(-1), "TASK_STATE_AUTH_REQUIRED");
      assert.equal(seen.task.id, asked.task.id);
      assert.equal(seen.states.at(-1), "TASK_STATE_COMPLETED");
    });

    test("a task that waits can be cancelled, once", async () => {
      const { task } = await follow(talk.sendMessageStream(say(text(EMAIL))));

      const cancelled = await talk.cancelTask({ id: task.id, tenant: "", metadata: undefined });

      assert.equal(cancelled.status.state, TaskState.TASK_STATE_CANCELED);
      await assert.rejects(talk.cancelTask({ id: task.id, tenant: "", metadata: undefined }), /over/);
    });

    test("an unknown task is an error", async () => {
      await assert.rejects(talk.getTask({ id: "nobody", tenant: "" }), /not found/);
    });
  });
}

describe("a server that was killed", () => {
  let server;
  before(async () => { server = await ownServer(); });
  after(() => server.remove());

  for (const way of WAYS) {
    test(`${way.binding} ${way.version}: the task still waits, can be watched again, and is finished`, async () => {
      const asked = await follow((await client(server.url, way)).sendMessageStream(say(text(EMAIL))));

      await server.restart();
      const talk = await client(server.url, way);
      const again = await follow(talk.resubscribeTask({ id: asked.task.id, tenant: "" }));
      const done = await talk.sendMessage(say(data({ approved: true }), asked.task));

      assert.deepEqual(again.states, ["TASK_STATE_AUTH_REQUIRED"]);
      assert.equal(done.id, asked.task.id);
      assert.equal(done.status.state, TaskState.TASK_STATE_COMPLETED);
    });

    const whole = `${way.binding} ${way.version}: an answer cut in the middle is whole for whoever watches again`;
    test(whole, { skip: way.dropsAppend }, async () => {
      const seen = { task: undefined, states: [], texts: new Map() };
      for await (const { payload } of (await client(server.url, way)).sendMessageStream(say(text(COUNT)))) {
        take(seen, payload);
        if (answer(seen).includes("3")) break;
      }

      await server.restart();
      const talk = await client(server.url, way);
      const again = await follow(talk.resubscribeTask({ id: seen.task.id, tenant: "" }));

      const stored = await talk.getTask({ id: seen.task.id, tenant: "" });
      assert.equal(again.states.at(-1), "TASK_STATE_COMPLETED");
      assert.deepEqual(answer(again).match(/\d+/g), Array.from({ length: 30 }, (_, n) => String(n + 1)));
      assert.equal(stored.artifacts.map(words).join(""), answer(again));
    });
  }
});
