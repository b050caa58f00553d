import { type Interrupt, useAgent, useInterrupt } from "@copilotkit/react-core/v2";
import { useState } from "react";

import { Card } from "./Card";

/** Asks about every call that the agent may not make by itself. The run goes on once all of them are answered. */
export function useApproval() {
  useInterrupt({
    render: ({ interrupts, resolve }) => (
      <>
        {interrupts.map((interrupt) => (
          <Question
            key={interrupt.id}
            interrupt={interrupt}
            onAnswer={(approved) => void resolve({ approved }, interrupt.id)}
          />
        ))}
      </>
    ),
  });
}

function Question({ interrupt, onAnswer }: { interrupt: Interrupt; onAnswer: (approved: boolean) => void }) {
  const [answer, setAnswer] = useState<boolean>();
  const { agent } = useAgent();
  const call = agent.messages
    .flatMap((message) => (message.role === "assistant" ? (message.toolCalls ?? []) : []))
    .find(({ id }) => id === interrupt.toolCallId);
  const choose = (approved: boolean) => {
    setAnswer(approved);
    onAnswer(approved);
  };

  return (
    <Card title="May I?" status={answer === undefined ? "waits for you" : answer ? "approved" : "denied"}>
      <p>{interrupt.message}</p>
      {call && <code>{call.function.arguments}</code>}
      <div className="choices">
        <button type="button" className="primary" disabled={answer !== undefined} onClick={() => choose(true)}>
          Approve
        </button>
        <button type="button" disabled={answer !== undefined} onClick={() => choose(false)}>
          Deny
        </button>
      </div>
    </Card>
  );
}
