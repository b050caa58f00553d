import { getToolName } from "ai";
import type { ReactNode } from "react";

import type { ToolPart } from "../messages";

const STATES: Record<ToolPart["state"], string> = {
  "input-streaming": "being written",
  "input-available": "running",
  "approval-requested": "needs your approval",
  "approval-responded": "answered",
  "output-available": "done",
  "output-error": "failed",
  "output-denied": "denied",
};

const UNFINISHED = new Set<ToolPart["state"]>(["input-streaming", "input-available", "approval-requested"]);

type Props = { part: ToolPart; open: boolean; children: ReactNode };

/** A tool call: what goes in, what comes out, and in `children` what the user can do about it. */
export function ToolCard({ part, open, children }: Props) {
  const name = getToolName(part);

  return (
    <section className="tool" aria-label={`Tool ${name}`}>
      <header>
        <code>{name}</code>
        <span>{stateOf(part, open)}</span>
      </header>
      <dl>
        {part.input !== undefined && <Value label="Input" value={part.input} />}
        {part.state === "output-available" && <Value label="Output" value={part.output} />}
      </dl>
      {part.state === "output-error" && <p className="failure">{part.errorText}</p>}
      {part.state === "output-denied" && <p className="failure">{part.approval.reason ?? "The call was not made."}</p>}
      {children}
    </section>
  );
}

function stateOf(part: ToolPart, open: boolean): string {
  if (!open && UNFINISHED.has(part.state)) return "not answered";
  return part.type === "tool-pick_color" && part.state === "input-available" ? "waits for you" : STATES[part.state];
}

function Value({ label, value }: { label: string; value: unknown }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        <pre>{JSON.stringify(value, null, 2)}</pre>
      </dd>
    </div>
  );
}
