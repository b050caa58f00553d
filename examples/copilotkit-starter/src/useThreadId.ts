import { useEffect, useState } from "react";

/** The conversation named in the page's address as `?thread=...`, so that a reload or another tab shows the same one. */
export function useThreadId(): [threadId: string, startNew: () => void] {
  const [threadId, setThreadId] = useState(fromAddress);

  useEffect(() => {
    if (!named()) history.replaceState(null, "", addressOf(threadId));
    const follow = () => setThreadId(fromAddress());
    addEventListener("popstate", follow);
    return () => removeEventListener("popstate", follow);
  }, [threadId]);

  const startNew = () => {
    const fresh = crypto.randomUUID();
    history.pushState(null, "", addressOf(fresh));
    setThreadId(fresh);
  };
  return [threadId, startNew];
}

const named = () => new URLSearchParams(location.search).get("thread");
const fromAddress = () => named() || crypto.randomUUID();
const addressOf = (threadId: string) => `?thread=${encodeURIComponent(threadId)}`;
