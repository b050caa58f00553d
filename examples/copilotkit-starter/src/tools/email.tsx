import { useRenderTool } from "@copilotkit/react-core/v2";
import { z } from "zod";

import { Card } from "./Card";

/** Shows calls of the agent's `send_email`; whether it may be sent is asked in `approval.tsx`. */
export function useEmailCard() {
  useRenderTool({
    name: "send_email",
    parameters: z.object({ to: z.string(), body: z.string() }),
    render: ({ status, parameters, result }) => (
      <Card title={`Email to ${parameters.to ?? "…"}`} status={status === "complete" ? outcome(result) : "not sent yet"}>
        <blockquote>{parameters.body}</blockquote>
      </Card>
    ),
  });
}

const outcome = (result: string) => (result.includes('"sent":true') ? "sent" : "not sent");
