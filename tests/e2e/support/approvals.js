// The questions a page shows before a call, and how a person answers them in each major.

import assert from "node:assert/strict";

import { isAtRest, partsOfType } from "./chat.js";
import { majorOf } from "./majors.js";
import { postJson, text } from "./server.js";

// Major 5 has no word for a denied call: it shows one that failed.
export function denied(ai) {
  return majorOf(ai) === "5" ? "output-error" : "output-denied";
}

// The open questions of a message, as [{approvalId, toolCallId, toolName, input}].
export function questions(ai, message) {
  if (majorOf(ai) === "5") {
    return partsOfType(message, "data-approval-request").map(({ data }) => data);
  }
  const asking = message.parts.filter((part) => part.state === "approval-requested");
  return asking.map(({ approval, toolCallId, type, input }) => ({
    approvalId: approval.id,
    toolCallId,
    toolName: type.slice("tool-".length),
    input,
  }));
}

// Answers every open question with `verdict`, a function from a question to {approved, reason}, and sees the answer.
export async function answerAll(chat, verdict) {
  await giveAnswers(chat, verdict);
  await chat.until(() => isAtRest(chat) && text(chat.lastMessage).length > 0);
}

// The same, without waiting for what comes of it.
export async function giveAnswers(chat, verdict) {
  const message = chat.lastMessage;
  const open = questions(chat.ai, message);
  assert.ok(open.length > 0, `no question is open in ${JSON.stringify(message)}`);
  for (const question of open) {
    await answer(chat, message, { ...question, ...verdict(question) });
  }
  if (majorOf(chat.ai) === "5") await chat.resumeStream();
}

// The chat itself in 6 and 7; 5 has no such door, so its page asks our own API.
async function answer(chat, message, { approvalId, approved, reason }) {
  if (majorOf(chat.ai) === "5") {
    await decide(chat.base, message.metadata.runId, { target: approvalId, approved, reason });
  } else {
    await chat.addToolApprovalResponse({ id: approvalId, approved, reason });
  }
}

export function decide(base, runId, decision) {
  return postJson(`${base}/v1/runs/${runId}/decision`, decision);
}
