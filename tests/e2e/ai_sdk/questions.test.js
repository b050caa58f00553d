// Agents that ask in words, note what they are about, and make values and documents beside their text.

import assert from "node:assert/strict";
import { after, describe } from "node:test";

import { isAtRest, partsOfType } from "../support/chat.js";
import { CLIENTS } from "../support/clients.js";
import { hydrated, reload, shown } from "../support/oracle.js";
import { ownServer } from "../support/own-server.js";
import { scenario } from "../support/scenario.js";
import { text } from "../support/server.js";

const server = await ownServer({ target: "asking.py:runtime" });
after(() => server.remove());

const PLANNER = { base: server.url, path: "/v1/ai-sdk/agents/planner/runs" };
const BOOKER = { base: server.url, path: "/v1/ai-sdk/agents/booker/runs" };
const PLAN = { id: "plan", name: "Plan", parts: [{ type: "text", text: "First the train" }, { type: "data", data: { stops: 2 } }] };

for (const client of CLIENTS) {
  describe(client.name, { concurrency: true }, () => {
    scenario(client, "an agent of code asks, and its value and its document stay in the message", async (open) => {
      const chat = open(PLANNER);
      await chat.sendMessage({ text: "Rome" });
      const [asked] = partsOfType(chat.lastMessage, "tool-ask_user");

      await chat.addToolOutput({ tool: "ask_user", toolCallId: asked.toolCallId, output: "Friday" });
      await chat.until(() => isAtRest(chat) && text(chat.lastMessage).length > 0);

      assert.equal(asked.input.question, "Which day?");
      assert.equal(text(chat.lastMessage), "You leave on Friday.");
      assert.deepEqual(data(chat.lastMessage, "data-journey"), [{ to: "Rome" }]);
      assert.deepEqual(data(chat.lastMessage, "data-artifact"), [PLAN]);
      assert.deepEqual(sent(chat, "data-status"), [{ message: "looking at the calendar" }, { message: "writing" }]);
      assert.equal(sent(chat, "data-artifact-delta").length, 2);
      assert.deepEqual(partsOfType(chat.lastMessage, "data-status"), []);
      assert.deepEqual(answer(shown(await hydrated(client, chat.id, server.url))), answer(shown(chat.messages)));
      assert.equal(chat.wire.requests.length, 2);
    });

    scenario(client, "a call asks twice, and outputs of it are the answers", async (open) => {
      const chat = open(BOOKER);
      await chat.sendMessage({ text: "use book {}" });
      const [when] = data(chat.lastMessage, "data-question");

      await chat.addToolOutput({ tool: "book", toolCallId: when.toolCallId, output: "Friday" });
      await chat.until(() => isAtRest(chat) && data(chat.lastMessage, "data-question").length === 2);
      const [answered, seat] = data(chat.lastMessage, "data-question");
      const asking = chat.wire.requests.length;
      await chat.addToolOutput({ tool: "book", toolCallId: seat.toolCallId, output: "window" });
      await chat.until(() => isAtRest(chat) && text(chat.lastMessage).length > 0);

      const [call] = partsOfType(chat.lastMessage, "tool-book");
      assert.deepEqual([when.message, when.answered, when.schema.minLength], ["When?", undefined, 3]);
      assert.deepEqual([answered.answered, seat.message, seat.answered], [true, "Window or aisle?", undefined]);
      assert.deepEqual([asking, chat.wire.requests.length], [2, 3]);
      assert.deepEqual([call.state, call.output], ["output-available", "Friday at the window"]);
      assert.ok(data(chat.lastMessage, "data-question").every((question) => question.answered));
    });

    scenario(client, "a reloaded page still has the question, and may decline it", async (open) => {
      const chat = open(BOOKER);
      await chat.sendMessage({ text: "use book {}" });

      const page = await reload((options) => open({ ...options, ...BOOKER }), client, chat.id, server.url);
      const [question] = data(page.lastMessage, "data-question");
      const refusal = { state: "output-error", errorText: "none of your business" };
      await page.addToolOutput({ tool: "book", toolCallId: question.toolCallId, ...refusal });
      await page.until(() => isAtRest(page) && data(page.lastMessage, "data-question").length === 2);

      assert.deepEqual(data(page.lastMessage, "data-question").map(({ answered }) => answered), [true, undefined]);
    });
  });
}

function data(message, type) {
  return partsOfType(message, type).map((part) => part.data);
}

function sent(chat, type) {
  return chat.wire.events.filter((chunk) => chunk.type === type).map((chunk) => chunk.data);
}

// What the agent said, without who carried out a call.
function answer(messages) {
  const { parts } = messages.at(-1);
  return parts.map(({ providerExecuted, callProviderMetadata, rawInput, ...part }) => part);
}
