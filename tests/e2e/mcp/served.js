// A server of what agents.py exposes, on a store that outlives its process.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { setInterval } from "node:timers/promises";

// `run` may name it from its own folder.
export const WAKEFUL = resolve(import.meta.dirname, "..", process.env.E2E_WAKEFUL);

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
    this.base = `http://127.0.0.1:${port}`;
    this.url = `${this.base}/v1/mcp`;
  }

  async start() {
    this.#process = spawn(WAKEFUL, ["serve", "agents.py:runtime", "--port", String(this.#port)], {
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

  async remove() {
    await this.#end();
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
