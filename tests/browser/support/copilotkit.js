// The page of examples/copilotkit-starter: CopilotKit's chat by the names it gives its parts, the rest by roles.

import { setTimeout as pause } from "node:timers/promises";

import { latestRun } from "./wakeful.js";

const PATIENCE_MS = 15_000;
const { PAGE_URL } = process.env;

export async function openConversation(tab, threadId) {
  const page = await tab();
  await page.goto(threadId ? `${PAGE_URL}/?thread=${threadId}` : PAGE_URL);
  return new ConversationPage(page);
}

export class ConversationPage {
  constructor(page) {
    this.page = page;
    this.chat = page.getByTestId("copilot-chat");
    this.answers = page.getByTestId("copilot-assistant-message");
    this.answer = this.answers.last();
    this.mine = page.getByTestId("copilot-user-message");
    this.alert = page.getByRole("alert");
  }

  get threadId() {
    return new URL(this.page.url()).searchParams.get("thread");
  }

  async send(text) {
    await this.page.getByTestId("copilot-chat-textarea").fill(text);
    await this.page.getByTestId("copilot-send-button").click();
  }

  // While the agent works, the button that sends is the one that stops.
  async stop() {
    await this.page.getByTestId("copilot-send-button").click();
  }

  press(name) {
    return this.page.getByRole("button", { name, exact: true }).click();
  }

  card(name) {
    return this.page.getByRole("region", { name });
  }

  // Until the agent does nothing any more.
  async rests() {
    await this.page.locator("[data-testid=copilot-chat][data-copilot-running=false]").waitFor();
  }

  // Until Wakeful says this of the conversation's newest run.
  async runIs(status) {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    while ((await latestRun(this.threadId)).status !== status) await pause(20, undefined, { signal });
  }

  // What was said, in order.
  async said() {
    const texts = await this.mine.or(this.answers).allInnerTexts();
    return texts.map((text) => text.trim()).filter((text) => text !== "");
  }

  // Until the page shows this: text or pattern somewhere within.
  async sees(text, within = this.page.locator("body")) {
    await within.getByText(text).first().waitFor();
  }
}
