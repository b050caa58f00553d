import { Chat, useChat } from "@ai-sdk/react";
import {
  DefaultChatTransport,
  lastAssistantMessageIsCompleteWithApprovalResponses,
  lastAssistantMessageIsCompleteWithToolCalls,
} from "ai";
import { useState } from "react";

import type { ChatMessage } from "./messages";
import { RUNS, stopChat } from "./wakeful";

type Conversation = { messages: ChatMessage[] };

/** `useChat` with everything that Wakeful offers it. Use it in a component keyed by the chat's id. */
export function useWakefulChat({ id, messages }: Conversation & { id: string }) {
  // Given a Chat of its own, `useChat` leaves the transport as it is. One that `useChat` makes of options wraps it and
  // forgets that a resumed answer is replayed from its beginning: after a broken connection texts would appear twice.
  const [own] = useState(
    () =>
      new Chat<ChatMessage>({
        id,
        messages,
        transport: new DefaultChatTransport({ api: RUNS }),
        sendAutomaticallyWhen: allAnswered,
      }),
  );
  // An answer that was under way when the page was closed goes on here.
  const chat = useChat({ chat: own, resume: true });

  return {
    ...chat,
    busy: chat.status === "submitted" || chat.status === "streaming",
    /** The run's end comes over the open stream; only when Wakeful cannot end it, the page just stops listening. */
    stop: () => stopChat(id).catch(chat.stop),
    /** Approvals and outputs are sent again, a broken connection is taken up again, anything else is asked again. */
    retry: () => {
      if (allAnswered(chat)) return chat.sendMessage();
      const asked = chat.messages.findLast((message) => message.role === "user");
      const broken = chat.error instanceof TypeError && chat.messages.at(-1) !== asked;
      return broken || !asked ? chat.resumeStream() : chat.sendMessage({ ...asked, messageId: asked.id });
    },
  };
}

/** Everything that the assistant asked for is answered: the answers can be sent. */
function allAnswered(chat: Conversation): boolean {
  return lastAssistantMessageIsCompleteWithApprovalResponses(chat) || lastAssistantMessageIsCompleteWithToolCalls(chat);
}
