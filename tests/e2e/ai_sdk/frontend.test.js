// Tools that the page carries out: whatever they return is the call's result.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { answerAll, questions } from "../support/approvals.js";
import { isAtRest, partsOfType } from "../support/chat.js";
import { CLIENTS } from "../support/clients.js";
import { majorOf } from "../support/majors.js";
import { hydrated, ids, reload } from "../support/oracle.js";
import { scenario } from "../support/scenario.js";
import { roles, storedMessages, text } from "../support/server.js";

const ASK = 'use ask_page {"question":"how many?"}';
const ASK_TWICE = `${ASK} and use ask_page {"question":"how big?"}`;

for (const client of CLIENTS) {
  describe(client.name, { concurrency: true }, () => {
    results(client);
    several(client);
  });
}

function results(client) {
  for (const output of [0, [], null, "no", false, "", { n: 0 }]) {
    scenario(client, `the page's ${JSON.stringify(output)} is the result`, async (open) => {
      const chat = await called(open, ASK);

      await chat.addToolOutput({ ...target(chat.lastMessage), output });
      await answered(chat);

      assert.deepEqual(outputs(chat.lastMessage), [["output-available", output]]);
      assert.deepEqual(outputs((await hydrated(client, chat.id)).at(-1)), [["output-available", output]]);
      assert.deepEqual(await storedResults(chat.id), [["succeeded", output]]);
      assert.equal(chat.wire.requests.length, 2);
    });
  }

  scenario(client, "the page's failure is the result", async (open) => {
    const chat = await called(open, ASK);

    await chat.addToolOutput({ ...target(chat.lastMessage), state: "output-error", errorText: "no such button" });
    await answered(chat);

    const [call] = partsOfType(chat.lastMessage, "tool-ask_page");
    assert.deepEqual([call.state, call.errorText], ["output-error", "no such button"]);
    assert.match(text(chat.lastMessage), /^ask_page has failed: no such button/);
    assert.equal(chat.wire.requests.length, 2);
  });

  scenario(client, "a reloaded page gives the result", async (open) => {
    const chat = await called(open, ASK);
    const reloaded = await reload(open, client, chat.id);

    await reloaded.addToolOutput({ ...target(reloaded.lastMessage), output: 0 });
    await answered(reloaded);

    assert.deepEqual(ids(reloaded.messages), ids(chat.messages));
    assert.deepEqual(await storedResults(chat.id), [["succeeded", 0]]);
  });
}

function several(client) {
  scenario(client, "two calls of the page are sent together, once", async (open) => {
    const chat = await called(open, ASK_TWICE);
    const [first, second] = partsOfType(chat.lastMessage, "tool-ask_page");

    await chat.addToolOutput({ tool: "ask_page", toolCallId: first.toolCallId, output: 0 });
    await chat.addToolOutput({ tool: "ask_page", toolCallId: second.toolCallId, output: "no" });
    await answered(chat);

    assert.equal(chat.wire.requests.length, 2);
    assert.deepEqual(await storedResults(chat.id), [["succeeded", 0], ["succeeded", "no"]]);
    assert.match(text(chat.lastMessage), /^ask_page answered: 0. ask_page answered: no/);
    assert.deepEqual(roles(await storedMessages(chat.id)), ["user", "assistant", "tool", "tool", "assistant"]);
  });

  scenario(client, "the page's own call beside the server's ends with both results", async (open) => {
    const chat = await called(open, `weather in Paris and ${ASK}`);
    const [weather] = partsOfType(chat.lastMessage, "tool-get_weather");

    await chat.addToolOutput({ ...target(chat.lastMessage), output: [] });
    await answered(chat);

    assert.equal(weather.state, "output-available");
    assert.deepEqual(outputs(chat.lastMessage), [["output-available", []]]);
    assert.match(text(chat.lastMessage), /The weather in Paris: .*ask_page answered/);
    assert.equal(chat.wire.requests.length, 2);
  });

  scenario(client, "an approval is never taken for an output, nor an output for an approval", async (open) => {
    const chat = await called(open, `email bob@example.com hi and ${ASK}`);
    assert.equal(questions(client.ai, chat.lastMessage).length, 1);

    await chat.addToolOutput({ ...target(chat.lastMessage), output: { approved: true } });
    // To major 5 a call that asks is one without an output yet, so it does not send the other's by itself.
    if (majorOf(client.ai) === "5") await chat.sendMessage();
    await answerAll(chat, () => ({ approved: false, reason: "no" }));

    assert.deepEqual(outputs(chat.lastMessage), [["output-available", { approved: true }]]);
    assert.match(text(chat.lastMessage), /I did not send the email/);
  });
}

async function called(open, said) {
  const chat = open();
  await chat.sendMessage({ text: said });
  assert.equal(chat.status, "ready");
  return chat;
}

function target(message) {
  const [{ toolCallId }] = partsOfType(message, "tool-ask_page");
  return { tool: "ask_page", toolCallId };
}

function answered(chat) {
  return chat.until(() => isAtRest(chat) && text(chat.lastMessage).length > 0);
}

function outputs(message) {
  return partsOfType(message, "tool-ask_page").map(({ state, output }) => [state, output]);
}

async function storedResults(threadId) {
  const parts = (await storedMessages(threadId)).flatMap((message) => message.parts);
  return parts.filter((part) => part.type === "tool_result").map(({ status, output }) => [status, output]);
}
