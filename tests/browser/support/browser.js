// One headless Chromium, and people who use it: each has a browser profile of their own.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";

import { chromium } from "playwright-core";

// Of one step, and of a whole way.
const STEP_MS = 15_000;
const WAY_MS = 60_000;
const { CHROMIUM = "chromium", WAKEFUL_ARTIFACTS = "artifacts" } = process.env;

// `shots` is the folder of the example's screenshots.
export async function openBrowser({ shots }) {
  const folder = join(WAKEFUL_ARTIFACTS, shots);
  await mkdir(folder, { recursive: true });
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--headless=new"] });
  after(() => browser.close());

  // A test that is given a person. When it fails, what the person saw is kept; a page that throws fails it.
  function person(name, walk) {
    test(name, { timeout: WAY_MS }, async () => {
      const context = await browser.newContext({ viewport: { width: 820, height: 900 } });
      context.setDefaultTimeout(STEP_MS);
      const thrown = [];
      context.on("weberror", (event) => thrown.push(event.error()));
      try {
        await walk({ context, tab: () => context.newPage(), shot });
        if (thrown.length > 0) throw new AggregateError(thrown, `the page threw: ${thrown.join("; ")}`);
      } catch (error) {
        for (const [index, page] of context.pages().entries()) await shot(page, `failed ${name} ${index}`);
        throw error;
      } finally {
        await context.close();
      }
    });
  }

  function shot(page, name) {
    return page.screenshot({ path: join(folder, `${name.replaceAll(/\W+/g, "-")}.png`) });
  }

  return { person };
}
