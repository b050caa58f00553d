import { Conversation } from "./Conversation";
import { Notice } from "./Notice";
import { useChatId } from "./useChatId";
import { useHistory } from "./useHistory";

export function App() {
  const [chatId, startNew] = useChatId();

  return (
    <div className="page">
      <header>
        <h1>Wakeful chat</h1>
        <button type="button" onClick={startNew}>
          New chat
        </button>
      </header>
      <StoredChat key={chatId} chatId={chatId} />
    </div>
  );
}

/** Loads what the chat holds before `useChat` begins with it. */
function StoredChat({ chatId }: { chatId: string }) {
  const [history, retry] = useHistory(chatId);

  switch (history.state) {
    case "loading":
      return <p role="status">Loading the chat…</p>;
    case "failed":
      return <Notice error={history.error} action="Try again" onAction={retry} />;
    case "loaded":
      return <Conversation chatId={chatId} history={history.messages} />;
  }
}
