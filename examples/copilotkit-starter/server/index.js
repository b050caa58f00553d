// The app's server: the CopilotKit runtime below /api/copilotkit, the page everywhere else.

import "./private.js";

import { createServer } from "node:http";
import { parseArgs } from "node:util";

import { HttpAgent } from "@ag-ui/client";
import { CopilotRuntime } from "@copilotkit/runtime/v2";
import { createCopilotNodeListener } from "@copilotkit/runtime/v2/node";

import { openPage } from "./page.js";
import { WakefulRunner } from "./runner.js";

const WAKEFUL = process.env.WAKEFUL_URL ?? "http://127.0.0.1:3000";
const RUNTIME = "/api/copilotkit";
const OPTIONS = { port: { type: "string", default: "5173" }, dev: { type: "boolean", default: false } };
const { port, dev } = parseArgs({ options: OPTIONS }).values;

const runtime = new CopilotRuntime({
  agents: { default: new HttpAgent({ url: `${WAKEFUL}/v1/ag-ui/agents/assistant/runs` }) },
  runner: new WakefulRunner(WAKEFUL),
});
const copilotkit = createCopilotNodeListener({ runtime, basePath: RUNTIME });
const page = await openPage({ dev });

const server = createServer((request, response) => {
  const answer = request.url.startsWith(RUNTIME) ? copilotkit : page;
  answer(request, response);
});
server.listen(Number(port), "127.0.0.1", () => {
  console.log(`The page is on http://127.0.0.1:${port}, and asks Wakeful on ${WAKEFUL}`);
});
