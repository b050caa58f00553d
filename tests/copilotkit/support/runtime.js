// The CopilotKit runtime as an app's own server has it: one agent, which is Wakeful's.

import { createServer } from "node:http";

import { HttpAgent } from "@ag-ui/client";
import { CopilotRuntime, InMemoryAgentRunner } from "@copilotkit/runtime/v2";
import { createCopilotNodeListener } from "@copilotkit/runtime/v2/node";

import { WAKEFUL } from "./wakeful.js";

const PATH = "/api/copilotkit";

// Resolves to { url, close }. `agentId` is the agent of Wakeful that plays the runtime's `default`.
export async function startRuntime({ agentId = "assistant" } = {}) {
  const url = `${WAKEFUL}/v1/ag-ui/agents/${agentId}/runs`;
  const runtime = new CopilotRuntime({ agents: { default: new HttpAgent({ url }) }, runner: new InMemoryAgentRunner() });
  const server = createServer(createCopilotNodeListener({ runtime, basePath: PATH }));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}${PATH}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
