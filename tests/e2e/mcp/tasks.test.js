// Tasks, judged by the extension's own schemas, over the crash of the server that announced one.

import {
  CancelTaskResultV2Schema,
  CreateTaskResultV2Schema,
  GetTaskResultV2Schema,
  TaskStatusNotificationV2Schema,
  UpdateTaskResultV2Schema,
} from "@modelcontextprotocol/ext-tasks/core/v2";
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setInterval } from "node:timers/promises";

import { served } from "./served.js";

const VERSION = "2026-07-28";
const META = "io.modelcontextprotocol/";
const CAN = { elicitation: { form: {} }, extensions: { [`${META}tasks`]: {} } };
const FORTY = Array.from({ length: 40 }, (_, index) => index + 1).join(" ");

let server;
let number = 0;
before(async () => {
  server = await served();
});
after(() => server.remove());

describe("tasks", { timeout: 60_000 }, () => {
  test("a long call is a task that outlives a crash", async () => {
    const made = CreateTaskResultV2Schema.parse(await say("count to 40 every 50 ms"));
    const working = await get(made.taskId);

    await server.restart();

    assert.equal(working.status, "working");
    assert.equal((await until(made.taskId, "completed")).result.structuredContent.text, FORTY);
  });

  test("a task that asks is answered", async () => {
    const made = CreateTaskResultV2Schema.parse(await say("email bob@example.com hi"));
    const asked = await until(made.taskId, "input_required");
    const [key] = Object.keys(asked.inputRequests);

    const inputResponses = { [key]: { action: "accept", content: { approved: true } } };
    UpdateTaskResultV2Schema.parse(await ask("tasks/update", { taskId: made.taskId, inputResponses }));

    assert.ok(!(await until(made.taskId, "completed")).result.isError);
  });

  test("a task is cancelled, and who listens is told", async () => {
    const made = CreateTaskResultV2Schema.parse(await say("count to 1000 every 50 ms"));
    const told = [];
    const stream = await post("subscriptions/listen", { notifications: { taskIds: [made.taskId] } });
    for await (const message of messages(stream)) {
      told.push(message);
      if (told.length === 1) CancelTaskResultV2Schema.parse(await ask("tasks/cancel", { taskId: made.taskId }));
      if (message.params.status === "cancelled") break;
    }

    assert.equal(told[0].method, "notifications/subscriptions/acknowledged");
    for (const message of told.slice(1)) TaskStatusNotificationV2Schema.parse(message);
    assert.equal((await get(made.taskId)).status, "cancelled");
  });
});

const say = (message) => ask("tools/call", { name: "assistant", arguments: { message } });
const get = async (taskId) => GetTaskResultV2Schema.parse(await ask("tasks/get", { taskId }));

async function until(taskId, status) {
  for await (const _ of setInterval(50)) {
    const found = await get(taskId);
    if (found.status === status) return found;
  }
}

async function ask(method, params) {
  const answer = await (await post(method, params)).json();
  assert.ok(answer.result, JSON.stringify(answer));
  return answer.result;
}

function post(method, params) {
  const _meta = { [`${META}protocolVersion`]: VERSION, [`${META}clientCapabilities`]: CAN };
  const name = params.name ?? params.taskId;
  return fetch(server.url, {
    method: "POST",
    headers: {
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
      "mcp-protocol-version": VERSION,
      "mcp-method": method,
      ...(name ? { "mcp-name": name } : {}),
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: ++number, method, params: { ...params, _meta } }),
  });
}

async function* messages(response) {
  let rest = "";
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const frames = (rest + text).split("\n\n");
    rest = frames.pop();
    for (const frame of frames) {
      if (frame.startsWith("data: ")) yield JSON.parse(frame.slice("data: ".length));
    }
  }
}
