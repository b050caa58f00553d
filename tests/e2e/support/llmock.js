// The mock model server: teaches it what to answer.

import { postJson } from "./server.js";

const LLMOCK = process.env.LLMOCK_URL;

// Makes the model answer one new user message: the n-th time it is asked with the n-th fixture, or always with the
// only one. Returns that message.
export async function teach(...fixtures) {
  const userMessage = `question ${crypto.randomUUID()}`;
  const inTurn = fixtures.length > 1;
  const entries = fixtures.map((fixture, index) => ({
    ...fixture,
    match: inTurn ? { userMessage, sequenceIndex: index } : { userMessage },
  }));
  await postJson(`${LLMOCK}/__aimock/fixtures`, { fixtures: entries });
  return userMessage;
}
