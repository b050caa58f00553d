import type { ChatMessage } from "./messages";

/** Where `useChat` posts to; it resumes an answer at `${RUNS}/{chat}/stream`. */
export const RUNS = "/v1/ai-sdk/agents/assistant/runs";

const threadUrl = (chatId: string) => `/v1/ai-sdk/threads/${encodeURIComponent(chatId)}`;

/** The messages of a chat, none when Wakeful has not seen the chat yet. */
export async function loadMessages(chatId: string, signal: AbortSignal): Promise<ChatMessage[]> {
  const response = await fetch(`${threadUrl(chatId)}/messages`, { signal });
  if (response.status === 404) return [];
  if (!response.ok) throw await refusal(response);
  const { messages } = (await response.json()) as { messages: ChatMessage[] };
  return messages;
}

/** Ends what the chat is doing. Closing the connection alone does not: the run would go on without this page. */
export async function stopChat(chatId: string): Promise<void> {
  const response = await fetch(`${threadUrl(chatId)}/stop`, { method: "POST" });
  if (!response.ok) throw await refusal(response);
}

async function refusal(response: Response): Promise<Error> {
  return new Error((await response.text()) || `Wakeful answered ${response.status}.`);
}
