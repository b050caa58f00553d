// Every major of the AI SDK as a bare chat and as `useChat` on a page; between them they use both of our paths.

import { openChat } from "./chat.js";
import { headersOf, MAJORS } from "./majors.js";
import { openPage } from "./page.js";
import { WAKEFUL } from "./server.js";

const CHAT = "/v1/ai-sdk/chat";
const AGENT = "/v1/ai-sdk/agents/assistant/runs";

export const CLIENTS = [
  ...Object.entries(MAJORS).flatMap(([major, ai]) => [
    client(`Chat of ai ${major}`, ai, openChat, CHAT),
    client(`useChat of ai ${major}`, ai, openPage, AGENT),
  ]),
  client("Chat of ai 7 that asks for no vocabulary", MAJORS[7], openChat, AGENT, {}),
];

function client(name, ai, open, ours, headers = headersOf(ai)) {
  return {
    name,
    ai,
    headers,
    open: ({ base = WAKEFUL, path = ours, ...options } = {}) => {
      return Object.assign(open(ai, { api: `${base}${path}`, headers, ...options }), { ai, base });
    },
  };
}
