// The recorded runs as our encoders show them, folded by the protocols' own clients. No server is asked.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { CLIENTS } from "./support/agent.js";
import { MAJORS } from "./support/majors.js";
import { snapshots } from "./support/recordings.js";

const VERSIONS = { "0.0.59": "ag_ui_0", "1.0.0": "ag_ui_1" };
const VOCABULARIES = { 5: ["ai_sdk_5"], 6: ["ai_sdk"], 7: ["ai_sdk", "ai_sdk_7"] };

for (const [major, ai] of Object.entries(MAJORS)) {
  describe(`ai ${major}`, () => {
    for (const folder of VOCABULARIES[major]) {
      for (const [name, chunks] of Object.entries(snapshots(folder))) {
        test(`every chunk of ${folder}/${name} is one of its own`, () => assertValid(ai, chunks));
      }
    }

    for (const [name, chunks] of Object.entries(snapshots("ai_sdk_replayed"))) {
      test(`holds after a replay of ${name} what one of 7 holds that watched it and asked for its own chunks`, async () => {
        const watched = await folded(MAJORS[7], snapshots("ai_sdk_7")[name]);

        assert.deepEqual(shown(await folded(ai, chunks)), shown(watched));
      });
    }

    test("a call is shown once, with the arguments a human changed", async () => {
      const message = await folded(ai, snapshots(VOCABULARIES[major][0]).edited_arguments);

      const calls = message.parts.filter((part) => part.type === "tool-delete_file");
      assert.deepEqual(calls.map((call) => [call.state, call.input]), [["output-available", { path: "b.txt" }]]);
    });

    test("an answer that ended the run is not sent again", async () => {
      const message = await folded(ai, snapshots(VOCABULARIES[major][0]).front_end_answer_ends_the_run);

      assert.equal(ai.lastAssistantMessageIsCompleteWithToolCalls({ messages: [message] }), false);
    });
  });
}

for (const major of ["6", "7"]) {
  const ai = MAJORS[major];

  test(`ai ${major}: a call that is asked about again has its new question in the message's last step`, async () => {
    const chunks = snapshots("ai_sdk").asked_again;
    const asked = chunks.findIndex((chunk) => chunk.approvalId === "int-2");

    const message = await folded(ai, chunks.slice(0, asked + 1));
    const call = message.parts.at(-1);
    const answered = { ...call, state: "approval-responded", approval: { id: call.approval.id, approved: true } };
    const messages = [{ ...message, parts: [...message.parts.slice(0, -1), answered] }];

    assert.deepEqual([call.state, call.approval.id], ["approval-requested", "int-2"]);
    assert.ok(ai.lastAssistantMessageIsCompleteWithApprovalResponses({ messages }), "the answer is not sent by itself");
  });
}

for (const [version, client] of Object.entries(CLIENTS)) {
  describe(`@ag-ui/client ${version}`, () => {
    for (const [name, events] of Object.entries(snapshots(VERSIONS[version]))) {
      test(`accepts ${name}`, async () => {
        const seen = await watch(client, events);

        assert.equal(seen.events, events.length);
      });
    }

    for (const [name, events] of Object.entries(snapshots("ag_ui_replayed"))) {
      test(`that watched ${name} holds what a replay shows`, async () => {
        const watched = await watch(client, snapshots(VERSIONS[version])[name]);

        assert.deepEqual(transcript(watched), transcript(await watch(client, events)));
      });
    }
  });
}

async function assertValid(ai, chunks) {
  const schema = ai.uiMessageChunkSchema();
  for (const chunk of chunks) {
    const checked = await schema.validate(chunk);
    assert.ok(checked.success, `${JSON.stringify(chunk)}: ${checked.error}`);
  }
}

// The message a client holds at the end; what the stream calls an error is not one here.
async function folded(ai, chunks) {
  const errors = [];
  const stream = ReadableStream.from(chunks);
  let last;
  for await (const message of ai.readUIMessageStream({ stream, onError: (error) => errors.push(error.message) })) {
    last = message;
  }
  assert.deepEqual(errors, chunks.filter((chunk) => chunk.type === "error").map((chunk) => chunk.errorText));
  return last;
}

// What a page draws: without metadata and the names of a stream's blocks.
function shown(message) {
  return JSON.parse(JSON.stringify({ id: message.id, parts: message.parts.map(({ id, ...part }) => part) }));
}

async function watch(client, events) {
  const body = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
  const headers = { "content-type": "text/event-stream" };
  const agent = new client.HttpAgent({ url: "http://recorded/", fetch: async () => new Response(body, { headers }) });
  const seen = { events: 0 };
  await agent.runAgent({}, { onEvent: () => void (seen.events += 1) });
  return Object.assign(seen, { messages: agent.messages });
}

// What is shown and sent, under the ids of a run that was never disturbed.
function transcript({ messages }) {
  const kept = messages.filter((message) => message.role !== "activity");
  return JSON.parse(JSON.stringify(kept).replace(/:a\d+/g, ""));
}
