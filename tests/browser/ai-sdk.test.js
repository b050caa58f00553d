// A person's way through examples/ai-sdk-starter.

import assert from "node:assert/strict";

import { openBrowser } from "./support/browser.js";
import { openChat, PAGE_URL } from "./support/chat.js";
import { openRelay } from "./support/relay.js";
import { latestRun, untilRunIs } from "./support/wakeful.js";

const { person } = await openBrowser({ shots: "ai-sdk" });

const LONG = "count to 100 every 50 ms";
const HUNDRED = Array.from({ length: 100 }, (_, index) => index + 1).join(" ");

person("an empty chat offers what the model understands", async ({ tab, shot }) => {
  const chat = await openChat(tab);
  await chat.sees(/works offline/);
  await shot(chat.page, "01 empty");

  await chat.press("weather in Paris");

  await chat.sees(/^The weather in Paris:/, chat.answer);
});

person("a tool call is a card, and the answer follows it", async ({ tab, shot }) => {
  const chat = await openChat(tab);

  await chat.send("weather in Paris and weather in Rome");

  await chat.sees(/^The weather in Paris:.* The weather in Rome:/, chat.answer);
  await chat.rests();
  await shot(chat.page, "02 tool cards");
  await chat.sees("done", chat.card("get_weather").first());
  await chat.sees(/"city": "Rome"/, chat.card("get_weather").last());
  assert.equal(await chat.card("get_weather").count(), 2);
  await chat.holds({ mine: 1, answers: 1 });
});

person("the model's thoughts can be opened beside its answer", async ({ tab, shot }) => {
  const chat = await openChat(tab);
  await chat.send("think about time");
  await chat.sees(/^I thought about time/, chat.answer);
  const thoughts = chat.answer.getByText(/^The question is time/);
  await chat.rests();
  assert.equal(await thoughts.isVisible(), false);

  await chat.answer.getByText("Thoughts").click();

  await thoughts.waitFor();
  await shot(chat.page, "03 thoughts");
});

person("sources are linked, and pictures shown", async ({ tab, shot }) => {
  const chat = await openChat(tab);

  await chat.send("cite https://example.com and draw a circle");

  await chat.answer.getByRole("link", { name: "example.com" }).waitFor();
  await chat.answer.getByRole("img").waitFor();
  await chat.rests();
  await shot(chat.page, "04 source and picture");
  await chat.page.reload();
  await chat.answer.getByRole("img").waitFor();
  assert.equal(await chat.answer.getByRole("link").getAttribute("href"), "https://example.com");
});

person("a call that was asked about before a reload is made when approved after it", async ({ tab, shot }) => {
  const chat = await openChat(tab);
  await chat.send("email bob@example.com see you at noon");
  await chat.sees("needs your approval", chat.card("send_email"));
  await chat.rests();
  await shot(chat.page, "05 approval");
  await chat.page.reload();
  await chat.sees("needs your approval", chat.card("send_email"));

  await chat.press("Approve");

  await chat.sees(/^I sent the email to bob@example.com:/, chat.answer);
  await chat.sees("done", chat.card("send_email"));
  await chat.rests();
  await shot(chat.page, "06 approved");
  await chat.holds({ mine: 1, answers: 1 });
  assert.equal(await chat.card("send_email").count(), 1);
});

person("a call that is denied is not made", async ({ tab, shot }) => {
  const chat = await openChat(tab);
  await chat.send("email bob@example.com see you at noon");

  await chat.press("Deny");

  await chat.sees(/^I did not send the email to bob@example.com/, chat.answer);
  await chat.sees("denied", chat.card("send_email"));
  await chat.rests();
  await shot(chat.page, "07 denied");
  await chat.page.reload();
  await chat.sees("denied", chat.card("send_email"));
  await chat.holds({ mine: 1, answers: 1 });
});

person("two questions at once are answered one by one, and the answer waits for both", async ({ tab, shot }) => {
  const chat = await openChat(tab);
  await chat.send("email bob@example.com yes and email eve@example.com no");
  await chat.sees("needs your approval", chat.card("send_email").last());
  await chat.rests();

  await chat.press("Approve", chat.card("send_email").first());
  await chat.sees("answered", chat.card("send_email").first());
  await shot(chat.page, "08 one of two");
  await chat.press("Deny", chat.card("send_email").last());

  await chat.sees(/^I sent the email to bob.* I did not send the email to eve/, chat.answer);
  await chat.sees("done", chat.card("send_email").first());
  await chat.sees("denied", chat.card("send_email").last());
  await chat.holds({ mine: 1, answers: 1 });
});

person("a front-end tool is carried out by the page, which wears the color from then on", async ({ tab, shot }) => {
  const chat = await openChat(tab);
  await chat.send('use pick_color {"question": "Which one suits the page?"}');
  await chat.sees("Which one suits the page?", chat.card("pick_color"));
  await shot(chat.page, "09 front-end tool");

  await chat.press("plum");

  await chat.sees("pick_color answered: plum.", chat.answer);
  await chat.rests();
  await chat.page.locator("main[data-color=plum]").waitFor();
  await shot(chat.page, "10 front-end tool done");
  await chat.page.reload();
  await chat.page.locator("main[data-color=plum]").waitFor();
  await chat.holds({ mine: 1, answers: 1 });
});

person("a front-end tool that the user declines has failed", async ({ tab }) => {
  const chat = await openChat(tab);
  await chat.send("use pick_color {}");

  await chat.press("None");

  await chat.sees("pick_color has failed: The user did not pick a color.", chat.answer);
  await chat.sees("failed", chat.card("pick_color"));
});

person("an answer goes on where it was when the page is reloaded, and in a second tab", async ({ tab, shot }) => {
  const chat = await openChat(tab);
  await chat.send(LONG);
  await chat.sees(/ 10 /, chat.answer);

  await chat.page.reload();
  await chat.sees(/ 20 /, chat.answer);
  await shot(chat.page, "11 reloaded");
  const second = await openChat(tab, { id: chat.id });
  await second.sees(/ 30 /, second.answer);

  for (const each of [chat, second]) {
    await each.sees(/ 100$/, each.answer);
    await each.rests();
    assert.equal(await each.said(), HUNDRED);
    await each.holds({ mine: 1, answers: 1 });
  }
});

person("an answer whose connection broke goes on when tried again", async ({ tab, shot }) => {
  const { url, cut } = await openRelay(PAGE_URL);
  const chat = await openChat(tab, { url });
  await chat.send(LONG);
  await chat.sees(/ 10 /, chat.answer);

  cut();
  await chat.alert.waitFor();
  await shot(chat.page, "12 connection lost");
  await chat.press("Try again");

  await chat.sees(/ 100$/, chat.answer);
  await chat.rests();
  assert.equal(await chat.said(), HUNDRED);
  await chat.holds({ mine: 1, answers: 1 });
});

person("an answer that is stopped ends there, and its run with it", async ({ tab, shot }) => {
  const chat = await openChat(tab);
  await chat.send(LONG);
  await chat.sees(/ 10 /, chat.answer);

  await chat.press("Stop");

  await chat.rests();
  await shot(chat.page, "13 stopped");
  const said = await chat.said();
  await untilRunIs("cancelled", chat.id);
  assert.ok(HUNDRED.startsWith(said) && said !== HUNDRED, said);
  await chat.page.reload();
  await chat.sees(said, chat.answer);
  await chat.send("hello");
  await chat.sees(/^You said "hello"/, chat.answer);
  await chat.holds({ mine: 2, answers: 2 });
});

person("an answer that is stopped in one tab ends in the other", async ({ tab }) => {
  const chat = await openChat(tab);
  await chat.send(LONG);
  await chat.sees(/ 10 /, chat.answer);
  const second = await openChat(tab, { id: chat.id });
  await second.sees(/ 15 /, second.answer);

  await second.press("Stop");

  await chat.rests();
  await second.rests();
  assert.equal(await chat.said(), await second.said());
  assert.equal(await chat.alert.count(), 0);
});

person("an answer is given again in its place", async ({ tab }) => {
  const chat = await openChat(tab);
  await chat.send("weather in Paris");
  await chat.sees(/^The weather in Paris:/, chat.answer);
  await chat.rests();
  const before = await latestRun(chat.id);

  await chat.asks("Regenerate");

  await chat.sees(/^The weather in Paris:/, chat.answer);
  await chat.rests();
  assert.notEqual((await latestRun(chat.id)).run_id, before.run_id);
  assert.equal(await chat.card("get_weather").count(), 1);
  await chat.holds({ mine: 1, answers: 1 });
  await chat.page.reload();
  await chat.sees(/^The weather in Paris:/, chat.answer);
  await chat.holds({ mine: 1, answers: 1 });
});

person("a message that is edited takes the conversation back to there", async ({ tab, shot }) => {
  const chat = await openChat(tab);
  await chat.send("hello");
  await chat.sees(/^You said "hello"/, chat.answer);
  await chat.send("hello again");
  await chat.sees(/^You said "hello again"/, chat.answer);
  await chat.rests();

  await chat.press("Edit", chat.mine.first());
  await chat.page.getByLabel("Edit your message").fill("count to 3");
  await shot(chat.page, "14 editing");
  await chat.press("Save and send");

  await chat.sees("1 2 3", chat.answer);
  await chat.holds({ mine: 1, answers: 1 });
  await chat.page.reload();
  await chat.sees("1 2 3", chat.answer);
  await chat.holds({ mine: 1, answers: 1 });
});

person("a failure is told in words, and the chat goes on after it", async ({ tab, shot }) => {
  const chat = await openChat(tab);
  await chat.send("hello");
  await chat.sees(/^You said "hello"/, chat.answer);
  await chat.send("fail");
  await chat.sees(/the demo model was asked to fail/, chat.alert);
  await shot(chat.page, "15 failed");

  await chat.asks("Try again");
  await chat.sees(/the demo model was asked to fail/, chat.alert);
  await chat.holds({ mine: 2, answers: 1 });
  await chat.send("hello again");

  await chat.sees(/^You said "hello again"/, chat.answer);
  assert.equal(await chat.alert.count(), 0);
  await chat.page.reload();
  await chat.sees(/^You said "hello again"/, chat.answer);
  await chat.holds({ mine: 3, answers: 2 });
});

person("a message that did not reach Wakeful is sent again when tried again", async ({ context, tab }) => {
  const chat = await openChat(tab);
  await chat.send("hello");
  await chat.sees(/^You said "hello"/, chat.answer);
  await chat.rests();
  await context.route("**/runs", (route) => route.fulfill({ status: 503, json: { error: "being restarted" } }));
  await chat.send("still there?");
  await chat.sees(/being restarted/, chat.alert);
  await context.unroute("**/runs");

  await chat.press("Try again");

  await chat.sees(/^You said "still there\?"/, chat.answer);
  await chat.holds({ mine: 2, answers: 2 });
  await chat.page.reload();
  await chat.sees(/^You said "still there\?"/, chat.answer);
  await chat.holds({ mine: 2, answers: 2 });
});

person("an approval that did not reach Wakeful is sent again when tried again", async ({ context, tab }) => {
  const chat = await openChat(tab);
  await chat.send("email bob@example.com see you at noon");
  await chat.sees("needs your approval", chat.card("send_email"));
  await chat.rests();
  await context.route("**/runs", (route) => route.fulfill({ status: 503, json: { error: "being restarted" } }));
  await chat.press("Approve");
  await chat.sees(/being restarted/, chat.alert);
  await context.unroute("**/runs");

  await chat.press("Try again");

  await chat.sees(/^I sent the email to bob@example.com:/, chat.answer);
  await chat.sees("done", chat.card("send_email"));
  await chat.holds({ mine: 1, answers: 1 });
});

person("a chat whose messages cannot be loaded says so, and is there when tried again", async ({ context, tab, shot }) => {
  const chat = await openChat(tab);
  await chat.send("hello");
  await chat.sees(/^You said "hello"/, chat.answer);
  await chat.rests();

  await context.route("**/messages", (route) => route.fulfill({ status: 503, json: { error: "being restarted" } }));
  await chat.page.reload();
  await chat.sees(/being restarted/, chat.alert);
  await shot(chat.page, "16 not loaded");
  await context.unroute("**/messages");
  await chat.press("Try again");

  await chat.sees(/^You said "hello"/, chat.answer);
});

person("a new chat is empty, and the way back leads to the old one", async ({ tab }) => {
  const chat = await openChat(tab);
  await chat.send("hello");
  await chat.sees(/^You said "hello"/, chat.answer);
  const old = chat.id;

  await chat.press("New chat");
  await chat.sees(/works offline/);
  assert.notEqual(chat.id, old);
  await chat.page.goBack();

  await chat.sees(/^You said "hello"/, chat.answer);
  assert.equal(chat.id, old);
});

person("on a telephone at night everything has its place", async ({ tab, shot }) => {
  const chat = await openChat(tab);
  await chat.page.setViewportSize({ width: 380, height: 720 });
  await chat.page.emulateMedia({ colorScheme: "dark" });

  await chat.send("weather in Paris and email bob@example.com see you at noon");

  await chat.sees("needs your approval", chat.card("send_email"));
  await chat.rests();
  await shot(chat.page, "17 small and dark");
  const { scrollWidth, clientWidth } = await chat.page.evaluate(() => document.documentElement);
  assert.equal(scrollWidth, clientWidth, "nothing is wider than the screen");
});
