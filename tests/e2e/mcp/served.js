// A server of what agents.py exposes, on a store that outlives its process.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join, resolve } from "node:path";
import { setInterval } from "node:timers/promises";

// `run` may name it from its own folder.
export const WAKEFUL = resolve(import.meta.dirname, "..", process.env.E2E_WAKEFUL);

// Whatever is said over MCP goes through this program, which writes it down; in the end it is judged.
const PYTHON = join(dirname(WAKEFUL), "python");
const JUDGED = join(import.meta.dirname, "judged.py");

// `url` stays the same over restarts, `env` is what another process on the same store needs. `remove` it in the end.
export async function served() {
  const server = new Served(mkdtempSync(join(process.env.E2E_WORK, "own-")), await freePort());
  await server.start();
  return server;
}

class Served {
  #process;
  #folder;
  #port;

  constructor(folder, port) {
    this.#folder = folder;
    this.#port = port;
    this.env = { MCP_STORE: `sqlite:///${join(folder, "mcp.db")}` };
    this.record = join(folder, "said.jsonl");
    this.base = `http://127.0.0.1:${port}`;
    this.url = `${this.base}/v1/mcp`;
  }

  async start() {
    this.#process = spawn(PYTHON, [JUDGED, "serve", this.record, String(this.#port)], {
      cwd: import.meta.dirname,
      env: { ...process.env, ...this.env },
      stdio: "ignore",
    });
    writeFileSync(join(this.#folder, "pid"), String(this.#process.pid));
    for await (const _ of setInterval(50)) {
      if (this.#process.exitCode !== null) throw new Error(`the server ended with ${this.#process.exitCode}`);
      if (await isUp(this.base)) return;
    }
  }

  async restart() {
    await this.#end();
    await this.start();
  }

  // The command line of a server behind pipes, on the same store.
  piped() {
    return [PYTHON, JUDGED, "pipe", this.record, WAKEFUL, "mcp", join(import.meta.dirname, "agents.py:runtime")];
  }

  // Ends it, and fails for whatever was said that is not in the protocol's types.
  async remove() {
    await this.#end();
    const judged = spawnSync(PYTHON, [JUDGED, "judge", this.record], { encoding: "utf8" });
    assert.equal(judged.status, 0, judged.stderr);
    rmSync(this.#folder, { recursive: true });
  }

  // The runs of the server, newest first.
  async runs() {
    return (await (await fetch(`${this.base}/v1/runs`)).json()).items;
  }

  // As a crash ends it: nothing more is written.
  async #end() {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await gone;
  }
}

function isUp(base) {
  return fetch(`${base}/health`).then((response) => response.ok, () => false);
}

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}
