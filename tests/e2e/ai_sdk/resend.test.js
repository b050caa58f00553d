// A page sends again by itself once the calls of the last step are answered. When a run ends in such a step, which a
// limit of one step brings about, that must happen for answers of the page only, and once.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { giveAnswers, questions } from "../support/approvals.js";
import { isAtRest, partsOfType } from "../support/chat.js";
import { CLIENTS } from "../support/clients.js";
import { scenario } from "../support/scenario.js";
import { storedMessages, untilRunIs } from "../support/server.js";

const HASTY = { path: "/v1/ai-sdk/agents/hasty/runs" };

for (const client of CLIENTS) {
  describe(client.name, { concurrency: true }, () => {
    scenario(client, "the server's own calls do not make a page send again", async (open) => {
      const chat = open(HASTY);

      await chat.sendMessage({ text: "weather in Paris and weather in Rome" });

      assert.deepEqual(states(chat, "tool-get_weather"), ["output-available", "output-available"]);
      await assertQuiet(chat, { requests: 1 });
    });

    for (const approved of [true, false]) {
      scenario(client, `a call that was ${approved ? "approved" : "denied"} is not sent again`, async (open) => {
        const chat = open(HASTY);
        await chat.sendMessage({ text: "email bob@example.com hi" });
        assert.equal(questions(client.ai, chat.lastMessage).length, 1);

        await giveAnswers(chat, () => ({ approved }));
        await chat.until(() => isAtRest(chat) && states(chat, "tool-send_email")[0].startsWith("output-"));

        await assertQuiet(chat, { requests: 2 });
      });
    }

    scenario(client, "the page's own result is sent once", async (open) => {
      const chat = open(HASTY);
      await chat.sendMessage({ text: 'use ask_page {"question":"how many?"}' });
      const [{ toolCallId }] = partsOfType(chat.lastMessage, "tool-ask_page");

      await chat.addToolOutput({ tool: "ask_page", toolCallId, output: 0 });
      await untilRunIs("completed", chat.id);
      await chat.until(() => isAtRest(chat));

      await assertQuiet(chat, { requests: 2 });
    });
  });
}

// The chat made that many requests: one more turn shows whether another was on its way.
async function assertQuiet(chat, { requests }) {
  await chat.sendMessage({ text: "hello" });
  assert.equal(chat.wire.requests.length, requests + 1);
  assert.equal((await storedMessages(chat.id)).filter((message) => message.role === "user").length, 2);
}

function states(chat, type) {
  return partsOfType(chat.lastMessage, type).map(({ state }) => state);
}
