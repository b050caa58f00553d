import { useEffect, useState } from "react";

/** The chat named in the page's address as `?chat=...`, so that a reload or another tab shows the same one. */
export function useChatId(): [chatId: string, startNew: () => void] {
  const [chatId, setChatId] = useState(fromAddress);

  useEffect(() => {
    if (!named()) history.replaceState(null, "", addressOf(chatId));
    const follow = () => setChatId(fromAddress());
    addEventListener("popstate", follow);
    return () => removeEventListener("popstate", follow);
  }, [chatId]);

  const startNew = () => {
    const fresh = crypto.randomUUID();
    history.pushState(null, "", addressOf(fresh));
    setChatId(fresh);
  };
  return [chatId, startNew];
}

const named = () => new URLSearchParams(location.search).get("chat");
const fromAddress = () => named() || crypto.randomUUID();
const addressOf = (chatId: string) => `?chat=${encodeURIComponent(chatId)}`;
