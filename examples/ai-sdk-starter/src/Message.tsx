import { useState } from "react";

import { MessageEditor } from "./MessageEditor";
import { textOf, type ChatMessage, type Metadata } from "./messages";
import { Part, type ToolAnswers } from "./parts/Part";

type Props = ToolAnswers & {
  message: ChatMessage;
  last: boolean;
  busy: boolean;
  onEdit: (text: string) => void;
  onRegenerate: () => void;
};

export function Message({ message, last, busy, onEdit, onRegenerate, ...answers }: Props) {
  const [editing, setEditing] = useState(false);
  const mine = message.role === "user";

  if (editing) {
    return (
      <MessageEditor
        text={textOf(message)}
        onCancel={() => setEditing(false)}
        onSave={(text) => {
          setEditing(false);
          onEdit(text);
        }}
      />
    );
  }
  return (
    <article className={mine ? "message user" : "message assistant"} aria-label={mine ? "You" : "Assistant"}>
      {message.parts.map((part, index) => (
        <Part key={index} part={part} open={last} {...answers} />
      ))}
      <footer>
        {mine ? (
          <button type="button" disabled={busy} onClick={() => setEditing(true)}>
            Edit
          </button>
        ) : (
          <button type="button" disabled={busy} onClick={onRegenerate}>
            Regenerate
          </button>
        )}
        {message.metadata && <Facts {...message.metadata} />}
      </footer>
    </article>
  );
}

function Facts({ model, usage }: Metadata) {
  const tokens = usage?.totalTokens ? `${usage.totalTokens} tokens` : undefined;
  return <small>{[model, tokens].filter(Boolean).join(", ")}</small>;
}
