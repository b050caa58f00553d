// A person's way through examples/copilotkit-starter.

import assert from "node:assert/strict";

import { openBrowser } from "./support/browser.js";
import { openConversation } from "./support/copilotkit.js";

const { person } = await openBrowser({ shots: "copilotkit" });

const counted = (last) => Array.from({ length: last }, (_, index) => index + 1).join(" ");

person("an empty conversation offers what the model understands, and stays at home", async ({ context, tab, shot }) => {
  const asked = new Set();
  context.on("request", (request) => asked.add(new URL(request.url()).origin));
  const chat = await openConversation(tab);
  await chat.sees("Weather in Paris");
  await shot(chat.page, "01 empty");

  await chat.press("Weather in Paris");

  await chat.sees(/^The weather in Paris:/, chat.answers);
  await chat.sees("done", chat.card("Weather in Paris"));
  await chat.rests();
  await shot(chat.page, "02 tool card");
  assert.deepEqual([...asked].filter((origin) => origin !== "null"), [new URL(chat.page.url()).origin]);
});

person("reasoning is shown apart from the answer", async ({ tab, shot }) => {
  const chat = await openConversation(tab);

  await chat.send("think about time");

  await chat.sees(/^I thought about time/, chat.answers);
  await chat.sees(/^Thought for/);
  await chat.rests();
  await shot(chat.page, "03 reasoning");
});

for (const [choice, answer, status] of [
  ["Approve", /^I sent the email to bob@example.com/, "sent"],
  ["Deny", /^I did not send the email/, "not sent"],
]) {
  person(`an email that was asked about before a reload: ${choice}`, async ({ tab, shot }) => {
    const chat = await openConversation(tab);
    await chat.send("email bob@example.com See you at noon");
    await chat.sees("waits for you", chat.card("May I?"));
    await shot(chat.page, `04 asked ${choice}`);
    await chat.page.reload();
    await chat.sees("waits for you", chat.card("May I?"));

    await chat.press(choice);

    await chat.sees(answer, chat.answers);
    await chat.rests();
    await chat.card("Email to bob@example.com").getByText(status, { exact: true }).waitFor();
    assert.equal(await chat.card("May I?").count(), 0);
    assert.equal(await chat.card("Email to bob@example.com").count(), 1);
    await shot(chat.page, `05 answered ${choice}`);
  });
}

person("two emails are asked about together and answered one by one", async ({ tab, shot }) => {
  const chat = await openConversation(tab);
  await chat.send("email bob@example.com hi and email eve@example.com ho");
  await chat.sees("waits for you", chat.card("May I?").nth(1));
  await shot(chat.page, "06 two questions");

  await chat.card("May I?").nth(0).getByRole("button", { name: "Approve" }).click();
  await chat.sees("approved", chat.card("May I?").nth(0));
  await shot(chat.page, "07 one answer");
  await chat.card("May I?").nth(1).getByRole("button", { name: "Deny" }).click();

  await chat.rests();
  await chat.card("Email to bob@example.com").getByText("sent", { exact: true }).waitFor();
  await chat.card("Email to eve@example.com").getByText("not sent", { exact: true }).waitFor();
  await shot(chat.page, "08 two answers");
});

person("the shopping list belongs to the agent and the page alike, also after a reload", async ({ tab, shot }) => {
  const chat = await openConversation(tab);
  const list = chat.page.getByRole("region", { name: "Shopping list" });
  await chat.send('use add_to_list {"item":"milk"}');
  await chat.sees("milk", list);
  await chat.rests();
  await list.getByRole("textbox").fill("bread");
  await list.getByRole("textbox").press("Enter");
  await list.getByRole("button", { name: "Remove milk" }).click();

  await chat.send('use add_to_list {"item":"tea"}');

  await chat.sees('["bread","tea"]', chat.answers);
  await chat.rests();
  assert.deepEqual(await list.getByRole("listitem").allInnerTexts(), ["bread×", "tea×"]);
  await shot(chat.page, "14 shared list");
  await chat.page.reload();
  await chat.sees("tea", list);
  assert.deepEqual(await list.getByRole("listitem").allInnerTexts(), ["bread×", "tea×"]);
});

person("the page carries out its own tool", async ({ tab, shot }) => {
  const chat = await openConversation(tab);

  await chat.press("A calmer page");

  await chat.sees(/the page is lavender now/, chat.answers);
  await chat.sees("changed", chat.card("Colour: lavender"));
  assert.equal(await chat.page.evaluate(() => document.documentElement.style.getPropertyValue("--app-ground")), "lavender");
  await chat.rests();
  await shot(chat.page, "09 own tool");
});

person("an answer goes on after a reload in the middle of it, here and in a second tab", async ({ tab, shot }) => {
  const chat = await openConversation(tab);
  await chat.send("count to 100 every 40 ms");
  await chat.sees(/ 20 21/, chat.answers);

  await chat.page.reload();
  await chat.sees(/ 20 21/, chat.answers);
  await shot(chat.page, "10 reloaded");
  const second = await openConversation(tab, chat.threadId);

  for (const one of [chat, second]) {
    await one.sees(/ 100$/, one.answers);
    await one.rests();
    assert.deepEqual(await one.said(), ["count to 100 every 40 ms", counted(100)]);
  }
  await shot(second.page, "11 second tab");
});

person("stop ends the run, and the conversation goes on", async ({ tab, shot }) => {
  const chat = await openConversation(tab);
  await chat.send("count to 2000 every 50 ms");
  await chat.sees(/ 10 11/, chat.answers);

  await chat.stop();

  await chat.rests();
  await chat.runIs("cancelled");
  await shot(chat.page, "12 stopped");
  assert.equal(await chat.alert.count(), 0);
  await chat.page.reload();
  await chat.sees(/ 10 11/, chat.answers);
  await chat.rests();
  assert.equal(await chat.alert.count(), 0);
  await chat.send("weather in Rome");
  await chat.sees(/^The weather in Rome:/, chat.answers);
});

person("an answer can be stopped from the page that was reloaded", async ({ tab }) => {
  const chat = await openConversation(tab);
  await chat.send("count to 2000 every 50 ms");
  await chat.sees(/ 10 11/, chat.answers);
  await chat.page.reload();
  await chat.sees(/ 10 11/, chat.answers);

  await chat.stop();

  await chat.rests();
  await chat.runIs("cancelled");
});

person("a failure is told in words, and the conversation goes on", async ({ tab, shot }) => {
  const chat = await openConversation(tab);

  await chat.send("fail");

  await chat.sees("the demo model was asked to fail", chat.alert);
  await shot(chat.page, "13 failure");
  await chat.press("Dismiss");
  await chat.send("weather in Rome");
  await chat.sees(/^The weather in Rome:/, chat.answers);
  assert.equal(await chat.alert.count(), 0);
});

person("a new conversation is empty, and the old one is a step back", async ({ tab }) => {
  const chat = await openConversation(tab);
  await chat.send("weather in Paris");
  await chat.sees(/^The weather in Paris:/, chat.answers);
  await chat.rests();

  await chat.press("New conversation");
  await chat.mine.first().waitFor({ state: "detached" });
  await chat.page.goBack();

  await chat.sees(/^The weather in Paris:/, chat.answers);
  assert.equal(await chat.mine.count(), 1);
});
