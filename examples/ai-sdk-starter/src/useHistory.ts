import { useEffect, useState } from "react";

import type { ChatMessage } from "./messages";
import { loadMessages } from "./wakeful";

type History =
  | { state: "loading" }
  | { state: "failed"; error: Error }
  | { state: "loaded"; messages: ChatMessage[] };

/** What a chat held when the page opened it. Use it in a component keyed by the chat's id. */
export function useHistory(chatId: string): [history: History, retry: () => void] {
  const [history, setHistory] = useState<History>({ state: "loading" });
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    const request = new AbortController();
    loadMessages(chatId, request.signal).then(
      (messages) => setHistory({ state: "loaded", messages }),
      (error: Error) => request.signal.aborted || setHistory({ state: "failed", error }),
    );
    return () => request.abort();
  }, [chatId, attempt]);

  const retry = () => {
    setHistory({ state: "loading" });
    setAttempt((count) => count + 1);
  };
  return [history, retry];
}
