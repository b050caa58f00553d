// Questions in words as interrupts, and what agents tell beside their text.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { CLIENTS, history, openAgent, resume, say } from "../support/agent.js";
import { assertFinished } from "../support/heard.js";
import { ownServer } from "../support/own-server.js";
import { storedMessages } from "../support/server.js";

const server = await ownServer({ target: "asking.py:runtime" });
after(() => server.remove());

const urlOf = (agent) => `${server.url}/v1/ag-ui/agents/${agent}/runs`;

for (const [version, client] of Object.entries(CLIENTS)) {
  describe(`@ag-ui/client ${version}`, { timeout: 30_000, concurrency: true }, () => {
    test("an agent of code asks with an interrupt, and tells its value and its document", async () => {
      const agent = openAgent(client, { url: urlOf("planner") });
      const asked = await say(agent, "Rome");
      const [question] = agent.pendingInterrupts;

      const resumed = await resume(client, agent, () => ({ status: "resolved", payload: "Friday" }));

      assert.deepEqual([question.reason, question.message], ["input_required", "Which day?"]);
      assert.deepEqual(custom(asked, "status"), [{ message: "looking at the calendar" }]);
      assertFinished(resumed);
      const reply = agent.messages.at(-1);
      assert.equal(reply.content, "You leave on Friday.");
      assert.deepEqual(custom(resumed, "data"), [{ data: { to: "Rome" }, name: "journey", messageId: reply.id }]);
      assert.deepEqual(custom(resumed, "artifact").map(({ append, last }) => [append, last]), [
        [false, false],
        [true, false],
        [true, true],
      ]);
      const { metadata } = (await history(agent.threadId, server.url)).at(-1);
      assert.deepEqual(metadata, {
        data: [{ data: { to: "Rome" }, name: "journey" }],
        artifacts: [
          {
            id: "plan",
            name: "Plan",
            parts: [
              { type: "text", text: "First the train" },
              { type: "data", data: { stops: 2 } },
            ],
          },
        ],
      });
    });

    test("a call that asks twice goes on with both answers", async () => {
      const agent = openAgent(client, { url: urlOf("booker") });
      await say(agent, "use book {}");
      const [when] = agent.pendingInterrupts;
      await resume(client, agent, () => ({ status: "resolved", payload: "Friday" }));
      const [seat] = agent.pendingInterrupts;

      const done = await resume(client, agent, () => ({ status: "resolved", payload: "window" }));

      assertFinished(done);
      assert.deepEqual([when.message, when.responseSchema.minLength, seat.message], ["When?", 3, "Window or aisle?"]);
      assert.deepEqual(await outputs(agent.threadId), ["Friday at the window"]);
    });

    test("a cancelled question is declined", async () => {
      const agent = openAgent(client, { url: urlOf("booker") });
      await say(agent, "use book {}");
      await resume(client, agent, () => ({ status: "cancelled" }));

      await resume(client, agent, () => ({ status: "cancelled" }));

      assert.deepEqual(await outputs(agent.threadId), ["None at the None"]);
    });
  });
}

function custom(heard, name) {
  return heard.events.filter((event) => event.type === "CUSTOM" && event.name === name).map((event) => event.value);
}

async function outputs(threadId) {
  const parts = (await storedMessages(threadId, server.url)).flatMap((message) => message.parts);
  return parts.filter((part) => part.type === "tool_result").map((part) => part.output);
}
