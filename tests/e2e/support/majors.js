// The majors of the AI SDK that are driven, and what one tells the server of itself.

import * as ai5 from "ai5";
import * as ai6 from "ai6";
import * as ai7 from "ai7";

export const MAJORS = { 5: ai5, 6: ai6, 7: ai7 };

// Names the vocabulary it understands; one of 6 need not.
export function headersOf(ai) {
  return ai === ai6 ? {} : { "x-wakeful-ai-sdk": majorOf(ai) };
}

export function majorOf(ai) {
  return Object.keys(MAJORS).find((major) => MAJORS[major] === ai);
}

// What a page sets once for both kinds of answers: send again as soon as every call of the last step has its own.
export function completeWithAnswers(ai) {
  const conditions = [ai.lastAssistantMessageIsCompleteWithToolCalls];
  if (majorOf(ai) !== "5") conditions.push(ai.lastAssistantMessageIsCompleteWithApprovalResponses);
  return (chat) => conditions.some((isComplete) => isComplete(chat));
}
