// The chat page of examples/ai-sdk-starter, as somebody finds their way around it: by roles and labels.

import assert from "node:assert/strict";

export const { PAGE_URL } = process.env;

// A new chat, or the one of this id, in a tab of its own.
export async function openChat(tab, { id, url = PAGE_URL } = {}) {
  const page = await tab();
  await page.goto(id ? `${url}/?chat=${id}` : url);
  return new ChatPage(page);
}

export class ChatPage {
  constructor(page) {
    this.page = page;
    this.log = page.getByRole("log");
    this.answers = page.getByRole("article", { name: "Assistant" });
    this.answer = this.answers.last();
    this.mine = page.getByRole("article", { name: "You" });
    this.alert = page.getByRole("alert");
  }

  get id() {
    return new URL(this.page.url()).searchParams.get("chat");
  }

  async send(text) {
    await this.page.getByLabel("Your message", { exact: true }).fill(text);
    await this.press("Send");
  }

  press(name, within = this.page) {
    return within.getByRole("button", { name, exact: true }).click();
  }

  // Presses a button, and waits until Wakeful answers what it asks for.
  async asks(name, within = this.page) {
    const answered = this.page.waitForResponse((response) => response.request().method() === "POST");
    await this.press(name, within);
    await answered;
  }

  card(name) {
    return this.answer.getByRole("region", { name: `Tool ${name}` });
  }

  // Until the page shows this: text or pattern somewhere within.
  async sees(text, within = this.log) {
    await within.getByText(text).first().waitFor();
  }

  // Until nothing is on its way any more.
  async rests() {
    await this.page.locator("[role=log][aria-busy=false]").waitFor();
  }

  // What the newest answer says, its parts one after the other.
  async said() {
    return (await this.answer.locator("p.text").allInnerTexts()).join("\n");
  }

  async holds({ mine, answers }) {
    assert.equal(await this.mine.count(), mine, "messages of the user");
    assert.equal(await this.answers.count(), answers, "answers");
  }
}
