type Props = { text: string; streaming: boolean };

/** The model's thoughts: open while it thinks, folded afterwards unless the reader opens them. */
export function Reasoning({ text, streaming }: Props) {
  return (
    <details className="reasoning" open={streaming}>
      <summary>{streaming ? "Thinking…" : "Thoughts"}</summary>
      <p className="text">{text}</p>
    </details>
  );
}
