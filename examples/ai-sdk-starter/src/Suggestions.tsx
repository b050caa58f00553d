const SUGGESTIONS = [
  "weather in Paris",
  "think about time",
  "email bob@example.com see you at noon",
  "use pick_color {}",
  "count to 100 every 100 ms",
  "cite https://example.com and draw a circle",
  "fail",
];

/** What the demo model understands. */
export function Suggestions({ onPick }: { onPick: (text: string) => void }) {
  return (
    <div className="suggestions">
      <p>The model works offline and understands a few sentences. Try one:</p>
      <ul>
        {SUGGESTIONS.map((text) => (
          <li key={text}>
            <button type="button" onClick={() => onPick(text)}>
              {text}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
