import { useFrontendTool } from "@copilotkit/react-core/v2";
import { z } from "zod";

import { Card } from "./Card";

/** A tool of the page's own: the agent is offered it with each request, and the browser carries it out. */
export function usePageColor() {
  useFrontendTool({
    name: "change_color",
    description: "Change the background of the page.",
    parameters: z.object({ color: z.string().describe("Any CSS colour.") }),
    handler: async ({ color }) => {
      if (!CSS.supports("color", color)) throw new Error(`${color} is not a colour`);
      document.documentElement.style.setProperty("--app-ground", color);
      return `the page is ${color} now`;
    },
    render: ({ args, status }) => (
      <Card title={`Colour: ${args.color ?? "…"}`} status={status === "complete" ? "changed" : "changing"}>
        <span className="swatch" style={{ background: args.color }} />
      </Card>
    ),
  });
}
