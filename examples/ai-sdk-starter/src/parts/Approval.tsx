import type { ChatAddToolApproveResponseFunction } from "ai";

type Props = { id: string; onAnswer: ChatAddToolApproveResponseFunction };

/** May this call be made? */
export function Approval({ id, onAnswer }: Props) {
  return (
    <div className="choices" role="group" aria-label="Approval">
      <button type="button" className="primary" onClick={() => onAnswer({ id, approved: true })}>
        Approve
      </button>
      <button type="button" onClick={() => onAnswer({ id, approved: false, reason: "The user said no." })}>
        Deny
      </button>
    </div>
  );
}
