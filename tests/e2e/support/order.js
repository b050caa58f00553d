// What each of our three streams says happened, in one language, so that their order can be compared.

const AI_SDK = {
  "text-delta": (chunk) => ["text", chunk.delta],
  "tool-input-available": (chunk) => ["called", chunk.toolCallId],
  "tool-output-available": (chunk) => ["answered", chunk.toolCallId],
};
const AG_UI = {
  TEXT_MESSAGE_CONTENT: (event) => ["text", event.delta],
  TOOL_CALL_END: (event) => ["called", event.toolCallId],
  TOOL_CALL_RESULT: (event) => ["answered", event.toolCallId],
};
const NATIVE = {
  text_delta: (event) => ["text", event.delta],
  tool_call_ready: (event) => ["called", event.call_id],
  tool_call_finished: (event) => ["answered", event.call_id],
};

export const orderOf = {
  aiSdk: (chunks) => told(AI_SDK, chunks),
  agUi: (events) => told(AG_UI, events),
  native: (events) => told(NATIVE, events),
};

// Text is joined: where it is cut is each stream's own affair.
function told(language, events) {
  const story = [];
  for (const event of events) {
    const [what, detail] = language[event.type]?.(event) ?? [];
    if (what === "text" && story.at(-1)?.[0] === "text") story.at(-1)[1] += detail;
    else if (what) story.push([what, detail]);
  }
  return story;
}
