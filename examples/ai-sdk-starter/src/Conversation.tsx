import { Composer } from "./Composer";
import { Message } from "./Message";
import { pickedColor, showsSomething, type ChatMessage } from "./messages";
import { Notice } from "./Notice";
import { Suggestions } from "./Suggestions";
import { useStickyBottom } from "./useStickyBottom";
import { useWakefulChat } from "./useWakefulChat";

type Props = { chatId: string; history: ChatMessage[] };

export function Conversation({ chatId, history }: Props) {
  const chat = useWakefulChat({ id: chatId, messages: history });
  const { messages, busy, error } = chat;
  const last = messages.at(-1);
  useStickyBottom(messages);

  return (
    <main data-color={pickedColor(messages)}>
      <section className="log" role="log" aria-label="Messages" aria-busy={busy}>
        {messages.length === 0 && <Suggestions onPick={(text) => chat.sendMessage({ text })} />}
        {messages.filter(showsSomething).map((message) => (
          <Message
            key={message.id}
            message={message}
            last={message === last}
            busy={busy}
            onEdit={(text) => chat.sendMessage({ text, messageId: message.id })}
            onRegenerate={() => chat.regenerate({ messageId: message.id })}
            onApproval={chat.addToolApprovalResponse}
            onOutput={chat.addToolOutput}
          />
        ))}
        {busy && last?.role !== "assistant" && (
          <p role="status" className="hint">
            Waiting for the assistant…
          </p>
        )}
        {error && <Notice error={error} action="Try again" onAction={chat.retry} />}
      </section>
      <Composer busy={busy} onSend={(text) => chat.sendMessage({ text })} onStop={chat.stop} />
    </main>
  );
}
