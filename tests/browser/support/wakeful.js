// Wakeful itself, asked behind the page's back.

import { setTimeout as pause } from "node:timers/promises";

const PATIENCE_MS = 15_000;
const { WAKEFUL_URL } = process.env;

export async function latestRun(thread) {
  const response = await fetch(`${WAKEFUL_URL}/v1/threads/${thread}/runs/latest`);
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return response.json();
}

// Until the thread's newest run has this status.
export async function untilRunIs(status, thread) {
  const deadline = AbortSignal.timeout(PATIENCE_MS);
  for (;;) {
    const run = await latestRun(thread);
    if (run.status === status) return run;
    deadline.throwIfAborted();
    await pause(20);
  }
}
