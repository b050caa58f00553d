// What a subscriber heard of one AG-UI run.

import assert from "node:assert/strict";

export function types(heard) {
  return heard.events.map((event) => event.type);
}

// A client takes a stream that just stops for success, so the end itself has to be seen.
export function assertFinished(heard) {
  assert.equal(types(heard).at(0), "RUN_STARTED");
  assert.equal(types(heard).at(-1), "RUN_FINISHED");
  assert.equal(types(heard).filter((type) => type === "RUN_FINISHED").length, 1);
  assert.equal(heard.error, null);
}
