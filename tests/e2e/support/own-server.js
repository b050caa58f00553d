// A server of a test's own, on a store that outlives its process.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setInterval } from "node:timers/promises";

// Starts a server; `file` is its SQLite file, and `url` stays the same over restarts. `remove` it in the end.
// A `target` that brings its own store has no such file.
export async function ownServer({ target } = {}) {
  const server = new OwnServer(mkdtempSync(join(process.env.E2E_WORK, "own-")), await freePort(), target);
  await server.start();
  return server;
}

class OwnServer {
  #process;
  #folder;
  #port;
  #target;

  constructor(folder, port, target) {
    this.#folder = folder;
    this.#target = target;
    this.#port = port;
    this.file = join(folder, "own.db");
    this.url = `http://127.0.0.1:${port}`;
  }

  async start() {
    const store = `sqlite:///${this.file}`;
    const served = this.#target ? [this.#target] : ["agents.py:agents", "--store", store];
    const args = ["serve", ...served, "--port", String(this.#port)];
    this.#process = spawn(process.env.E2E_WAKEFUL, args, { cwd: join(import.meta.dirname, ".."), stdio: "ignore" });
    // By this `run` ends the server when the test could not, because it was ended itself.
    writeFileSync(join(this.#folder, "pid"), String(this.#process.pid));
    for await (const _ of setInterval(50)) {
      if (this.#process.exitCode !== null) throw new Error(`a server on ${store} ended with ${this.#process.exitCode}`);
      if (await isUp(this.url)) return;
    }
  }

  // As a crash ends it: nothing more is written.
  async kill() {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await gone;
  }

  async restart() {
    await this.kill();
    await this.start();
  }

  async remove() {
    await this.kill();
    rmSync(this.#folder, { recursive: true });
  }
}

function isUp(url) {
  return fetch(`${url}/health`).then((response) => response.ok, () => false);
}

async function freePort() {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address();
  listener.close();
  await once(listener, "close");
  return port;
}
