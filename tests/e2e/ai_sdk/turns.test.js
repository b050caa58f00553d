// What a user says and what is shown for it: text, reasoning, tools, and a failure.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { partsOfType } from "../support/chat.js";
import { CLIENTS } from "../support/clients.js";
import { hydrated, ids, shown } from "../support/oracle.js";
import { scenario } from "../support/scenario.js";
import { roles, storedMessages, text } from "../support/server.js";

for (const client of CLIENTS) {
  describe(client.name, { concurrency: true }, () => {
    turns(client);
    tools(client);
    reloads(client);
  });
}

function turns(client) {
  scenario(client, "a text turn is answered", async (open) => {
    const chat = open();

    await chat.sendMessage({ text: "hello" });

    assert.equal(chat.status, "ready");
    assert.deepEqual(roles(chat.messages), ["user", "assistant"]);
    assert.match(text(chat.lastMessage), /^You said "hello"\./);
    assert.equal(chat.wire.done, 1);
  });

  scenario(client, "two turns are one conversation, however little of it the client sends", async (open) => {
    const first = open();
    await first.sendMessage({ text: "hello" });
    await first.sendMessage({ text: "hello again" });
    const forgetful = open({ id: first.id });

    await forgetful.sendMessage({ text: "still there?" });

    const turns = ["hello", "hello again", "still there?"];
    const stored = await storedMessages(first.id);
    assert.deepEqual(roles(stored), turns.flatMap(() => ["user", "assistant"]));
    assert.deepEqual(stored.filter((message) => message.role === "user").map(text), turns);
    assert.deepEqual(ids([...first.messages, ...forgetful.messages]), ids(stored));
  });

  scenario(client, "reasoning is shown before the answer", async (open) => {
    const chat = open();

    await chat.sendMessage({ text: "think about time" });

    const [reasoning] = partsOfType(chat.lastMessage, "reasoning");
    assert.match(reasoning.text, /^The question is time\./);
    assert.equal(reasoning.state, "done");
    assert.match(text(chat.lastMessage), /^I thought about time/);
  });

  scenario(client, "a failure is an error in words, and the chat goes on after it", async (open) => {
    const chat = open();

    await chat.sendMessage({ text: "fail" });
    const failed = { status: chat.status, message: chat.error?.message };
    await chat.sendMessage({ text: "hello" });

    assert.deepEqual(failed, { status: "error", message: "the demo model was asked to fail" });
    assert.equal(chat.status, "ready");
    assert.match(text(chat.lastMessage), /^You said "hello"\./);
  });
}

function tools(client) {
  scenario(client, "a tool call is shown with its output, and the answer after it", async (open) => {
    const chat = open();

    await chat.sendMessage({ text: "weather in Paris" });

    const [call] = partsOfType(chat.lastMessage, "tool-get_weather");
    assert.equal(call.state, "output-available");
    assert.deepEqual(call.input, { city: "Paris" });
    assert.equal(call.output.city, "Paris");
    assert.match(text(chat.lastMessage), /^The weather in Paris:/);
    assert.equal(partsOfType(chat.lastMessage, "step-start").length, 2);
    assert.equal(chat.messages.length, 2);
  });

  scenario(client, "two tools called at once each have their own output", async (open) => {
    const chat = open();

    await chat.sendMessage({ text: "weather in Paris and weather in Rome" });

    const calls = partsOfType(chat.lastMessage, "tool-get_weather");
    assert.deepEqual(calls.map((call) => [call.state, call.input.city, call.output.city]), [
      ["output-available", "Paris", "Paris"],
      ["output-available", "Rome", "Rome"],
    ]);
    assert.match(text(chat.lastMessage), /^The weather in Paris: .* The weather in Rome:/);
    assert.equal(partsOfType(chat.lastMessage, "step-start").length, 2);
  });
}

function reloads(client) {
  for (const said of [
    "hello",
    "think about time",
    "weather in Paris and weather in Rome",
    "email bob@example.com hi",
    "email bob@example.com hi and email eve@example.com ho",
    'use ask_page {"question":"how many?"}',
  ]) {
    scenario(client, `a reloaded page shows what was streamed: ${said}`, async (open) => {
      const chat = open();
      await chat.sendMessage({ text: said });

      const reloaded = await hydrated(client, chat.id);

      assert.deepEqual(shown(reloaded), shown(chat.messages));
    });
  }
}
