// A call that asks first: answered on the page, after a reload, elsewhere, and two at once.

import assert from "node:assert/strict";
import { describe } from "node:test";

import { answerAll, decide, denied, questions } from "../support/approvals.js";
import { partsOfType } from "../support/chat.js";
import { CLIENTS } from "../support/clients.js";
import { hydrated, ids, reload, shown } from "../support/oracle.js";
import { scenario } from "../support/scenario.js";
import { roles, storedMessages, text, untilRunIs, WAKEFUL } from "../support/server.js";

const EMAIL = "email bob@example.com hi";
const TWO_EMAILS = "email bob@example.com hi and email eve@example.com ho";
const YES = () => ({ approved: true, reason: "go on" });
const NO = () => ({ approved: false, reason: "too late" });
const ONLY_BOB = ({ input }) => ({ approved: input.to === "bob@example.com", reason: "known people only" });

for (const client of CLIENTS) {
  describe(client.name, { concurrency: true }, () => {
    answeredOnThePage(client);
    answeredLater(client);
  });
}

function answeredOnThePage(client) {
  for (const [outcome, verdict, state, answer] of [
    ["is made once approved", YES, "output-available", /^I sent the email to bob/],
    ["is not made once denied", NO, denied(client.ai), /^I did not send the email.*too late/],
  ]) {
    scenario(client, `a call that asks first ${outcome}`, async (open) => {
      const chat = await asked(open, EMAIL);
      const answerId = chat.lastMessage.id;
      const [question] = questions(client.ai, chat.lastMessage);

      await answerAll(chat, verdict);

      assert.deepEqual([question.toolName, question.input.to], ["send_email", "bob@example.com"]);
      assert.deepEqual(calls(chat.lastMessage), [["bob@example.com", state]]);
      assert.match(text(chat.lastMessage), answer);
      assert.equal(chat.lastMessage.id, answerId);
      assert.deepEqual(roles(chat.messages), ["user", "assistant"]);
      assert.deepEqual(roles(await storedMessages(chat.id)), ["user", "assistant", "tool", "assistant"]);
    });

    scenario(client, `a reloaded page shows a call that ${outcome}`, async (open) => {
      const chat = await asked(open, EMAIL);
      await answerAll(chat, verdict);

      const reloaded = await hydrated(client, chat.id);

      assert.deepEqual(ids(reloaded), ids(chat.messages));
      assert.deepEqual(calls(reloaded.at(-1)), [["bob@example.com", state]]);
      assert.equal(text(reloaded.at(-1)), text(chat.lastMessage));
    });
  }

  scenario(client, "of two calls that ask at once each gets its own answer", async (open) => {
    const chat = await asked(open, TWO_EMAILS);
    const found = questions(client.ai, chat.lastMessage);

    await answerAll(chat, ONLY_BOB);

    assert.equal(found.length, 2);
    assert.deepEqual(calls(chat.lastMessage), [
      ["bob@example.com", "output-available"],
      ["eve@example.com", denied(client.ai)],
    ]);
    assert.match(text(chat.lastMessage), /I sent the email to bob.*I did not send the email to eve.*known people only/);
    assert.deepEqual(roles(chat.messages), ["user", "assistant"]);
  });

  scenario(client, "text instead of an answer is a turn of its own, and the call is not made", async (open) => {
    const chat = await asked(open, EMAIL);

    await chat.sendMessage({ text: "hello" });

    assert.match(text(chat.lastMessage), /^You said "hello"\./);
    const stored = await hydrated(client, chat.id);
    assert.deepEqual(roles(stored), ["user", "assistant", "user", "assistant"]);
    const [[, state]] = calls(stored[1]);
    assert.ok(["output-error", "output-denied"].includes(state), state);
  });
}

function answeredLater(client) {
  for (const [outcome, verdict, state] of [
    ["approved", YES, "output-available"],
    ["denied", NO, denied(client.ai)],
  ]) {
    scenario(client, `a call is ${outcome} on a reloaded page`, async (open) => {
      const chat = await asked(open, EMAIL);
      const reloaded = await reload(open, client, chat.id);

      await answerAll(reloaded, verdict);

      assert.deepEqual(ids(reloaded.messages), ids(chat.messages));
      assert.deepEqual(calls(reloaded.lastMessage), [["bob@example.com", state]]);
      assert.deepEqual(roles(await storedMessages(chat.id)), ["user", "assistant", "tool", "assistant"]);
    });
  }

  scenario(client, "two calls are answered on a reloaded page", async (open) => {
    const chat = await asked(open, TWO_EMAILS);
    const reloaded = await reload(open, client, chat.id);

    await answerAll(reloaded, ONLY_BOB);

    assert.deepEqual(calls(reloaded.lastMessage).map(([, state]) => state), ["output-available", denied(client.ai)]);
    assert.deepEqual(roles(await storedMessages(chat.id)), ["user", "assistant", "tool", "tool", "assistant"]);
  });

  scenario(client, "what was approved elsewhere is shown once on a reloaded page", async (open) => {
    const chat = await asked(open, EMAIL);
    const [{ approvalId }] = questions(client.ai, chat.lastMessage);
    await decide(WAKEFUL, chat.lastMessage.metadata.runId, { target: approvalId, approved: true });
    await untilRunIs("completed", chat.id);
    const reloaded = await reload(open, client, chat.id);

    await reloaded.resumeStream();

    assert.deepEqual(reloaded.wire.statuses, [200]);
    assert.deepEqual(ids(reloaded.messages), ids(chat.messages));
    assert.deepEqual(calls(reloaded.lastMessage), [["bob@example.com", "output-available"]]);
    assert.equal(text(reloaded.lastMessage).match(/I sent/g).length, 1);
  });

  scenario(client, "a page that comes back while a call waits is asked again", async (open) => {
    const chat = await asked(open, EMAIL);
    const reloaded = await reload(open, client, chat.id);

    await reloaded.resumeStream();

    assert.deepEqual(questions(client.ai, reloaded.lastMessage), questions(client.ai, chat.lastMessage));
    assert.deepEqual(shown(reloaded.messages), shown(chat.messages));
  });
}

async function asked(open, said) {
  const chat = open();
  await chat.sendMessage({ text: said });
  assert.ok(questions(chat.ai, chat.lastMessage).length > 0, "no question was asked");
  return chat;
}

function calls(message) {
  return partsOfType(message, "tool-send_email").map(({ input, state }) => [input.to, state]);
}
