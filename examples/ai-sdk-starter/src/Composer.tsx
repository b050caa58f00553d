import { useState, type FormEvent, type KeyboardEvent } from "react";

type Props = { busy: boolean; onSend: (text: string) => void; onStop: () => void };

/** Where the user writes; Enter sends, Shift and Enter begins a new line. */
export function Composer({ busy, onSend, onStop }: Props) {
  const [text, setText] = useState("");

  const send = (event: FormEvent | KeyboardEvent) => {
    event.preventDefault();
    if (busy || !text.trim()) return;
    onSend(text.trim());
    setText("");
  };
  const sendOnEnter = (event: KeyboardEvent) => {
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) send(event);
  };

  return (
    <form className="composer" onSubmit={send}>
      <textarea
        aria-label="Your message"
        placeholder="Write a message"
        rows={1}
        autoFocus
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={sendOnEnter}
      />
      {busy ? (
        <button type="button" className="stop" onClick={onStop}>
          Stop
        </button>
      ) : (
        <button type="submit" className="primary" disabled={!text.trim()}>
          Send
        </button>
      )}
    </form>
  );
}
