// MCP Inspector's command line, over HTTP and pipes, in both eras.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";

import { served } from "./served.js";

const run = promisify(execFile);
const BIN = join(import.meta.dirname, "../node_modules/.bin");

let server;
before(async () => {
  server = await served();
});
after(() => server.remove());

for (const era of ["modern", "legacy"]) {
  for (const [name, target] of Object.entries({ HTTP: http, pipes })) {
    describe(`inspector over ${name}, ${era}`, { timeout: 50_000, concurrency: true }, () => {
      test("tools are listed without a complaint", async () => {
        const { tools } = await inspect(target(era), "--method", "tools/list", "--strict");

        assert.deepEqual(tools.map((tool) => tool.name), ["assistant", "add", "erase"]);
      });

      test("an agent is called", async () => {
        const call = ["--method", "tools/call", "--tool-name", "assistant", "--tool-arg", "message=weather in Paris"];

        assert.match((await inspect(target(era), ...call)).content[0].text, /Paris/);
      });
    });
  }
}

test("ten callers at once are all answered", { timeout: 50_000 }, async () => {
  const call = ["--method", "tools/call", "--tool-name", "add", "--tool-arg", "a=1", "b=2"];

  const report = await inspect(http("modern"), ...call, "--load", "--load-concurrency", "10", "--load-duration", "1");

  assert.ok(report.ok > 0);
  assert.deepEqual([report.toolErrors, report.errors], [0, 0]);
});

function http(era) {
  return { before: [server.url, "--protocol-era", era], after: [] };
}

function pipes(era) {
  const env = Object.entries(server.env).flatMap(([name, value]) => ["-e", `${name}=${value}`]);
  return { before: ["--transport", "stdio", "--protocol-era", era, ...env], after: ["-q", ...server.piped()] };
}

async function inspect({ before, after }, ...what) {
  const env = { ...process.env, PATH: `${BIN}:${process.env.PATH}` };
  const command = [join(BIN, "mcp-inspector"), "--cli", ...before, ...what, ...after];
  return JSON.parse((await run(process.execPath, command, { env, timeout: 45_000 })).stdout);
}
