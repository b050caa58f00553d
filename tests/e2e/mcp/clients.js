// The TypeScript clients of MCP, behind one small interface: `open(server, { user })` connects one.

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as StdioV1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as HttpV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";

const INFO = { name: "e2e", version: "1" };
// A server that crashed takes some seconds to come back; by default the clients try twice.
const PATIENT = { initialReconnectionDelay: 200, maxReconnectionDelay: 500, reconnectionDelayGrowFactor: 1.5, maxRetries: 60 };
const CAN = { elicitation: { form: {} } };

export const CLIENTS = {
  "sdk 1 over HTTP": { era: "2025-11-25", open: (server, user) => first(http1(server), user) },
  "sdk 1 over pipes": { era: "2025-11-25", piped: true, open: (server, user) => first(new StdioV1(pipes(server)), user) },
  "client 2 over HTTP": { era: "2025-11-25", open: (server, user) => second(http2(server), user, "legacy") },
  "client 2 over HTTP, auto": { era: "2026-07-28", open: (server, user) => second(http2(server), user, "auto") },
  "client 2 over pipes, auto": {
    era: "2026-07-28",
    piped: true,
    open: (server, user) => second(new StdioClientTransport(pipes(server)), user, "auto"),
  },
};

async function first(transport, user) {
  const client = new ClientV1(INFO, { capabilities: CAN });
  client.setRequestHandler(ElicitRequestSchema, (request) => user(request.params));
  await client.connect(transport);
  return {
    client,
    call: (name, args, options) => client.callTool({ name, arguments: args }, undefined, options),
    close: () => client.close(),
  };
}

async function second(transport, user, mode) {
  const client = new Client(INFO, { capabilities: CAN, versionNegotiation: { mode } });
  client.setRequestHandler("elicitation/create", (request) => user(request.params));
  await client.connect(transport);
  return {
    client,
    call: (name, args, options) => client.callTool({ name, arguments: args }, options),
    close: () => client.close(),
  };
}

function http1(server) {
  return new HttpV1(new URL(server.url), { reconnectionOptions: PATIENT });
}

function http2(server) {
  return new StreamableHTTPClientTransport(new URL(server.url), { reconnectionOptions: PATIENT });
}

function pipes(server) {
  const [command, ...args] = server.piped();
  return {
    command,
    args,
    env: { ...process.env, ...server.env },
    stderr: "ignore",
  };
}
