type Props = { error: Error; action: string; onAction: () => void };

/** Something went wrong, and what to do about it. */
export function Notice({ error, action, onAction }: Props) {
  return (
    <div role="alert" className="notice">
      <p>
        <strong>That did not work.</strong> {readable(error.message)}
      </p>
      <button type="button" onClick={onAction}>
        {action}
      </button>
    </div>
  );
}

/** A refused request fails with the response's body, Wakeful's `{"error": "..."}`; a failed run with plain text. */
function readable(message: string): string {
  try {
    const body: unknown = JSON.parse(message);
    return body && typeof body === "object" && "error" in body ? String(body.error) : message;
  } catch {
    return message || "Wakeful cannot be reached.";
  }
}
