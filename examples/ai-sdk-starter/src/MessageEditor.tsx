import { useState, type FormEvent } from "react";

type Props = { text: string; onSave: (text: string) => void; onCancel: () => void };

/** A message of the user, being rewritten. The chat goes on from there. */
export function MessageEditor({ text, onSave, onCancel }: Props) {
  const [draft, setDraft] = useState(text);

  const save = (event: FormEvent) => {
    event.preventDefault();
    if (draft.trim()) onSave(draft.trim());
  };

  return (
    <form className="message user editor" onSubmit={save}>
      <textarea
        aria-label="Edit your message"
        rows={2}
        autoFocus
        value={draft}
        onChange={(event) => setDraft(event.target.value)}
      />
      <div className="choices">
        <button type="submit" className="primary">
          Save and send
        </button>
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  );
}
