/** What went wrong, until it has been read. */
export function Failure({ message, onDismiss }: { message: string; onDismiss: () => void }) {
  return (
    <div role="alert" className="failure">
      <p>{message}</p>
      <button type="button" onClick={onDismiss}>
        Dismiss
      </button>
    </div>
  );
}
