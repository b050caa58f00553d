// acpx, a command line that drives any ACP agent, with `wakeful acp`.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";

import { Judge } from "./judge.js";

const run = promisify(execFile);
// `run` may name it from its own folder.
const WAKEFUL = resolve(import.meta.dirname, "..", process.env.E2E_WAKEFUL);
const BIN = join(import.meta.dirname, "../node_modules/.bin");

// What it did with one prompt: its exit code and every line that went over the wire.
async function exec(text, ...options) {
  const home = mkdtempSync(join(process.env.E2E_WORK, "acpx-"));
  const args = [join(BIN, "acpx"), "--agent", `${WAKEFUL} acp`, ...options, "--format", "json", "exec", text];
  const settings = { cwd: home, env: { ...process.env, HOME: home } };
  const done = await run(join(BIN, "node"), args, settings).catch((error) => error);
  const lines = done.stdout.split("\n").filter((line) => line.startsWith("{"));
  const messages = lines.map((line) => JSON.parse(line));
  new Judge().assertLogFits(messages);
  return { code: done.code ?? 0, lines: messages };
}

const said = (lines) =>
  lines
    .filter((line) => line.params?.update?.sessionUpdate === "agent_message_chunk")
    .map((line) => line.params.update.content.text)
    .join("");

describe("acpx", { timeout: 60_000 }, () => {
  test("a text turn", async () => {
    const { code, lines } = await exec("hello");

    assert.equal(code, 0);
    assert.match(said(lines), /You said "hello"/);
    assert.equal(lines.at(-1).result.stopReason, "end_turn");
  });

  test("an approved call", async () => {
    const { code, lines } = await exec("email bob@example.com hi", "--approve-all");

    assert.equal(code, 0);
    assert.match(said(lines), /I sent the email/);
  });

  test("a denied call", async () => {
    const { lines } = await exec("email bob@example.com hi", "--deny-all");

    assert.match(said(lines), /I did not send the email/);
  });
});
